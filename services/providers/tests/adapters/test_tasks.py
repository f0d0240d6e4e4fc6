"""A photo's way through the queues, over the service's real interface: submitted here, run by a worker there."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar
from uuid import uuid4

import pytest
from nats.aio.subscription import Subscription
from photochanger.media.v1.media_object_pb2 import MEDIA_KIND_RESULT
from photochanger.providers.v1.processing_events_pb2 import ProcessingFinished
from photochanger.providers.v1.processing_service_pb2 import (
    CancelProcessingRequest,
    GetProcessingRequest,
    Processing,
    ProcessRequest,
    SubmitProcessingRequest,
)
from photochanger.providers.v1.processing_service_pb2_grpc import ProcessingServiceStub
from photochanger.tasks.v1 import queue_service_pb2 as queues
from photochanger.tasks.v1.queue_service_pb2_grpc import QueueServiceStub
from photochanger.tasks.v1.task_events_pb2 import (
    TASK_STATE_CANCELLED,
    TASK_STATE_DEAD,
    TASK_STATE_DONE,
    TASK_STATE_FAILED,
    TASK_STATE_QUEUED,
    TASK_STATE_RUNNING,
    TASK_STATE_SCHEDULED,
    TaskEvent,
)
from photochanger_chassis.errors import ServiceError
from photochanger_chassis.grpc.errors import translate_rpc_errors
from photochanger_chassis.nats.connection import open_nats
from photochanger_chassis.nats.events import ensure_stream
from photochanger_chassis.settings import NatsSettings, SettingsError
from photochanger_providers.domain.errors import (
    BadInput,
    ContentBlocked,
    NetworkFailed,
    NoImage,
    ProviderAuthFailed,
    ProviderError,
    ProviderFault,
    ProviderMisconfigured,
    QuotaExceeded,
)
from photochanger_providers.drivers.entry import DriverEntry
from photochanger_providers.testing.fake_media import FakeMedia
from photochanger_providers.testing.requests import a_request, edited
from photochanger_providers.testing.scripted_driver import Script, answers, fails, waits_for
from pydantic import SecretStr

StartReplica = Callable[..., Coroutine[Any, Any, "Replica"]]
StartWorker = Callable[..., Coroutine[Any, Any, "RunningWorker"]]
_T = TypeVar("_T")
_LOOK_SECONDS = 0.02
_FINAL = (TASK_STATE_DONE, TASK_STATE_FAILED, TASK_STATE_DEAD, TASK_STATE_CANCELLED)


class Replica(Protocol):
    """A running service."""

    @property
    def processing(self) -> "ProcessingServiceStub": ...
    @property
    def queues(self) -> "QueueServiceStub": ...


class RunningWorker(Protocol):
    """A running worker."""

    async def stop(self) -> None: ...
    async def die(self) -> None: ...


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
        return await self._start_replica(self._entry(script, limit), *others, **changes)

    async def work(
        self, script: Script, *others: DriverEntry, limit: int = 30, **changes: object
    ) -> RunningWorker:
        return await self._start_worker(self._entry(script, limit), *others, **changes)

    def request(self, **changes: Any) -> ProcessRequest:
        wanted: dict[str, Any] = {"provider_id": self.provider, "seconds": 3600} | changes
        return a_request(self._photo, **wanted)

    def _entry(self, script: Script, limit: int) -> DriverEntry:
        return script.entry(provider_id=self.provider, limit=limit)


@pytest.fixture
def bench(start_replica: StartReplica, start_worker: StartWorker, media: FakeMedia, portrait: bytes) -> Bench:
    return Bench(start_replica, start_worker, media, portrait)


@pytest.fixture
async def events(nats_url: str) -> AsyncIterator[Subscription]:
    """What services tell from now on."""
    async with open_nats(NatsSettings(nats_url=SecretStr(nats_url)), service="test") as connection:
        await connection.connected.wait()
        # With a subscriber and no stream, publishers would wait for an answer that never comes.
        await ensure_stream(connection)
        yield await connection.client.subscribe("events.providers.>")


async def refusal(call: Awaitable[_T]) -> ServiceError:
    with pytest.raises(ServiceError) as caught, translate_rpc_errors():
        await call
    return caught.value


async def submit(
    replica: Replica, process: ProcessRequest, client_id: str = "one", **more: int
) -> Processing:
    answer = await replica.processing.SubmitProcessing(
        SubmitProcessingRequest(process=process, client_id=client_id, **more), timeout=5
    )
    return answer.processing


async def look(replica: Replica, job_id: str) -> Processing:
    answer = await replica.processing.GetProcessing(GetProcessingRequest(job_id=job_id), timeout=5)
    return answer.processing


async def until(replica: Replica, job_id: str, condition: Callable[[Processing], bool]) -> Processing:
    async with asyncio.timeout(30):
        while True:
            found = await look(replica, job_id)
            if condition(found):
                return found
            await asyncio.sleep(_LOOK_SECONDS)


async def ended(replica: Replica, job_id: str) -> Processing:
    return await until(replica, job_id, lambda found: found.HasField("finished_at"))


async def told(events: Subscription, job_id: str) -> tuple[ProcessingFinished, list[TaskEvent]]:
    """Waits for the events that end a job and its task; returns the first, and all of the task."""
    outcome: ProcessingFinished | None = None
    changes: list[TaskEvent] = []
    seen: set[str] = set()
    async with asyncio.timeout(30):
        while outcome is None or not changes or changes[-1].state not in _FINAL:
            message = await events.next_msg(timeout=30)
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


async def test_a_submitted_photo_is_run_by_a_worker_and_its_end_is_told(
    bench: Bench, events: Subscription
) -> None:
    script = Script(deque([answers(bench.picture)]))
    replica = await bench.serve(Script())
    await bench.work(script)
    request = bench.request()

    waiting = await submit(replica, request)
    event, changes = await told(events, request.job_id)
    done = await ended(replica, request.job_id)
    again = await submit(replica, request)

    assert waiting.state in (TASK_STATE_QUEUED, TASK_STATE_RUNNING)
    assert (done.state, done.progress_percent, done.attempts) == (TASK_STATE_DONE, 100, 1)
    ((stored, content),) = bench.media.of_job(request.job_id, MEDIA_KIND_RESULT)
    assert event.succeeded.result.id == stored.id
    assert event.succeeded.model == "large-2"
    assert done.result == event.succeeded
    assert content == bench.picture
    assert [change.state for change in changes][:2] == [TASK_STATE_QUEUED, TASK_STATE_RUNNING]
    assert again == done
    assert len(script.requests) == 1


async def test_a_photo_waits_for_a_worker_and_is_told_its_place(bench: Bench) -> None:
    script = Script(deque([answers(bench.picture)] * 2))
    replica = await bench.serve(script)
    first, second = (bench.request() for _ in range(2))

    places = [(await submit(replica, each)).queue_position for each in (first, second)]
    assert not (await look(replica, second.job_id)).HasField("expected_start_at")
    await bench.work(script)
    ends = [await ended(replica, each.job_id) for each in (first, second)]

    assert places == [1, 2]
    assert [each.state for each in ends] == [TASK_STATE_DONE] * 2
    assert not ends[0].HasField("queue_position")


async def test_an_urgent_photo_goes_first(bench: Bench) -> None:
    script = Script(deque([answers(bench.picture)] * 3))
    replica = await bench.serve(script)
    requests = [bench.request(settings_json=f'{{"prompt": "{name}"}}') for name in ("later", "last", "first")]
    for request, priority in zip(requests, (5, 9, 0), strict=True):
        await submit(replica, request, priority=priority)

    await bench.work(script, worker_slots={bench.provider: 1})
    for request in requests:
        await ended(replica, request.job_id)

    assert [request.settings["prompt"] for request in script.requests] == ["first", "later", "last"]


@pytest.mark.parametrize(
    "error",
    [
        ContentBlocked("no"),
        NoImage("no"),
        BadInput("no"),
        ProviderAuthFailed("no"),
        ProviderMisconfigured("no"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_no_repeat_helps_fails_at_once(
    bench: Bench, error: ProviderError, events: Subscription
) -> None:
    script = Script(deque([fails(error)]))
    replica = await bench.serve(script)
    await bench.work(script)
    request = bench.request()

    await submit(replica, request)
    event, _ = await told(events, request.job_id)
    failed = await ended(replica, request.job_id)

    assert event.failed.reason == failed.reason == error.reason
    assert (failed.state, failed.attempts) == (TASK_STATE_FAILED, 1)


async def test_what_passes_is_tried_again(bench: Bench) -> None:
    script = Script(
        deque([fails(ProviderFault("busy")), fails(NetworkFailed("lost")), answers(bench.picture)])
    )
    replica = await bench.serve(script)
    await bench.work(script)
    request = bench.request()

    await submit(replica, request)
    done = await ended(replica, request.job_id)

    assert (done.state, done.attempts) == (TASK_STATE_DONE, 3)


async def test_a_photo_whose_attempts_are_used_up_is_dead_and_can_be_requeued(
    bench: Bench, events: Subscription
) -> None:
    script = Script(deque([fails(ProviderFault("busy"))] * 5))
    replica = await bench.serve(script, breaker_threshold=100)
    await bench.work(script, breaker_threshold=100)
    request = bench.request()

    await submit(replica, request)
    event, _ = await told(events, request.job_id)
    dead = await look(replica, request.job_id)
    (listed,) = (await replica.queues.ListDeadTasks(queues.ListDeadTasksRequest(), timeout=5)).tasks
    script.acts.append(answers(bench.picture))
    await replica.queues.RequeueTask(queues.RequeueTaskRequest(task_id=listed.id, actor="serg"), timeout=5)
    done = await until(replica, request.job_id, lambda found: found.state == TASK_STATE_DONE)

    assert event.failed.reason == dead.reason == "PROVIDER_5XX"
    assert (dead.state, listed.unique_key, listed.failures) == (TASK_STATE_DEAD, request.job_id, 5)
    assert done.attempts == 6


async def test_a_provider_that_wants_to_be_left_alone_is_and_no_attempt_is_used_up(bench: Bench) -> None:
    long, short = timedelta(minutes=10), timedelta(milliseconds=10)
    script = Script(
        deque(
            [
                *[fails(QuotaExceeded("slow down", retry_after=short))] * 7,
                answers(bench.picture),
                fails(QuotaExceeded("slow down", retry_after=long)),
            ]
        )
    )
    replica = await bench.serve(script)
    await bench.work(script)
    soon, later = (bench.request() for _ in range(2))

    await submit(replica, soon)
    done = await ended(replica, soon.job_id)
    before = datetime.now(UTC)
    await submit(replica, later)
    waiting = await until(replica, later.job_id, lambda found: found.state == TASK_STATE_SCHEDULED)

    assert (done.state, done.attempts) == (TASK_STATE_DONE, 8)
    assert waiting.reason == "quota"
    assert waiting.expected_start_at.ToDatetime(tzinfo=UTC) >= before + long


async def test_a_photo_that_waits_for_a_worker_is_cancelled_at_once(
    bench: Bench, events: Subscription
) -> None:
    script = Script()
    replica = await bench.serve(script)
    request = bench.request()
    wanted = CancelProcessingRequest(job_id=request.job_id)

    await submit(replica, request)
    first = await replica.processing.CancelProcessing(wanted, timeout=5)
    second = await replica.processing.CancelProcessing(wanted, timeout=5)
    event, _ = await told(events, request.job_id)
    await bench.work(script)

    assert (first.stopped, second.stopped) == (True, False)
    assert event.failed.reason == "CANCELLED"
    assert (await look(replica, request.job_id)).state == TASK_STATE_CANCELLED
    assert not script.requests


async def test_a_photo_under_way_is_stopped_when_it_is_cancelled(bench: Bench) -> None:
    script = Script(deque([waits_for(asyncio.Event(), answers(bench.picture))]))
    replica = await bench.serve(script)
    await bench.work(script)
    request = bench.request()

    await submit(replica, request)
    await script.busy()
    answer = await replica.processing.CancelProcessing(
        CancelProcessingRequest(job_id=request.job_id), timeout=5
    )
    await script.busy(0)
    cancelled = await ended(replica, request.job_id)

    assert answer.stopped
    assert cancelled.state == TASK_STATE_CANCELLED
    assert not bench.media.of_job(request.job_id, MEDIA_KIND_RESULT)


async def test_a_photo_whose_deadline_passes_times_out_wherever_it_is(
    bench: Bench, events: Subscription
) -> None:
    script = Script(deque([waits_for(asyncio.Event(), answers(bench.picture))]))
    replica = await bench.serve(script)
    waiting = bench.request(seconds=0.5)
    await submit(replica, waiting)
    first, _ = await told(events, waiting.job_id)
    await bench.work(script)
    running = bench.request(seconds=2)
    await submit(replica, running)
    await script.busy()
    second, _ = await told(events, running.job_id)

    assert first.failed.reason == second.failed.reason == "TIMEOUT"
    assert script.under_way == 0


async def test_what_a_dead_worker_had_is_done_by_another_and_once(bench: Bench, events: Subscription) -> None:
    never = Script(deque([waits_for(asyncio.Event(), answers(bench.picture))]))
    script = Script(deque([answers(bench.picture)]))
    replica = await bench.serve(script)
    one = await bench.work(never, lease_seconds=2)
    request = bench.request()

    await submit(replica, request)
    await never.busy()
    await one.die()
    await bench.work(script, lease_seconds=2)
    event, changes = await told(events, request.job_id)
    done = await ended(replica, request.job_id)

    assert (done.state, done.attempts) == (TASK_STATE_DONE, 2)
    assert event.HasField("succeeded")
    assert len(bench.media.of_job(request.job_id, MEDIA_KIND_RESULT)) == 1
    assert [change for change in changes if change.state == TASK_STATE_RUNNING and change.attempt == 2]


async def test_a_stopping_worker_finishes_what_it_can_and_gives_the_rest_to_others(bench: Bench) -> None:
    go = asyncio.Event()
    one = Script(
        deque(
            [
                waits_for(go, answers(bench.picture)),
                waits_for(asyncio.Event(), answers(bench.picture)),
            ]
        )
    )
    other = Script(deque([answers(bench.picture)]))
    replica = await bench.serve(one)
    first = await bench.work(one, drain_grace=1)
    quick, slow = (bench.request() for _ in range(2))

    await submit(replica, quick)
    await one.busy(1)
    await submit(replica, slow)
    await one.busy(2)
    stopping = asyncio.ensure_future(first.stop())
    go.set()
    await stopping
    ended_quick, waiting = await look(replica, quick.job_id), await look(replica, slow.job_id)
    await bench.work(other)
    ended_slow = await ended(replica, slow.job_id)

    assert ended_quick.state == TASK_STATE_DONE
    assert waiting.state == TASK_STATE_QUEUED
    assert (ended_slow.state, ended_slow.attempts) == (TASK_STATE_DONE, 2)
    assert len(one.requests) == 2


async def test_tasks_and_cameras_share_a_providers_limit_and_some_of_it_is_the_cameras(bench: Bench) -> None:
    go = asyncio.Event()
    tasks = Script(deque([waits_for(go, answers(bench.picture))] * 6))
    cameras = Script(deque([waits_for(go, answers(bench.picture))] * 2))
    replica = await bench.serve(cameras, limit=4, task_share=0.5)
    await bench.work(tasks, limit=4, task_share=0.5)
    await bench.work(tasks, limit=4, task_share=0.5)
    requests = [bench.request() for _ in range(6)]

    for request in requests:
        await submit(replica, request)
    await tasks.busy(2)
    calls = [
        asyncio.ensure_future(replica.processing.Process(bench.request(seconds=20), timeout=20))
        for _ in range(2)
    ]
    await cameras.busy(2)
    under_way = tasks.under_way
    go.set()
    await asyncio.gather(*calls)
    ends = [await ended(replica, request.job_id) for request in requests]

    assert under_way == tasks.most_under_way == 2
    assert [each.state for each in ends] == [TASK_STATE_DONE] * 6


async def test_a_task_that_finds_every_place_taken_by_cameras_comes_again_later(bench: Bench) -> None:
    go = asyncio.Event()
    script = Script(deque([waits_for(go, answers(bench.picture)), answers(bench.picture)]))
    replica = await bench.serve(script, limit=1)
    call = asyncio.ensure_future(replica.processing.Process(bench.request(seconds=20), timeout=20))
    await script.busy()
    await bench.work(script, limit=1)
    request = bench.request()

    await submit(replica, request)
    waiting = await until(replica, request.job_id, lambda found: found.state == TASK_STATE_SCHEDULED)
    go.set()
    await call
    done = await ended(replica, request.job_id)

    assert waiting.reason == "provider_busy"
    assert done.state == TASK_STATE_DONE
    assert script.most_under_way == 1


async def test_queues_and_workers_can_be_looked_at(bench: Bench) -> None:
    go = asyncio.Event()
    script = Script(deque([waits_for(go, answers(bench.picture))] * 3))
    other = Script().entry(provider_id=f"{bench.provider}-other")
    replica = await bench.serve(script, other, limit=10)
    await bench.work(script, other, limit=10, queues=(bench.provider,), worker_slots={bench.provider: 2})
    requests = [bench.request() for _ in range(3)]

    for request in requests:
        await submit(replica, request)
    await script.busy(2)
    listed = await replica.queues.ListQueues(queues.ListQueuesRequest(), timeout=5)
    (worker,) = (await replica.queues.ListWorkers(queues.ListWorkersRequest(), timeout=5)).workers
    go.set()
    for request in requests:
        await ended(replica, request.job_id)

    assert [(each.name, each.queued, each.running, each.limit, each.workers) for each in listed.queues] == [
        (bench.provider, 1, 2, 8, 1),
        (f"{bench.provider}-other", 0, 0, 24, 0),
    ]
    assert listed.queues[0].HasField("oldest_at")
    assert (list(worker.queues), worker.slots, worker.guard) == ([bench.provider], 2, "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"provider_id": "nobody"}, "PROVIDER_NOT_FOUND"),
        ({"operation_id": "nothing"}, "OPERATION_NOT_FOUND"),
        ({"seconds": 25 * 3600}, "INVALID_ARGUMENT"),
    ],
)
async def test_what_cannot_be_run_is_refused_when_it_is_submitted(
    bench: Bench, changes: dict[str, object], reason: str
) -> None:
    replica = await bench.serve(Script())
    request = bench.request(**changes)

    assert (await refusal(submit(replica, request))).reason == reason
    assert (await refusal(look(replica, request.job_id))).reason == "PROCESSING_NOT_FOUND"


async def test_a_worker_for_a_queue_that_is_not_there_does_not_start(bench: Bench) -> None:
    with pytest.raises(SettingsError, match=f"There is no queue nobody. There are: {bench.provider}"):
        await bench.work(Script(), queues=("nobody",))
