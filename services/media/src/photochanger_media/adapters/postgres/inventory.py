"""Compares the bucket's listing with the index inside the database: memory does not grow with the bucket."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from photochanger_chassis.postgres.pool import Connection, Pool, connection

from photochanger_media.application.ports import ListedObject, Remains
from photochanger_media.domain.media_object import MediaId


class PostgresInventory:
    """A listing in a temporary table of one connection."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    async def note(self, page: Sequence[ListedObject]) -> None:
        """Takes a page of the bucket's listing."""
        async with self._conn.cursor() as cursor:
            await cursor.executemany(
                "INSERT INTO listed (key, size_bytes, etag, modified_at) VALUES (%s, %s, %s, %s) "
                "ON CONFLICT (key) DO UPDATE SET etag = excluded.etag, modified_at = excluded.modified_at",
                [(item.key, item.size_bytes, item.etag, item.modified_at) for item in page],
            )

    async def objects_without_row(self, *, limit: int) -> list[ListedObject]:
        """Takes out and returns listed objects that no unpurged row knows; empty: no more."""
        rows = await self._conn.execute(
            "DELETE FROM listed WHERE key IN (SELECT key FROM listed WHERE NOT EXISTS "
            "(SELECT FROM media_objects WHERE media_objects.key = listed.key AND purged_at IS NULL) LIMIT %s) "
            "RETURNING key, size_bytes, etag, modified_at",
            (limit,),
        )
        return [ListedObject(*row) for row in await rows.fetchall()]

    async def rows_without_object(self, *, stored_before: datetime, limit: int) -> list[Remains]:
        """Returns live rows, stored before then, whose very bytes were not listed."""
        rows = await self._conn.execute(
            "SELECT id, key, size_bytes FROM media_objects WHERE ended_at IS NULL AND created_at < %s "
            "AND NOT EXISTS (SELECT FROM listed WHERE listed.key = media_objects.key "
            "AND listed.etag = media_objects.etag) ORDER BY id LIMIT %s",
            (stored_before, limit),
        )
        return [Remains(MediaId(row[0]), row[1], row[2]) for row in await rows.fetchall()]


class PostgresInventories:
    """Opens comparisons, each on a connection of its own."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def open(self) -> AsyncIterator[PostgresInventory]:
        """Opens an empty one; it vanishes with the block."""
        async with connection(self._pool) as conn:
            await conn.execute("DROP TABLE IF EXISTS listed")
            await conn.execute(
                "CREATE TEMPORARY TABLE listed (key text PRIMARY KEY, size_bytes bigint NOT NULL, "
                "etag text NOT NULL, modified_at timestamptz NOT NULL)"
            )
            try:
                yield PostgresInventory(conn)
            finally:
                await conn.execute("DROP TABLE IF EXISTS listed")
