"""Pictures that come after the deadline."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from photochanger.ingest.v1 import job_pb2, job_service_pb2
from photochanger.providers.v1 import processing_events_pb2
from photochanger_chassis.nats.events import ReceivedEvent
from photochanger_ingest.testing.camera import Camera, a_photo
from photochanger_ingest.testing.fakes import a_result, an_effort

if TYPE_CHECKING:
    from photochanger.providers.v1 import processing_service_pb2

    from .conftest import Platform, Replica

TIMEOUT, DONE = job_pb2.JOB_STATE_TIMEOUT, job_pb2.JOB_STATE_DONE
LATE = job_pb2.RESULT_ORIGIN_LATE
ALMOST = timedelta(seconds=47.6)
"""After admission: the provider is still asked, and not waited for much longer."""


async def hang(_: "processing_service_pb2.ProcessRequest") -> "processing_service_pb2.ProcessResponse":
    await asyncio.Event().wait()
    raise AssertionError


async def timed_out(platform: "Platform", camera: Camera, photo_slot: str = "slot-001") -> job_pb2.Job:
    platform.outside.providers.script = hang
    opened = await camera.open(a_photo(), slot_id=photo_slot)
    platform.clock.advance(ALMOST)
    job = await camera.run(opened.job.id)
    assert job.state == TIMEOUT
    return job


def finished(job: job_pb2.Job, *, at: datetime, reason: str = "") -> ReceivedEvent:
    event = processing_events_pb2.ProcessingFinished(job_id=job.id)
    event.finished_at.FromDatetime(at)
    if reason:
        event.failed.reason = reason
        event.failed.message = "It could not."
        event.failed.effort.CopyFrom(an_effort())
    else:
        event.succeeded.result.CopyFrom(a_result(job.id))
        event.succeeded.provider_calls = 1
    return ReceivedEvent(
        id="1",
        subject="events.providers.processing.finished",
        type="photochanger.providers.v1.ProcessingFinished",
        aggregate_id=job.id,
        occurred_at=at,
        data=event.SerializeToString(),
        delivery=1,
    )


def deadline(job: job_pb2.Job) -> datetime:
    return job.deadline.ToDatetime(tzinfo=UTC)


async def subjects(platform: "Platform", job_id: str) -> list[str]:
    rows = await platform.sql("SELECT subject FROM outbox WHERE aggregate_id = %s ORDER BY position", job_id)
    return [str(row[0]).removeprefix("events.ingest.job.") for row in rows]


async def test_a_late_picture_is_dropped_and_deleted(platform: "Platform", replica: "Replica") -> None:
    job = await timed_out(platform, replica.camera)
    for _ in range(2):
        await replica.ingest.on_processing_finished(finished(job, at=deadline(job) + timedelta(seconds=3)))
    assert await replica.camera.get(job.id) == job
    assert platform.outside.media.deleted == [a_result(job.id).id] * 2
    assert await subjects(platform, job.id) == ["created", "started", "finished"]


async def test_a_late_picture_is_kept_where_the_slot_says_so(
    platform: "Platform", replica: "Replica"
) -> None:
    await platform.sql("UPDATE slots SET late_results = 'keep'")
    job = await timed_out(platform, replica.camera)
    [request] = platform.outside.providers.requests
    assert request.late_until.ToDatetime(tzinfo=UTC) == deadline(job) + timedelta(seconds=120)
    assert platform.outside.providers.cancelled == []

    for _ in range(2):
        await replica.ingest.on_processing_finished(finished(job, at=deadline(job) + timedelta(seconds=3)))

    kept = await replica.camera.get(job.id)
    assert (kept.state, kept.result.origin) == (TIMEOUT, LATE)
    assert kept.failure == job.failure
    assert kept.finished_at == job.finished_at
    assert await subjects(platform, job.id) == ["created", "started", "finished", "result-kept"]
    gallery = await replica.camera.jobs.ListGallery(
        job_service_pb2.ListGalleryRequest(slot_id="slot-001"), timeout=5
    )
    assert [shown.id for shown in gallery.jobs] == [job.id]


async def test_an_identical_request_waits_for_the_late_picture(
    platform: "Platform", replica: "Replica"
) -> None:
    await platform.sql("UPDATE slots SET late_results = 'keep'")
    platform.outside.providers.script = hang
    photo = a_photo()
    opened = await replica.camera.open(photo)
    platform.clock.advance(ALMOST)
    job = await replica.camera.run(opened.job.id)
    platform.clock.advance(timedelta(seconds=5))

    again = await replica.camera.open(photo)
    assert (again.admission, again.job.id) == (job_service_pb2.ADMISSION_DUPLICATE, job.id)
    waiting = asyncio.create_task(
        replica.camera.run(job.id, wait_until=platform.clock.now() + timedelta(seconds=48))
    )
    await replica.ingest.on_processing_finished(finished(job, at=deadline(job) + timedelta(seconds=5)))
    assert (await waiting).result.origin == LATE
    assert (await replica.camera.open(photo)).job.result.origin == LATE
    assert platform.outside.providers.calls == {job.id: 1}


async def test_a_late_failure_frees_the_photo(platform: "Platform", replica: "Replica") -> None:
    await platform.sql("UPDATE slots SET late_results = 'keep'")
    platform.outside.providers.script = hang
    photo = a_photo()
    opened = await replica.camera.open(photo)
    platform.clock.advance(ALMOST)
    job = await replica.camera.run(opened.job.id)
    waiting = asyncio.create_task(
        replica.camera.run(job.id, wait_until=platform.clock.now() + timedelta(seconds=48))
    )
    await replica.ingest.on_processing_finished(
        finished(job, at=deadline(job) + timedelta(seconds=5), reason="NO_IMAGE")
    )
    ended = await waiting
    # What the job could not know when it ended.
    assert (list(ended.stages), ended.provider_calls) == (list(an_effort().stages), 2)
    job.stages.extend(ended.stages)
    job.provider_calls = ended.provider_calls
    assert ended == job
    assert (await replica.camera.open(photo)).admission == job_service_pb2.ADMISSION_OPENED


async def test_a_picture_made_in_time_counts_although_the_call_was_lost(
    platform: "Platform", replica: "Replica"
) -> None:
    platform.outside.providers.script = hang
    opened = await replica.camera.open(a_photo())
    caller = asyncio.create_task(replica.camera.run(opened.job.id))
    await platform.outside.providers.began.wait()
    await replica.ingest.on_processing_finished(finished(opened.job, at=platform.clock.now()))
    job = await caller
    assert job.state == DONE
    await replica.ingest.on_processing_finished(finished(opened.job, at=platform.clock.now()))
    assert await replica.camera.get(job.id) == job
    assert await subjects(platform, job.id) == ["created", "started", "finished"]


async def test_call_and_event_together_make_one_final_state(platform: "Platform", replica: "Replica") -> None:
    other = await platform.start()
    jobs = await asyncio.gather(
        *(replica.camera.open(a_photo(), slot_id=f"slot-00{n}") for n in range(1, 10))
    )
    events = [
        asyncio.create_task(run)
        for opened in jobs
        for run in (
            replica.camera.run(opened.job.id),
            other.camera.run(opened.job.id),
        )
    ]
    await platform.outside.providers.began.wait()
    for opened in jobs:
        await other.ingest.on_processing_finished(finished(opened.job, at=platform.clock.now()))
    assert {job.state for job in await asyncio.gather(*events)} == {DONE}
    for opened in jobs:
        assert await subjects(platform, opened.job.id) == ["created", "started", "finished"]
    assert platform.outside.media.deleted == []


@pytest.mark.parametrize("reason", ["", "NO_IMAGE"])
async def test_an_event_about_an_unknown_job_is_let_go(
    platform: "Platform", replica: "Replica", reason: str
) -> None:
    stranger = job_pb2.Job(id="f" * 32)
    await replica.ingest.on_processing_finished(finished(stranger, at=platform.clock.now(), reason=reason))
    assert await platform.sql("SELECT count(*) FROM jobs") == [(0,)]


async def test_an_event_about_a_job_that_never_started_changes_nothing(
    platform: "Platform", replica: "Replica"
) -> None:
    opened = await replica.camera.open(a_photo())
    await replica.ingest.on_processing_finished(finished(opened.job, at=platform.clock.now()))
    assert (await replica.camera.get(opened.job.id)).state == job_pb2.JOB_STATE_PENDING
