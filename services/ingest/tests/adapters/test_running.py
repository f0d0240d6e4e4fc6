"""Running jobs: one driver, one provider call, one final state, on time."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from photochanger.ingest.v1 import job_pb2
from photochanger_chassis.errors import ErrorKind
from photochanger_ingest.application.run_job import RunTuning
from photochanger_ingest.testing.camera import Camera, a_photo, refused
from photochanger_ingest.testing.fakes import Refusal, an_effort, answer_at_once

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from photochanger.providers.v1 import processing_service_pb2

    from .conftest import Platform

    Script = Callable[
        [processing_service_pb2.ProcessRequest], Awaitable[processing_service_pb2.ProcessResponse]
    ]

DONE, FAILED, TIMEOUT = job_pb2.JOB_STATE_DONE, job_pb2.JOB_STATE_FAILED, job_pb2.JOB_STATE_TIMEOUT
JUST_BEFORE = timedelta(seconds=47.6)
"""Long enough after admission for the last call to be over at once."""


async def hang(_: "processing_service_pb2.ProcessRequest") -> "processing_service_pb2.ProcessResponse":
    await asyncio.Event().wait()
    raise AssertionError


def refusing(
    reason: str,
    *,
    retry_after: timedelta | None = None,
    times: int = 1_000,
    effort: "processing_service_pb2.ProcessingEffort | None" = None,
) -> "Script":
    left = times

    async def script(
        request: "processing_service_pb2.ProcessRequest",
    ) -> "processing_service_pb2.ProcessResponse":
        nonlocal left
        left -= 1
        if left < 0:
            return await answer_at_once(request)
        raise Refusal(reason, ErrorKind.UNAVAILABLE, retry_after=retry_after, effort=effort)

    return script


class Held:
    """A provider that answers when told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def __call__(
        self, request: "processing_service_pb2.ProcessRequest"
    ) -> "processing_service_pb2.ProcessResponse":
        await self.go.wait()
        return await answer_at_once(request)


async def test_joining_a_job_calls_the_provider_once(platform: "Platform", camera: Camera) -> None:
    other = (await platform.start()).camera
    platform.outside.providers.script = held = Held()
    opened = await camera.open(a_photo())
    waiting = [asyncio.create_task(client.run(opened.job.id)) for client in (camera, other, camera, other)]
    await platform.outside.providers.began.wait()
    held.go.set()
    jobs = await asyncio.gather(*waiting)
    assert {(job.id, job.state) for job in jobs} == {(opened.job.id, DONE)}
    assert platform.outside.providers.calls == {opened.job.id: 1}
    assert len(platform.outside.providers.requests) == 1


async def test_a_caller_that_hangs_up_does_not_stop_the_work(platform: "Platform", camera: Camera) -> None:
    platform.outside.providers.script = held = Held()
    opened = await camera.open(a_photo())
    caller = asyncio.create_task(camera.run(opened.job.id))
    await platform.outside.providers.began.wait()
    caller.cancel()
    held.go.set()
    assert (await camera.run(opened.job.id)).state == DONE
    assert len(platform.outside.providers.requests) == 1


@pytest.mark.parametrize(
    ("reason", "state", "failure"),
    [
        ("PROVIDER_5XX", FAILED, "provider_5xx"),
        ("BAD_RESPONSE", FAILED, "bad_response"),
        ("QUOTA", FAILED, "quota"),
        ("NETWORK", FAILED, "network"),
        ("CONTENT_BLOCKED", FAILED, "content_blocked"),
        ("NO_IMAGE", FAILED, "no_image"),
        ("BAD_INPUT", FAILED, "bad_input"),
        ("AUTH", FAILED, "auth"),
        ("CONFIG", FAILED, "config"),
        ("STORAGE_UNAVAILABLE", FAILED, "storage"),
        ("PROVIDER_UNAVAILABLE", FAILED, "network"),
        ("PROVIDER_NOT_FOUND", FAILED, "config"),
        ("SOMETHING_NEW", FAILED, "internal"),
        ("TIMEOUT", TIMEOUT, "timeout"),
        ("CANCELLED", job_pb2.JOB_STATE_CANCELLED, "cancelled"),
    ],
)
async def test_a_refusal_becomes_the_jobs_failure(
    platform: "Platform",
    camera: Camera,
    reason: str,
    state: job_pb2.JobState.ValueType,
    failure: str,
) -> None:
    platform.outside.providers.script = refusing(reason)
    job = await camera.send()
    assert (job.state, job.failure.reason) == (state, failure)
    assert job.failure.message
    assert not job.HasField("result")
    assert await camera.run(job.id) == job


