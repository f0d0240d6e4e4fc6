"""Results that may be used again for a while, shared by all replicas."""

import zlib
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from photochanger_chassis.clock import Clock
from photochanger_chassis.postgres.pool import Connection, Pool, connection, transaction

_NAMESPACE: Final = 0x7461736B  # "task"; keeps its advisory locks apart from others'


class ResultCache:
    """Values by key, each with an end. In PostgreSQL, so a replica's miss is another's hit."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock

    async def get(self, key: str) -> bytes | None:
        """Returns the value, None if there is none or its time is over."""
        async with connection(self._pool) as conn:
            return await self._get(conn, key)

    async def put(self, key: str, value: bytes, ttl: timedelta) -> None:
        """Stores a value for that long."""
        async with connection(self._pool) as conn:
            await self._put(conn, key, value, ttl)

    async def get_or_compute(
        self, key: str, compute: Callable[[], Awaitable[bytes]], ttl: timedelta
    ) -> bytes:
        """Returns the value, or computes and stores it. Of all who miss it at once, one computes.

        A connection and a transaction are held meanwhile, so `compute` takes seconds, not minutes. When it raises,
        the next one who waits tries.
        """
        value = await self.get(key)
        if value is not None:
            return value
        async with transaction(self._pool) as conn:
            await conn.execute(
                "SELECT pg_advisory_xact_lock(%s, %s)",
                (_NAMESPACE, zlib.crc32(key.encode()) - 2**31),
            )
            value = await self._get(conn, key)
            if value is None:
                value = await compute()
                await self._put(conn, key, value, ttl)
        return value

    async def _get(self, conn: Connection, key: str) -> bytes | None:
        cursor = await conn.execute(
            "SELECT value FROM task_cache WHERE key = %s AND expires_at > %s", (key, self._clock.now())
        )
        row = await cursor.fetchone()
        return None if row is None else bytes(row[0])

    async def _put(self, conn: Connection, key: str, value: bytes, ttl: timedelta) -> None:
        await conn.execute(
            """
            INSERT INTO task_cache (key, value, expires_at) VALUES (%s, %s, %s)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
            """,
            (key, value, self._clock.now() + ttl),
        )
