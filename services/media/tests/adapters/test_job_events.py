"""What media does when a job ends, told by events on real JetStream."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from photochanger.ingest.v1 import job_events_pb2, job_pb2
from photochanger.media.v1 import media_object_pb2 as media_pb
from photochanger.media.v1 import media_service_pb2 as pb
from photochanger_chassis.errors import RemoteError
from photochanger_chassis.nats.connection import NatsConnection, open_nats
from photochanger_chassis.nats.events import EventConsumer, EventPublisher, ReceivedEvent
from photochanger_chassis.postgres.outbox import OutboxEvent
from photochanger_chassis.settings import NatsSettings
from photochanger_chassis.testing import ManualClock
from photochanger_devstack.testing.servers import OwnNats
from photochanger_media.adapters.nats.job_events import DURABLE, FINISHED, RESULT_KEPT, SUBJECTS
from photochanger_media.testing import Media
from PIL import Image
from pydantic import SecretStr

pytestmark = pytest.mark.storage

PORTRAIT = (Path(__file__).parents[4] / "tests" / "photos" / "portrait-1536.jpg").read_bytes()
JOB = "0" * 31 + "1"
RESULT = media_pb.MEDIA_KIND_RESULT
PREVIEW = media_pb.RENDITION_PREVIEW


def finished(
    state: job_pb2.JobState.ValueType,
    result: media_pb.MediaObject | None = None,
    mode: job_pb2.JobMode.ValueType = job_pb2.JOB_MODE_SYNC,
) -> job_events_pb2.JobFinished:
    job = job_pb2.Job(id=JOB, slot_id="slot-001", state=state, mode=mode)
    if result is not None:
        job.result.media_object.CopyFrom(result)
    return job_events_pb2.JobFinished(job=job)


async def hand_over(media: Media, message: job_events_pb2.JobFinished | job_events_pb2.JobResultKept) -> None:
    kept = isinstance(message, job_events_pb2.JobResultKept)
    event = ReceivedEvent(
        id="1",
        subject=RESULT_KEPT if kept else FINISHED,
        type=message.DESCRIPTOR.full_name,
        aggregate_id=JOB,
        occurred_at=media.clock.now(),
        data=message.SerializeToString(),
        delivery=1,
    )
    await media.service.events(event)


async def reason_of(media: Media, media_id: str, rendition: media_pb.Rendition.ValueType = PREVIEW) -> str:
    with pytest.raises(RemoteError) as refused:
        await media.download(media_id, rendition)
    return refused.value.reason


async def test_a_finished_job_gets_a_preview_once(media: Media) -> None:
    result = (await media.upload(PORTRAIT, kind=RESULT)).media_object
    assert await reason_of(media, result.id) == "MEDIA_NOT_FOUND"
    for _ in range(2):
        await hand_over(media, finished(job_pb2.JOB_STATE_DONE, result))
    info, data = await media.download(result.id, PREVIEW)
    assert info.media_object.kind == media_pb.MEDIA_KIND_PREVIEW
    assert info.media_object.expires_at == result.expires_at
    assert f"results/slot-001/{JOB}/preview.webp" in await media.keys()
    with Image.open(io.BytesIO(data)) as shown:
        assert shown.format == "WEBP"
        assert max(shown.size) == 512
    assert len(await media.rows()) == 2


async def test_a_picture_that_cannot_be_decoded_is_tried_once(
    media: Media, clock: ManualClock, undecodable: bytes
) -> None:
    result = (await media.upload(undecodable, kind=RESULT)).media_object
    await hand_over(media, finished(job_pb2.JOB_STATE_DONE, result))
    assert await media.sql("SELECT preview FROM media_objects") == [("failed",)]
    clock.advance(timedelta(minutes=2))
    assert (await media.service.use_cases.run_cleanup()).preview_count == 0


async def test_inputs_of_done_and_failed_jobs_stay(media: Media) -> None:
    photo = (await media.upload(PORTRAIT)).media_object
    await hand_over(media, finished(job_pb2.JOB_STATE_DONE))
    await hand_over(media, finished(job_pb2.JOB_STATE_FAILED))
    await media.download(photo.id)


async def test_everything_of_a_cancelled_job_goes(media: Media) -> None:
    await media.upload(PORTRAIT)
    await media.upload(PORTRAIT, kind=RESULT)
    for _ in range(2):
        await hand_over(media, finished(job_pb2.JOB_STATE_CANCELLED))
    assert await media.keys() == []


@pytest.mark.parametrize("state", [job_pb2.JOB_STATE_CANCELLED, job_pb2.JOB_STATE_TIMEOUT])
async def test_the_input_of_an_asynchronous_job_stays_to_be_repeated(
    media: Media, clock: ManualClock, state: job_pb2.JobState.ValueType
) -> None:
    photo = (await media.upload(PORTRAIT, slot_id="api")).media_object
    result = (await media.upload(PORTRAIT, kind=RESULT, slot_id="api")).media_object
    assert f"results/api/{JOB}/payload.jpg" in await media.keys()
    await hand_over(media, finished(state, mode=job_pb2.JOB_MODE_ASYNC))
    clock.advance(timedelta(minutes=2))
    await media.download(photo.id)
    assert await reason_of(media, result.id, media_pb.RENDITION_FULL) in {"MEDIA_NOT_FOUND", "MEDIA_EXPIRED"}


async def test_a_result_that_came_with_the_timeout_goes_unless_it_is_kept(
    media: Media, clock: ManualClock
) -> None:
    await media.upload(PORTRAIT)
    result = (await media.upload(PORTRAIT, kind=RESULT)).media_object
    await hand_over(media, finished(job_pb2.JOB_STATE_TIMEOUT))
    assert await media.keys() == [f"results/slot-001/{JOB}/payload.jpg"]
    kept = job_pb2.Job(id=JOB, state=job_pb2.JOB_STATE_TIMEOUT)
    kept.result.media_object.CopyFrom(result)
    await hand_over(media, job_events_pb2.JobResultKept(job=kept))
    clock.advance(timedelta(hours=1))
    await media.download(result.id)
    await media.download(result.id, PREVIEW)
    await hand_over(media, finished(job_pb2.JOB_STATE_TIMEOUT))
    clock.advance(timedelta(hours=1))
    assert await reason_of(media, result.id) == "MEDIA_EXPIRED"


async def test_a_timed_out_job_that_shows_its_photo_keeps_that(media: Media) -> None:
    photo = (await media.upload(PORTRAIT)).media_object
    published = (
        await media.stub.PublishInput(pb.PublishInputRequest(media_object_id=photo.id), timeout=20)
    ).media_object
    await hand_over(media, finished(job_pb2.JOB_STATE_TIMEOUT, published))
    media.clock.advance(timedelta(hours=2))
    await media.download(published.id)
    await media.download(published.id, PREVIEW)
    assert await reason_of(media, photo.id, media_pb.RENDITION_FULL) == "MEDIA_NOT_FOUND"


async def test_a_preview_goes_with_its_result(media: Media) -> None:
    result = (await media.upload(PORTRAIT, kind=RESULT)).media_object
    await hand_over(media, finished(job_pb2.JOB_STATE_DONE, result))
    await media.stub.DeleteMediaObject(pb.DeleteMediaObjectRequest(media_object_id=result.id), timeout=5)
    assert await media.keys() == []


async def test_a_sweep_makes_the_preview_that_no_event_asked_for(media: Media, clock: ManualClock) -> None:
    result = (await media.upload(PORTRAIT, kind=RESULT)).media_object
    assert (await media.service.use_cases.run_cleanup()).preview_count == 0
    clock.advance(timedelta(minutes=2))
    assert (await media.service.use_cases.run_cleanup()).preview_count == 1
    await media.download(result.id, PREVIEW)


async def test_an_event_that_cannot_be_read_is_dropped(media: Media) -> None:
    event = ReceivedEvent("1", FINISHED, "x", JOB, media.clock.now(), b"\xff\xff\xff", 1)
    await media.service.events(event)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[NatsConnection]:
    async with open_nats(NatsSettings(nats_url=SecretStr(url)), service="test") as connection:
        await asyncio.wait_for(connection.connected.wait(), 10)
        yield connection


async def test_an_event_on_the_stream_makes_the_preview(
    media: Media, own_nats: Callable[[], OwnNats]
) -> None:
    result = (await media.upload(PORTRAIT, kind=RESULT)).media_object
    handled = asyncio.Event()

    async def handle(event: ReceivedEvent) -> None:
        await media.service.events(event)
        handled.set()

    server = await asyncio.to_thread(own_nats)
    async with connected(server.url) as connection:
        message = finished(job_pb2.JOB_STATE_DONE, result)
        await EventPublisher(connection, service="ingest").publish(
            OutboxEvent(
                id="e1",
                subject=FINISHED,
                aggregate_id=JOB,
                data=message.SerializeToString(),
                data_type=message.DESCRIPTOR.full_name,
                occurred_at=media.clock.now(),
            )
        )
        consumer = EventConsumer(connection, durable=DURABLE, subjects=SUBJECTS, handler=handle)
        consuming = asyncio.create_task(consumer.run())
        async with asyncio.timeout(20):
            await handled.wait()
        consuming.cancel()
        with pytest.raises(asyncio.CancelledError):
            await consuming
    await media.download(result.id, PREVIEW)
