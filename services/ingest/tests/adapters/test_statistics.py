"""Counts of finished jobs are exact: by the minute, whoever finished them and however many at once."""

import asyncio
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from photochanger.ingest.v1 import statistics_service_pb2 as pb
from photochanger_chassis.postgres.pool import Connection
from photochanger_chassis.testing import ManualClock
from photochanger_ingest.domain.job import FailureReason
from photochanger_ingest.domain.statistics import (
    BUCKETS,
    HOUR,
    LONGEST,
    MINUTE,
    PRECISION,
    PROVIDER_ERRORS,
    SHORTEST,
    Window,
    bucket_of,
    floor,
)
from photochanger_ingest.migrations.versions.r0004_statistics import BACKFILL
from photochanger_ingest.testing.camera import Camera, refused
from psycopg import AsyncConnection

if TYPE_CHECKING:
    from .conftest import Platform, Replica

DAY = timedelta(days=1)
STATES = ("done", "failed", "timeout", "cancelled")


@dataclass(frozen=True)
class Ended:
    """A job that ended."""

    ago: timedelta = timedelta()
    took: timedelta = timedelta(seconds=2)
    state: str = "done"
    reason: FailureReason = FailureReason.INTERNAL
    slot_id: str = "slot-001"
    source: str = "ingest"

    @property
    def failure(self) -> str | None:
        return {
            "done": None,
            "failed": self.reason.value,
            "timeout": "timeout",
            "cancelled": "cancelled",
        }[self.state]


async def begin(conn: Connection, job: Ended, now: datetime) -> str:
    """Stores a job as it is before its end."""
    job_id, received_at = uuid4().hex, now - job.ago - job.took
    await conn.execute(
        """
        INSERT INTO jobs (id, slot_id, slot_version, state, source, provider_id, operation_id, received_at,
            created_at, started_at, deadline, input_media_object_id, input_sha256, input_size_bytes, hash_check,
            plan, result_retention)
        VALUES (%s, %s, 1, 'running', %s, 'local', 'pencil', %s, %s, %s, %s, 'input', repeat('0', 64), 1,
            'match', '{}', '72 h')
        """,
        (job_id, job.slot_id, job.source, *[received_at] * 3, received_at + timedelta(seconds=48)),
    )
    return job_id


async def end(conn: Connection, job_id: str, job: Ended, now: datetime) -> None:
    done = job.state == "done"
    await conn.execute(
        """
        UPDATE jobs SET state = %s, finished_at = %s, failure_reason = %s, failure_message = %s, result = %s::jsonb,
            result_origin = %s
        WHERE id = %s
        """,
        (
            job.state,
            now - job.ago,
            job.failure,
            None if done else "It could not.",
            "{}" if done else None,
            "provider" if done else None,
            job_id,
        ),
    )


async def ended(platform: "Platform", *jobs: Ended) -> list[str]:
    """Stores jobs that ended. One transaction each: no sweeper sees one past its deadline."""
    ids, now = [], platform.clock.now()
    async with platform.pool.connection() as conn:
        for job in jobs:
            async with conn.transaction():
                ids.append(await begin(conn, job, now))
                await end(conn, ids[-1], job, now)
    return ids


async def statistics(camera: Camera, length: timedelta, *, failures: int = 0) -> pb.GetStatisticsResponse:
    request = pb.GetStatisticsRequest(failures=failures)
    request.window.FromTimedelta(length)
    return await camera.statistics.GetStatistics(request, timeout=10)


async def series(camera: Camera, length: timedelta, slot_id: str = "") -> pb.GetStatisticsSeriesResponse:
    request = pb.GetStatisticsSeriesRequest(slot_id=slot_id)
    request.window.FromTimedelta(length)
    return await camera.statistics.GetStatisticsSeries(request, timeout=10)


def figures(counts: pb.JobCounts) -> Counter[str]:
    names = ("finished", *STATES, "provider_errors")
    return +Counter({name: getattr(counts, name) for name in names})


def expected(jobs: Sequence[Ended]) -> Counter[str]:
    """The straightforward count."""
    counts = Counter(job.state for job in jobs)
    counts["finished"] = len(jobs)
    counts["provider_errors"] = sum(job.state == "failed" and job.reason in PROVIDER_ERRORS for job in jobs)
    return +counts


def assert_percentiles(counts: pb.JobCounts, jobs: Sequence[Ended]) -> None:
    took = sorted(job.took for job in jobs if job.state == "done")
    assert (counts.HasField("p50"), counts.HasField("p95")) == (bool(took), bool(took))
    for share, found in ((0.5, counts.p50.ToTimedelta()), (0.95, counts.p95.ToTimedelta())) if took else ():
        true = took[math.ceil(len(took) * share) - 1]
        assert abs(found - true) <= true * PRECISION + timedelta(microseconds=2)


