"""New tasks, and their turns.

Turns are start-time fair queueing (Goyal, Vin, Cheng: https://doi.org/10.1145/248156.248171): each task gets a
virtual start, a tenant's next one lies 1/weight behind its last, and no tenant starts before the queue's
virtual time. So a thousand tasks of one tenant and one of another are done in the order a, b, a, a, a…

The queue's virtual time is read off its tasks: the latest start of those running, else the earliest of those
waiting, else the latest a tenant has reached. There is no row that all submissions would have to lock; those of
one tenant lock the tenant's until they commit.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from photochanger_chassis.postgres.pool import Connection

from photochanger_tasks.events import TICKET_TYPE
from photochanger_tasks.model import State, Task
from photochanger_tasks.postgres.rows import task_row


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRow:
    """A task to insert, everything decided but its turn."""

    id: str
    kind: str
    queue: str
    priority: int
    tenant: str
    payload: bytes
    payload_type: str
    unique_key: str | None
    deadline_at: datetime | None
    run_at: datetime | None
    state: State
    max_attempts: int
    weight: float
    parent_id: str | None = None
    step: int = 0


async def insert(
    conn: Connection, rows: Sequence[NewRow], *, now: datetime, trace: dict[str, str]
) -> list[Task]:
    """Inserts tasks with their tickets; returns those inserted: not those whose unique key a live task has."""
    inserted: list[Task] = []
    # Tenants in a fixed order, or two transactions with several could wait for each other.
    turn = sorted(rows, key=lambda row: (row.queue, row.priority, row.tenant, row.weight))
    for (queue, priority, tenant, weight), group in groupby(
        turn, key=lambda row: (row.queue, row.priority, row.tenant, row.weight)
    ):
        members = list(group)
        async with conn.cursor(row_factory=task_row) as cursor:
            await cursor.execute(
                _INSERT,
                {
                    "queue": queue,
                    "priority": priority,
                    "tenant": tenant,
                    "cost": 1 / weight,
                    "number": len(members),
                    "now": now,
                    "ticket_type": TICKET_TYPE,
                    "trace": json.dumps(trace),
                    "id": [row.id for row in members],
                    "kind": [row.kind for row in members],
                    "payload": [row.payload for row in members],
                    "payload_type": [row.payload_type for row in members],
                    "unique_key": [row.unique_key for row in members],
                    "deadline_at": [row.deadline_at for row in members],
                    "run_at": [row.run_at for row in members],
                    "state": [row.state.value for row in members],
                    "max_attempts": [row.max_attempts for row in members],
                    "parent_id": [row.parent_id for row in members],
                    "step": [row.step for row in members],
                },
            )
            inserted += await cursor.fetchall()
    return inserted


async def live_with_keys(conn: Connection, keys: Sequence[str]) -> dict[str, Task]:
    """Returns the live tasks that have these unique keys, by key. They stay live until the transaction ends."""
    async with conn.cursor(row_factory=task_row) as cursor:
        await cursor.execute(
            """
            SELECT * FROM tasks
            WHERE unique_key = ANY(%s) AND state IN ('blocked', 'scheduled', 'queued', 'running')
            FOR SHARE
            """,
            (list(keys),),
        )
        return {task.unique_key: task for task in await cursor.fetchall() if task.unique_key is not None}


async def requeue(conn: Connection, task_id: str, *, now: datetime, by: str) -> tuple[Task, int] | None:
    """Makes a dead task live again, all its attempts anew. Returns it and its dispatch, None if it is not dead.

    Raises:
        psycopg.errors.UniqueViolation: a live task has its unique key meanwhile.
    """
    async with conn.cursor() as cursor:
        await cursor.execute(
            """
            UPDATE tasks SET state = 'queued', failures = 0, cancel_requested = false, finished_at = NULL,
                keep_until = NULL, reason = '', message = '', progress = 0, stage = '', status = '',
                dispatch = dispatch + 1, decided_by = %(by)s,
                deadline_at = CASE WHEN deadline_at > %(now)s THEN deadline_at END
            WHERE id = %(id)s AND state = 'dead'
            RETURNING dispatch
            """,
            {"id": task_id, "by": by, "now": now},
        )
        row = await cursor.fetchone()
    if row is None:
        return None
    async with conn.cursor(row_factory=task_row) as tasks:
        await tasks.execute("SELECT * FROM tasks WHERE id = %s", (task_id,))
        return (await tasks.fetchall())[0], int(row[0])


_INSERT = """
    WITH turn AS (
        INSERT INTO task_tenants AS tenants (queue, priority, tenant, last_virtual)
        SELECT %(queue)s, %(priority)s, %(tenant)s, %(number)s * %(cost)s::float8 + coalesce(
            (SELECT max(virtual_start) FROM tasks
                WHERE queue = %(queue)s AND priority = %(priority)s AND state = 'running'),
            (SELECT min(virtual_start) FROM tasks
                WHERE queue = %(queue)s AND priority = %(priority)s AND state = 'queued'),
            (SELECT max(last_virtual) FROM task_tenants
                WHERE queue = %(queue)s AND priority = %(priority)s),
            0)
        ON CONFLICT (queue, priority, tenant) DO UPDATE SET last_virtual = %(number)s * %(cost)s::float8
            + greatest(tenants.last_virtual, excluded.last_virtual - %(number)s * %(cost)s::float8)
        RETURNING last_virtual - %(number)s * %(cost)s::float8 AS first
    ), inserted AS (
    INSERT INTO tasks (
        id, kind, queue, priority, tenant, payload, payload_type, unique_key, deadline_at, run_at, state,
        max_attempts, virtual_start, parent_id, step, created_at, trace
    )
    SELECT given.id, given.kind, %(queue)s, %(priority)s, %(tenant)s, given.payload, given.payload_type,
        given.unique_key, given.deadline_at, given.run_at, given.state, given.max_attempts,
        turn.first + (given.place - 1) * %(cost)s::float8, given.parent_id, given.step, %(now)s, %(trace)s::jsonb
    FROM turn, unnest(
        %(id)s::text[], %(kind)s::text[], %(payload)s::bytea[], %(payload_type)s::text[], %(unique_key)s::text[],
        %(deadline_at)s::timestamptz[], %(run_at)s::timestamptz[], %(state)s::text[], %(max_attempts)s::integer[],
        %(parent_id)s::text[], %(step)s::integer[]
    ) WITH ORDINALITY AS given (
        id, kind, payload, payload_type, unique_key, deadline_at, run_at, state, max_attempts, parent_id, step, place
    )
    ORDER BY given.place
    ON CONFLICT (unique_key)
        WHERE unique_key IS NOT NULL AND state IN ('blocked', 'scheduled', 'queued', 'running')
        DO NOTHING
    RETURNING *
    ), tickets AS (
        INSERT INTO outbox (id, subject, aggregate_id, data, data_type, occurred_at, trace)
        SELECT id || ':0', 'tasks.' || queue || '.' || kind, id || ':0', '', %(ticket_type)s, created_at, '{}'
        FROM inserted WHERE state = 'queued'
        RETURNING 1
    )
    SELECT inserted.*, (SELECT pg_notify('outbox', '') FROM tickets LIMIT 1) FROM inserted ORDER BY position
"""
