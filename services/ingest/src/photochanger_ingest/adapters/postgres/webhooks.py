"""The tables `webhook_deliveries`, `webhook_attempts` and `webhook_receivers`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, cast

from photochanger_chassis.postgres.pool import Pool, connection, transaction
from photochanger_tasks import Tasks

from photochanger_ingest.adapters.tasks.webhook_kind import delivery_task
from photochanger_ingest.application.deliver_webhook import Due
from photochanger_ingest.application.store import Page
from photochanger_ingest.application.webhooks import SHOWN_ATTEMPTS, DeliveryQuery
from photochanger_ingest.domain.errors import WebhookDeliveryPending
from photochanger_ingest.domain.ids import ClientId, DeliveryId, JobId
from photochanger_ingest.domain.webhook import (
    Attempt,
    Delivery,
    DeliveryState,
    GivenUp,
    Schedule,
    SendError,
    Sent,
)

_GONE: Final = 410
_COLUMNS: Final = (
    "id, client_id, job_id, type, url, state, created_at, attempts, failure_reason, last_status, last_attempt_at, "
    "next_attempt_at"
)
_WIDTH: Final = len(_COLUMNS.split(","))

PRUNE_WEBHOOK_DELIVERIES: Final = """
    DELETE FROM webhook_deliveries WHERE id IN (
        SELECT id FROM webhook_deliveries WHERE ended_at < %(now)s - interval '30 days'
        ORDER BY ended_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
"""
PRUNE_WEBHOOK_RECEIVERS: Final = """
    DELETE FROM webhook_receivers WHERE (client_id, url) IN (
        SELECT client_id, url FROM webhook_receivers WHERE switched_off_at < %(now)s - interval '400 days'
        ORDER BY switched_off_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
"""


class PostgresDueDeliveries:
    """Keeps the promises of `application.deliver_webhook.DueDeliveries`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def due(self, delivery_id: DeliveryId) -> Due | None:
        """See the port."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                f"""
                SELECT {_COLUMNS}, body, tries, insists,
                    EXISTS (SELECT FROM webhook_receivers AS off
                        WHERE off.client_id = webhook_deliveries.client_id AND off.url = webhook_deliveries.url),
                    EXISTS (SELECT FROM api_keys
                        WHERE api_keys.client_id = webhook_deliveries.client_id AND revoked_at IS NULL)
                FROM webhook_deliveries WHERE id = %s AND state = 'pending'
                """,  # noqa: S608 - columns are ours
                (delivery_id,),
            )
            row = await cursor.fetchone()
        if row is None:
            return None
        body, tries, insists, switched_off, client_active = row[_WIDTH:]
        return Due(
            _delivery_of(row[:_WIDTH]),
            bytes(body),
            tries=tries,
            insists=insists,
            switched_off=switched_off,
            client_active=client_active,
        )

    async def note(self, delivery: Delivery, sent: Sent, *, next_attempt_at: datetime | None) -> None:
        """See the port."""
        async with transaction(self._pool) as conn:
            cursor = await conn.execute(
                """
                UPDATE webhook_deliveries SET attempts = attempts + 1, tries = tries + 1,
                    last_status = %(status)s, last_attempt_at = %(started_at)s,
                    next_attempt_at = CASE WHEN state = 'pending' THEN %(next)s::timestamptz END
                WHERE id = %(id)s RETURNING attempts
                """,
                {
                    "id": delivery.id,
                    "status": sent.status,
                    "started_at": sent.started_at,
                    "next": next_attempt_at,
                },
            )
            row = await cursor.fetchone()
            if row is None:
                return
            number = int(row[0])
            await conn.execute(
                """
                INSERT INTO webhook_attempts (delivery_id, number, started_at, duration, status, error)
                VALUES (%s, %s, %s, %s, %s, %s)
                """,
                (delivery.id, number, sent.started_at, sent.duration, sent.status, sent.error or ""),
            )
            # What nobody is shown is not kept: resending again and again must not fill the table.
            await conn.execute(
                "DELETE FROM webhook_attempts WHERE delivery_id = %s AND number <= %s",
                (delivery.id, number - SHOWN_ATTEMPTS),
            )
            if sent.status == _GONE:
                await conn.execute(
                    """
                    INSERT INTO webhook_receivers (client_id, url, switched_off_at) VALUES (%s, %s, %s)
                    ON CONFLICT DO NOTHING
                    """,
                    (delivery.client_id, delivery.url, sent.started_at),
                )
            elif sent.error is None:
                await conn.execute(
                    "DELETE FROM webhook_receivers WHERE client_id = %s AND url = %s",
                    (delivery.client_id, delivery.url),
                )


class PostgresDeliveryLog:
    """Keeps the promises of `application.webhooks.DeliveryLog`."""

    def __init__(self, pool: Pool, tasks: Tasks, schedule: Schedule) -> None:
        self._pool = pool
        self._tasks = tasks
        self._schedule = schedule

    async def list(self, query: DeliveryQuery) -> Page[Delivery]:
        """See the port."""
        conditions = ["(%(before)s::bigint IS NULL OR position < %(before)s)"]
        if query.client_id is not None:
            conditions.append("client_id = %(client_id)s")
        if query.job_id is not None:
            conditions.append("job_id = %(job_id)s")
        if query.state is not None:
            conditions.append("state = %(state)s")
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                f"""
                SELECT {_COLUMNS}, position FROM webhook_deliveries WHERE {" AND ".join(conditions)}
                ORDER BY position DESC LIMIT %(limit)s + 1
                """.encode(),  # noqa: S608 - columns and conditions are ours
                {
                    "client_id": query.client_id,
                    "job_id": query.job_id,
                    "state": query.state,
                    "before": query.before,
                    "limit": query.limit,
                },
            )
            rows = await cursor.fetchall()
        last = int(rows[query.limit - 1][-1]) if len(rows) > query.limit else None
        return Page(tuple(_delivery_of(row[:_WIDTH]) for row in rows[: query.limit]), last)

    async def get(self, delivery_id: DeliveryId) -> Delivery | None:
        """See the port."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                f"SELECT {_COLUMNS} FROM webhook_deliveries WHERE id = %s",  # noqa: S608 - columns are ours
                (delivery_id,),
            )
            row = await cursor.fetchone()
        return None if row is None else _delivery_of(row)

    async def attempts(self, delivery_id: DeliveryId, *, limit: int) -> Sequence[Attempt]:
        """See the port."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                """
                SELECT number, started_at, duration, status, error FROM webhook_attempts
                WHERE delivery_id = %s ORDER BY number DESC LIMIT %s
                """,
                (delivery_id, limit),
            )
            rows = await cursor.fetchall()
        return [_attempt_of(row) for row in rows]

    async def resend(
        self, delivery_id: DeliveryId, *, client_id: ClientId | None, now: datetime
    ) -> Delivery | None:
        """See the port."""
        async with transaction(self._pool) as conn:
            cursor = await conn.execute(
                """
                SELECT state FROM webhook_deliveries
                WHERE id = %(id)s AND (%(client_id)s::text IS NULL OR client_id = %(client_id)s) FOR UPDATE
                """,
                {"id": delivery_id, "client_id": client_id},
            )
            row = await cursor.fetchone()
            if row is None:
                return None
            if row[0] == DeliveryState.PENDING:
                raise WebhookDeliveryPending(delivery_id)
            cursor = await conn.execute(
                f"""
                UPDATE webhook_deliveries SET state = 'pending', tries = 0, insists = true, failure_reason = '',
                    next_attempt_at = %s, ended_at = NULL
                WHERE id = %s RETURNING {_COLUMNS}
                """,  # noqa: S608 - columns are ours
                (now, delivery_id),
            )
            rows = await cursor.fetchall()
            delivery = _delivery_of(rows[0])
            # Its former task ended with it, in one transaction: the key is free.
            await self._tasks.submit(conn, delivery_task(delivery, deadline_at=now + self._schedule.life))
        return delivery


def _delivery_of(row: Sequence[object]) -> Delivery:
    (
        delivery_id,
        client_id,
        job_id,
        kind,
        url,
        state,
        created_at,
        attempts,
        failure,
        last_status,
        last_attempt_at,
        next_attempt_at,
    ) = row
    return Delivery(
        id=DeliveryId(str(delivery_id)),
        client_id=ClientId(str(client_id)),
        job_id=JobId(str(job_id)),
        type=str(kind),
        url=str(url),
        state=DeliveryState(str(state)),
        created_at=cast(datetime, created_at),
        attempts=cast(int, attempts),
        failure=GivenUp(str(failure)) if failure else None,
        last_status=cast(int | None, last_status),
        last_attempt_at=cast(datetime | None, last_attempt_at),
        next_attempt_at=cast(datetime | None, next_attempt_at),
    )


def _attempt_of(row: Sequence[object]) -> Attempt:
    number, started_at, duration, status, error = row
    return Attempt(
        cast(int, number),
        Sent(
            cast(datetime, started_at),
            cast(timedelta, duration),
            cast(int | None, status),
            SendError(str(error)) if error else None,
        ),
    )
