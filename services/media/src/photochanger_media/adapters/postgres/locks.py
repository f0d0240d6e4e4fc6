"""Locks by name, held in PostgreSQL by one connection of the process for all its tasks.

A session may hold any number of advisory locks, and they end with it: a process that dies lets go of everything at
once, with no lease to wait for. Tasks of one process exclude each other in memory, as a session does not exclude
itself.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import psycopg
from photochanger_chassis.postgres.errors import postgres_errors
from photochanger_chassis.postgres.pool import Connection, check_when_stirred, connection_string
from photochanger_chassis.settings import PostgresSettings
from psycopg import AsyncConnection

# Keeps our locks apart from others' in the same database.
_SPACE: Final = 0x6D65646961
_PAUSE_SECONDS: Final = 0.02


@dataclass(slots=True)
class _Queue:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class PostgresLocks:
    """Advisory locks of one session."""

    def __init__(self, settings: PostgresSettings) -> None:
        self._settings = settings
        self._connection: Connection | None = None
        self._connecting = asyncio.Lock()
        self._queues: dict[str, _Queue] = {}

    async def close(self) -> None:
        """Closes the connection, and so lets go of everything."""
        if self._connection is not None:
            await self._connection.close()

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Waits until nobody else holds `name`, then holds it.

        Raises:
            PostgresUnavailable: the database cannot be reached.
        """
        async with self._turn(name):
            while (session := await self._taken(name)) is None:  # noqa: ASYNC110 - another process holds it
                await asyncio.sleep(_PAUSE_SECONDS)
            try:
                yield
            finally:
                await _unbroken(self._give(name, session))

    @asynccontextmanager
    async def try_hold(self, name: str) -> AsyncIterator[bool]:
        """Holds `name` if nobody else does; yields whether it does.

        Raises:
            PostgresUnavailable: the database cannot be reached.
        """
        if name in self._queues:
            yield False
            return
        async with self._turn(name):
            session = await self._taken(name)
            if session is None:
                yield False
                return
            try:
                yield True
            finally:
                await _unbroken(self._give(name, session))

    @asynccontextmanager
    async def _turn(self, name: str) -> AsyncIterator[None]:
        queue = self._queues.setdefault(name, _Queue())
        queue.users += 1
        try:
            async with queue.turn:
                yield
        finally:
            queue.users -= 1
            if not queue.users:
                del self._queues[name]

    async def _taken(self, name: str) -> Connection | None:
        """Tries to take a lock; a caller that is cancelled meanwhile leaves none behind."""
        task = asyncio.ensure_future(self._take(name))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            if task.exception() is None and (session := task.result()) is not None:
                await self._give(name, session)
            raise

    async def _take(self, name: str) -> Connection | None:
        with postgres_errors():
            session = await self._session()
            rows = await session.execute(
                "SELECT pg_try_advisory_lock(hashtextextended(%s, %s))", (name, _SPACE)
            )
            row = await rows.fetchone()
        return session if row is not None and row[0] else None

    async def _give(self, name: str, session: Connection) -> None:
        if session.closed:
            return  # the lock ended with it
        with postgres_errors():
            await session.execute("SELECT pg_advisory_unlock(hashtextextended(%s, %s))", (name, _SPACE))

    async def _session(self) -> Connection:
        async with self._connecting:
            if self._connection is not None and not self._connection.closed:
                # A server that was restarted is noticed here, not by the upload that needs the lock.
                with suppress(psycopg.OperationalError):
                    await check_when_stirred(self._connection)
            if self._connection is None or self._connection.closed:
                self._connection = await AsyncConnection.connect(
                    connection_string(
                        self._settings.database_url.get_secret_value(),
                        application="media-locks",
                        statement_timeout=self._settings.database_statement_timeout,
                    ),
                    autocommit=True,
                )
            return self._connection


async def _unbroken(work: Coroutine[object, object, None]) -> None:
    """Finishes `work`, some milliseconds of it, before a cancellation goes on its way."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
