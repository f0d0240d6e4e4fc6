"""Asynchronous jobs: their keys, and where they are between us and the providers service."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, cast

from photochanger_chassis.ids import Ids
from photochanger_chassis.postgres.pool import Connection, Pool, connection, transaction

from photochanger_ingest.adapters.postgres.admissions import PostgresAdmissions
from photochanger_ingest.adapters.postgres.events import PostgresConfigurationEvents, PostgresJobEvents
from photochanger_ingest.adapters.postgres.job_webhooks import JobWebhooks
from photochanger_ingest.adapters.postgres.jobs import PostgresJobs
from photochanger_ingest.adapters.postgres.rows import JOB_COLUMNS, JOB_WIDTH, Row, assignment_of, job_of
from photochanger_ingest.adapters.postgres.slots import PostgresSlots
from photochanger_ingest.adapters.postgres.store import ASSIGNMENT_COLUMNS, PostgresStore, PostgresWork
from photochanger_ingest.application.async_store import AsyncJobQuery, ClientKey, Submission
from photochanger_ingest.application.store import Page
from photochanger_ingest.domain.ids import ClientId, JobId
from photochanger_ingest.domain.job import Job

# Advisory locks of two numbers are apart from those of one; the first is ours alone.
_LOCKS: Final = 0x6B657973

_SUBMISSION_COLUMNS: Final = f"{JOB_COLUMNS}, {ASSIGNMENT_COLUMNS}, jobs.priority, jobs.webhook_url"


class PostgresClientJobs:
    """The part of `jobs` that only asynchronous ones have, and `client_idempotency_keys`."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def opened(self, job_id: JobId) -> Job | None:
        """See the port."""
        await self._lock(job_id)
        cursor = await self._conn.execute(
            f"SELECT {JOB_COLUMNS} FROM jobs WHERE id = %s",  # noqa: S608 - columns are ours
            (job_id,),
        )
        row = await cursor.fetchone()
        return None if row is None else job_of(row)

    async def use_key(self, client_id: ClientId, key: str, now: datetime) -> ClientKey | None:
        """See the port."""
        await self._lock(f"{client_id}/{key}")
        cursor = await self._conn.execute(
            """
            SELECT payload_digest, job_id, expires_at FROM client_idempotency_keys
            WHERE client_id = %s AND key = %s AND expires_at > %s
            """,
            (client_id, key, now),
        )
        row = await cursor.fetchone()
        return None if row is None else ClientKey(client_id, key, row[0], JobId(row[1]), row[2])

    async def add_key(self, key: ClientKey) -> None:
        """See the port."""
        await self._conn.execute(
            """
            INSERT INTO client_idempotency_keys (client_id, key, payload_digest, job_id, expires_at)
            VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (client_id, key) DO UPDATE SET
                payload_digest = EXCLUDED.payload_digest, job_id = EXCLUDED.job_id, expires_at = EXCLUDED.expires_at
            """,
            (key.client_id, key.key, key.payload_digest, key.job_id, key.expires_at),
        )

    async def to_hand_over(self, job_id: JobId) -> Submission | None:
        """See the port."""
        cursor = await self._conn.execute(
            f"""
            SELECT {_SUBMISSION_COLUMNS} FROM jobs
            WHERE id = %s AND mode = 'async' AND state IN ('pending', 'running') AND handed_over_at IS NULL
            FOR NO KEY UPDATE SKIP LOCKED
            """,  # noqa: S608 - columns are ours
            (job_id,),
        )
        row = await cursor.fetchone()
        return None if row is None else _submission_of(row)

    async def handed_over(self, job_id: JobId, at: datetime) -> None:
        """See the port."""
        await self._conn.execute(
            "UPDATE jobs SET handed_over_at = %(at)s, heard_at = %(at)s WHERE id = %(id)s",
            {"id": job_id, "at": at},
        )

    async def heard(self, job_id: JobId, at: datetime) -> None:
        """See the port."""
        await self._conn.execute("UPDATE jobs SET heard_at = %s WHERE id = %s", (at, job_id))

    async def lost(self, job_id: JobId) -> None:
        """See the port."""
        await self._conn.execute(
            "UPDATE jobs SET handed_over_at = NULL, heard_at = NULL, attempts = 0 WHERE id = %s", (job_id,)
        )

    async def to_be_stopped(self, job_id: JobId) -> None:
        """See the port."""
        await self._conn.execute("UPDATE jobs SET to_be_stopped = true WHERE id = %s", (job_id,))

    async def _lock(self, name: str) -> None:
        await self._conn.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (_LOCKS, name))


