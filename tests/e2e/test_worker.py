"""Photos handed over to workers as ingest does it: real processes, and workers that are killed and stopped."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import grpc
import pytest
from harness.camera import a_photo
from harness.platform import Platform, open_platform
from harness.waiting import until
from photochanger.media.v1 import media_object_pb2, media_service_pb2, media_service_pb2_grpc
from photochanger.providers.v1 import processing_service_pb2, processing_service_pb2_grpc
from photochanger.tasks.v1 import queue_service_pb2, queue_service_pb2_grpc
from photochanger.tasks.v1.task_events_pb2 import (
    TASK_STATE_CANCELLED,
    TASK_STATE_DONE,
    TASK_STATE_QUEUED,
    TASK_STATE_RUNNING,
)
from photochanger_mockproviders import Match

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from photochanger.providers.v1.processing_service_pb2 import Processing
    from photochanger_devstack.testing.run import Run

WORKER = "worker-1"
_SECONDS = 10.0


@dataclass
class Client:
    """Calls of the ingest service, made by hand."""

    processing: processing_service_pb2_grpc.ProcessingServiceStub
    queues: queue_service_pb2_grpc.QueueServiceStub
    media: media_service_pb2_grpc.MediaServiceStub

    async def submit(self, prompt: str) -> str:
        """Hands a photo over; returns its job."""
        job_id = uuid4().hex
        request = processing_service_pb2.ProcessRequest(
            job_id=job_id,
            slot_id="api",
            provider_id="gemini",
            operation_id="image_edit",
            settings_json=f'{{"prompt": "{prompt}", "no_image_pause_seconds": 0}}',
            input_media_object_id=await self._photo(job_id),
        )
        request.deadline.FromDatetime(datetime.now(UTC) + timedelta(hours=1))
        await self.processing.SubmitProcessing(
            processing_service_pb2.SubmitProcessingRequest(process=request, client_id="client"),
            timeout=_SECONDS,
        )
        return job_id

    async def look(self, job_id: str) -> Processing:
        request = processing_service_pb2.GetProcessingRequest(job_id=job_id)
        return (await self.processing.GetProcessing(request, timeout=_SECONDS)).processing

    async def becomes(self, job_id: str, state: int) -> Processing:
        """Waits until a job is in a state."""

        async def reached() -> bool:
            return (await self.look(job_id)).state == state

        await until(reached, f"{job_id} in state {state}", within_seconds=40)
        return await self.look(job_id)

    async def results(self, job_id: str) -> int:
        """How many results a job has."""
        request = media_service_pb2.ListMediaObjectsRequest(
            job_id=job_id, kind=media_object_pb2.MEDIA_KIND_RESULT
        )
        return len((await self.media.ListMediaObjects(request, timeout=_SECONDS)).media_objects)

    async def _photo(self, job_id: str) -> str:
        async def parts() -> AsyncIterator[media_service_pb2.UploadRequest]:
            header = media_service_pb2.UploadHeader(
                kind=media_object_pb2.MEDIA_KIND_INPUT, slot_id="api", job_id=job_id
            )
            yield media_service_pb2.UploadRequest(header=header)
            yield media_service_pb2.UploadRequest(chunk=a_photo("portrait-1024.webp"))

        return (await self.media.Upload(parts(), timeout=_SECONDS)).media_object.id


@pytest.fixture(scope="module")
async def platform(devstack_run: Run) -> AsyncIterator[Platform]:
    """A platform of its own: its worker is killed."""
    async with open_platform(devstack_run) as opened:
        yield opened


@pytest.fixture
async def client(platform: Platform) -> AsyncIterator[Client]:
    async with _client(platform) as opened:
        yield opened
    platform.gemini.release()
    await asyncio.to_thread(platform.stack.heal)


@asynccontextmanager
async def _client(platform: Platform) -> AsyncIterator[Client]:
    plan = platform.stack.plan
    async with (
        grpc.aio.insecure_channel(plan.listen("providers")) as providers,
        grpc.aio.insecure_channel(plan.listen("media")) as media,
    ):
        yield Client(
            processing_service_pb2_grpc.ProcessingServiceStub(providers),
            queue_service_pb2_grpc.QueueServiceStub(providers),
            media_service_pb2_grpc.MediaServiceStub(media),
        )


async def test_a_worker_runs_what_was_handed_over_and_is_seen(platform: Platform, client: Client) -> None:
    gate = platform.gemini.hold(Match(prompt="plain"))
    job_id = await client.submit("plain")
    await platform.held(gate)
    running = await client.becomes(job_id, TASK_STATE_RUNNING)
    workers = (
        await client.queues.ListWorkers(queue_service_pb2.ListWorkersRequest(), timeout=_SECONDS)
    ).workers
    gate.release()
    done = await client.becomes(job_id, TASK_STATE_DONE)

    assert running.attempts == 1
    assert [list(worker.queues) for worker in workers] == [["gemini", "local", "turbotext"]]
    assert done.progress_percent == 100
    assert await client.results(job_id) == 1


async def test_what_a_killed_worker_had_is_done_in_another_attempt_and_has_one_result(
    platform: Platform, client: Client
) -> None:
    gate = platform.gemini.hold(Match(prompt="killed"))
    job_id = await client.submit("killed")
    await platform.held(gate)
    await platform.crash(WORKER)
    gate.release()
    done = await client.becomes(job_id, TASK_STATE_DONE)

    assert done.attempts == 2
    assert await client.results(job_id) == 1


async def test_a_stopped_worker_finishes_its_photo_and_takes_no_other(
    platform: Platform, client: Client
) -> None:
    gate = platform.gemini.hold(Match(prompt="first"))
    first = await client.submit("first")
    await platform.held(gate)
    stopping = asyncio.create_task(asyncio.to_thread(platform.stack.stop, WORKER))

    async def draining() -> bool:
        answer = await client.queues.ListWorkers(queue_service_pb2.ListWorkersRequest(), timeout=_SECONDS)
        return any(worker.guard == "draining" for worker in answer.workers)

    await until(draining, "a draining worker")
    second = await client.submit("second")
    gate.release()
    await stopping
    states = [(await client.look(job_id)).state for job_id in (first, second)]
    await platform.start(WORKER)
    done = await client.becomes(second, TASK_STATE_DONE)

    assert states == [TASK_STATE_DONE, TASK_STATE_QUEUED]
    assert done.attempts == 1


async def test_a_cancelled_photo_is_left_at_once(platform: Platform, client: Client) -> None:
    gate = platform.gemini.hold(Match(prompt="unwanted"))
    job_id = await client.submit("unwanted")
    await platform.held(gate)
    request = processing_service_pb2.CancelProcessingRequest(job_id=job_id)
    answer = await client.processing.CancelProcessing(request, timeout=_SECONDS)
    await client.becomes(job_id, TASK_STATE_CANCELLED)

    assert answer.stopped
    assert await client.results(job_id) == 0
