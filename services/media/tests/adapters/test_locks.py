"""Locks by name."""

import asyncio
from collections.abc import Callable

from photochanger_chassis.settings import PostgresSettings
from photochanger_devstack.testing.servers import OwnPostgres
from photochanger_media.adapters.postgres.locks import PostgresLocks
from pydantic import SecretStr


async def test_a_restart_of_the_database_between_two_locks_costs_nobody_a_lock(
    own_postgres: Callable[[], OwnPostgres],
) -> None:
    server = await asyncio.to_thread(own_postgres)
    locks = PostgresLocks(PostgresSettings(database_url=SecretStr(server.url)))
    async with locks.hold("a key"):
        pass
    await asyncio.to_thread(server.restart)
    async with locks.hold("a key"), locks.try_hold("another") as held:
        assert held
    await locks.close()
