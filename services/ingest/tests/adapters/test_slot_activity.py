"""What goes on in every slot, as its pill tells it."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from photochanger.ingest.v1 import job_pb2, slot_pb2, slot_service_pb2
from photochanger_ingest.adapters.postgres.activity import JOBS, LOADS
from photochanger_ingest.testing.admin import activity_of, update_slot
from photochanger_ingest.testing.camera import Camera, a_photo
from photochanger_ingest.testing.fakes import Refusal, answer_at_once

if TYPE_CHECKING:
    from photochanger.providers.v1 import processing_service_pb2

    from .conftest import Platform

ACTIVE = slot_service_pb2.SLOT_CONDITION_ACTIVE
OFF = slot_service_pb2.SLOT_CONDITION_OFF
BUSY = slot_service_pb2.SLOT_CONDITION_BUSY
DELAYED = slot_service_pb2.SLOT_CONDITION_DELAYED
FAILING = slot_service_pb2.SLOT_CONDITION_FAILING


async def refuse(_: "processing_service_pb2.ProcessRequest") -> "processing_service_pb2.ProcessResponse":
    raise Refusal("NO_IMAGE")


async def test_slots_that_nothing_happened_to_are_all_there_and_active(camera: Camera) -> None:
    answer = await camera.slots.ListSlotActivity(slot_service_pb2.ListSlotActivityRequest(), timeout=10)
    assert list(answer.slots) == [
        slot_service_pb2.SlotActivity(slot_id=f"slot-{number:03}", condition=ACTIVE)
        for number in range(1, 16)
    ]


async def test_a_slot_fails_until_a_photo_goes_well_again(platform: "Platform", camera: Camera) -> None:
    platform.outside.providers.script = refuse
    await camera.send()
    failing = await activity_of(camera)
    assert (failing.condition, failing.last_failure_reason) == (FAILING, "no_image")
    assert not failing.HasField("last_success_at")
    assert not failing.HasField("latest_result")
    platform.outside.providers.script = answer_at_once
    platform.clock.advance(timedelta(seconds=1))
    done = await camera.send()
    cured = await activity_of(camera)
    assert (cured.condition, cured.last_failure_reason) == (ACTIVE, "")
    assert cured.last_success_at == done.finished_at
    assert cured.latest_result == done
    assert (await activity_of(camera, "slot-002")).condition == ACTIVE


async def test_running_and_waiting_jobs_make_a_slot_busy(platform: "Platform", camera: Camera) -> None:
    go_on = asyncio.Event()

    async def wait(
        request: "processing_service_pb2.ProcessRequest",
    ) -> "processing_service_pb2.ProcessResponse":
        await go_on.wait()
        return await answer_at_once(request)

    platform.outside.providers.script = wait
    await update_slot(camera, slot_pb2.Slot(id="slot-001", running_limit=1), "running_limit")
    for slot_id in ("slot-001", "slot-001", "slot-002"):
        await camera.open(a_photo(), slot_id=slot_id)
    jobs = await platform.sql("SELECT id FROM jobs ORDER BY position")
    running = [asyncio.create_task(camera.run(str(job_id))) for (job_id,) in jobs]
    while (await activity_of(camera)).running_jobs + (await activity_of(camera, "slot-002")).running_jobs < 2:
        continue  # each look at the service lets the jobs go on
    busy = await activity_of(camera)
    assert (busy.condition, busy.running_jobs, busy.waiting_jobs) == (BUSY, 1, 1)
    free = await activity_of(camera, "slot-002")
    assert (free.condition, free.running_jobs, free.waiting_jobs) == (ACTIVE, 1, 0)
    go_on.set()
    await asyncio.gather(*running)
    idle = await activity_of(camera)
    assert (idle.condition, idle.running_jobs, idle.waiting_jobs) == (ACTIVE, 0, 0)


async def test_a_slot_that_is_off_is_off_whatever_its_photos(platform: "Platform", camera: Camera) -> None:
    platform.outside.providers.script = refuse
    await camera.send()
    await update_slot(camera, slot_pb2.Slot(id="slot-001"), "active")
    off = await activity_of(camera)
    assert (off.condition, off.last_failure_reason) == (OFF, "no_image")


async def test_a_slot_whose_photos_come_late_is_delayed(platform: "Platform", camera: Camera) -> None:
    async def take_long(
        request: "processing_service_pb2.ProcessRequest",
    ) -> "processing_service_pb2.ProcessResponse":
        platform.clock.advance(timedelta(seconds=40))
        return await answer_at_once(request)

    platform.outside.providers.script = take_long
    assert (await camera.send()).state == job_pb2.JOB_STATE_DONE
    assert (await activity_of(camera)).condition == DELAYED
    platform.clock.advance(timedelta(hours=1, seconds=1))
    assert (await activity_of(camera)).condition == ACTIVE, "it is long ago"


async def test_of_many_jobs_the_five_that_ended_last_count(platform: "Platform", camera: Camera) -> None:
    """More failures than are looked at, of both kinds, then successes: order of end counts, not of admission."""
    first = await camera.open(a_photo())
    platform.outside.providers.script = refuse
    for _ in range(6):
        await camera.send()
        platform.clock.advance(timedelta(milliseconds=10))
    assert (await activity_of(camera)).condition == FAILING
    platform.outside.providers.script = answer_at_once
    done = await camera.run(first.job.id)
    activity = await activity_of(camera)
    assert (activity.condition, activity.last_failure_reason) == (ACTIVE, "")
    assert activity.last_success_at == done.finished_at


async def test_the_latest_result_is_the_newest_that_has_not_run_out(
    platform: "Platform", camera: Camera
) -> None:
    old, new = await camera.send(), await camera.send()
    assert (await activity_of(camera)).latest_result == new
    hour = platform.clock.now() + timedelta(hours=1)
    await platform.sql("UPDATE jobs SET result_expires_at = %s WHERE id = %s", hour, new.id)
    platform.clock.advance(timedelta(hours=1))
    assert (await activity_of(camera)).latest_result == old
    platform.clock.advance(timedelta(hours=72))
    assert not (await activity_of(camera)).HasField("latest_result")


async def test_stopped_jobs_say_nothing_about_a_slot(platform: "Platform", camera: Camera) -> None:
    done = await camera.send()
    stopped = await camera.open(a_photo())
    await platform.sql(
        "UPDATE jobs SET state = 'cancelled', finished_at = %s, failure_reason = 'cancelled', failure_message = '' "
        "WHERE id = %s",
        platform.clock.now() + timedelta(minutes=1),
        stopped.job.id,
    )
    activity = await activity_of(camera)
    assert (activity.condition, activity.last_failure_reason) == (ACTIVE, "")
    assert activity.latest_result == done


async def test_activity_is_found_without_reading_the_past(platform: "Platform", camera: Camera) -> None:
    """Twenty thousand jobs, spread so that a look along one index of all slots' jobs would read most of them."""
    await camera.send(slot_id="slot-007")
    await platform.sql(
        """
        WITH planned AS (
            -- The first of all in slot-015, with pictures still there; in slot-013 nothing but failures; in slot-014
            -- nothing; of the others the pictures of half of the slots have expired.
            SELECT n, CASE WHEN n <= 100 THEN 15 ELSE n %% 13 + 1 END AS slot, n > 100 AND n %% 13 = 12 AS failed,
                now() - interval '2 days' + n * interval '1 second' AS at
            FROM generate_series(1, 20000) AS n
        )
        INSERT INTO jobs (id, slot_id, slot_version, state, source, provider_id, operation_id, received_at, created_at,
            deadline, started_at, finished_at, failure_reason, failure_message, result, result_origin,
            result_expires_at, input_media_object_id, input_sha256, input_size_bytes, hash_check, plan,
            result_retention)
        SELECT md5(n::text), 'slot-' || lpad(slot::text, 3, '0'), 1, CASE WHEN failed THEN 'failed' ELSE 'done' END,
            'ingest', 'local', 'comic', at, at, at + interval '48 s', at, at + interval '5 s',
            CASE WHEN failed THEN 'quota' END, CASE WHEN failed THEN '' END,
            CASE WHEN NOT failed THEN jobs.result END, CASE WHEN NOT failed THEN 'provider' END,
            CASE WHEN NOT failed THEN at + CASE WHEN slot < 7 THEN interval '24 h' ELSE interval '72 h' END END,
            'input', jobs.input_sha256, 1000, 'match', jobs.plan, interval '72 h'
        FROM planned CROSS JOIN (SELECT * FROM jobs LIMIT 1) AS jobs ORDER BY n
        """
    )
    await platform.sql("ANALYZE jobs")
    parameters = {"now": platform.clock.now(), "recent": 5}
    assert await rows_touched(platform, LOADS, parameters) < 500
    assert await rows_touched(platform, JOBS, parameters) < 1000
    answer = await camera.slots.ListSlotActivity(slot_service_pb2.ListSlotActivityRequest(), timeout=10)
    without_success = [item.slot_id for item in answer.slots if not item.HasField("last_success_at")]
    assert without_success == ["slot-013", "slot-014"]
    pictured = [item.slot_id for item in answer.slots if item.HasField("latest_result")]
    assert pictured == [f"slot-{number:03}" for number in (7, 8, 9, 10, 11, 12, 15)]
    failing = [item.slot_id for item in answer.slots if item.last_failure_reason]
    assert failing == ["slot-013"]


async def rows_touched(platform: "Platform", statement: str, parameters: dict[str, object]) -> int:
    """How many rows of all tables a statement reads, those it reads in vain included."""

    def count(node: dict[str, Any]) -> int:
        own = 0
        if "Relation Name" in node:
            read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            own = read * node["Actual Loops"]
        return own + sum(count(child) for child in node.get("Plans", ()))

    async with platform.pool.connection() as conn:
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
        row = await (await conn.execute(explain.encode(), parameters)).fetchone()
    assert row is not None
    return count(row[0][0]["Plan"])
