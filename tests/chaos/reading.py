"""Reads a storm's history from PostgreSQL and NATS, once nothing is under way any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import nats
import psycopg
from google.protobuf.wrappers_pb2 import StringValue
from nats.js.api import AckPolicy, ConsumerConfig
from photochanger.tasks.v1.task_events_pb2 import TaskEvent, TaskState

from chaos.history import Effect, Ran, Row, Told
from chaos.work import PLAIN, Label

if TYPE_CHECKING:
    from nats.aio.msg import Msg

_STREAM = "EVENTS"
_BATCH = 256
_WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class Kept:
    """What the database has in the end."""

    rows: tuple[Row, ...]
    told: tuple[Told, ...]
    runs: tuple[Ran, ...]
    effects: tuple[Effect, ...]
    unpublished: int


async def read_database(url: str) -> Kept:
    """Reads everything the database has about the storm."""
    async with await psycopg.AsyncConnection.connect(url) as conn:
        rows = await (
            await conn.execute(
                "SELECT id, payload, state, attempt, unique_key, kind FROM tasks ORDER BY position"
            )
        ).fetchall()
        told = await (
            await conn.execute("SELECT position, id, subject, data FROM told ORDER BY position")
        ).fetchall()
        runs = await (await conn.execute("SELECT task_id, attempt FROM runs")).fetchall()
        effects = await (await conn.execute("SELECT task_id, attempt, state FROM effects")).fetchall()
        waiting = await (await conn.execute("SELECT count(*) FROM outbox")).fetchone()
    return Kept(
        rows=tuple(
            Row(
                id=row[0],
                label=Label.of(StringValue.FromString(row[1]).value),
                state=row[2],
                attempt=row[3],
                unique_key=row[4],
                has_effect=row[5] != PLAIN.name,
            )
            for row in rows
        ),
        told=tuple(_told(*row) for row in told),
        runs=tuple(Ran(task_id=row[0], attempt=row[1]) for row in runs),
        effects=tuple(Effect(task_id=row[0], attempt=row[1], state=row[2]) for row in effects),
        unpublished=waiting[0] if waiting is not None else 0,
    )


async def read_stream(url: str) -> tuple[str, ...]:
    """Reads the ids of all events the stream has, in its order."""
    connection = await nats.connect(url, allow_reconnect=False)
    try:
        subscription = await connection.jetstream().pull_subscribe(
            "events.>", stream=_STREAM, config=ConsumerConfig(ack_policy=AckPolicy.NONE)
        )
        found: list[str] = []
        while (await subscription.consumer_info()).num_pending:
            found += [_id(message) for message in await subscription.fetch(_BATCH, timeout=_WAIT_SECONDS)]
        return tuple(found)
    finally:
        await connection.close()


def _told(position: int, event_id: str, subject: str, data: bytes) -> Told:
    event = TaskEvent.FromString(data)
    return Told(
        position=position,
        id=event_id,
        task_id=event.task_id,
        what=subject.rsplit(".", 1)[1],
        state=TaskState.Name(event.state).removeprefix("TASK_STATE_").lower(),
        attempt=event.attempt,
    )


def _id(message: Msg) -> str:
    return (message.headers or {})["ce-id"]