@pytest.mark.parametrize("reason", ["NO_IMAGE", "TIMEOUT", "CANCELLED"])
async def test_a_job_without_a_picture_shows_where_its_time_went(
    platform: "Platform", camera: Camera, reason: str
) -> None:
    platform.outside.providers.script = refusing(reason, effort=an_effort())
    job = await camera.send()
    assert list(job.stages) == list(an_effort().stages)
    assert job.provider_calls == 2
    assert await camera.get(job.id) == job


@pytest.mark.parametrize(
    "reason", ["PROVIDER_BUSY", "GONE", "UNAVAILABLE", "SERVER_BUSY", "DATABASE_UNAVAILABLE"]
)
async def test_what_did_not_reach_the_provider_is_asked_again(
    platform: "Platform", camera: Camera, reason: str
) -> None:
    platform.outside.providers.script = refusing(reason, times=2, retry_after=timedelta(milliseconds=10))
    job = await camera.send()
    assert job.state == DONE
    assert len(platform.outside.providers.requests) == 3


async def test_a_provider_at_its_limit_until_the_end_is_a_matter_of_quota(
    platform: "Platform", camera: Camera
) -> None:
    async def busy(
        _: "processing_service_pb2.ProcessRequest",
    ) -> "processing_service_pb2.ProcessResponse":
        platform.clock.advance(timedelta(seconds=47))
        raise Refusal("PROVIDER_BUSY", ErrorKind.RESOURCE_EXHAUSTED)

    platform.outside.providers.script = busy
    job = await camera.send()
    assert (job.state, job.failure.reason) == (FAILED, "quota")


async def test_a_provider_that_hangs_times_out_in_time_and_is_told_to_stop(
    platform: "Platform", camera: Camera
) -> None:
    platform.outside.providers.script = hang
    opened = await camera.open(a_photo())
    platform.clock.advance(JUST_BEFORE)
    job = await camera.run(opened.job.id)
    assert (job.state, job.failure.reason) == (TIMEOUT, "timeout")
    assert job.finished_at.ToDatetime() < job.deadline.ToDatetime()
    await platform.outside.providers.cancelling.wait()
    assert platform.outside.providers.cancelled == [job.id]


async def test_a_job_without_a_place_times_out_in_time(platform: "Platform") -> None:
    camera = (
        await platform.start(tuning=RunTuning(poll=timedelta(milliseconds=50), finish_within=timedelta()))
    ).camera
    await platform.sql("UPDATE slots SET running_limit = 1")
    platform.outside.providers.script = hang
    running = asyncio.create_task(camera.send())
    await platform.outside.providers.began.wait()
    waiting = asyncio.create_task(camera.send())
    while not await platform.sql("SELECT 1 FROM jobs WHERE state = 'pending' AND driver IS NOT NULL"):
        await asyncio.wait({waiting}, timeout=0.01)
    platform.clock.advance(timedelta(seconds=47.8))
    job = await waiting
    assert job.state == TIMEOUT
    assert "No place was free" in job.failure.message
    assert not job.HasField("started_at")
    # The first call's timeout was set when it began, and its time does not stand still.
    running.cancel()


async def test_when_a_driver_dies_another_replica_takes_over_without_paying_twice(
    platform: "Platform",
) -> None:
    quick = RunTuning(poll=timedelta(milliseconds=50), finish_within=timedelta())
    dying, surviving = await platform.start(), await platform.start(tuning=quick)
    platform.outside.providers.script = held = Held()
    opened = await dying.camera.open(a_photo())
    lost = asyncio.create_task(dying.camera.run(opened.job.id))
    await platform.outside.providers.began.wait()
    joined = asyncio.create_task(surviving.camera.run(opened.job.id))
    # A dead driver renews nothing: this one's hold is held to run out, and its process to be gone.
    await platform.sql("UPDATE jobs SET driver = 'dead', driven_until = %s", platform.clock.now())
    while len(platform.outside.providers.requests) < 2:
        await asyncio.wait({joined}, timeout=0.01)
    held.go.set()
    assert (await joined).state == DONE
    assert (await lost).state == DONE
    assert platform.outside.providers.calls == {opened.job.id: 1}
    assert await platform.sql("SELECT count(*) FROM outbox WHERE subject LIKE '%%finished'") == [(1,)]


