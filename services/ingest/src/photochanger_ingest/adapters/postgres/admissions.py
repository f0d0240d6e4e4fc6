"""Places and keys inside a transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from photochanger_chassis.postgres.pool import Connection

from photochanger_ingest.adapters.postgres.rows import JOB_COLUMNS, job_of
from photochanger_ingest.application.store import IdempotencyKey, Situation
from photochanger_ingest.domain.admission import Load, Place
from photochanger_ingest.domain.ids import JobId, ProviderId, SlotId
from photochanger_ingest.domain.job import Job
from photochanger_ingest.domain.settings import DEFAULT_PROVIDER_RUNNING
from photochanger_ingest.domain.slot import Slot

# Advisory locks are per database; this one is ours alone.
_ADMISSION_LOCK: Final = 0x61646D697373696F

LOAD_COLUMNS: Final = """
    (SELECT count(*) FROM jobs WHERE mode = 'sync' AND state IN ('pending', 'running') AND jobs.slot_id = {slot_id}),
    (
        SELECT count(*) FROM jobs
        WHERE mode = 'sync' AND state IN ('pending', 'running') AND jobs.provider_id = {provider_id}
    ),
    (
        SELECT percentile_cont(0.25) WITHIN GROUP (ORDER BY took) FROM (
            SELECT finished_at - started_at AS took FROM jobs
            WHERE mode = 'sync' AND state = 'done'
                AND jobs.provider_id = {provider_id} AND jobs.operation_id = {operation_id}
                AND finished_at > %(now)s - interval '15 minutes'
            ORDER BY finished_at DESC LIMIT 20
        ) AS recent
    )
"""
"""Width 3. Asynchronous jobs take no place and are not counted. A quarter of the last jobs were quicker than the
duration: what a quick one takes."""


def load_of(row: Sequence[object]) -> Load:
    """Reads `LOAD_COLUMNS`."""
    return Load(
        slot_unfinished=cast(int, row[0]),
        provider_unfinished=cast(int, row[1]),
        recent_duration=cast(timedelta | None, row[2]),
    )


class PostgresAdmissions:
    """Unfinished jobs as places, and `idempotency_keys`."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def lock(self) -> None:
        """Keeps everybody else from admitting and starting jobs until the transaction ends.

        One lock for all slots and providers: a job counts in both, a slot can change its provider, and what is
        done under it takes about a millisecond.
        """
        await self._conn.execute("SELECT pg_advisory_xact_lock(%s)", (_ADMISSION_LOCK,))

    async def situation(
        self,
        job_id: JobId,
        slot: Slot,
        *,
        idempotency_key: str,
        dedupe_key: str | None,
        now: datetime,
    ) -> Situation:
        """Reads what an admission has to know, and lets go of keys that have run out."""
        parameters = {
            "job_id": job_id,
            "slot_id": slot.id,
            "provider_id": slot.plan.provider_id,
            "operation_id": slot.plan.operation_id,
            "key": idempotency_key,
            "dedupe_key": dedupe_key,
            "now": now,
        }
        load = LOAD_COLUMNS.format(
            slot_id="%(slot_id)s", provider_id="%(provider_id)s", operation_id="%(operation_id)s"
        )
        cursor = await self._conn.execute(
            f"""
            SELECT
                (SELECT id FROM jobs WHERE id = %(job_id)s),
                answer.id, answer.dedupe_until > %(now)s,
                key.payload_digest, key.job_id, key.expires_at, {load}
            FROM (SELECT 1) AS one
            LEFT JOIN jobs AS answer ON answer.dedupe_key = %(dedupe_key)s
            LEFT JOIN idempotency_keys AS key
                ON key.slot_id = %(slot_id)s AND key.key = %(key)s AND key.expires_at > %(now)s
            """,  # noqa: S608 - columns are ours
            parameters,
        )
        row = await cursor.fetchone()
        if row is None:
            raise RuntimeError("A query over one row gave none.")
        if row[1] is not None and not row[2]:
            await self._conn.execute(
                "UPDATE jobs SET dedupe_key = NULL, dedupe_until = NULL WHERE id = %s", (row[1],)
            )
        used_key = None
        if row[4] is not None:
            used_key = IdempotencyKey(slot.id, idempotency_key, row[3], JobId(row[4]), row[5])
        return Situation(
            existing=None if row[0] is None else await self._job(JobId(row[0])),
            used_key=used_key,
            duplicate_of=JobId(row[1]) if row[2] else None,
            load=load_of(row[6:]),
        )

    async def add_key(self, key: IdempotencyKey) -> None:
        """Stores a key, in place of one that has run out."""
        await self._conn.execute(
            """
            INSERT INTO idempotency_keys (slot_id, key, payload_digest, job_id, expires_at)
            VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (slot_id, key) DO UPDATE SET
                payload_digest = EXCLUDED.payload_digest, job_id = EXCLUDED.job_id, expires_at = EXCLUDED.expires_at
            """,
            (key.slot_id, key.key, key.payload_digest, key.job_id, key.expires_at),
        )

    async def places(self, now: datetime) -> Sequence[Place]:
        """Returns every unfinished sync job, in order of admission."""
        cursor = await self._conn.execute(
            """
            SELECT jobs.id, jobs.slot_id, jobs.provider_id,
                coalesce(slots.running_limit, settings.slot_running),
                coalesce((settings.provider_running ->> jobs.provider_id)::integer, %(usual)s),
                jobs.state = 'running', coalesce(jobs.driven_until > %(now)s, false)
            FROM jobs JOIN slots ON slots.id = jobs.slot_id CROSS JOIN settings
            WHERE jobs.mode = 'sync' AND jobs.state IN ('pending', 'running') ORDER BY jobs.position
            """,
            {"usual": DEFAULT_PROVIDER_RUNNING, "now": now},
        )
        return [
            Place(
                JobId(job_id),
                SlotId(slot_id),
                ProviderId(provider_id),
                slot_limit=slot_limit,
                provider_limit=provider_limit,
                running=running,
                ready=driven and not running,
            )
            for job_id, slot_id, provider_id, slot_limit, provider_limit, running, driven in (
                await cursor.fetchall()
            )
        ]

    async def _job(self, job_id: JobId) -> Job | None:
        cursor = await self._conn.execute(
            f"SELECT {JOB_COLUMNS} FROM jobs WHERE id = %s",  # noqa: S608 - columns are ours
            (job_id,),
        )
        row = await cursor.fetchone()
        return None if row is None else job_of(row)