def move_past_the_hour(clock: ManualClock, past: timedelta) -> None:
    clock.advance(floor(clock.now(), HOUR) + HOUR + past - clock.now())


async def test_without_jobs_everything_is_zero_and_all_slots_are_there(camera: Camera) -> None:
    nothing = await statistics(camera, HOUR, failures=10)
    assert nothing.total == pb.JobCounts()
    assert [slot.slot_id for slot in nothing.slots] == [f"slot-{number:03}" for number in range(1, 16)]
    assert not any(slot.HasField("last_success_at") or slot.last_failure_reason for slot in nothing.slots)
    assert nothing.finished_ever == 0
    assert not nothing.recent_failures


async def test_a_photo_counts_once_it_has_a_picture(camera: Camera, clock: ManualClock) -> None:
    job = await camera.send(slot_id="slot-002")
    found = await statistics(camera, HOUR, failures=10)
    assert figures(found.total) == Counter(finished=1, done=1)
    assert figures(found.slots[1].counts) == Counter(finished=1, done=1)
    assert found.slots[1].last_success_at == job.finished_at
    assert found.finished_ever == 1
    assert found.ends_at.ToDatetime(UTC) == clock.now()
    assert found.ends_at.seconds - found.starts_at.seconds in range(3600, 3660)


async def test_a_job_counts_in_the_minute_it_ends_and_as_long_as_the_window_reaches_it(
    platform: "Platform", camera: Camera, clock: ManualClock
) -> None:
    move_past_the_hour(clock, timedelta(minutes=34, seconds=59))
    on_the_minute = timedelta(minutes=5, seconds=59)
    await ended(
        platform,
        Ended(ago=on_the_minute),
        Ended(ago=on_the_minute + timedelta(microseconds=1), state="failed"),
    )
    assert figures((await statistics(camera, timedelta(minutes=5))).total) == Counter(finished=1, done=1)
    assert (await statistics(camera, timedelta(minutes=6))).total.finished == 2
    clock.advance(timedelta(seconds=1))
    assert (await statistics(camera, timedelta(minutes=5))).total.finished == 0


async def test_the_edges_of_a_long_window_are_minutes_and_its_middle_hours(
    platform: "Platform", camera: Camera, clock: ManualClock
) -> None:
    move_past_the_hour(clock, timedelta(minutes=34, seconds=59))
    window = Window.before(clock.now(), 3 * DAY)
    at = [
        window.starts_at,
        window.whole_hours_from - timedelta(microseconds=1),
        window.whole_hours_from,
        window.whole_hours_from + 30 * HOUR + MINUTE,
        clock.now(),
    ]
    before = window.starts_at - timedelta(microseconds=1)
    await ended(platform, *(Ended(ago=clock.now() - instant) for instant in (*at, before)))
    assert (await statistics(camera, 3 * DAY)).total.finished == len(at)
    assert (await statistics(camera, 3 * DAY)).finished_ever == len(at) + 1


async def test_test_runs_and_late_pictures_do_not_count(platform: "Platform", camera: Camera) -> None:
    [_, late] = await ended(platform, Ended(source="ui_test"), Ended(state="timeout"))
    await platform.sql("UPDATE jobs SET result = '{}', result_origin = 'late' WHERE id = %s", late)
    found = await statistics(camera, HOUR, failures=10)
    assert figures(found.total) == Counter(finished=1, timeout=1)
    assert found.finished_ever == 1
    assert not found.slots[0].HasField("last_success_at")


async def test_recent_failures_are_those_of_the_window_newest_first(
    platform: "Platform", camera: Camera
) -> None:
    failed, cancelled, timeout, *_ = await ended(
        platform,
        Ended(ago=3 * MINUTE, state="failed", reason=FailureReason.QUOTA),
        Ended(ago=1 * MINUTE, state="cancelled", slot_id="slot-002"),
        Ended(ago=2 * MINUTE, state="timeout"),
        Ended(),
        Ended(ago=2 * HOUR, state="failed"),
        Ended(state="failed", source="ui_test"),
        Ended(ago=90 * MINUTE, state="failed", slot_id="slot-003"),
    )
    found = await statistics(camera, HOUR, failures=10)
    assert [(each.job_id, each.slot_id, each.reason) for each in found.recent_failures] == [
        (cancelled, "slot-002", "cancelled"),
        (timeout, "slot-001", "timeout"),
        (failed, "slot-001", "quota"),
    ]
    assert [slot.last_failure_reason for slot in found.slots[:3]] == ["timeout", "", ""]
    assert len((await statistics(camera, HOUR, failures=2)).recent_failures) == 2


