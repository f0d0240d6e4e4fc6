"""What goes on in every slot, read from indexes alone: the cost does not grow with the jobs that are kept."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from photochanger_chassis.postgres.pool import Pool, connection

from photochanger_ingest.adapters.postgres.rows import JOB_COLUMNS, job_of
from photochanger_ingest.application.slot_activity import SlotJobs, SlotLoad
from photochanger_ingest.domain.ids import SlotId
from photochanger_ingest.domain.job import Job

# Unfinished jobs are few and have an index of their own; a success is found by slot and state.
LOADS: Final = """
    SELECT slots.id, slots.active, coalesce(load.running, 0), coalesce(load.waiting, 0),
        coalesce(slots.running_limit, settings.slot_running),
        (
            SELECT max(finished_at) FROM jobs
            WHERE slot_id = slots.id AND state = 'done' AND source = 'ingest' AND finished_at IS NOT NULL
        )
    FROM slots CROSS JOIN settings LEFT JOIN (
        SELECT slot_id, count(*) FILTER (WHERE state = 'running') AS running,
            count(*) FILTER (WHERE state = 'pending') AS waiting
        FROM jobs WHERE state IN ('pending', 'running') GROUP BY slot_id
    ) AS load ON load.slot_id = slots.id
    ORDER BY slots.id
"""

# For each slot the newest of each state, of which the newest in all are taken; and the newest picture, looked for
# backwards only where the index of expiries says that there is one, or an idle slot's whole past would be read.
JOBS: Final = f"""
    SELECT ended.* FROM slots CROSS JOIN LATERAL (
        SELECT false, each.* FROM (VALUES ('done'), ('failed'), ('timeout')) AS states (state) CROSS JOIN LATERAL (
            SELECT {JOB_COLUMNS} FROM jobs
            WHERE jobs.slot_id = slots.id AND jobs.state = states.state AND jobs.source = 'ingest'
                AND jobs.finished_at IS NOT NULL
            ORDER BY jobs.finished_at DESC LIMIT %(recent)s
        ) AS each
        ORDER BY each.finished_at DESC LIMIT %(recent)s
    ) AS ended
    UNION ALL
    SELECT pictured.* FROM slots CROSS JOIN LATERAL (
        SELECT true, {JOB_COLUMNS} FROM jobs
        WHERE jobs.slot_id = slots.id AND jobs.result IS NOT NULL AND jobs.result_expires_at > %(now)s
        ORDER BY jobs.position DESC LIMIT 1
    ) AS pictured
    WHERE EXISTS (
        SELECT FROM jobs WHERE slot_id = slots.id AND result IS NOT NULL AND result_expires_at > %(now)s
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
                last_success_at=last_success_at,
            )
            for slot_id, active, running, waiting, running_limit, last_success_at in rows
        ]

    async def jobs(self, *, now: datetime, recent: int) -> Mapping[SlotId, SlotJobs]:
        """See the port."""
        async with connection(self._pool) as conn:
            rows = await (await conn.execute(JOBS.encode(), {"now": now, "recent": recent})).fetchall()
        ended: defaultdict[SlotId, list[Job]] = defaultdict(list)
        pictures: dict[SlotId, Job] = {}
        for row in rows:
            job = job_of(row[1:])
            if row[0]:
                pictures[job.slot_id] = job
            else:
                ended[job.slot_id].append(job)
        return {
            slot_id: SlotJobs(_newest_first(ended[slot_id]), pictures.get(slot_id))
            for slot_id in ended.keys() | pictures.keys()
        }


def _newest_first(jobs: Sequence[Job]) -> Sequence[Job]:
    return sorted(jobs, key=lambda job: job.finished_at or job.created_at, reverse=True)
