"""What happens to one job, as a program follows it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest
from photochanger.ingest.v1 import job_pb2
from photochanger_chassis.testing import ManualClock
from photochanger_devstack.testing.servers import OwnNats
from photochanger_gateway.testing.builders import a_job, an_object
from photochanger_gateway.testing.live import Listener, Publisher, listening, publishing
from photochanger_gateway.testing.platform import Platform, a_gateway, settings_for
from photochanger_gateway.testing.program import Program

BEAT = timedelta(milliseconds=200)


@dataclass(slots=True)
class Workshop:
    """A gateway with a NATS of its own, a program, and what publishes events."""

    platform: Platform
    program: Program
    publisher: Publisher

    def follow(self, job_id: str, *, after: str | None = None) -> AbstractAsyncContextManager[Listener]:
        """Follows a job."""
        path = f"/api/v1/jobs/{job_id}/events"
        return listening(self.program.port, self.program.headers, after=after, path=path)

    async def submitted(self) -> job_pb2.Job:
        """A job that waits."""
        return self.platform.async_jobs.jobs[(await self.program.submit()).json()["job_id"]]


@pytest.fixture
async def workshop(
    platform: Platform, clock: ManualClock, own_nats: Callable[[], OwnNats]
) -> AsyncIterator[Workshop]:
    server = await asyncio.to_thread(own_nats)
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(
            a_gateway(settings_for(platform, server.url), clock, heartbeat=BEAT)
        )
        publisher = await stack.enter_async_context(publishing(server.url))
        await publisher.elsewhere()  # makes the stream
        yield Workshop(platform, Program(gateway.port, platform.api_keys.add(client_id="books")), publisher)


def later(job: job_pb2.Job, state: job_pb2.JobState.ValueType, progress: int = 0) -> job_pb2.Job:
    """The job as it is a while later."""
    changed = job_pb2.Job()
    changed.CopyFrom(job)
    changed.state, changed.progress_percent = state, progress
    if state == job_pb2.JOB_STATE_DONE:
        changed.result.media_object.CopyFrom(an_object())
    return changed


async def test_a_job_is_told_as_it_is_and_then_as_it_goes(workshop: Workshop) -> None:
    job = await workshop.submitted()
    async with workshop.follow(job.id) as listener:
        assert listener.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        first = await listener.event()
        running = later(job, job_pb2.JOB_STATE_RUNNING, 40)
        await workshop.publisher.job("started", later(job, job_pb2.JOB_STATE_RUNNING))
        await workshop.publisher.job("finished", a_job())  # somebody else's
        await workshop.publisher.job("progressed", running)
        await workshop.publisher.job("finished", later(job, job_pb2.JOB_STATE_DONE, 100))
        events = [await listener.event() for _ in range(3)]
        await listener.end()
    assert (first.event, first.json()["job"]["queue_position"]) == ("job.status", 3)
    assert [event.event for event in events] == ["job.started", "job.progressed", "job.finished"]
    assert [event.json()["job"]["progress"] for event in events] == [0, 40, 100]
    last = events[-1].json()["job"]
    assert (last["status"], last["result_url"].endswith(f"/{job.id}/result")) == ("done", True)
    again = await workshop.program.get(f"/api/v1/jobs/{job.id}/events", Last_Event_ID=events[-1].id)
    assert again.status == 204


async def test_who_comes_back_hears_what_came_since(workshop: Workshop) -> None:
    job = await workshop.submitted()
    async with workshop.follow(job.id) as listener:
        last = (await listener.event()).id
    await workshop.publisher.job("started", later(job, job_pb2.JOB_STATE_RUNNING))
    await workshop.publisher.job("finished", later(job, job_pb2.JOB_STATE_FAILED))
    async with workshop.follow(job.id, after=last) as listener:
        place = await listener.event()
        events = [await listener.event() for _ in range(2)]
        await listener.end()
    assert (place.event, place.id) == ("", last)
    assert [event.event for event in events] == ["job.started", "job.finished"]


async def test_who_missed_events_is_told_the_job_as_it_is(workshop: Workshop) -> None:
    job = await workshop.submitted()
    await workshop.platform.async_jobs.finish(later(job, job_pb2.JOB_STATE_CANCELLED))
    for after in ("4711-abc", "nonsense", None):
        async with workshop.follow(job.id, after=after) as listener:
            told = await listener.event()
            await listener.end()
        assert (told.event, told.json()["job"]["status"]) == ("job.status", "cancelled")


async def test_a_revoked_key_hears_no_more(workshop: Workshop) -> None:
    job = await workshop.submitted()
    async with workshop.follow(job.id) as listener:
        await listener.event()
        workshop.platform.api_keys.keys[workshop.program.key].revoked_at.GetCurrentTime()
        await listener.end()


async def test_one_program_may_follow_so_many_jobs_at_once(workshop: Workshop) -> None:
    job = await workshop.submitted()
    async with AsyncExitStack() as stack:
        for _ in range(25):
            listener = await stack.enter_async_context(workshop.follow(job.id))
            await listener.event()
        answer = await workshop.program.get(f"/api/v1/jobs/{job.id}/events")
        assert (answer.status, answer.headers["retry-after"]) == (503, "30")