async def test_a_window_or_number_out_of_bounds_is_refused(camera: Camera) -> None:
    for length in (timedelta(), timedelta(minutes=5) - timedelta(seconds=1), 3 * DAY + MINUTE, -HOUR):
        with refused("INVALID_ARGUMENT"):
            await statistics(camera, length)
        with refused("INVALID_ARGUMENT"):
            await series(camera, length)
    for failures in (-1, 101):
        with refused("INVALID_ARGUMENT"):
            await statistics(camera, HOUR, failures=failures)
    with refused("INVALID_ARGUMENT"):
        wrong = pb.GetStatisticsRequest()
        wrong.window.seconds = 2**62
        await camera.statistics.GetStatistics(wrong, timeout=10)
    with refused("SLOT_NOT_FOUND"):
        await series(camera, HOUR, "slot-016")
    await statistics(camera, 3 * DAY + timedelta(seconds=59))


@pytest.mark.parametrize("length", [timedelta(minutes=5), HOUR, 6 * HOUR, 7 * HOUR, 3 * DAY])
async def test_the_steps_of_a_series_leave_nothing_out_and_add_up_to_the_window(
    platform: "Platform", camera: Camera, length: timedelta
) -> None:
    jobs = [Ended(ago=length * share / 7, slot_id=f"slot-00{share % 2 + 1}") for share in range(8)]
    await ended(platform, *jobs)
    found = await series(camera, length)
    step = found.step.ToTimedelta()
    starts = [each.starts_at.ToDatetime(UTC) for each in found.steps]
    assert starts == list(Window.before(platform.clock.now(), length).steps)
    assert sum(each.counts.finished for each in found.steps) == 8
    now = platform.clock.now()
    for start, counts in zip(starts, (each.counts for each in found.steps), strict=True):
        inside = [job for job in jobs if start <= now - job.ago < start + step]
        assert figures(counts) == expected(inside)
        assert_percentiles(counts, inside)
    one = await series(camera, length, "slot-002")
    assert sum(each.counts.finished for each in one.steps) == 4
    assert [each.starts_at for each in one.steps] == [each.starts_at for each in found.steps]


async def test_many_jobs_of_one_slot_that_end_at_once_are_all_counted(
    platform: "Platform", camera: Camera
) -> None:
    now, jobs = platform.clock.now(), [Ended(state=STATES[number % 4]) for number in range(160)]

    async def ending(some: Sequence[Ended]) -> None:
        async with await AsyncConnection.connect(platform.database_url, autocommit=True) as conn:
            for job in some:
                job_id = await begin(conn, job, now)
                async with conn.transaction():
                    await end(conn, job_id, job, now)

    await asyncio.gather(*(ending(jobs[number::8]) for number in range(8)))
    found = await statistics(camera, HOUR)
    assert figures(found.total) == expected(jobs)
    assert found.finished_ever == len(jobs)


async def test_photos_sent_at_once_to_two_replicas_are_all_counted(
    platform: "Platform", replica: "Replica"
) -> None:
    await platform.sql("UPDATE settings SET slot_running = 50, slot_queue = 100")
    cameras = [replica.camera, (await platform.start()).camera]
    await asyncio.gather(*(cameras[number % 2].send() for number in range(24)))
    assert figures((await statistics(replica.camera, HOUR)).total) == Counter(finished=24, done=24)


async def test_an_end_that_is_rolled_back_is_not_counted(platform: "Platform", camera: Camera) -> None:
    now = platform.clock.now()
    async with platform.pool.connection() as conn:
        job_id = await begin(conn, Ended(), now)
        async with conn.transaction(force_rollback=True):
            await end(conn, job_id, Ended(), now)
            await conn.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert (await statistics(camera, HOUR)).finished_ever == 0


async def test_a_job_that_seems_to_end_before_it_began_is_counted_all_the_same(
    platform: "Platform", camera: Camera
) -> None:
    await ended(platform, Ended(took=timedelta(seconds=-3)), Ended(took=DAY, state="timeout"))
    assert (await statistics(camera, HOUR)).total.finished == 2


async def test_minutes_are_kept_for_three_days_and_hours_for_four_hundred(
    platform: "Platform", replica: "Replica", clock: ManualClock
) -> None:
    await ended(platform, Ended(), Ended(slot_id="slot-002"))
    clock.advance(3 * DAY)
    await replica.ingest.sweeper.prune()
    assert (await statistics(replica.camera, 3 * DAY)).total.finished == 2
    clock.advance(HOUR + MINUTE)
    await replica.ingest.sweeper.prune()
    periods = (
        "SELECT resolution, count(*)::integer FROM job_statistics GROUP BY resolution ORDER BY resolution"
    )
    assert await platform.sql(periods) == [("ever", 2), ("hour", 2)]
    clock.advance(400 * DAY)
    await replica.ingest.sweeper.prune()
    assert await platform.sql(periods) == [("ever", 2)]
    assert (await statistics(replica.camera, HOUR)).finished_ever == 2


