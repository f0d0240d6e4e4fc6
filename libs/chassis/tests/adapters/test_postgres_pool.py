import asyncio
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from photochanger_chassis.postgres.errors import PostgresUnavailable, postgres_errors
from photochanger_chassis.postgres.pool import connection, open_pool, probe, transaction
from photochanger_chassis.settings import PostgresSettings
from pydantic import SecretStr


def _settings(url: str, **more: Any) -> PostgresSettings:
    return PostgresSettings(database_url=SecretStr(url), **more)


async def test_a_transaction_commits_at_its_end_and_rolls_back_on_an_error(postgres_url: str) -> None:
    async with open_pool(_settings(postgres_url), application="test") as pool:
        async with connection(pool) as conn:
            await conn.execute("CREATE TABLE t (x int)")
        async with transaction(pool) as conn:
            await conn.execute("INSERT INTO t VALUES (1)")
        with pytest.raises(KeyError):
            async with transaction(pool) as conn:
                await conn.execute("INSERT INTO t VALUES (2)")
                raise KeyError
        async with connection(pool) as conn:
            assert await (await conn.execute("SELECT x FROM t")).fetchall() == [(1,)]


async def test_every_connection_answers_at_once_after_the_server_was_restarted(own_postgres: Any) -> None:
    server = await asyncio.to_thread(own_postgres)
    settings = _settings(server.url, database_pool_min=4)
    async with open_pool(settings, application="test") as pool:
        await pool.wait()
        await asyncio.to_thread(server.restart)
        await asyncio.gather(*(probe(pool) for _ in range(8)))


async def test_a_killed_server_is_unavailable_and_used_again_when_it_is_back(own_postgres: Any) -> None:
    server = await asyncio.to_thread(own_postgres)
    settings = _settings(server.url, database_pool_timeout=timedelta(seconds=0.2))
    async with open_pool(settings, application="test") as pool:
        await probe(pool)
        await asyncio.to_thread(server.kill)
        with pytest.raises(PostgresUnavailable) as refused:
            await probe(pool)
        assert refused.value.retry_after is not None
        await asyncio.to_thread(server.start)
        async with asyncio.timeout(30):
            while not await _works(pool):
                pass


async def _works(pool: Any) -> bool:
    try:
        await probe(pool)
    except PostgresUnavailable:
        return False
    return True


async def test_an_exhausted_pool_is_unavailable(postgres_url: str) -> None:
    settings = _settings(
        postgres_url, database_pool_min=1, database_pool_max=1, database_pool_timeout=timedelta(seconds=0.1)
    )
    async with open_pool(settings, application="test") as pool, connection(pool):
        with pytest.raises(PostgresUnavailable):
            await probe(pool)


async def test_a_statement_that_takes_too_long_is_ended(postgres_url: str) -> None:
    settings = _settings(postgres_url, database_statement_timeout=timedelta(milliseconds=50))
    async with open_pool(settings, application="test") as pool, connection(pool) as conn:
        with pytest.raises(PostgresUnavailable), postgres_errors():
            await conn.execute("SELECT pg_sleep(30)")


async def test_a_violated_constraint_is_left_to_the_caller(postgres_url: str) -> None:
    async with open_pool(_settings(postgres_url), application="test") as pool:
        with pytest.raises(psycopg.errors.CheckViolation):
            async with connection(pool) as conn:
                await conn.execute("CREATE TABLE t (x int CHECK (x > 0))")
                await conn.execute("INSERT INTO t VALUES (0)")
