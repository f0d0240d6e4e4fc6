"""What is counted of jobs that ended: read here, written by the trigger on `jobs` (ADR 16)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, cast

from photochanger_chassis.postgres.pool import Connection, Pool, transaction

from photochanger_ingest.application.statistics import Figures, RecentFailure
from photochanger_ingest.domain.ids import JobId, SlotId
from photochanger_ingest.domain.job import FailureReason
from photochanger_ingest.domain.statistics import BUCKETS, HOUR, JobCounts, SlotStatistics, Window

# One sum a bucket reads an array several times as fast as taking it apart and grouping by the index.
_SUMS: Final = f"""
    sum(finished)::bigint, sum(done)::bigint, sum(failed)::bigint, sum(timeout)::bigint, sum(cancelled)::bigint,
    sum(provider_errors)::bigint,
    ARRAY[{", ".join(f"sum(durations[{bucket}])" for bucket in range(1, BUCKETS + 1))}]
"""

# Minutes up to the first whole hour, hours from there on; the hour that runs now counts up to now.
_BY_MINUTES_AND_HOURS: Final = """
    SELECT * FROM job_statistics
    WHERE resolution = 'minute' AND starts_at >= %(starts_at)s AND starts_at < %(whole_hours_from)s
    UNION ALL
    SELECT * FROM job_statistics WHERE resolution = 'hour' AND starts_at >= %(whole_hours_from)s
"""
_BY_MINUTES: Final = "SELECT * FROM job_statistics WHERE resolution = 'minute' AND starts_at >= %(starts_at)s"

_OVERVIEW: Final = f"""
    SELECT slots.id, success.finished_at, failure.reason, sums.*
    FROM slots
    LEFT JOIN LATERAL (
        SELECT finished_at FROM jobs
        WHERE slot_id = slots.id AND state = 'done' AND source = 'ingest' AND finished_at IS NOT NULL
        ORDER BY finished_at DESC LIMIT 1
    ) AS success ON true
    LEFT JOIN LATERAL (
        SELECT failure_reason AS reason FROM jobs
        WHERE slot_id = slots.id AND source = 'ingest' AND failure_reason IS NOT NULL AND state <> 'cancelled'
            AND finished_at >= %(starts_at)s
        ORDER BY finished_at DESC LIMIT 1
    ) AS failure ON true
    LEFT JOIN (
        SELECT slot_id, {_SUMS} FROM ({_BY_MINUTES_AND_HOURS}) AS counted GROUP BY slot_id
    ) AS sums ON sums.slot_id = slots.id
    ORDER BY slots.id
"""  # noqa: S608 - only what stands above is put in
_FINISHED_EVER: Final = (
    "SELECT coalesce(sum(finished), 0)::bigint FROM job_statistics WHERE resolution = 'ever'"
)
# As many of each slot as are wanted of all: the index has the slot first.
_FAILURES: Final = """
    SELECT newest.* FROM slots CROSS JOIN LATERAL (
        SELECT id, slot_id, finished_at, failure_reason FROM jobs
        WHERE slot_id = slots.id AND source = 'ingest' AND failure_reason IS NOT NULL
            AND finished_at >= %(starts_at)s
        ORDER BY finished_at DESC LIMIT %(limit)s
    ) AS newest
    ORDER BY newest.finished_at DESC LIMIT %(limit)s
"""
_BY_STEP: Final = f"""
    SELECT date_bin(%(step)s, starts_at, 'epoch') AS step, {_SUMS} FROM ({{counted}}) AS counted
    WHERE %(slot_id)s::text IS NULL OR slot_id = %(slot_id)s
    GROUP BY step
"""  # noqa: S608 - only what stands above is put in

PRUNE_STATISTICS: Final = """
    DELETE FROM job_statistics WHERE (resolution, starts_at, slot_id) IN (
        SELECT resolution, starts_at, slot_id FROM job_statistics
        WHERE resolution = 'minute' AND starts_at < %(now)s - interval '3 days 1 hour'
            OR resolution = 'hour' AND starts_at < %(now)s - interval '400 days'
        LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
"""
"""Removes minutes that no window reaches any more, and hours after 400 days."""


class PostgresStatistics:
    """Keeps the promises of `application.statistics.StatisticsStore`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def figures(self, window: Window, *, failures: int) -> Figures:
        """See the port."""
        parameters = {**_parameters(window), "limit": failures}
        async with self._at_one_instant() as conn:
            slots = await (await conn.execute(_OVERVIEW.encode(), parameters)).fetchall()
            ever = await (await conn.execute(_FINISHED_EVER)).fetchall()
            failed = await (await conn.execute(_FAILURES, parameters)).fetchall() if failures else []
        return Figures(
            slots=[
                SlotStatistics(
                    slot_id=SlotId(slot_id),
                    counts=_counts(sums),
                    last_success_at=last_success_at,
                    last_failure_reason=None if reason is None else FailureReason(reason),
                )
                for slot_id, last_success_at, reason, _, *sums in slots
            ],
            finished_ever=ever[0][0],
            recent_failures=[
                RecentFailure(JobId(job_id), SlotId(slot_id), finished_at, FailureReason(reason))
                for job_id, slot_id, finished_at, reason in failed
            ],
        )

    async def by_step(self, window: Window, slot_id: SlotId | None) -> Mapping[datetime, JobCounts] | None:
        """See the port."""
        counted = _BY_MINUTES_AND_HOURS if window.step == HOUR else _BY_MINUTES
        parameters = {**_parameters(window), "step": window.step, "slot_id": slot_id}
        async with self._at_one_instant() as conn:
            if slot_id is not None:
                known = await conn.execute("SELECT 1 FROM slots WHERE id = %s", (slot_id,))
                if await known.fetchone() is None:
                    return None
            rows = await (
                await conn.execute(_BY_STEP.format(counted=counted).encode(), parameters)
            ).fetchall()
        return {step: _counts(sums) for step, *sums in rows}

    @asynccontextmanager
    async def _at_one_instant(self) -> AsyncIterator[Connection]:
        async with transaction(self._pool) as conn:
            await conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield conn


def _parameters(window: Window) -> dict[str, object]:
    return {"starts_at": window.starts_at, "whole_hours_from": window.whole_hours_from}


def _counts(sums: Sequence[object]) -> JobCounts:
    """Reads `_SUMS`; all are NULL where nothing was counted."""
    if sums[0] is None:
        return JobCounts()
    finished, done, failed, timeout, cancelled, provider_errors = cast(Sequence[int], sums[:-1])
    return JobCounts(
        finished=finished,
        done=done,
        failed=failed,
        timeout=timeout,
        cancelled=cancelled,
        provider_errors=provider_errors,
        durations=tuple(cast(Sequence[int], sums[-1])),
    )
