"""Places of workers' tasks, as rows of `process_calls` that are there while the provider is called."""

from datetime import datetime

from photochanger_chassis.postgres.pool import Pool, connection, transaction

from photochanger_providers.adapters.postgres.calls import PLACES_LOCK
from photochanger_providers.application.ports import WAKE_PLACES
from photochanger_providers.domain.order import JobId, Order


class PostgresTaskPlaceStore:
    """Counts tasks' places together with those of calls."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def take(
        self, order: Order, *, owner: str, limit: int, now: datetime, lease_until: datetime
    ) -> bool:
        """Takes a place if one is free and no call waits for it.

        A place that an overtaken attempt at the same job has goes over to the new one.
        """
        async with transaction(self._pool) as conn:
            await conn.execute(
                "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (PLACES_LOCK, order.provider_id)
            )
            cursor = await conn.execute(
                """
                INSERT INTO process_calls AS mine
                    (job_id, slot_id, provider_id, state, owner, lease_until, created_at, of_task)
                SELECT %(job)s, %(slot)s, %(provider)s, 'calling', %(owner)s, %(lease)s, %(now)s, true
                WHERE %(limit)s > (
                    SELECT count(*) FROM process_calls AS other
                    WHERE other.provider_id = %(provider)s AND other.lease_until > %(now)s
                      AND other.state IN ('calling', 'queued') AND other.job_id <> %(job)s
                )
                ON CONFLICT (job_id) DO UPDATE
                    SET owner = excluded.owner, lease_until = excluded.lease_until WHERE mine.of_task
                RETURNING job_id
                """,
                {
                    "job": order.job_id,
                    "slot": order.slot_id,
                    "provider": order.provider_id,
                    "owner": owner,
                    "limit": limit,
                    "lease": lease_until,
                    "now": now,
                },
            )
            return await cursor.fetchone() is not None

    async def give_back(self, order: Order, *, owner: str) -> None:
        """Frees the place and wakes those who wait for one."""
        async with connection(self._pool) as conn:
            await conn.execute(
                """
                WITH freed AS (
                    DELETE FROM process_calls WHERE job_id = %s AND owner = %s AND of_task
                    RETURNING provider_id
                )
                SELECT pg_notify(%s, provider_id) FROM freed
                """,
                (order.job_id, owner, WAKE_PLACES),
            )

    async def renew(self, jobs: frozenset[JobId], *, owner: str, lease_until: datetime) -> None:
        """Prolongs the owner's hold on its places."""
        async with connection(self._pool) as conn:
            await conn.execute(
                "UPDATE process_calls SET lease_until = %s WHERE job_id = ANY(%s) AND owner = %s AND of_task",
                (lease_until, list(jobs), owner),
            )

    async def forget_lapsed(self, *, before: datetime) -> None:
        """Deletes what dead workers left."""
        async with connection(self._pool) as conn:
            await conn.execute(
                "DELETE FROM process_calls WHERE of_task AND state <> 'finished' AND lease_until < %s",
                (before,),
            )