async def test_a_replica_that_stops_finishes_what_it_has_begun(platform: "Platform") -> None:
    stopping, staying = await platform.start(), await platform.start()
    platform.outside.providers.script = held = Held()
    opened = await stopping.camera.open(a_photo())
    caller = asyncio.create_task(stopping.camera.run(opened.job.id))
    await platform.outside.providers.began.wait()
    stopped = asyncio.create_task(stopping.stop())
    held.go.set()
    assert (await caller).state == DONE
    await stopped
    assert (await staying.camera.get(opened.job.id)).state == DONE


async def test_a_replica_that_stops_lets_go_of_what_it_cannot_finish(platform: "Platform") -> None:
    stopping = await platform.start(tuning=RunTuning(finish_within=timedelta()))
    staying = await platform.start()
    platform.outside.providers.script = held = Held()
    opened = await stopping.camera.open(a_photo())
    caller = asyncio.create_task(stopping.camera.run(opened.job.id))
    await platform.outside.providers.began.wait()
    caller.cancel()
    await stopping.stop()
    # The clock stands still, so the hold cannot have run out.
    taken_over = asyncio.create_task(staying.camera.run(opened.job.id))
    held.go.set()
    assert (await taken_over).state == DONE
    assert platform.outside.providers.calls == {opened.job.id: 1}


async def test_waiting_for_a_job_ends_when_the_callers_time_is_over(
    platform: "Platform", camera: Camera
) -> None:
    platform.outside.providers.script = hang
    opened = await camera.open(a_photo())
    with refused("JOB_NOT_FINISHED"):
        await camera.run(opened.job.id, wait_until=platform.clock.now())


async def test_the_original_is_published_when_the_provider_fails(
    platform: "Platform", camera: Camera
) -> None:
    await platform.sql("UPDATE slots SET on_failure = 'original'")
    platform.outside.providers.script = refusing("NO_IMAGE")
    job = await camera.send()
    assert (job.state, job.failure.reason) == (FAILED, "no_image")
    assert job.result.origin == job_pb2.RESULT_ORIGIN_INPUT
    assert platform.outside.media.published == [job.input_media_object_id]


async def test_the_original_is_published_in_time_when_the_provider_hangs(
    platform: "Platform", camera: Camera
) -> None:
    await platform.sql("UPDATE slots SET on_failure = 'original'")
    platform.outside.providers.script = hang
    opened = await camera.open(a_photo())
    platform.clock.advance(timedelta(seconds=45.6))
    job = await camera.run(opened.job.id)
    assert job.state == TIMEOUT
    assert job.result.origin == job_pb2.RESULT_ORIGIN_INPUT
    [request] = platform.outside.providers.requests
    assert request.deadline.ToDatetime() == job.deadline.ToDatetime() - timedelta(seconds=3)


async def test_a_failure_stays_one_when_the_original_cannot_be_published(
    platform: "Platform", camera: Camera
) -> None:
    await platform.sql("UPDATE slots SET on_failure = 'original'")
    platform.outside.media.fails = True
    platform.outside.providers.script = refusing("NO_IMAGE")
    job = await camera.send()
    assert job.state == FAILED
    assert not job.HasField("result")


async def test_a_job_runs_with_the_slot_as_it_was_when_the_photo_came(
    platform: "Platform", camera: Camera
) -> None:
    opened = await camera.open(a_photo())
    await platform.sql("UPDATE slots SET operation_id = 'comic', settings = '{\"a\": 1}', version = 2")
    job = await camera.run(opened.job.id)
    assert job.slot_version == 1
    [request] = platform.outside.providers.requests
    assert (request.operation_id, request.settings_json) == ("background_gradient", "{}")
