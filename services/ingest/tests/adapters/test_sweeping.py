"""What a dead process left is ended once; what has run out is removed."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from photochanger.ingest.v1 import job_pb2
from photochanger_ingest.testing.camera import a_photo, refused

if TYPE_CHECKING:
    from .conftest import Platform, Replica

TIMEOUT, FAILED = job_pb2.JOB_STATE_TIMEOUT, job_pb2.JOB_STATE_FAILED


async def finished_events(platform: "Platform") -> int:
    [[count]] = await platform.sql("SELECT count(*) FROM outbox WHERE subject = 'events.ingest.job.finished'")
    assert isinstance(count, int)
    return count


async def test_jobs_past_their_deadline_are_ended_once_by_all_replicas(
    platform: "Platform", replica: "Replica"
) -> None:
    other = await platform.start()
    jobs = [(await replica.camera.open(a_photo(), slot_id=f"slot-00{n}")).job for n in range(1, 9)]
    await platform.sql(
        "UPDATE jobs SET state = 'running', started_at = created_at WHERE id = ANY(%s)",
        [job.id for job in jobs[:4]],
    )
    platform.clock.advance(timedelta(seconds=48.9))
    assert await replica.ingest.sweeper.end_overdue() == 4, "the waiting ones nobody drives"
    assert await finished_events(platform) == 4
    platform.clock.advance(timedelta(seconds=0.2))
    await asyncio.gather(*(one.ingest.sweeper.end_overdue() for one in (replica, other) * 3))
    assert await finished_events(platform) == 8
    ended = [await replica.camera.get(job.id) for job in jobs]
    assert [job.state for job in ended] == [TIMEOUT] * 4 + [FAILED] * 4


async def test_a_waiting_job_nobody_drives_is_ended_before_its_deadline_and_frees_its_photo(
    platform: "Platform", replica: "Replica"
) -> None:
    photo = a_photo()
    abandoned = await replica.camera.open(photo)
    platform.clock.advance(timedelta(seconds=11))
    assert await replica.ingest.sweeper.end_overdue() == 0
    platform.clock.advance(timedelta(seconds=2))
    assert await replica.ingest.sweeper.end_overdue() == 1
    job = await replica.camera.get(abandoned.job.id)
    assert (job.state, job.failure.reason) == (FAILED, "internal")
    assert (await replica.camera.open(photo)).job.id != job.id


async def test_a_place_left_by_a_dead_process_is_given_to_the_next(
    platform: "Platform", replica: "Replica"
) -> None:
    await platform.sql("UPDATE settings SET slot_running = 1")
    lost = await replica.camera.open(a_photo())
    await platform.sql("UPDATE jobs SET state = 'running', started_at = created_at, driver = 'dead'")
    platform.clock.advance(timedelta(seconds=40))
    waiting = asyncio.create_task(replica.camera.send())
    while not await platform.sql("SELECT 1 FROM jobs WHERE state = 'pending' AND driver IS NOT NULL"):
        await asyncio.wait({waiting}, timeout=0.01)
    platform.clock.advance(timedelta(seconds=10))
    await replica.ingest.runner.renew_holds()
    await replica.ingest.sweeper.end_overdue()
    assert (await waiting).state == job_pb2.JOB_STATE_DONE
    assert (await replica.camera.get(lost.job.id)).state == TIMEOUT


async def test_what_has_run_out_is_removed(platform: "Platform", replica: "Replica") -> None:
    opened = await replica.camera.open(a_photo(), key="key", fields={"guest": "Ann"})
    await replica.camera.run(opened.job.id)
    await replica.ingest.sweeper.prune()
    [[fields]] = await platform.sql("SELECT form_fields FROM jobs")
    assert fields == {"guest": "Ann"}

    platform.clock.advance(timedelta(hours=73))
    assert await replica.ingest.sweeper.prune() == 4, (
        "key, dedupe key, form fields, the minute in the statistics"
    )
    assert await platform.sql("SELECT form_fields, dedupe_key FROM jobs") == [({}, None)]
    assert await platform.sql("SELECT count(*) FROM idempotency_keys") == [(0,)]
    assert (await replica.camera.get(opened.job.id)).id == opened.job.id
    assert await replica.ingest.sweeper.prune() == 0

    platform.clock.advance(timedelta(days=28))
    assert await replica.ingest.sweeper.prune() == 1
    with refused("JOB_NOT_FOUND"):
        await replica.camera.get(opened.job.id)


async def test_unfinished_jobs_are_measured(platform: "Platform", replica: "Replica") -> None:
    for _ in range(2):
        await replica.camera.open(a_photo())
    await replica.camera.send()
    await replica.ingest.sweeper.measure()
    sample = replica.registry.get_sample_value
    assert sample("ingest_jobs_unfinished", {"provider": "local", "state": "pending"}) == 2
    done = {"slot": "slot-001", "provider": "local", "state": "done"}
    assert sample("ingest_jobs_finished_total", done) == 1
