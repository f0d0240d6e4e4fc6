"""What slots have been."""

from photochanger_chassis.postgres.pool import Pool, connection

from photochanger_ingest.adapters.postgres.rows import SLOT_VERSION_COLUMNS, slot_version_of
from photochanger_ingest.application.store import Page
from photochanger_ingest.domain.ids import SlotId
from photochanger_ingest.domain.slot_version import SlotVersion

# The primary key serves both: one row, and pages from the newest backwards.


class PostgresSlotVersions:
    """Keeps the promises of `application.configure.SlotVersions`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def get(self, slot_id: SlotId, version: int) -> SlotVersion | None:
        """See the port."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                f"SELECT {SLOT_VERSION_COLUMNS} FROM slot_versions WHERE slot_id = %s AND version = %s",  # noqa: S608 - columns are ours
                (slot_id, version),
            )
            row = await cursor.fetchone()
        return None if row is None else slot_version_of(row)

    async def list(self, slot_id: SlotId, *, limit: int, before: int | None) -> Page[SlotVersion]:
        """See the port."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                f"""
                SELECT {SLOT_VERSION_COLUMNS} FROM slot_versions
                WHERE slot_id = %(slot_id)s AND (%(before)s::bigint IS NULL OR version < %(before)s)
                ORDER BY version DESC LIMIT %(limit)s + 1
                """,  # noqa: S608 - columns are ours
                {"slot_id": slot_id, "before": before, "limit": limit},
            )
            rows = await cursor.fetchall()
        versions = tuple(slot_version_of(row) for row in rows[:limit])
        return Page(versions, versions[-1].slot.version if len(rows) > limit else None)