async def test_the_database_finds_the_same_buckets_as_the_domain(platform: "Platform") -> None:
    lengths = [
        timedelta(seconds=-1),
        timedelta(),
        *(SHORTEST * (LONGEST / SHORTEST) ** ((step + 0.5) / (3 * BUCKETS)) for step in range(3 * BUCKETS)),
        LONGEST,
        DAY,
    ]
    [[found]] = await platform.sql(
        "SELECT array_agg(duration_bucket(length) ORDER BY place) "
        "FROM unnest(%s::interval[]) WITH ORDINALITY AS given (length, place)",
        lengths,
    )
    assert found == [bucket_of(length) + 1 for length in lengths]


jobs = st.builds(
    Ended,
    ago=st.one_of(
        st.timedeltas(timedelta(), timedelta(minutes=10)),
        st.timedeltas(timedelta(), timedelta(hours=3)),
        st.timedeltas(timedelta(), timedelta(days=3, hours=2)),
    ),
    took=st.timedeltas(SHORTEST, timedelta(seconds=60)),
    state=st.sampled_from(STATES),
    reason=st.sampled_from(FailureReason),
    slot_id=st.sampled_from(["slot-001", "slot-002", "slot-015"]),
    source=st.sampled_from(["ingest", "ingest", "ingest", "ui_test"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    history=st.lists(jobs, max_size=25),
    unfinished=st.integers(0, 3),
    length=st.sampled_from([timedelta(minutes=5), timedelta(minutes=61), 5 * HOUR, DAY, 3 * DAY]),
    backfilled=st.booleans(),
)
def test_statistics_equal_a_count_over_the_jobs(
    histories: "Histories", history: list[Ended], unfinished: int, length: timedelta, backfilled: bool
) -> None:
    found, steps = histories.run(history, unfinished, length, backfilled=backfilled)
    now, cameras = histories.now, [job for job in history if job.source == "ingest"]
    starts_at = Window.before(now, length).starts_at
    inside = [job for job in cameras if now - job.ago >= starts_at]
    assert figures(found.total) == expected(inside)
    assert_percentiles(found.total, inside)
    assert found.finished_ever == len(cameras)
    for slot in found.slots:
        own = [job for job in inside if job.slot_id == slot.slot_id]
        assert figures(slot.counts) == expected(own)
        assert_percentiles(slot.counts, own)
        successes = [now - job.ago for job in cameras if job.slot_id == slot.slot_id and job.state == "done"]
        assert slot.HasField("last_success_at") == bool(successes)
        if successes:
            assert slot.last_success_at.ToDatetime(UTC) == max(successes)
        bad = sorted((job for job in own if job.state in {"failed", "timeout"}), key=lambda job: job.ago)
        assert slot.last_failure_reason in ({job.failure for job in bad if job.ago == bad[0].ago} or {""})
    failures = [now - job.ago for job in inside if job.state != "done"]
    assert [each.finished_at.ToDatetime(UTC) for each in found.recent_failures] == sorted(
        failures, reverse=True
    )
    assert sum((figures(step.counts) for step in steps.steps), Counter()) == expected(inside)


class Histories:
    """Plays histories on the fixtures' own loop, each on empty tables."""

    def __init__(self, platform: "Platform", camera: Camera, loop: asyncio.AbstractEventLoop) -> None:
        self._platform, self._camera, self._loop = platform, camera, loop

    @property
    def now(self) -> datetime:
        return self._platform.clock.now()

    def run(
        self, history: list[Ended], unfinished: int, length: timedelta, *, backfilled: bool
    ) -> tuple[pb.GetStatisticsResponse, pb.GetStatisticsSeriesResponse]:
        return self._loop.run_until_complete(self._run(history, unfinished, length, backfilled))

    async def _run(
        self, history: list[Ended], unfinished: int, length: timedelta, backfilled: bool
    ) -> tuple[pb.GetStatisticsResponse, pb.GetStatisticsSeriesResponse]:
        for table in ("jobs", "job_statistics"):
            await self._platform.sql(f"DELETE FROM {table}")
        async with self._platform.pool.connection() as conn:
            for _ in range(unfinished):
                await begin(conn, Ended(), self.now)
        await ended(self._platform, *history)
        if backfilled:
            await self._platform.sql("DELETE FROM job_statistics")
            await self._platform.sql(BACKFILL)
        return (
            await statistics(self._camera, length, failures=100),
            await series(self._camera, length),
        )


@pytest.fixture
async def histories(platform: "Platform", camera: Camera) -> Histories:
    return Histories(platform, camera, asyncio.get_running_loop())
