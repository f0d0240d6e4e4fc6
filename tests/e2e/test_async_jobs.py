"""Photos nobody waits for: from ingest through providers' queue and a worker, and back by events."""

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
from harness.slots import a_plan, gemini
from harness.waiting import until
from photochanger.ingest.v1 import async_job_service_pb2 as pb
from photochanger.ingest.v1 import async_job_service_pb2_grpc, job_pb2
from photochanger.media.v1 import media_object_pb2, media_service_pb2, media_service_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from harness.platform import Platform

SLOT = "slot-014"
CLIENT = "c" * 32
_TIMEOUT = 10.0


@dataclass
class Client:
    """A client of the public API, at the services themselves."""

    jobs: async_job_service_pb2_grpc.AsyncJobServiceStub
    media: media_service_pb2_grpc.MediaServiceStub

    async def upload(self, kind: media_object_pb2.MediaKind.ValueType, job_id: str = "") -> str:
        """Leaves a photo like no other."""
        header = media_service_pb2.UploadHeader(kind=kind, job_id=job_id, slot_id="api" if job_id else "")
        photo = a_photo()

        async def parts() -> AsyncIterator[media_service_pb2.UploadRequest]:
            yield media_service_pb2.UploadRequest(header=header)
            for start in range(0, len(photo), 256 * 1024):
                yield media_service_pb2.UploadRequest(chunk=photo[start : start + 256 * 1024])

        return (await self.media.Upload(parts(), timeout=_TIMEOUT)).media_object.id

    async def open(self, order: pb.OpenAsyncJobRequest) -> job_pb2.Job:
        """Orders."""
        order.client_id = CLIENT
        if not order.input_media_object_id:
            order.input_media_object_id = await self.upload(media_object_pb2.MEDIA_KIND_TEMPORARY)
        return (await self.jobs.OpenAsyncJob(order, timeout=_TIMEOUT)).job

    async def final(self, job_id: str, *, seconds: float = 50) -> job_pb2.Job:
        """Waits for the end."""
        request = pb.GetAsyncJobRequest(job_id=job_id, client_id=CLIENT)
        request.wait_until.FromDatetime(datetime.now(UTC) + timedelta(seconds=seconds))
        return (await self.jobs.GetAsyncJob(request, timeout=seconds + _TIMEOUT)).job


@asynccontextmanager
async def open_client(platform: Platform) -> AsyncIterator[Client]:
    plan = platform.stack.plan
    async with (
        grpc.aio.insecure_channel(plan.listen("ingest")) as ingest,
        grpc.aio.insecure_channel(plan.listen("media")) as media,
    ):
        yield Client(
            async_job_service_pb2_grpc.AsyncJobServiceStub(ingest),
            media_service_pb2_grpc.MediaServiceStub(media),
        )


@pytest.fixture
async def client(platform: Platform) -> AsyncIterator[Client]:
    await platform.admin.use(SLOT, a_plan("local", "background_color", color="#00ff00"))
    async with open_client(platform) as opened:
        yield opened


async def test_ten_photos_come_back_each_once(client: Client) -> None:
    jobs = [await client.open(pb.OpenAsyncJobRequest(slot_id=SLOT)) for _ in range(10)]
    finals = await asyncio.gather(*(client.final(job.id) for job in jobs))
    assert [job.state for job in finals] == [job_pb2.JOB_STATE_DONE] * 10
    assert len({job.result.media_object.id for job in finals}) == 10
    for job in finals:
        assert (job.attempts, job.provider_calls, job.progress_percent) == (1, 1, 100)


async def test_a_job_without_a_slot_has_its_pictures_all_the_same(client: Client) -> None:
    job_id = uuid4().hex
    order = pb.OpenAsyncJobRequest(
        job_id=job_id, input_media_object_id=await client.upload(media_object_pb2.MEDIA_KIND_INPUT, job_id)
    )
    order.explicit.provider_id, order.explicit.operation_id = "local", "pencil"
    await client.open(order)
    done = await client.final(job_id)
    assert done.state == job_pb2.JOB_STATE_DONE
    assert done.result.media_object.slot_id == "api"
    again = (
        await client.jobs.RetryJob(pb.RetryJobRequest(job_id=job_id, client_id=CLIENT), timeout=_TIMEOUT)
    ).job
    repeated = await client.final(again.id)
    assert (repeated.state, repeated.retry_of) == (job_pb2.JOB_STATE_DONE, job_id)
    assert repeated.result.media_object.id != done.result.media_object.id


async def test_a_cancelled_job_stops_at_its_provider(platform: Platform, client: Client) -> None:
    gate = platform.gemini.hold()
    order = pb.OpenAsyncJobRequest()
    order.explicit.provider_id, order.explicit.operation_id = "gemini", "image_edit"
    order.explicit.settings_json = gemini().settings_json
    job = await client.open(order)
    await platform.held(gate)
    cancelled = (
        await client.jobs.CancelJob(pb.CancelJobRequest(job_id=job.id, client_id=CLIENT), timeout=_TIMEOUT)
    ).job
    assert cancelled.state == job_pb2.JOB_STATE_CANCELLED

    async def stopped() -> bool:
        return gate.held == 0

    await until(stopped, "the provider's call being given up", within_seconds=5)
    platform.gemini.release()
    assert (await client.final(job.id, seconds=1)).state == job_pb2.JOB_STATE_CANCELLED
