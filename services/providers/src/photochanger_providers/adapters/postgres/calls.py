"""Jobs being processed, in the table `process_calls`."""

from datetime import datetime
from typing import Final

from photochanger.providers.v1.processing_events_pb2 import ProcessingFinished
from photochanger_chassis.ids import Ids
from photochanger_chassis.postgres import outbox
from photochanger_chassis.postgres.outbox import OutboxEvent
from photochanger_chassis.postgres.pool import Connection, Pool, connection, transaction

from photochanger_providers.adapters.outcome_codec import finished_event, outcome_of
from photochanger_providers.application.ports import (
    WAKE_CANCEL,
    WAKE_FINISHED,
    WAKE_PLACES,
    Claim,
    Claimed,
    Ended,
    HeldElsewhere,
    Renewal,
)
from photochanger_providers.domain.order import Failed, JobId, Order, Outcome

# Advisory locks with two numbers never meet the outbox's, which have one.
PLACES_LOCK: Final = 1
"""Held while the places of a provider, the second number, are counted."""
_SWEEP_BATCH: Final = 50


class PostgresCallStore:
    """The rows of jobs being processed."""

    def __init__(self, pool: Pool, ids: Ids) -> None:
        self._pool = pool
        self._ids = ids

    async def claim(self, order: Order, *, owner: str, now: datetime, lease_until: datetime) -> Claim:
        """Makes the job's row ours, unless there is one already."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                """
                INSERT INTO process_calls AS call
                    (job_id, slot_id, provider_id, state, owner, lease_until, created_at)
                VALUES (%(job)s, %(slot)s, %(provider)s, 'claimed', %(owner)s, %(lease)s, %(now)s)
                -- The same owner again: its first claim was committed, but the answer to it was lost.
                ON CONFLICT (job_id) DO UPDATE SET lease_until = excluded.lease_until
                    WHERE call.owner = excluded.owner AND call.state = 'claimed'
                RETURNING job_id
                """,
                {
                    "job": order.job_id,
                    "slot": order.slot_id,
                    "provider": order.provider_id,
                    "owner": owner,
                    "lease": lease_until,
                    "now": now,
                },
            )
            if await cursor.fetchone() is not None:
                return Claimed()
        outcome = await self.outcome(order.job_id)
        return HeldElsewhere() if outcome is None else Ended(outcome)

    async def enter(self, order: Order, *, owner: str, limit: int, now: datetime) -> bool:
        """Takes a place of the provider, if one is free for us: those who came before go first."""
        async with transaction(self._pool) as conn:
            await conn.execute(
                "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (PLACES_LOCK, order.provider_id)
            )
            cursor = await conn.execute(
                """
                UPDATE process_calls AS mine
                -- Calling already: the place was given, but the answer that said so was lost.
                SET state = CASE WHEN mine.state = 'calling' OR %(limit)s > (
                    SELECT count(*) FROM process_calls AS other
                    WHERE other.provider_id = mine.provider_id AND other.lease_until > %(now)s
                      AND (other.state = 'calling' OR other.state = 'queued'
                           AND (other.created_at, other.job_id) < (mine.created_at, mine.job_id))
                ) THEN 'calling' ELSE 'queued' END
                WHERE mine.job_id = %(job)s AND mine.owner = %(owner)s
                  AND mine.state IN ('claimed', 'queued', 'calling')
                RETURNING mine.state
                """,
                {"job": order.job_id, "owner": owner, "limit": limit, "now": now},
            )
            row = await cursor.fetchone()
        return row is not None and row[0] == "calling"

    async def leave(self, order: Order, *, owner: str) -> None:
        """Gives the place back and wakes those who wait for one."""
        async with connection(self._pool) as conn:
            await conn.execute(
                """
                -- Not waited for on the disk: a crash of PostgreSQL that undoes it keeps the place until the end.
                WITH left_place AS (
                    UPDATE process_calls SET state = 'storing'
                    FROM (SELECT set_config('synchronous_commit', 'off', true)) AS soon
                    WHERE job_id = %s AND owner = %s AND state = 'calling' RETURNING provider_id
                )
                SELECT pg_notify(%s, provider_id) FROM left_place
                """,
                (order.job_id, owner, WAKE_PLACES),
            )

    async def renew(
        self, jobs: frozenset[JobId], *, owner: str, now: datetime, lease_until: datetime
    ) -> Renewal:
        """Prolongs the owner's hold on its jobs, also where it has lapsed but nobody ended the job."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                """
                UPDATE process_calls SET lease_until = %s
                WHERE job_id = ANY(%s) AND owner = %s AND state <> 'finished'
                RETURNING job_id, cancel_requested
                """,
                (lease_until, list(jobs), owner),
            )
            rows = await cursor.fetchall()
        return Renewal(
            held=frozenset(JobId(job_id) for job_id, _ in rows),
            to_cancel=frozenset(JobId(job_id) for job_id, wanted in rows if wanted),
        )

    async def finish(self, job_id: JobId, outcome: Outcome, *, owner: str, now: datetime) -> bool:
        """Stores the outcome with its event; False when the job is not ours, or ended already."""
        async with transaction(self._pool) as conn:
            cursor = await conn.execute(
                """
                SELECT 1 FROM process_calls
                WHERE job_id = %s AND owner = %s AND state <> 'finished' FOR UPDATE
                """,
                (job_id, owner),
            )
            if await cursor.fetchone() is None:
                return False
            await self._end(conn, job_id, outcome, now)
        return True

    async def outcome(self, job_id: JobId) -> Outcome | None:
        """Returns the outcome, if there is one already."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "SELECT outcome, retry_after FROM process_calls WHERE job_id = %s AND state = 'finished'",
                (job_id,),
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        data, retry_after = row
        return outcome_of(ProcessingFinished.FromString(data), retry_after=retry_after)

    async def request_cancel(self, job_id: JobId, *, now: datetime) -> bool:
        """Asks the owner to stop; True while there is an owner whose lease holds."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                """
                WITH wanted AS (
                    UPDATE process_calls SET cancel_requested = true
                    WHERE job_id = %s AND state <> 'finished' AND lease_until > %s RETURNING job_id
                )
                SELECT pg_notify(%s, job_id) FROM wanted
                """,
                (job_id, now, WAKE_CANCEL),
            )
            return await cursor.fetchone() is not None

    async def end_lapsed(self, outcome: Outcome, *, now: datetime) -> int:
        """Ends all jobs whose owner has let its lease lapse; returns how many."""
        ended = 0
        while True:
            async with transaction(self._pool) as conn:
                cursor = await conn.execute(
                    """
                    SELECT job_id FROM process_calls
                    WHERE state <> 'finished' AND lease_until <= %s AND NOT of_task
                    ORDER BY job_id LIMIT %s FOR UPDATE SKIP LOCKED
                    """,
                    (now, _SWEEP_BATCH),
                )
                lapsed = [JobId(job_id) for (job_id,) in await cursor.fetchall()]
                for job_id in lapsed:
                    await self._end(conn, job_id, outcome, now)
            ended += len(lapsed)
            if len(lapsed) < _SWEEP_BATCH:
                return ended

    async def forget(self, *, finished_before: datetime) -> int:
        """Deletes old outcomes: nobody repeats a call after so long."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                "DELETE FROM process_calls WHERE state = 'finished' AND finished_at < %s", (finished_before,)
            )
            return cursor.rowcount

    async def _end(self, conn: Connection, job_id: JobId, outcome: Outcome, now: datetime) -> None:
        event = finished_event(job_id, outcome, now=now)
        await outbox.add(
            conn,
            OutboxEvent(
                id=self._ids.new_id(),
                subject="events.providers.processing.finished",
                aggregate_id=job_id,
                data=event.SerializeToString(),
                data_type=event.DESCRIPTOR.full_name,
                occurred_at=now,
            ),
        )
        await conn.execute(
            """
            WITH ended AS (
                UPDATE process_calls
                SET state = 'finished', finished_at = %(now)s, outcome = %(outcome)s, retry_after = %(retry)s
                WHERE job_id = %(job)s RETURNING job_id, provider_id
            )
            SELECT pg_notify(%(finished)s, job_id), pg_notify(%(places)s, provider_id) FROM ended
            """,
            {
                "job": job_id,
                "now": now,
                "outcome": event.SerializeToString(),
                "retry": outcome.retry_after if isinstance(outcome, Failed) else None,
                "finished": WAKE_FINISHED,
                "places": WAKE_PLACES,
            },
        )
