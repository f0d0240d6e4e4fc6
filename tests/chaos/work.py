"""What the tasks of a storm do, and what they leave behind. `kinds` is what its worker processes run."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from google.protobuf.wrappers_pb2 import StringValue
from photochanger_chassis.errors import ErrorKind, Unavailable
from photochanger_chassis.postgres.pool import connection
from photochanger_tasks import Attempt, Backoff, Deferred, Failed, Kinds, Queue, TaskKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from photochanger_chassis.postgres.pool import Connection, Pool
    from photochanger_tasks import Task

QUEUE: Final = "chaos"
CONTEXT: Final = "chaos"
TABLES: Final = """
    CREATE TABLE effects (task_id text, attempt integer, state text);
    CREATE TABLE runs (task_id text, attempt integer);
    -- All that was ever in the outbox: what a deleted NATS store takes with it is still known.
    CREATE TABLE told (position bigint, id text, subject text, aggregate_id text, data bytea);
    CREATE FUNCTION note_told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO told VALUES (new.position, new.id, new.subject, new.aggregate_id, new.data);
        RETURN NULL;
    END $$;
    CREATE TRIGGER told AFTER INSERT ON outbox FOR EACH ROW WHEN (new.subject LIKE 'events.%')
        EXECUTE FUNCTION note_told();
"""


class Wish(StrEnum):
    """What a task shall come to."""

    SUCCEED = "succeed"
    """It is done, at the first attempt unless something is killed."""
    FLAKY = "flaky"
    """It is done, after one or two attempts that ask for another."""
    DEFER = "defer"
    """It is done, after its provider said "not now"."""
    REFUSE = "refuse"
    """It fails for good."""
    DOOMED = "doomed"
    """Every attempt breaks, until it is dead."""
    WAIT = "wait"
    """It never ends by itself; somebody cancels it while it runs."""


class ProviderAway(Unavailable):
    """An attempt found its provider away; another may not."""

    kind, reason = ErrorKind.UNAVAILABLE, "CHAOS_PROVIDER_AWAY"


@dataclass(frozen=True, slots=True)
class Label:
    """A task's name in its submitter's log; its payload."""

    number: int
    wish: Wish

    def __str__(self) -> str:
        return f"{self.number}:{self.wish}"

    @classmethod
    def of(cls, text: str) -> Label:
        """Reads what `str` wrote."""
        number, _, wish = text.partition(":")
        return cls(int(number), Wish(wish))


async def store_effect(conn: Connection, task: Task) -> None:
    """What a task's end leaves behind, in the transaction of that end. Nothing forbids a second one."""
    await conn.execute(
        "INSERT INTO effects (task_id, attempt, state) VALUES (%s, %s, %s)",
        (task.id, task.attempt, task.state),
    )


# Outages must not make tasks dead that are to succeed: each failed attempt counts.
WITH_EFFECT: Final = TaskKind(
    name="chaos.effect",
    queue=QUEUE,
    payload=StringValue,
    max_attempts=1000,
    backoff=Backoff(base=timedelta(milliseconds=100), cap=timedelta(seconds=1)),
    on_done=store_effect,
    on_end=store_effect,
)
PLAIN: Final = replace(WITH_EFFECT, name="chaos.plain", on_done=None, on_end=None)
DOOMED: Final = replace(WITH_EFFECT, name="chaos.doomed", max_attempts=2)
_EVERY_PLAIN: Final = 4


def kind_of(label: Label) -> TaskKind[StringValue]:
    """Returns the kind of a task: most have an effect, some are ended in groups, having none."""
    if label.wish is Wish.DOOMED:
        return DOOMED
    return PLAIN if label.number % _EVERY_PLAIN == 0 else WITH_EFFECT


def kinds(pool: Pool | None = None) -> Kinds:
    """Returns the kinds; with a pool, for workers, they have their handler."""
    known = [WITH_EFFECT, PLAIN, DOOMED]
    if pool is not None:
        handler = _handler(pool)
        known = [kind.handled_by(handler) for kind in known]
    return Kinds.of(CONTEXT, *known, queues=[Queue(QUEUE)])


def _handler(pool: Pool) -> Callable[[Attempt[StringValue]], Awaitable[StringValue]]:
    async def handle(attempt: Attempt[StringValue]) -> StringValue:
        label = Label.of(attempt.payload.value)
        async with connection(pool) as conn:
            await conn.execute(
                "INSERT INTO runs (task_id, attempt) VALUES (%s, %s)", (attempt.task_id, attempt.number)
            )
        await asyncio.sleep(label.number * 7 % 100 / 1000)  # the work
        match label.wish:
            case Wish.FLAKY if attempt.number <= 1 + label.number % 2:
                raise ProviderAway("The provider is away.")
            case Wish.DEFER if attempt.number == 1:
                raise Deferred(timedelta(milliseconds=200), "rate_limited")
            case Wish.REFUSE:
                raise Failed("refused", "No repeat helps.")
            case Wish.DOOMED:
                raise RuntimeError("a bug")
            case Wish.WAIT:
                await asyncio.Event().wait()
        return attempt.payload

    return handle
