"""Jobs inside a transaction."""

from datetime import datetime

from photochanger_chassis.postgres.pool import Connection
from psycopg.types.json import Jsonb

from photochanger_ingest.adapters.postgres.rows import JOB_COLUMNS, job_of, job_state_parameters, plan_json
from photochanger_ingest.application.store import Claim, NewJob
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import Job


class PostgresJobs:
    """The table `jobs`."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def lock(self, job_id: JobId) -> Job | None:
        """Returns a job that nobody else can change until the transaction ends."""
        cursor = await self._conn.execute(
            f"SELECT {JOB_COLUMNS} FROM jobs WHERE id = %s FOR NO KEY UPDATE",  # noqa: S608 - columns are ours
            (job_id,),
        )
        row = await cursor.fetchone()
        return None if row is None else job_of(row)

    async def add(self, new: NewJob) -> None:
        """Stores a job."""
        job, assignment = new.job, new.assignment
        await self._conn.execute(
            """
            INSERT INTO jobs (
                id, slot_id, slot_version, state, source, provider_id, operation_id, received_at, created_at,
                deadline, late_until, input_media_object_id, input_sha256, input_size_bytes, hash_check, plan,
                form_fields, result_retention, dedupe_key, dedupe_until, mode, client_id, retry_of, priority,
                webhook_url
            ) VALUES (
                %(id)s, %(slot_id)s, %(slot_version)s, %(state)s, %(source)s, %(provider_id)s, %(operation_id)s,
                %(received_at)s, %(created_at)s, %(deadline)s, %(late_until)s, %(input_media_object_id)s,
                %(input_sha256)s, %(input_size_bytes)s, %(hash_check)s, %(plan)s, %(form_fields)s,
                %(result_retention)s, %(dedupe_key)s, %(dedupe_until)s, %(mode)s, %(client_id)s, %(retry_of)s,
                %(priority)s, %(webhook_url)s
            )
            """,
            {
                "id": job.id,
                "slot_id": job.slot_id,
                "slot_version": job.slot_version,
                "state": job.state,
                "source": job.source,
                "provider_id": job.provider_id,
                "operation_id": job.operation_id,
                "received_at": job.received_at,
                "created_at": job.created_at,
                "deadline": job.deadline,
                "late_until": job.late_until,
                "input_media_object_id": job.input_media_object_id,
                "input_sha256": new.sha256,
                "input_size_bytes": new.size_bytes,
                "hash_check": job.hash_check,
                "plan": plan_json(assignment.plan),
                "form_fields": Jsonb(dict(assignment.form_fields)),
                "result_retention": assignment.result_retention,
                "dedupe_key": new.dedupe_key,
                "dedupe_until": job.answers_duplicates_until if new.dedupe_key is not None else None,
                "mode": job.mode,
                "client_id": job.client_id,
                "retry_of": job.retry_of,
                "priority": new.priority,
                "webhook_url": new.webhook_url,
            },
        )

    async def save(self, job: Job) -> None:
        """Stores a job's state, and frees its dedupe key unless it still answers duplicates."""
        await self._conn.execute(
            """
            UPDATE jobs SET
                state = %(state)s, started_at = %(started_at)s, finished_at = %(finished_at)s,
                late_until = %(late_until)s, failure_reason = %(failure_reason)s,
                failure_message = %(failure_message)s, result = %(result)s, result_origin = %(result_origin)s,
                result_expires_at = %(result_expires_at)s, provider_calls = %(provider_calls)s,
                stages = %(stages)s, attempts = %(attempts)s, progress = %(progress)s, stage_text = %(stage_text)s,
                dedupe_key = CASE WHEN %(dedupe_until)s::timestamptz IS NULL THEN NULL ELSE dedupe_key END,
                dedupe_until = CASE WHEN dedupe_key IS NULL THEN NULL ELSE %(dedupe_until)s::timestamptz END
            WHERE id = %(id)s
            """,
            job_state_parameters(job),
        )

    async def claim(self, job_id: JobId, *, driver: str, now: datetime, until: datetime) -> Claim | None:
        """Takes an unfinished job for `driver` unless another driver's hold has not run out."""
        cursor = await self._conn.execute(
            f"""
            UPDATE jobs SET driver = %(driver)s, driven_until = %(until)s
            WHERE id = %(id)s AND state IN ('pending', 'running')
                AND (driver IS NULL OR driver = %(driver)s OR driven_until <= %(now)s)
            RETURNING {JOB_COLUMNS}
            """,  # noqa: S608 - columns are ours
            {"id": job_id, "driver": driver, "now": now, "until": until},
        )
        row = await cursor.fetchone()
        if row is not None:
            return Claim(job_of(row), held=True)
        cursor = await self._conn.execute(
            f"SELECT {JOB_COLUMNS} FROM jobs WHERE id = %s",  # noqa: S608 - columns are ours
            (job_id,),
        )
        row = await cursor.fetchone()
        return None if row is None else Claim(job_of(row), held=False)
