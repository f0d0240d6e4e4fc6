"""Events that leave exactly when their transaction commits: the transactional outbox.

A use case calls `add` inside its transaction. An `OutboxRelay` in every replica publishes the rows, at least
once and in order for each aggregate, and deletes them.

Why nothing is skipped or reordered: the relay reads what is there, never "after the last id", so a transaction
that commits late is simply seen later. `add` locks the aggregate until the end of the transaction before it
draws the position, so positions of one aggregate follow the order of commits. One relay works at a time: the
lock belongs to the transaction that reads and deletes, so a relay that died holds nothing.
"""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from psycopg.pq import TransactionStatus
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from photochanger_chassis import crashpoints
from photochanger_chassis.errors import ServiceError
from photochanger_chassis.postgres.notify import Notifications
from photochanger_chassis.postgres.pool import Connection, Pool, connection, transaction
from photochanger_chassis.tracing import trace_headers

_log = structlog.stdlib.get_logger(__name__)

CHANNEL: Final = "outbox"
_RELAY_LOCK: Final = (
    0x6F7574626F78  # "outbox"; advisory locks are per database, and a database has one outbox
)
_BATCH: Final = 200
_AT_ONCE: Final = 32
_FALLBACK: Final = timedelta(seconds=2)
_AFTER_FAILURE: Final = timedelta(seconds=1)
_BATCH_SECONDS: Final = 20.0  # well below the server's limit for an idle transaction
# NATS takes messages up to 1 MiB. A larger event could never leave and would block its aggregate for ever.
MAX_EVENT_BYTES: Final = 512 * 1024


