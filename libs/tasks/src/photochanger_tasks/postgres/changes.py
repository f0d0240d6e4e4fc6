"""Changes of state, each one statement for any number of tasks, each returning the tasks it changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from photochanger_chassis.postgres.pool import Connection

from photochanger_tasks.model import Reason, State, Task
from photochanger_tasks.postgres.rows import task_row


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnd:
    """How an attempt ended, and where its task is to go.

    Args:
        task_id: the task.
        attempt: its number.
        state: done, failed, dead, or back to scheduled or queued.
        keep_until: how long the task stays in the history, if this is its end.
        counted: whether it counts as a failure.
        run_at: in `scheduled`, when the next attempt may start.
        result: what the handler returned.
        reason: why, when it is not done.
        message: the same for people.
    """

    task_id: str
    attempt: int
    state: State
    keep_until: datetime
    counted: bool = False
    run_at: datetime | None = None
    result: bytes | None = None
    reason: str = ""
    message: str = ""


async def lock_parents(conn: Connection, parents: Sequence[str]) -> None:
    """Locks pipelines. Always before their tasks, or two transactions could wait for each other."""
    if parents:
        await conn.execute(
            "SELECT 1 FROM tasks WHERE id = ANY(%s) ORDER BY id FOR UPDATE", (sorted(set(parents)),)
        )


async def end_attempts(
    conn: Connection, ends: Sequence[AttemptEnd], *, owner: str, now: datetime
) -> list[Task]:
    """Ends attempts whose word still counts. One whose task shall be cancelled ends cancelled, whatever it says."""
    async with conn.cursor(row_factory=task_row) as cursor:
        await cursor.execute(
            _END_ATTEMPTS,
            {
                "owner": owner,
                "now": now,
                "id": [end.task_id for end in ends],
                "attempt": [end.attempt for end in ends],
                "state": [end.state.value for end in ends],
                "finished": [end.state.finished for end in ends],
                "failures": [int(end.counted) for end in ends],
                "keep_until": [end.keep_until for end in ends],
                "run_at": [end.run_at for end in ends],
                "result": [end.result for end in ends],
                "reason": [end.reason for end in ends],
                "message": [end.message for end in ends],
            },
        )
        return await cursor.fetchall()


async def end_waiting(
    conn: Connection,
    ids: Sequence[str],
    state: State,
    *,
    reason: str,
    message: str = "",
    by: str = "",
    now: datetime,
    keep_until: datetime,
) -> list[Task]:
    """Ends tasks that no worker has: waiting ones, and pipelines."""
    async with conn.cursor(row_factory=task_row) as cursor:
        await cursor.execute(
            """
            UPDATE tasks SET state = %(state)s, reason = %(reason)s, message = %(message)s, run_at = NULL,
                finished_at = %(now)s, keep_until = %(keep_until)s, decided_by = %(by)s,
                progress = CASE WHEN %(state)s = 'done' THEN 100 ELSE progress END
            WHERE id = ANY(%(ids)s)
                AND (state IN ('blocked', 'scheduled', 'queued') OR (state = 'running' AND owner IS NULL))
            RETURNING *
            """,
            {
                "ids": list(ids),
                "state": state.value,
                "reason": reason,
                "message": message,
                "by": by,
                "now": now,
                "keep_until": keep_until,
            },
        )
        return await cursor.fetchall()


async def request_cancel(conn: Connection, ids: Sequence[str], *, by: str) -> list[str]:
    """Asks the workers of running tasks to stop, and wakes them. Returns the tasks that are running."""
    cursor = await conn.execute(
        """
        WITH asked AS (
            UPDATE tasks SET cancel_requested = true, decided_by = %(by)s
            WHERE id = ANY(%(ids)s) AND state = 'running' AND owner IS NOT NULL
            RETURNING id
        )
        SELECT id, pg_notify('task_cancel', id) FROM asked
        """,
        {"ids": list(ids), "by": by},
    )
    return [str(row[0]) for row in await cursor.fetchall()]


async def drop_dead(
    conn: Connection, task_id: str, *, by: str, now: datetime, keep_until: datetime
) -> Task | None:
    """Gives a dead task up for good. Returns it, None if it is not dead."""
    async with conn.cursor(row_factory=task_row) as cursor:
        await cursor.execute(
            """
            UPDATE tasks SET state = 'failed', reason = %(reason)s, decided_by = %(by)s, finished_at = %(now)s,
                keep_until = %(keep_until)s
            WHERE id = %(id)s AND state = 'dead' RETURNING *
            """,
            {"id": task_id, "reason": Reason.DROPPED, "by": by, "now": now, "keep_until": keep_until},
        )
        return await cursor.fetchone()


_END_ATTEMPTS = """
    UPDATE tasks SET
        state = CASE WHEN cancel_requested THEN 'cancelled' ELSE given.state END,
        failures = tasks.failures + CASE WHEN cancel_requested THEN 0 ELSE given.failures END,
        run_at = CASE WHEN cancel_requested THEN NULL ELSE given.run_at END,
        result = CASE WHEN cancel_requested THEN NULL ELSE given.result END,
        reason = CASE WHEN cancel_requested THEN 'cancelled' ELSE given.reason END,
        message = CASE WHEN cancel_requested THEN '' ELSE given.message END,
        progress = CASE WHEN given.state = 'done' AND NOT cancel_requested THEN 100 ELSE progress END,
        finished_at = CASE WHEN cancel_requested OR given.finished THEN %(now)s END,
        keep_until = CASE WHEN cancel_requested OR given.finished THEN given.keep_until END,
        owner = NULL,
        lease_until = NULL
    FROM unnest(
        %(id)s::text[], %(attempt)s::integer[], %(state)s::text[], %(finished)s::boolean[], %(failures)s::integer[],
        %(keep_until)s::timestamptz[], %(run_at)s::timestamptz[], %(result)s::bytea[], %(reason)s::text[],
        %(message)s::text[]
    ) AS given (id, attempt, state, finished, failures, keep_until, run_at, result, reason, message)
    WHERE tasks.id = given.id AND tasks.attempt = given.attempt
        AND tasks.owner = %(owner)s AND tasks.state = 'running'
    RETURNING tasks.*
"""
