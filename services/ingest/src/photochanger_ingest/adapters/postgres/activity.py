"""What goes on in every slot, read from indexes alone: the cost does not grow with the jobs that are kept."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from photochanger_chassis.postgres.pool import Pool, connection

from photochanger_ingest.adapters.postgres.rows import JOB_COLUMNS, job_of
from photochanger_ingest.application.slot_activity import SlotJobs, SlotLoad
from photochanger_ingest.domain.ids import SlotId
from photochanger_ingest.domain.job import Job, JobState

_LAST_POSITION: Final = 2**63 - 1

LOADS: Final = """
    SELECT slots.id, slots.active, coalesce(load.running, 0), coalesce(load.waiting, 0),
        coalesce(slots.running_limit, settings.slot_running)
    FROM slots CROSS JOIN settings LEFT JOIN (
        SELECT slot_id, count(*) FILTER (WHERE state = 'running') AS running,
            count(*) FILTER (WHERE state = 'pending') AS waiting
        FROM jobs WHERE mode = 'sync' AND state IN ('pending', 'running') GROUP BY slot_id
    ) AS load ON load.slot_id = slots.id
    ORDER BY slots.id
"""
"""Unfinished sync jobs are few and have an index of their own."""

# For each slot the newest of each state, the newest success among them; and the newest picture, looked for backwards
# only where the index of expiries says that there is one, or an idle slot's whole past would be read.
#
# Rows are compared and ordered by all columns of the index that is meant. With `slot_id = …` and the last column alone
# PostgreSQL takes an index of all slots' jobs by time and filters, which reads all of them for a slot without any.
JOBS: Final = f"""
    SELECT slots.id, ended.* FROM slots CROSS JOIN (VALUES ('done'), ('failed'), ('timeout')) AS states (state)
    CROSS JOIN LATERAL (
        SELECT false, {JOB_COLUMNS} FROM jobs
        WHERE jobs.source = 'ingest' AND jobs.finished_at IS NOT NULL
            AND (jobs.slot_id, jobs.state, jobs.finished_at) >= (slots.id, states.state, '-infinity'::timestamptz)
            AND (jobs.slot_id, jobs.state, jobs.finished_at) <= (slots.id, states.state, 'infinity'::timestamptz)
        ORDER BY jobs.slot_id DESC, jobs.state DESC, jobs.finished_at DESC LIMIT %(recent)s
    ) AS ended
    UNION ALL
    SELECT slots.id, pictured.* FROM slots CROSS JOIN LATERAL (
        SELECT true, {JOB_COLUMNS} FROM jobs
        WHERE jobs.mode = 'sync' AND jobs.result IS NOT NULL AND jobs.result_expires_at > %(now)s
            AND (jobs.slot_id, jobs.position) >= (slots.id, 0::bigint)
            AND (jobs.slot_id, jobs.position) <= (slots.id, {_LAST_POSITION}::bigint)
        ORDER BY jobs.slot_id DESC, jobs.position DESC LIMIT 1
    ) AS pictured
    WHERE EXISTS (
        SELECT FROM jobs
        WHERE mode = 'sync' AND slot_id = slots.id AND result IS NOT NULL AND result_expires_at > %(now)s
    )
"""  # noqa: S608 - only columns are put in


class PostgresActivity:
    """Keeps the promises of `application.slot_activity.ActivityReader`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def loads(self) -> Sequence[SlotLoad]:
        """See the port."""
        async with connection(self._pool) as conn:
            rows = await (await conn.execute(LOADS.encode())).fetchall()
        return [
            SlotLoad(
                SlotId(slot_id),
                active=active,
                running=running,
                waiting=waiting,
                running_limit=running_limit,
            )
            for slot_id, active, running, waiting, running_limit in rows
        ]

    async def jobs(self, *, now: datetime, recent: int) -> Mapping[SlotId, SlotJobs]:
        """See the port."""
        async with connection(self._pool) as conn:
            rows = await (await conn.execute(JOBS.encode(), {"now": now, "recent": recent})).fetchall()
        ended: defaultdict[SlotId, list[Job]] = defaultdict(list)
        pictures: dict[SlotId, Job] = {}
        for slot_id, pictured, *job in rows:
            if pictured:
                pictures[slot_id] = job_of(job)
            else:
                ended[slot_id].append(job_of(job))
        return {
            slot_id: _slot_jobs(ended[slot_id], pictures.get(slot_id), recent)
            for slot_id in ended.keys() | pictures.keys()
        }


def _slot_jobs(ended: Sequence[Job], latest_result: Job | None, recent: int) -> SlotJobs:
    newest_first = sorted(ended, key=lambda job: job.finished_at or job.created_at, reverse=True)
    successes = (job.finished_at for job in newest_first if job.state is JobState.DONE)
    return SlotJobs(newest_first[:recent], next(successes, None), latest_result)
