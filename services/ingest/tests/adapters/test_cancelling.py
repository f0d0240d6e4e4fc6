"""Asynchronous jobs that are stopped: before their turn, during it, too late."""

import asyncio
from typing import TYPE_CHECKING

import pytest
from photochanger.ingest.v1 import job_pb2
from photochanger_ingest.testing.camera import refused
from photochanger_ingest.testing.client import ApiClient
from photochanger_ingest.testing.fakes import a_result
from photochanger_ingest.testing.worker import Worker

from .test_async_jobs import handed_over

if TYPE_CHECKING:
    from .conftest import Platform, Replica

CANCELLED = job_pb2.JOB_STATE_CANCELLED


async def test_a_job_that_was_not_handed_over_never_is(
    platform: "Platform", client: ApiClient, replica: "Replica"
) -> None:
    queue = platform.outside.providers.queue
    queue.down = True
    job = await client.open()
    await queue.came.wait()
    cancelled = await client.cancel(job.id)
    assert (cancelled.state, cancelled.failure.reason) == (CANCELLED, "cancelled")
    queue.down = False
    await replica.ingest.asynchronous.hand_over.sweep()
    assert queue.work == {}


async def test_a_job_is_not_cancelled_while_it_is_being_handed_over(
    platform: "Platform", client: ApiClient
) -> None:
    queue = platform.outside.providers.queue
    async with queue.submitting:
        job = await client.open()
        await queue.came.wait()
        cancelling = asyncio.create_task(client.cancel(job.id))
        while not await platform.sql("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            continue
        assert queue.stopped == []
    assert (await cancelling).state == CANCELLED
    # Providers learns of both, in this order.
    assert (list(queue.work), queue.stopped) == ([job.id], [job.id])


async def test_a_job_under_way_is_stopped_and_its_picture_dropped(
    platform: "Platform", client: ApiClient, worker: Worker
) -> None:
    job = await client.open()
    await handed_over(platform, job.id)
    await worker.starts(job.id)
    cancelled = await client.cancel(job.id)
    assert cancelled.state == CANCELLED
    assert platform.outside.providers.queue.stopped == [job.id]
    await worker.finishes(job.id)
    assert (await client.look(job.id)).job == cancelled
    assert platform.outside.media.deleted == [a_result(job.id).id]
    # Twice is no error.
    assert await client.cancel(job.id) == cancelled


async def test_who_cancels_too_late_is_told_so(
    platform: "Platform", client: ApiClient, worker: Worker
) -> None:
    job = await client.open()
    await handed_over(platform, job.id)
    await worker.starts(job.id)
    await worker.finishes(job.id)
    with refused("JOB_ALREADY_FINAL") as refusal:
        await client.cancel(job.id)
    assert refusal.error.metadata == {"jobId": job.id, "state": "done"}
    assert platform.outside.providers.queue.stopped == []


async def test_what_could_not_be_stopped_is_stopped_later(
    platform: "Platform", client: ApiClient, worker: Worker, replica: "Replica"
) -> None:
    job = await client.open()
    await handed_over(platform, job.id)
    await worker.starts(job.id)
    queue = platform.outside.providers.queue
    queue.down = True
    assert (await client.cancel(job.id)).state == CANCELLED
    hand_over = replica.ingest.asynchronous.hand_over
    assert await hand_over.sweep() == 1
    queue.down = False
    assert await hand_over.sweep() == 1
    assert queue.stopped == [job.id]
    assert await hand_over.sweep() == 0


@pytest.mark.parametrize("ends", ["finishes", "fails"])
async def test_of_cancelling_and_ending_at_once_one_wins(
    platform: "Platform", client: ApiClient, worker: Worker, ends: str
) -> None:
    job = await client.open()
    await handed_over(platform, job.id)
    await worker.starts(job.id)
    await asyncio.gather(client.cancel(job.id), getattr(worker, ends)(job.id), return_exceptions=True)
    final = (await client.look(job.id)).job
    assert final.state in {CANCELLED, job_pb2.JOB_STATE_DONE, job_pb2.JOB_STATE_FAILED}
    assert (final.state == CANCELLED) == (platform.outside.providers.queue.stopped == [job.id])
    if ends == "finishes":
        assert (final.state == CANCELLED) == bool(platform.outside.media.deleted)


async def test_a_worker_that_was_stopped_by_an_admin_cancels_the_job(
    platform: "Platform", client: ApiClient, worker: Worker
) -> None:
    job = await client.open()
    await handed_over(platform, job.id)
    await worker.fails(job.id, "CANCELLED")
    assert (await client.look(job.id)).job.state == CANCELLED
