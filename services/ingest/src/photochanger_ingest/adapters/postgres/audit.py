"""The table `audit_entries`, which refuses by itself whatever is not adding, closing or pruning."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, cast

from photochanger_chassis.postgres.pool import Pool, connection, transaction
from psycopg.types.json import Jsonb

from photochanger_ingest.application.audit import AuditCursor, AuditPage, AuditQuery
from photochanger_ingest.domain.audit import AuditEntry, AuditId, AuditOutcome

_COLUMNS: Final = "id, occurred_at, actor, address, action, target, facts, outcome, refusal"

PRUNE_AUDIT: Final = """
    DELETE FROM audit_entries WHERE id IN (
        SELECT id FROM audit_entries WHERE occurred_at < least(%(now)s, now()) - interval '400 days'
        ORDER BY occurred_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
"""
"""Removes what is past its retention, by our clock and by that of the database, which the table goes by."""


class PostgresAuditLog:
    """Keeps the promises of `application.audit.AuditLog`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add(self, entry: AuditEntry) -> None:
        """See the port."""
        async with connection(self._pool) as conn:
            await conn.execute(
                """
                INSERT INTO audit_entries (id, occurred_at, actor, address, action, target, facts)
                VALUES (%(id)s, %(occurred_at)s, %(actor)s, %(address)s, %(action)s, %(target)s, %(facts)s)
                ON CONFLICT (id) DO NOTHING
                """,
                {
                    "id": entry.id,
                    "occurred_at": entry.occurred_at,
                    "actor": entry.actor,
                    "address": entry.address,
                    "action": entry.action,
                    "target": entry.target,
                    "facts": Jsonb(dict(entry.facts)),
                },
            )

    async def change(self, entry_id: AuditId, change: Callable[[AuditEntry], AuditEntry]) -> bool:
        """See the port."""
        async with transaction(self._pool) as conn:
            cursor = await conn.execute(
                f"SELECT {_COLUMNS} FROM audit_entries WHERE id = %s FOR UPDATE",  # noqa: S608 - columns are ours
                (entry_id,),
            )
            row = await cursor.fetchone()
            if row is None:
                return False
            before = _entry(row)
            after = change(before)
            if after != before:
                await conn.execute(
                    "UPDATE audit_entries SET outcome = %s, refusal = %s, facts = %s WHERE id = %s",
                    (after.outcome, after.refusal, Jsonb(dict(after.facts)), entry_id),
                )
            return True

    async def list(self, query: AuditQuery) -> AuditPage:
        """See the port."""
        conditions = ["true"]
        if query.actor:
            conditions.append("actor = %(actor)s")
        if query.target:
            conditions.append("target = %(target)s")
        if query.action_prefix:
            conditions.append("starts_with(action, %(action_prefix)s)")
        area, dot, _ = query.action_prefix.partition(".")
        if dot:
            conditions.append("split_part(action, '.', 1) = %(area)s")
        if query.after is not None:
            conditions.append("(occurred_at, id) < (%(occurred_at)s, %(id)s)")
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                f"""
                SELECT {_COLUMNS} FROM audit_entries WHERE {" AND ".join(conditions)}
                ORDER BY occurred_at DESC, id DESC LIMIT %(limit)s + 1
                """.encode(),  # noqa: S608 - conditions are ours
                {
                    "actor": query.actor,
                    "target": query.target,
                    "action_prefix": query.action_prefix,
                    "area": area,
                    "occurred_at": query.after and query.after.occurred_at,
                    "id": query.after and query.after.id,
                    "limit": query.limit,
                },
            )
            rows = await cursor.fetchall()
        entries = tuple(_entry(row) for row in rows[: query.limit])
        more = len(rows) > query.limit
        return AuditPage(entries, AuditCursor(entries[-1].occurred_at, entries[-1].id) if more else None)


def _entry(row: Sequence[object]) -> AuditEntry:
    entry_id, occurred_at, actor, address, action, target, facts, outcome, refusal = row
    return AuditEntry(
        id=AuditId(str(entry_id)),
        occurred_at=cast(datetime, occurred_at),
        actor=str(actor),
        address=str(address),
        action=str(action),
        target=str(target),
        facts=cast(dict[str, str], facts),
        outcome=None if outcome is None else AuditOutcome(str(outcome)),
        refusal=str(refusal),
    )
