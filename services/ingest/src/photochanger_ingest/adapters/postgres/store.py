"""The database as use cases see it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from photochanger_chassis.ids import Ids
from photochanger_chassis.postgres.pool import Pool, connection, transaction

from photochanger_ingest.adapters.postgres.admissions import LOAD_COLUMNS, PostgresAdmissions, load_of
from photochanger_ingest.adapters.postgres.audit import PRUNE_AUDIT
from photochanger_ingest.adapters.postgres.events import PostgresConfigurationEvents, PostgresJobEvents
from photochanger_ingest.adapters.postgres.job_webhooks import JobWebhooks
from photochanger_ingest.adapters.postgres.jobs import PostgresJobs
from photochanger_ingest.adapters.postgres.rows import (
    JOB_COLUMNS,
    SETTINGS_COLUMNS,
    SETTINGS_WIDTH,
    SLOT_COLUMNS,
    SLOT_WIDTH,
    Row,
    assignment_of,
    job_details_of,
    job_of,
    settings_of,
    slot_of,
)
from photochanger_ingest.adapters.postgres.slots import PostgresSlots
from photochanger_ingest.adapters.postgres.statistics import PRUNE_STATISTICS
from photochanger_ingest.adapters.postgres.webhook_secrets import PRUNE_WEBHOOK_SECRETS
from photochanger_ingest.adapters.postgres.webhooks import PRUNE_WEBHOOK_DELIVERIES, PRUNE_WEBHOOK_RECEIVERS
from photochanger_ingest.application.store import Assignment, JobDetails, JobQuery, Opening, Page
from photochanger_ingest.domain.ids import JobId, ProviderId, SlotId
from photochanger_ingest.domain.job import Job, JobState
from photochanger_ingest.domain.settings import Settings
from photochanger_ingest.domain.slot import Slot

# Statements are put together here, from these and the columns in rows.py; values only ever go as parameters (S608).
_LOAD: Final = LOAD_COLUMNS.format(
    slot_id="slots.id", provider_id="slots.provider_id", operation_id="slots.operation_id"
)

_OPENING: Final = (
    f"SELECT {SLOT_COLUMNS}, {SETTINGS_COLUMNS}, {_LOAD} FROM slots, settings WHERE slots.id = %(slot_id)s"  # noqa: S608
)
_SLOTS: Final = f"SELECT {SLOT_COLUMNS} FROM slots ORDER BY id"  # noqa: S608
_SETTINGS: Final = f"SELECT {SETTINGS_COLUMNS} FROM settings"  # noqa: S608
_JOB: Final = f"SELECT {JOB_COLUMNS} FROM jobs WHERE id = %(id)s"  # noqa: S608
ASSIGNMENT_COLUMNS: Final = (
    "jobs.provider_id, jobs.operation_id, jobs.plan, jobs.form_fields, jobs.result_retention"
)
_JOB_DETAILS: Final = (
    f"SELECT {JOB_COLUMNS}, slots.display_name, {ASSIGNMENT_COLUMNS}, jobs.input_sha256, jobs.input_size_bytes "  # noqa: S608
    "FROM jobs LEFT JOIN slots ON slots.id = jobs.slot_id WHERE jobs.id = %(id)s"
)
# Each is safe beside the same on another replica: rows somebody else is at are passed over.
_PRUNING: Final = (
    """
    DELETE FROM idempotency_keys WHERE (slot_id, key) IN (
        SELECT slot_id, key FROM idempotency_keys WHERE expires_at <= %(now)s
        ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    """,
    """
    DELETE FROM client_idempotency_keys WHERE (client_id, key) IN (
        SELECT client_id, key FROM client_idempotency_keys WHERE expires_at <= %(now)s
        ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    """,
    """
    UPDATE jobs SET dedupe_key = NULL, dedupe_until = NULL WHERE id IN (
        SELECT id FROM jobs WHERE dedupe_until <= %(now)s
        ORDER BY dedupe_until LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
    )
    """,
    """
    UPDATE jobs SET form_fields = '{}' WHERE id IN (
        SELECT id FROM jobs
        WHERE form_fields <> '{}' AND finished_at IS NOT NULL AND finished_at + result_retention <= %(now)s
        ORDER BY finished_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
    )
    """,
    """
    DELETE FROM jobs WHERE id IN (
        SELECT id FROM jobs WHERE finished_at < %(keep_since)s
        ORDER BY finished_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    """,
    PRUNE_STATISTICS,
    PRUNE_AUDIT,
    PRUNE_WEBHOOK_DELIVERIES,
    PRUNE_WEBHOOK_RECEIVERS,
    PRUNE_WEBHOOK_SECRETS,
)


@dataclass(frozen=True, slots=True)
class PostgresWork:
    """One transaction."""

    jobs: PostgresJobs
    admissions: PostgresAdmissions
    slots: PostgresSlots
    events: PostgresJobEvents
    configuration_events: PostgresConfigurationEvents


class PostgresStore:
    """Reads by single statements, changes by transactions."""

    def __init__(self, pool: Pool, ids: Ids, webhooks: JobWebhooks) -> None:
        self._pool = pool
        self._ids = ids
        self._webhooks = webhooks

    @asynccontextmanager
    async def work(self) -> AsyncIterator[PostgresWork]:
        """Opens a transaction."""
        async with transaction(self._pool) as conn:
            yield PostgresWork(
                PostgresJobs(conn),
                PostgresAdmissions(conn),
                PostgresSlots(conn),
                PostgresJobEvents(conn, self._ids, self._webhooks),
                PostgresConfigurationEvents(conn, self._ids),
            )

    async def opening(self, slot_id: SlotId, now: datetime) -> Opening | None:
        """Returns a slot, its settings and its load."""
        row = await self._row(
            _OPENING,
            {"slot_id": slot_id, "now": now},
        )
        if row is None:
            return None
        rest = row[SLOT_WIDTH:]
        return Opening(slot_of(row[:SLOT_WIDTH]), settings_of(rest), load_of(rest[SETTINGS_WIDTH:]))

    async def slot(self, slot_id: SlotId) -> tuple[Slot, Settings] | None:
        """Returns a slot and the settings."""
        async with connection(self._pool) as conn:
            return await PostgresSlots(conn).with_settings(slot_id)

    async def slots(self) -> Sequence[Slot]:
        """Returns all slots by id."""
        return [slot_of(row) for row in await self._rows(_SLOTS, {})]

    async def settings(self) -> Settings:
        """Returns the settings."""
        row = await self._row(_SETTINGS, {})
        if row is None:
            raise RuntimeError("The settings are missing; run migrate.")
        return settings_of(row)

    async def job(self, job_id: JobId) -> Job | None:
        """Returns a job."""
        row = await self._row(_JOB, {"id": job_id})
        return None if row is None else job_of(row)

    async def assignment(self, job_id: JobId) -> Assignment | None:
        """Returns what a job needs to be run."""
        row = await self._row(
            f"SELECT {ASSIGNMENT_COLUMNS} FROM jobs WHERE id = %(id)s",  # noqa: S608
            {"id": job_id},
        )
        return None if row is None else assignment_of(row)

    async def job_details(self, job_id: JobId) -> JobDetails | None:
        """Returns a job with what it was asked to do."""
        row = await self._row(_JOB_DETAILS, {"id": job_id})
        return None if row is None else job_details_of(row)

    async def list_jobs(self, query: JobQuery) -> Page[Job]:
        """Returns jobs, newest first."""
        conditions = ["true"]
        if query.slot_id is not None:
            conditions.append("slot_id = %(slot_id)s")
        if query.states:
            conditions.append("state = ANY(%(states)s)")
        if query.source is not None:
            conditions.append("source = %(source)s")
        return await self.page(
            conditions,
            {"slot_id": query.slot_id, "states": list(query.states), "source": query.source},
            limit=query.limit,
            before=query.before,
        )

    async def gallery(self, slot_id: SlotId, *, now: datetime, limit: int, before: int | None) -> Page[Job]:
        """Returns a slot's jobs with an unexpired picture, newest first."""
        return await self.page(
            ["slot_id = %(slot_id)s", "mode = 'sync'", "result IS NOT NULL", "result_expires_at > %(now)s"],
            {"slot_id": slot_id, "now": now},
            limit=limit,
            before=before,
        )

    async def renew(self, job_ids: Sequence[JobId], *, driver: str, until: datetime) -> None:
        """Prolongs a driver's hold on the unfinished among these jobs."""
        # A job somebody is just changing is passed over: its turn comes again, and locks taken in another order
        # than theirs could end in a deadlock.
        await self._execute(
            """
            UPDATE jobs SET driven_until = %(until)s
            FROM (
                SELECT id FROM jobs
                WHERE id = ANY(%(ids)s) AND driver = %(driver)s AND state IN ('pending', 'running')
                FOR NO KEY UPDATE SKIP LOCKED
            ) AS held
            WHERE jobs.id = held.id
            """,
            {"ids": list(job_ids), "driver": driver, "until": until},
        )

    async def release(self, job_id: JobId, *, driver: str) -> None:
        """Ends a driver's hold on a job."""
        await self._execute(
            """
            WITH released AS (
                UPDATE jobs SET driver = NULL, driven_until = NULL
                WHERE id = %(id)s AND driver = %(driver)s AND state IN ('pending', 'running') RETURNING id
            )
            SELECT pg_notify('job_changed', id) FROM released
            """,
            {"id": job_id, "driver": driver},
        )

    async def overdue(self, *, deadline_before: datetime, limit: int) -> Sequence[JobId]:
        """Returns unfinished jobs whose deadline lies before an instant, oldest first."""
        rows = await self._rows(
            """
            SELECT id FROM jobs WHERE state IN ('pending', 'running') AND deadline < %(before)s
            ORDER BY deadline LIMIT %(limit)s
            """,
            {"before": deadline_before, "limit": limit},
        )
        return [JobId(str(row[0])) for row in rows]

    async def abandoned(self, *, since: datetime, limit: int) -> Sequence[JobId]:
        """Returns waiting jobs that nobody has driven since an instant, oldest first."""
        rows = await self._rows(
            """
            SELECT id FROM jobs
            WHERE mode = 'sync' AND state = 'pending' AND coalesce(driven_until, created_at) < %(since)s
            ORDER BY position LIMIT %(limit)s
            """,
            {"since": since, "limit": limit},
        )
        return [JobId(str(row[0])) for row in rows]

    async def any_waiting(self) -> bool:
        """Tells whether a job waits for a place."""
        return (
            await self._row("SELECT 1 FROM jobs WHERE mode = 'sync' AND state = 'pending' LIMIT 1", {})
            is not None
        )

    async def unfinished(self) -> Mapping[tuple[ProviderId, JobState], int]:
        """Returns how many sync jobs are unfinished, by provider and state."""
        rows = await self._rows(
            """
            SELECT provider_id, state, count(*) FROM jobs WHERE mode = 'sync' AND state IN ('pending', 'running')
            GROUP BY provider_id, state
            """,
            {},
        )
        return {(ProviderId(str(row[0])), JobState(str(row[1]))): int(str(row[2])) for row in rows}

    async def prune(self, *, now: datetime, keep_jobs_since: datetime, limit: int) -> int:
        """Removes what has run out: keys, form fields, old jobs; at most `limit` of each. Returns how many."""
        parameters = {"now": now, "keep_since": keep_jobs_since, "limit": limit}
        removed = 0
        for statement in _PRUNING:
            removed += await self._execute(statement, parameters)
        return removed

    async def page(
        self, conditions: Sequence[str], parameters: Mapping[str, object], *, limit: int, before: int | None
    ) -> Page[Job]:
        """Returns jobs that meet all conditions, which are SQL of ours, newest first."""
        wanted = " AND ".join([*conditions, "(%(before)s::bigint IS NULL OR position < %(before)s)"])
        rows = await self._rows(
            f"SELECT position, {JOB_COLUMNS} FROM jobs WHERE {wanted} ORDER BY position DESC LIMIT %(limit)s + 1",  # noqa: S608
            {**parameters, "before": before, "limit": limit},
        )
        last = int(str(rows[limit - 1][0])) if len(rows) > limit else None
        return Page(tuple(job_of(row[1:]) for row in rows[:limit]), last)

    async def _rows(self, statement: str, parameters: Mapping[str, object]) -> Sequence[Row]:
        async with connection(self._pool) as conn:
            return await (await conn.execute(statement.encode(), parameters)).fetchall()

    async def _row(self, statement: str, parameters: Mapping[str, object]) -> Row | None:
        async with connection(self._pool) as conn:
            return await (await conn.execute(statement.encode(), parameters)).fetchone()

    async def _execute(self, statement: str, parameters: Mapping[str, object]) -> int:
        async with connection(self._pool) as conn:
            return (await conn.execute(statement.encode(), parameters)).rowcount
