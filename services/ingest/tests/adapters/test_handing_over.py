"""Between ingest and providers' queue: outages, crashes, silence, the deadline."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from photochanger.ingest.v1 import job_pb2
from photochanger.tasks.v1 import task_events_pb2
from photochanger_chassis.testing import ManualClock
from photochanger_ingest.testing.client import ApiClient
from photochanger_ingest.testing.fakes import a_result, an_effort
from photochanger_ingest.testing.worker import Worker

from .test_async_jobs import handed_over

if TYPE_CHECKING:
    from .conftest import Platform, Replica

_A_MINUTE = timedelta(seconds=61)


async def state_of(client: ApiClient, job_id: str) -> job_pb2.JobState.ValueType:
    return (await client.look(job_id)).job.state


async def test_an_accepted_job_outlasts_an_outage_of_providers(
    platform: "Platform", client: ApiClient, replica: "Replica", clock: ManualClock, worker: Worker
) -> None:
    queue = platform.outside.providers.queue
    queue.down = True
    jobs = [await client.open() for _ in range(3)]
    assert not (await client.look(jobs[0].id)).HasField("queue_position")
    clock.advance(timedelta(seconds=5))
    hand_over = replica.ingest.asynchronous.hand_over
    assert await hand_over.sweep() == 3
    queue.down = False
    await hand_over.sweep()
    assert set(queue.work) == {job.id for job in jobs}
    assert await hand_over.sweep() == 0
    await worker.starts(jobs[0].id)
    assert await state_of(client, jobs[0].id) == job_pb2.JOB_STATE_RUNNING


async def test_a_job_whose_handing_over_was_forgotten_is_handed_over_again_and_runs_once(
    platform: "Platform", client: ApiClient, clock: ManualClock
) -> None:
    job = await client.open()
    await handed_over(platform, job.id)
    # As after a crash between the answer and the commit.
    await platform.sql("UPDATE jobs SET handed_over_at = NULL, heard_at = NULL")
    clock.advance(timedelta(seconds=5))
    await platform.start()  # sweeps at once
    await handed_over(platform, job.id)
    queue = platform.outside.providers.queue
    assert [sent.process.job_id for sent in queue.submitted] == [job.id, job.id]
    assert queue.submitted[0] == queue.submitted[1]
    assert list(queue.work) == [job.id]


async def test_replicas_do_not_wait_for_each_others_handing_over(
    platform: "Platform", client: ApiClient, clock: ManualClock
) -> None:
    queue = platform.outside.providers.queue
    other = await platform.start()
    async with queue.submitting:
        await client.open()
        await queue.came.wait()
        clock.advance(timedelta(seconds=5))
        assert await other.ingest.asynchronous.hand_over.sweep() == 1
    assert len(queue.submitted) == 1


async def test_a_silent_job_is_asked_after(
    platform: "Platform", client: ApiClient, replica: "Replica", clock: ManualClock
) -> None:
    waiting, running, ended, failed, dead, done = jobs = [await client.open() for _ in range(6)]
    await asyncio.gather(*(handed_over(platform, job.id) for job in jobs))
    work = platform.outside.providers.queue.work
    work[running.id].state = task_events_pb2.TASK_STATE_RUNNING
    work[running.id].attempts, work[running.id].progress_percent = 3, 70
    work[ended.id].state = task_events_pb2.TASK_STATE_CANCELLED
    work[failed.id].state, work[failed.id].reason = task_events_pb2.TASK_STATE_FAILED, "AUTH"
    work[dead.id].state, work[dead.id].reason = task_events_pb2.TASK_STATE_DEAD, "PROVIDER_5XX"
    for each in (ended, failed, dead):
        work[each.id].effort.CopyFrom(an_effort())
    work[done.id].state = task_events_pb2.TASK_STATE_DONE
    work[done.id].result.result.CopyFrom(a_result(done.id))
    follow_up = replica.ingest.asynchronous.follow_up
    assert await follow_up() == 0
    clock.advance(_A_MINUTE)
    assert await follow_up() == 6
    seen = [(await client.look(job.id)).job for job in jobs]
    assert [(job.state, job.failure.reason) for job in seen] == [
        (job_pb2.JOB_STATE_PENDING, ""),
        (job_pb2.JOB_STATE_RUNNING, ""),
        (job_pb2.JOB_STATE_CANCELLED, "cancelled"),
        (job_pb2.JOB_STATE_FAILED, "auth"),
        (job_pb2.JOB_STATE_FAILED, "provider_5xx"),
        (job_pb2.JOB_STATE_DONE, ""),
    ]
    assert (seen[1].attempts, seen[1].progress_percent) == (3, 70)
    assert [list(job.stages) for job in seen[2:5]] == [list(an_effort().stages)] * 3
    assert seen[5].result.media_object.job_id == done.id
    # Asked after once a minute, and only while there is something to ask.
    assert await follow_up() == 0
    clock.advance(_A_MINUTE)
    assert await follow_up() == 2
    assert await state_of(client, waiting.id) == job_pb2.JOB_STATE_PENDING


async def test_a_job_that_providers_lost_is_handed_over_anew(
    platform: "Platform", client: ApiClient, replica: "Replica", clock: ManualClock
) -> None:
    job = await client.open()
    await handed_over(platform, job.id)
    queue = platform.outside.providers.queue
    queue.work.clear()
    clock.advance(_A_MINUTE)
    await replica.ingest.asynchronous.follow_up()
    await replica.ingest.asynchronous.hand_over.sweep()
    assert list(queue.work) == [job.id]


async def test_a_running_job_that_providers_lost_is_handed_over_anew(
    platform: "Platform", client: ApiClient, replica: "Replica", clock: ManualClock, worker: Worker
) -> None:
    job = await client.open()
    await handed_over(platform, job.id)
    await worker.starts(job.id, attempt=3)
    queue = platform.outside.providers.queue
    queue.work.clear()
    clock.advance(_A_MINUTE)
    await replica.ingest.asynchronous.follow_up()
    await replica.ingest.asynchronous.hand_over.sweep()
    assert list(queue.work) == [job.id]
    await worker.starts(job.id)
    await worker.tells("progressed", job.id, percent=10)
    assert (await client.look(job.id)).job.progress_percent == 10


async def test_nobody_is_asked_while_providers_is_down(
    platform: "Platform", client: ApiClient, replica: "Replica", clock: ManualClock
) -> None:
    job = await client.open()
    await handed_over(platform, job.id)
    platform.outside.providers.queue.down = True
    clock.advance(_A_MINUTE)
    assert await replica.ingest.asynchronous.follow_up() == 1
    assert await state_of(client, job.id) == job_pb2.JOB_STATE_PENDING


async def test_the_deadline_ends_a_job_whatever_its_worker_does(
    platform: "Platform",
    client: ApiClient,
    replica: "Replica",
    clock: ManualClock,
    worker: Worker,
) -> None:
    waiting, running = jobs = [await client.open() for _ in range(2)]
    await asyncio.gather(*(handed_over(platform, job.id) for job in jobs))
    await worker.starts(running.id)
    clock.advance(timedelta(hours=1))
    assert await replica.ingest.sweeper.end_overdue() == 0
    clock.advance(timedelta(seconds=2))
    assert await replica.ingest.sweeper.end_overdue() == 2
    for job, words in ((waiting, "worker"), (running, "provider")):
        final = (await client.look(job.id)).job
        assert (final.state, final.failure.reason) == (job_pb2.JOB_STATE_TIMEOUT, "timeout")
        assert words in final.failure.message
    await worker.finishes(running.id)
    assert await state_of(client, running.id) == job_pb2.JOB_STATE_TIMEOUT
    assert len(platform.outside.media.deleted) == 1


async def test_a_picture_made_in_time_counts_when_it_is_told_late(
    platform: "Platform", client: ApiClient, clock: ManualClock, worker: Worker
) -> None:
    job = await client.open()
    await handed_over(platform, job.id)
    await worker.starts(job.id)
    clock.advance(timedelta(hours=1, seconds=1))
    await worker.finishes(job.id, late=-timedelta(seconds=2))
    assert await state_of(client, job.id) == job_pb2.JOB_STATE_DONE
