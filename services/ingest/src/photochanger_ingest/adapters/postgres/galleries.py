"""The share of the galleries, and the pictures it shows."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from photochanger_chassis.postgres.pool import Pool, connection

from photochanger_ingest.adapters.postgres.rows import JOB_COLUMNS, job_of
from photochanger_ingest.application.share_galleries import GalleryShare, SharedGallery
from photochanger_ingest.domain.ids import SlotId

# The gallery's partial index serves each slot's newest pictures.
_PICTURES: Final = f"""
    SELECT slots.display_name, newest.* FROM slots CROSS JOIN LATERAL (
        SELECT {JOB_COLUMNS} FROM jobs
        WHERE jobs.mode = 'sync' AND jobs.slot_id = slots.id AND result IS NOT NULL AND result_expires_at > %(now)s
        ORDER BY position DESC LIMIT %(per_slot)s
    ) AS newest
    ORDER BY slots.id, newest.created_at DESC
"""  # noqa: S608 - only columns are put in


class PostgresGalleries:
    """Keeps the promises of `application.share_galleries.Galleries`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def save(self, share: GalleryShare, *, requested_by: str) -> None:
        """See the port."""
        async with connection(self._pool) as conn:
            await conn.execute(
                """
                INSERT INTO gallery_share (requested_at, requested_by, share_until)
                VALUES (%(requested_at)s, %(requested_by)s, %(share_until)s)
                ON CONFLICT (singleton) DO UPDATE SET
                    requested_at = excluded.requested_at, requested_by = excluded.requested_by,
                    share_until = excluded.share_until
                """,
                {
                    "requested_at": share.requested_at,
                    "requested_by": requested_by,
                    "share_until": share.share_until,
                },
            )

    async def current(self) -> GalleryShare | None:
        """See the port."""
        async with connection(self._pool) as conn:
            row = await (await conn.execute("SELECT requested_at, share_until FROM gallery_share")).fetchone()
        return None if row is None else GalleryShare(requested_at=row[0], share_until=row[1])

    async def pictures(self, *, now: datetime, per_slot: int) -> Sequence[SharedGallery]:
        """See the port."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(_PICTURES.encode(), {"now": now, "per_slot": per_slot})
            rows = await cursor.fetchall()
        named = [(str(row[0]), job_of(row[1:])) for row in rows]
        return [
            SharedGallery(SlotId(slot_id), items[0][0], tuple(job for _, job in items))
            for slot_id, group in groupby(named, key=lambda pair: pair[1].slot_id)
            if (items := list(group))
        ]