_SUBJECT: Final = re.compile(r"events(\.[a-z0-9_-]+){3}|tasks(\.[a-z0-9_-]+){2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEvent:
    """Something that has happened, as it will be published.

    Args:
        id: unique; consumers recognise a second delivery by it.
        subject: where it goes, `events.<context>.<aggregate>.<what>`, e.g. `events.ingest.job.created`;
            or `tasks.<queue>.<kind>`, for the task engine.
        aggregate_id: what it happened to; events of one aggregate are published in order.
        data: the encoded body, at most `MAX_EVENT_BYTES`.
        data_type: full name of the body's proto message, e.g. `photochanger.ingest.v1.JobCreated`.
        occurred_at: when it happened.
    """

    id: str
    subject: str
    aggregate_id: str
    data: bytes
    data_type: str
    occurred_at: datetime
    trace: dict[str, str] = field(default_factory=trace_headers)

    def __post_init__(self) -> None:
        if _SUBJECT.fullmatch(self.subject) is None:
            raise ValueError(
                f"{self.subject!r} is not events.<context>.<aggregate>.<what>, nor tasks.<queue>.<kind>."
            )
        if len(self.data) > MAX_EVENT_BYTES:
            raise ValueError(f"An event of {len(self.data)} bytes cannot be published; send an id instead.")


class Publisher(Protocol):
    """Publishes events, e.g. `nats.events.EventPublisher`."""

    async def publish(self, event: OutboxEvent) -> None:
        """Returns once the event is stored. Publishing an event again must be harmless.

        Raises:
            ServiceError: it was not, or perhaps not, stored; the relay tries again.
        """
        ...


def create_outbox_table() -> str:
    """Returns the DDL of the outbox, for `op.execute` in a service's migration."""
    return """
        CREATE TABLE outbox (
            position     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            id           text NOT NULL UNIQUE,
            subject      text NOT NULL,
            aggregate_id text NOT NULL,
            data         bytea NOT NULL,
            data_type    text NOT NULL,
            occurred_at  timestamptz NOT NULL,
            trace        jsonb NOT NULL
        )
    """


async def add(conn: Connection, event: OutboxEvent) -> None:
    """Stores an event in the caller's transaction. It is published once that commits.

    A transaction that adds for several aggregates should take them in a fixed order, or two may deadlock.

    Raises:
        RuntimeError: the connection is not in a transaction.
    """
    if conn.info.transaction_status is not TransactionStatus.INTRANS:
        raise RuntimeError("An event belongs into the transaction of what it reports.")
    await conn.execute(
        """
        WITH locked AS MATERIALIZED (
            SELECT pg_advisory_xact_lock(hashtextextended(%(aggregate_id)s, 0))
        ), stored AS (
            INSERT INTO outbox (id, subject, aggregate_id, data, data_type, occurred_at, trace)
            SELECT %(id)s, %(subject)s, %(aggregate_id)s, %(data)s, %(data_type)s, %(occurred_at)s, %(trace)s
            FROM locked
            RETURNING 1
        )
        SELECT pg_notify('outbox', '') FROM stored
        """,
        {
            "id": event.id,
            "subject": event.subject,
            "aggregate_id": event.aggregate_id,
            "data": event.data,
            "data_type": event.data_type,
            "occurred_at": event.occurred_at,
            "trace": Jsonb(event.trace),
        },
    )


async def add_all(conn: Connection, events: Sequence[OutboxEvent], *, wake: bool = True) -> None:
    """Stores several events in the caller's transaction, in one statement.

    PostgreSQL commits transactions that notify one after the other, each with a flush of its own. Who commits often
    leaves `wake` out and calls `wake_relays` after the commit; should it die in between, a relay looks within
    two seconds anyway.

    Takes no locks: for a caller who has locked the row of each aggregate already (by changing it), so that
    positions follow the order of commits anyway.

    Raises:
        RuntimeError: the connection is not in a transaction.
    """
    if conn.info.transaction_status is not TransactionStatus.INTRANS:
        raise RuntimeError("An event belongs into the transaction of what it reports.")
    if not events:
        return
    await conn.execute(
        """
        WITH stored AS (
            INSERT INTO outbox (id, subject, aggregate_id, data, data_type, occurred_at, trace)
            SELECT id, subject, aggregate_id, data, data_type, occurred_at, trace::jsonb
            FROM unnest(%s::text[], %s::text[], %s::text[], %s::bytea[], %s::text[], %s::timestamptz[], %s::text[])
                WITH ORDINALITY AS given (id, subject, aggregate_id, data, data_type, occurred_at, trace, place)
            ORDER BY place
            RETURNING 1
        )
        SELECT pg_notify('outbox', '') FROM stored WHERE %s LIMIT 1
        """,
        (
            [event.id for event in events],
            [event.subject for event in events],
            [event.aggregate_id for event in events],
            [event.data for event in events],
            [event.data_type for event in events],
            [event.occurred_at for event in events],
            [json.dumps(event.trace) for event in events],
            wake,
        ),
    )


async def wake_relays(pool: Pool) -> None:
    """Tells the relays to look: for what was added without."""
    async with connection(pool) as conn:
        await conn.execute("SELECT pg_notify('outbox', '')")


async def backlog(pool: Pool) -> int:
    """Returns how many events wait to be published."""
    async with connection(pool) as conn:
        row = await (await conn.execute("SELECT count(*) FROM outbox")).fetchone()
    return int(row[0]) if row is not None else 0


class OutboxRelay:
    """Publishes what is in the outbox. Run one in every replica; they take turns.

    Woken by each commit of an event, and every two seconds in case a wake-up was lost. While PostgreSQL or the
    publisher is down it tries again every second; nothing is lost meanwhile.
    """

    def __init__(self, pool: Pool, publisher: Publisher, notifications: Notifications) -> None:
        self._pool = pool
        self._publisher = publisher
        self._notifications = notifications
        self._failing = False

    async def run(self) -> None:
        """Relays until cancelled."""
        with self._notifications.subscribe(CHANNEL) as committed:
            while True:
                try:
                    taken, published = await self.relay_batch()
                except ServiceError as error:
                    self._note_failure(error.message)
                    await asyncio.sleep(_AFTER_FAILURE.total_seconds())
                    continue
                if published < taken:
                    await asyncio.sleep(_AFTER_FAILURE.total_seconds())
                elif taken < _BATCH:
                    # Nothing more was there; what was committed since has woken us again.
                    await committed.wait(_FALLBACK)

    async def relay_batch(self) -> tuple[int, int]:
        """Publishes the oldest events and deletes them. Returns how many it took and how many it published.

        Takes none while another relay is working.

        Raises:
            PostgresUnavailable: the database cannot be reached; what was published may be so again.
        """
        async with transaction(self._pool) as conn:
            # The deletion need not reach the disk before we go on: after a crash of PostgreSQL the events are
            # published again, which changes nothing.
            row = await (
                await conn.execute(
                    "SELECT pg_try_advisory_xact_lock(%s), set_config('synchronous_commit', 'off', true)",
                    (_RELAY_LOCK,),
                )
            ).fetchone()
            if row is None or not row[0]:
                return 0, 0
            async with conn.cursor(row_factory=class_row(OutboxEvent)) as cursor:
                await cursor.execute(
                    """
                    SELECT id, subject, aggregate_id, data, data_type, occurred_at, trace
                    FROM outbox ORDER BY position LIMIT %s
                    """,
                    (_BATCH,),
                )
                events = await cursor.fetchall()
            if not events:
                return 0, 0
            crashpoints.reach("outbox.before_publish")
            published = await self._publish(events)
            crashpoints.reach("outbox.after_publish")
            await conn.execute("DELETE FROM outbox WHERE id = ANY(%s)", (published,))
        if len(published) == len(events) and self._failing:
            self._failing = False
            _log.info("outbox.recovered")
        return len(events), len(published)

    async def _publish(self, events: Sequence[OutboxEvent]) -> list[str]:
        lanes: dict[str, list[OutboxEvent]] = defaultdict(list)
        for event in events:
            lanes[event.aggregate_id].append(event)
        published: list[str] = []
        gate = asyncio.Semaphore(_AT_ONCE)
        down = asyncio.Event()

        async def publish_in_order(lane: list[OutboxEvent]) -> None:
            async with gate:
                for event in lane:
                    if down.is_set():
                        return
                    try:
                        await self._publisher.publish(event)
                    except ServiceError as error:
                        self._note_failure(error.message)
                        down.set()
                        return
                    except Exception:  # noqa: BLE001 - this aggregate waits, the others must not wait with it
                        _log.exception("outbox.event_refused", event_id=event.id, subject=event.subject)
                        return
                    published.append(event.id)

        try:
            async with asyncio.timeout(_BATCH_SECONDS), asyncio.TaskGroup() as tasks:
                for lane in lanes.values():
                    tasks.create_task(publish_in_order(lane))
        except TimeoutError:
            self._note_failure("publishing takes too long")
        return published

    def _note_failure(self, error: str) -> None:
        if not self._failing:
            _log.warning("outbox.stalled", error=error)
        self._failing = True
