"""Looking at tasks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from photochanger_chassis.postgres.pool import Connection
from psycopg.rows import class_row

from photochanger_tasks.model import State, Task
from photochanger_tasks.postgres.rows import task_row


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """What waits and runs in a queue. `retrying` are those of `scheduled` that have failed before.

    `oldest_at` is when the task waiting longest was submitted.
    """

    queue: str
    queued: int
    running: int
    scheduled: int
    retrying: int
    blocked: int
    dead: int
    oldest_at: datetime | None

    @classmethod
    def empty(cls, queue: str) -> Self:
        """A queue with nothing in it."""
        return cls(queue, queued=0, running=0, scheduled=0, retrying=0, blocked=0, dead=0, oldest_at=None)


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker's process, as its heartbeat tells. `guard` is why it takes nothing new; empty when it does."""

    id: str
    queues: list[str]
    slots: int
    running: int
    guard: str
    started_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class StepCount:
    """How many tasks of a pipeline's step are in a state."""

    step: int
    state: str
    number: int


@dataclass(frozen=True, slots=True)
class StepRule:
    """What a pipeline's step is."""

    step: int
    weight: float
    allow_partial: bool


async def get(conn: Connection, task_id: str, *, lock: bool = False) -> Task | None:
    """Returns a task, None if there is none."""
    query = "SELECT * FROM tasks WHERE id = %s"
    async with conn.cursor(row_factory=task_row) as cursor:
        await cursor.execute(f"{query} FOR UPDATE" if lock else query, (task_id,))
        return await cursor.fetchone()


async def page(
    conn: Connection, *, state: State | None, queue: str | None, before: int | None, size: int
) -> list[Task]:
    """Returns the latest tasks, submitted before position `before`."""
    async with conn.cursor(row_factory=task_row) as cursor:
        await cursor.execute(
            """
            SELECT * FROM tasks
            WHERE (%(state)s::text IS NULL OR state = %(state)s) AND (%(queue)s::text IS NULL OR queue = %(queue)s)
                AND (%(before)s::bigint IS NULL OR position < %(before)s)
            ORDER BY position DESC LIMIT %(size)s
            """,
            {"state": state, "queue": queue, "before": before, "size": size},
        )
        return await cursor.fetchall()


async def children(conn: Connection, parent_id: str, *, step: int | None = None) -> list[Task]:
    """Returns a pipeline's tasks, by step and in order of submission."""
    async with conn.cursor(row_factory=task_row) as cursor:
        await cursor.execute(
            """
            SELECT * FROM tasks
            WHERE parent_id = %(parent)s AND (%(step)s::integer IS NULL OR step = %(step)s)
            ORDER BY step, position
            """,
            {"parent": parent_id, "step": step},
        )
        return await cursor.fetchall()


async def ahead(conn: Connection, task: Task) -> int:
    """Counts the queued tasks that will be claimed before this one."""
    cursor = await conn.execute(
        """
        SELECT count(*) FROM tasks WHERE state = 'queued' AND queue = %s
            AND (priority, virtual_start, position) < (%s, %s, %s)
        """,
        (task.queue, task.priority, task.virtual_start, task.position),
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def depths(conn: Connection) -> list[QueueDepth]:
    """Counts what is live or dead, by queue. Pipelines are not in a queue."""
    async with conn.cursor(row_factory=class_row(QueueDepth)) as cursor:
        await cursor.execute(
            """
            SELECT queue, count(*) FILTER (WHERE state = 'queued') AS queued,
                count(*) FILTER (WHERE state = 'running') AS running,
                count(*) FILTER (WHERE state = 'scheduled') AS scheduled,
                count(*) FILTER (WHERE state = 'scheduled' AND failures > 0) AS retrying,
                count(*) FILTER (WHERE state = 'blocked') AS blocked,
                count(*) FILTER (WHERE state = 'dead') AS dead,
                min(created_at) FILTER (WHERE state = 'queued') AS oldest_at
            FROM (
                SELECT queue, state, created_at, failures FROM tasks WHERE state = 'queued'
                UNION ALL SELECT queue, state, created_at, failures FROM tasks WHERE state = 'running'
                UNION ALL SELECT queue, state, created_at, failures FROM tasks WHERE state = 'scheduled'
                UNION ALL SELECT queue, state, created_at, failures FROM tasks WHERE state = 'blocked'
                UNION ALL SELECT queue, state, created_at, failures FROM tasks WHERE state = 'dead'
            ) AS live WHERE queue <> '' GROUP BY queue ORDER BY queue
            """
        )
        return await cursor.fetchall()


async def expected_tickets(conn: Connection, queues: Sequence[str]) -> dict[str, int]:
    """Counts, by queue, the tickets that must be in JetStream: one for each task queued or running, less those
    that are still in the outbox."""
    cursor = await conn.execute(
        """
        SELECT queue, (SELECT count(*) FROM tasks WHERE state = 'queued' AND tasks.queue = given.queue)
            + (SELECT count(*) FROM tasks WHERE state = 'running' AND tasks.queue = given.queue)
            - (SELECT count(*) FROM outbox WHERE subject LIKE 'tasks.' || given.queue || '.%%')
        FROM unnest(%s::text[]) AS given (queue)
        """,
        (list(queues),),
    )
    return {str(row[0]): int(row[1]) for row in await cursor.fetchall()}


async def workers(conn: Connection, *, seen_since: datetime) -> list[WorkerSeen]:
    """Returns the workers that have lately been seen."""
    async with conn.cursor(row_factory=class_row(WorkerSeen)) as cursor:
        await cursor.execute(
            "SELECT * FROM task_workers WHERE seen_at >= %s ORDER BY started_at, id", (seen_since,)
        )
        return await cursor.fetchall()


async def note_worker(conn: Connection, worker: WorkerSeen) -> None:
    """Registers a worker's process, or that it is still there."""
    await conn.execute(
        """
        INSERT INTO task_workers (id, queues, slots, running, guard, started_at, seen_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (id) DO UPDATE
            SET running = excluded.running, guard = excluded.guard, seen_at = excluded.seen_at
        """,
        (
            worker.id, worker.queues, worker.slots, worker.running, worker.guard, worker.started_at, worker.seen_at
        ),
    )  # fmt: skip


async def step_counts(conn: Connection, parent_id: str) -> list[StepCount]:
    """Counts a pipeline's tasks."""
    async with conn.cursor(row_factory=class_row(StepCount)) as cursor:
        await cursor.execute(
            "SELECT step, state, count(*) AS number FROM tasks WHERE parent_id = %s GROUP BY step, state",
            (parent_id,),
        )
        return await cursor.fetchall()


async def step_rules(conn: Connection, parent_id: str) -> list[StepRule]:
    """Returns a pipeline's steps in order."""
    async with conn.cursor(row_factory=class_row(StepRule)) as cursor:
        await cursor.execute(
            "SELECT step, weight, allow_partial FROM task_steps WHERE parent_id = %s ORDER BY step",
            (parent_id,),
        )
        return await cursor.fetchall()
