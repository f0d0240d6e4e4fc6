"""What has to happen by itself: tasks whose time has come, leases that lapsed, deadlines that passed, old rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from photochanger_chassis.postgres.pool import Connection
from psycopg.rows import class_row

from photochanger_tasks.model import Task
from photochanger_tasks.postgres.rows import task_row

_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Candidate:
    """A task that a sweep may have to change, and its pipeline."""

    id: str
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class Pending:
    """Whether there are tasks that are due, leases that lapsed, deadlines that passed."""

    due: bool
    lapsed: bool
    overdue: bool


async def look(conn: Connection, *, now: datetime) -> Pending:
    """Tells in one statement what there is for a sweep to do: mostly nothing."""
    async with conn.cursor(row_factory=class_row(Pending)) as cursor:
        await cursor.execute(
            """
            SELECT EXISTS (SELECT 1 FROM tasks WHERE state = 'scheduled' AND run_at <= %(now)s) AS due,
                EXISTS (SELECT 1 FROM tasks WHERE state = 'running' AND lease_until < %(now)s) AS lapsed,
                EXISTS (SELECT 1 FROM tasks
                    WHERE state IN ('blocked', 'scheduled', 'queued') AND deadline_at <= %(now)s)
                OR EXISTS (SELECT 1 FROM tasks
                    WHERE state = 'running' AND owner IS NULL AND deadline_at <= %(now)s) AS overdue
            """,
            {"now": now},
        )
        (found,) = await cursor.fetchall()
        return found


async def queue_due(conn: Connection, *, now: datetime) -> list[tuple[Task, int]]:
    """Queues scheduled tasks whose time has come. Returns them with the number of their dispatch."""
    return await _dispatched(
        conn,
        """
        WITH due AS (
            SELECT id FROM tasks WHERE state = 'scheduled' AND run_at <= %(now)s
            ORDER BY run_at LIMIT %(batch)s FOR UPDATE SKIP LOCKED
        )
        UPDATE tasks SET state = 'queued', run_at = NULL, dispatch = dispatch + 1
        FROM due WHERE tasks.id = due.id RETURNING tasks.*
        """,
        {"now": now, "batch": _BATCH},
    )


async def unblock(conn: Connection, parent_id: str, step: int, *, now: datetime) -> list[tuple[Task, int]]:
    """Lets the tasks of a step go. Returns them with the number of their dispatch."""
    return await _dispatched(
        conn,
        """
        UPDATE tasks SET state = CASE WHEN run_at > %(now)s THEN 'scheduled' ELSE 'queued' END
        WHERE parent_id = %(parent)s AND step = %(step)s AND state = 'blocked' RETURNING *
        """,
        {"now": now, "parent": parent_id, "step": step},
    )


async def dispatch_again(conn: Connection, queue: str, number: int) -> list[tuple[Task, int]]:
    """Returns that many queued tasks, each with the number of a new dispatch."""
    return await _dispatched(
        conn,
        """
        WITH chosen AS (
            SELECT id FROM tasks WHERE queue = %(queue)s AND state = 'queued'
            ORDER BY priority, virtual_start, position LIMIT %(number)s FOR UPDATE SKIP LOCKED
        )
        UPDATE tasks SET dispatch = dispatch + 1 FROM chosen WHERE tasks.id = chosen.id RETURNING tasks.*
        """,
        {"queue": queue, "number": number},
    )


async def lapsed(conn: Connection, *, now: datetime) -> list[Candidate]:
    """Returns running tasks whose lease has lapsed."""
    return await _candidates(
        conn,
        "SELECT id, parent_id FROM tasks WHERE state = 'running' AND lease_until < %(now)s LIMIT 100",
        now,
    )


async def overdue(conn: Connection, *, now: datetime) -> list[Candidate]:
    """Returns waiting tasks and pipelines whose deadline has passed."""
    return await _candidates(
        conn,
        """
        (SELECT id, parent_id FROM tasks
            WHERE state IN ('blocked', 'scheduled', 'queued') AND deadline_at <= %(now)s
            ORDER BY deadline_at LIMIT 100)
        UNION ALL
        (SELECT id, parent_id FROM tasks
            WHERE state = 'running' AND owner IS NULL AND deadline_at <= %(now)s LIMIT 100)
        """,
        now,
    )


async def take_from_lost(
    conn: Connection, ids: Sequence[str], *, now: datetime, keep_until: datetime, keep_dead_until: datetime
) -> list[tuple[Task, int]]:
    """Takes tasks from workers whose lease has lapsed: back to the queue, or dead after the last failure.

    Those to be cancelled, and those past their deadline, end so. Returns them with their dispatch.
    """
    return await _dispatched(
        conn,
        """
        WITH verdict AS (
            SELECT id, CASE
                WHEN cancel_requested THEN 'cancelled'
                WHEN deadline_at <= %(now)s THEN 'failed'
                WHEN failures + 1 >= max_attempts THEN 'dead'
                ELSE 'queued' END AS state
            FROM tasks WHERE id = ANY(%(ids)s) AND state = 'running' AND lease_until < %(now)s
            FOR UPDATE
        )
        UPDATE tasks SET state = verdict.state, owner = NULL, lease_until = NULL,
            failures = failures + CASE WHEN cancel_requested THEN 0 ELSE 1 END,
            dispatch = dispatch + CASE WHEN verdict.state = 'queued' THEN 1 ELSE 0 END,
            reason = CASE verdict.state WHEN 'cancelled' THEN 'cancelled' WHEN 'failed' THEN 'deadline'
                ELSE 'worker_lost' END,
            finished_at = CASE WHEN verdict.state <> 'queued' THEN %(now)s END,
            keep_until = CASE verdict.state WHEN 'queued' THEN NULL WHEN 'dead' THEN %(keep_dead_until)s::timestamptz
                ELSE %(keep_until)s::timestamptz END
        FROM verdict WHERE tasks.id = verdict.id RETURNING tasks.*
        """,
        {"ids": list(ids), "now": now, "keep_until": keep_until, "keep_dead_until": keep_dead_until},
    )


async def prune(conn: Connection, *, now: datetime, workers_seen_before: datetime) -> int:
    """Deletes ended tasks, cache entries, tenants and workers whose time is over. Returns how many tasks."""
    await conn.execute("DELETE FROM task_cache WHERE expires_at <= %s", (now,))
    await conn.execute("DELETE FROM task_workers WHERE seen_at < %s", (workers_seen_before,))
    # A tenant behind its queue's virtual time starts there, as one that never sent anything. The furthest stays:
    # it is the virtual time of an empty queue.
    await conn.execute(
        """
        DELETE FROM task_tenants AS gone WHERE last_virtual < coalesce(
            (SELECT max(virtual_start) FROM tasks
                WHERE queue = gone.queue AND priority = gone.priority AND state = 'running'),
            (SELECT min(virtual_start) FROM tasks
                WHERE queue = gone.queue AND priority = gone.priority AND state = 'queued'),
            (SELECT max(last_virtual) FROM task_tenants AS others
                WHERE others.queue = gone.queue AND others.priority = gone.priority))
        """
    )
    deleted = await conn.execute(
        """
        DELETE FROM tasks WHERE id IN (SELECT id FROM tasks WHERE keep_until <= %s ORDER BY keep_until LIMIT %s)
        """,
        (now, _BATCH * 4),
    )
    return deleted.rowcount


async def _candidates(conn: Connection, query: str, now: datetime) -> list[Candidate]:
    async with conn.cursor(row_factory=class_row(Candidate)) as cursor:
        await cursor.execute(query, {"now": now})
        return await cursor.fetchall()


async def _dispatched(conn: Connection, query: str, parameters: dict[str, object]) -> list[tuple[Task, int]]:
    async with conn.cursor() as cursor:
        await cursor.execute(query, parameters)
        names = [column.name for column in cursor.description or ()]
        rows = await cursor.fetchall()
        make, dispatch = task_row(cursor), names.index("dispatch")
    return [(make(row), int(row[dispatch])) for row in rows]
