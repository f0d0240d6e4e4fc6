"""What a worker's process says about the tasks it has: claims, leases, progress.

Every write of an attempt is fenced: it counts only while the row says that this owner runs this attempt.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from photochanger_chassis.postgres.pool import Connection
from psycopg.rows import class_row

from photochanger_tasks.model import Task
from photochanger_tasks.postgres.rows import task_row


@dataclass(frozen=True, slots=True)
class Held:
    """An attempt that the database still ascribes to its owner."""

    id: str
    attempt: int
    cancel_requested: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an attempt says it is."""

    task_id: str
    attempt: int
    percent: int
    stage: str


async def claim(
    conn: Connection,
    *,
    queue: str,
    kinds: Sequence[str],
    number: int,
    owner: str,
    now: datetime,
    lease_until: datetime,
) -> list[Task]:
    """Starts the next attempt of the `number` fairest queued tasks, fewer when there are fewer.

    Tasks that somebody else is about to claim or to cancel are passed over.
    """
    async with conn.cursor(row_factory=task_row) as cursor:
        await cursor.execute(
            """
            WITH next AS (
                SELECT id FROM tasks
                WHERE queue = %(queue)s AND state = 'queued' AND kind = ANY(%(kinds)s)
                    AND (deadline_at IS NULL OR deadline_at > %(now)s)
                ORDER BY priority, virtual_start, position LIMIT %(number)s FOR UPDATE SKIP LOCKED
            )
            UPDATE tasks SET state = 'running', attempt = attempt + 1, owner = %(owner)s,
                lease_until = %(lease_until)s, started_at = coalesce(started_at, %(now)s), run_at = NULL,
                progress = 0, stage = '', status = '', reason = '', message = ''
            FROM next WHERE tasks.id = next.id
            RETURNING tasks.*
            """,
            {
                "queue": queue,
                "kinds": list(kinds),
                "number": number,
                "owner": owner,
                "now": now,
                "lease_until": lease_until,
            },
        )
        claimed = await cursor.fetchall()
    return sorted(claimed, key=lambda task: (task.priority, task.virtual_start, task.position))


async def renew(conn: Connection, *, owner: str, lease_until: datetime) -> list[Held]:
    """Renews the leases of all attempts of this owner and returns them.

    Those being changed at this moment are returned but not renewed: waiting for their locks could deadlock.
    """
    async with conn.cursor(row_factory=class_row(Held)) as cursor:
        await cursor.execute(
            """
            WITH free AS (
                SELECT id FROM tasks WHERE state = 'running' AND owner = %(owner)s FOR UPDATE SKIP LOCKED
            ), renewed AS (
                UPDATE tasks SET lease_until = %(lease_until)s FROM free WHERE tasks.id = free.id
            )
            SELECT id, attempt, cancel_requested FROM tasks WHERE state = 'running' AND owner = %(owner)s
            """,
            {"owner": owner, "lease_until": lease_until},
        )
        return await cursor.fetchall()


async def note_progress(conn: Connection, notes: Sequence[Progress], *, owner: str) -> list[Task]:
    """Stores how far attempts are. Returns the tasks whose attempt's word still counts."""
    async with conn.cursor(row_factory=task_row) as cursor:
        await cursor.execute(
            """
            UPDATE tasks SET progress = given.percent, stage = given.stage
            FROM unnest(%(ids)s::text[], %(attempts)s::integer[], %(percents)s::integer[], %(stages)s::text[])
                AS given (id, attempt, percent, stage)
            WHERE tasks.id = given.id AND tasks.attempt = given.attempt
                AND tasks.owner = %(owner)s AND tasks.state = 'running'
            RETURNING tasks.*
            """,
            {
                "ids": [note.task_id for note in notes],
                "attempts": [note.attempt for note in notes],
                "percents": [note.percent for note in notes],
                "stages": [note.stage for note in notes],
                "owner": owner,
            },
        )
        return await cursor.fetchall()


async def note_status(
    conn: Connection, task_id: str, attempt: int, status: str, *, owner: str
) -> Task | None:
    """Stores an attempt's finer state. Returns the task, None if the attempt's word no longer counts."""
    async with conn.cursor(row_factory=task_row) as cursor:
        await cursor.execute(
            """
            UPDATE tasks SET status = %(status)s
            WHERE id = %(id)s AND attempt = %(attempt)s AND owner = %(owner)s AND state = 'running'
                AND NOT cancel_requested
            RETURNING *
            """,
            {"status": status, "id": task_id, "attempt": attempt, "owner": owner},
        )
        return await cursor.fetchone()
