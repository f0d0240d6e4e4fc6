"""The service and its workers as a test drives them: photos are submitted, and their ends awaited."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol
from uuid import uuid4

from nats.aio.subscription import Subscription
from photochanger.providers.v1.processing_events_pb2 import ProcessingFinished
from photochanger.providers.v1.processing_service_pb2 import (
    GetProcessingRequest,
    Processing,
    ProcessRequest,
    SubmitProcessingRequest,
)
from photochanger.providers.v1.processing_service_pb2_grpc import ProcessingServiceStub
from photochanger.tasks.v1.queue_service_pb2_grpc import QueueServiceStub
from photochanger.tasks.v1.task_events_pb2 import (
    TASK_STATE_CANCELLED,
    TASK_STATE_DEAD,
    TASK_STATE_DONE,
    TASK_STATE_FAILED,
    TaskEvent,
)

from photochanger_providers.drivers.entry import DriverEntry
from photochanger_providers.testing.fake_media import FakeMedia
from photochanger_providers.testing.requests import a_request, edited
from photochanger_providers.testing.scripted_driver import Script

StartReplica = Callable[..., Awaitable["Replica"]]
StartWorker = Callable[..., Awaitable["RunningWorker"]]
_LOOK_SECONDS: Final = 0.02
_LONG_SECONDS: Final = 30.0  # claims no speed
_FINAL: Final = (TASK_STATE_DONE, TASK_STATE_FAILED, TASK_STATE_DEAD, TASK_STATE_CANCELLED)


class Replica(Protocol):
    """A running service."""

    @property
    def processing(self) -> ProcessingServiceStub:
        """Calls its service of photos."""
        ...

    @property
    def queues(self) -> QueueServiceStub:
        """Calls its service of queues."""
        ...


class RunningWorker(Protocol):
    """A running worker."""

    async def stop(self) -> None:
        """Stops as SIGTERM does."""
        ...

    async def die(self) -> None:
        """Ends without storing anything."""
        ...


class Bench:
    """The service, its workers and a photo; with a provider, and so a queue, of this test's own on the shared NATS."""

    def __init__(
        self, start_replica: StartReplica, start_worker: StartWorker, media: FakeMedia, portrait: bytes
    ) -> None:
        self.media = media
        self.provider = f"p{uuid4().hex[:12]}"
        self.picture = edited(portrait)
        self._photo = media.put(portrait)
        self._start_replica = start_replica
        self._start_worker = start_worker

    async def serve(
        self, script: Script, *others: DriverEntry, limit: int = 30, **changes: object
    ) -> Replica:
        """Starts a service; `changes` are settings."""
        return await self._start_replica(self._entry(script, limit), *others, **changes)

    async def work(
        self, script: Script, *others: DriverEntry, limit: int = 30, **changes: object
    ) -> RunningWorker:
        """Starts a worker; `changes` are settings, and `queues`."""
        return await self._start_worker(self._entry(script, limit), *others, **changes)

    def request(self, **changes: Any) -> ProcessRequest:
        """Makes a request for a new job with the photo; `changes` as in `a_request`."""
        wanted: dict[str, Any] = {"provider_id": self.provider, "seconds": 3600} | changes
        return a_request(self._photo, **wanted)

    def _entry(self, script: Script, limit: int) -> DriverEntry:
        return script.entry(provider_id=self.provider, limit=limit)


async def submit(
    replica: Replica, process: ProcessRequest, client_id: str = "one", **more: int
) -> Processing:
    """Hands a photo over to the workers; `more` as in `SubmitProcessingRequest`."""
    answer = await replica.processing.SubmitProcessing(
        SubmitProcessingRequest(process=process, client_id=client_id, **more), timeout=5
    )
    return answer.processing


async def look(replica: Replica, job_id: str) -> Processing:
    """Returns where a photo is."""
    answer = await replica.processing.GetProcessing(GetProcessingRequest(job_id=job_id), timeout=5)
    return answer.processing


async def until(replica: Replica, job_id: str, condition: Callable[[Processing], bool]) -> Processing:
    """Waits until a condition holds for a photo."""
    async with asyncio.timeout(_LONG_SECONDS):
        while True:
            found = await look(replica, job_id)
            if condition(found):
                return found
            await asyncio.sleep(_LOOK_SECONDS)


async def ended(replica: Replica, job_id: str) -> Processing:
    """Waits until a photo has ended, and returns how."""
    return await until(replica, job_id, lambda found: found.HasField("finished_at"))


async def told(events: Subscription, job_id: str) -> tuple[ProcessingFinished, list[TaskEvent]]:
    """Waits for the events that end a job and its task; returns the first, and all of the task."""
    outcome: ProcessingFinished | None = None
    changes: list[TaskEvent] = []
    seen: set[str] = set()
    async with asyncio.timeout(_LONG_SECONDS):
        while outcome is None or not changes or changes[-1].state not in _FINAL:
            message = await events.next_msg(timeout=_LONG_SECONDS)
            name = (message.headers or {})["Nats-Msg-Id"]
            if name in seen:
                continue
            seen.add(name)
            if ".task." in message.subject:
                change = TaskEvent.FromString(message.data)
                changes += [change] if change.unique_key == job_id else []
            else:
                event = ProcessingFinished.FromString(message.data)
                outcome = event if event.job_id == job_id else outcome
    return outcome, changes