def _submission_of(row: Row) -> Submission:
    *order, priority, webhook_url = row
    return Submission(
        job_of(order[:JOB_WIDTH]),
        assignment_of(order[JOB_WIDTH:]),
        priority=cast(int, priority),
        webhook_url=cast(str | None, webhook_url),
    )


@dataclass(frozen=True, slots=True)
class PostgresAsyncWork(PostgresWork):
    """One transaction."""

    client_jobs: PostgresClientJobs


class PostgresAsyncStore:
    """Keeps the promises of `application.async_store.AsyncStore`, beside the store of all jobs."""

    def __init__(self, pool: Pool, store: PostgresStore, ids: Ids, webhooks: JobWebhooks) -> None:
        self._pool = pool
        self._store = store
        self._ids = ids
        self._webhooks = webhooks

    @asynccontextmanager
    async def async_work(self) -> AsyncIterator[PostgresAsyncWork]:
        """Opens a transaction."""
        async with transaction(self._pool) as conn:
            yield PostgresAsyncWork(
                PostgresJobs(conn),
                PostgresAdmissions(conn),
                PostgresSlots(conn),
                PostgresJobEvents(conn, self._ids, self._webhooks),
                PostgresConfigurationEvents(conn, self._ids),
                PostgresClientJobs(conn),
            )

    async def submission(self, job_id: JobId) -> Submission | None:
        """See the port."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                f"SELECT {_SUBMISSION_COLUMNS} FROM jobs WHERE id = %s AND mode = 'async'",  # noqa: S608 - ours
                (job_id,),
            )
            row = await cursor.fetchone()
        return None if row is None else _submission_of(row)

    async def list(self, query: AsyncJobQuery) -> Page[Job]:
        """See the port."""
        conditions = ["mode = 'async'"]
        if query.client_id is not None:
            conditions.append("client_id = %(client_id)s")
        if query.states:
            conditions.append("state = ANY(%(states)s)")
        return await self._store.page(
            conditions,
            {"client_id": query.client_id, "states": list(query.states)},
            limit=query.limit,
            before=query.before,
        )

    async def not_handed_over(self, *, since: datetime, limit: int) -> Sequence[JobId]:
        """See the port."""
        return await self._job_ids(
            """
            SELECT id FROM jobs
            WHERE mode = 'async' AND state IN ('pending', 'running') AND handed_over_at IS NULL
                AND created_at <= %(since)s
            ORDER BY position LIMIT %(limit)s
            """,
            {"since": since, "limit": limit},
        )

    async def silent(self, *, since: datetime, now: datetime, limit: int) -> Sequence[JobId]:
        """See the port."""
        return await self._job_ids(
            """
            UPDATE jobs SET heard_at = %(now)s WHERE id IN (
                SELECT id FROM jobs
                WHERE mode = 'async' AND state IN ('pending', 'running') AND heard_at <= %(since)s
                ORDER BY heard_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
            ) RETURNING id
            """,
            {"since": since, "now": now, "limit": limit},
        )

    async def not_stopped(self, *, limit: int) -> Sequence[JobId]:
        """See the port."""
        return await self._job_ids(
            "SELECT id FROM jobs WHERE to_be_stopped ORDER BY finished_at LIMIT %(limit)s", {"limit": limit}
        )

    async def stopped(self, job_id: JobId) -> None:
        """See the port."""
        async with connection(self._pool) as conn:
            await conn.execute("UPDATE jobs SET to_be_stopped = false WHERE id = %s", (job_id,))

    async def _job_ids(self, statement: str, parameters: Mapping[str, object]) -> Sequence[JobId]:
        async with connection(self._pool) as conn:
            rows = await (await conn.execute(statement.encode(), parameters)).fetchall()
        return [JobId(row[0]) for row in rows]
