"""Connections to PostgreSQL: raw psycopg 3, autocommit, transactions where they are asked for."""

import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, TypeAlias

import structlog
from psycopg import AsyncConnection, conninfo
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from photochanger_chassis.postgres.errors import postgres_errors
from photochanger_chassis.settings import PostgresSettings

_log = structlog.stdlib.get_logger(__name__)

Connection: TypeAlias = AsyncConnection[TupleRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]

# How long the pool goes on by itself after losing the server. Short, because its pauses double: once it has
# given up, the next request makes it try again at once.
_RECONNECT_SECONDS: Final = 4.0
_CONNECT_SECONDS: Final = 3


@asynccontextmanager
async def open_pool(settings: PostgresSettings, *, application: str) -> AsyncIterator[Pool]:
    """Opens a pool for the life of the process. Does not wait for the database: readiness tells when it is there.

    Connections are in autocommit mode: a lone statement is one round trip, `transaction` opens a block. Lost
    connections are noticed when taken and replaced, so a restart of the server needs none of ours. Rows are
    tuples; ask for classes where they are read: `connection.cursor(row_factory=class_row(Job))`.
    """
    pool: Pool = AsyncConnectionPool(
        connection_string(
            settings.database_url.get_secret_value(),
            application=application,
            statement_timeout=settings.database_statement_timeout,
        ),
        connection_class=AsyncConnection[TupleRow],
        kwargs={"autocommit": True},
        min_size=settings.database_pool_min,
        max_size=max(settings.database_pool_max, settings.database_pool_min),
        timeout=settings.database_pool_timeout.total_seconds(),
        # More waiters than this cannot be served in time anyway.
        max_waiting=settings.database_pool_max * 20,
        check=check_when_stirred,
        reconnect_timeout=_RECONNECT_SECONDS,
        name=application,
        open=False,
    )
    await pool.open(wait=False)
    try:
        yield pool
    finally:
        await pool.close()


@asynccontextmanager
async def connection(pool: Pool) -> AsyncIterator[Connection]:
    """Lends a connection in autocommit mode: for reads and for single statements.

    Raises:
        PostgresUnavailable: see `postgres_errors`.
    """
    with postgres_errors():
        async with pool.connection() as lent:
            yield lent


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """Lends a connection inside one transaction: committed at the end of the block, rolled back by an error.

    Raises:
        PostgresUnavailable: see `postgres_errors`. After a failure while committing the outcome is unknown: the
            changes may be there.
    """
    with postgres_errors():
        async with pool.connection() as lent, lent.transaction():
            yield lent


async def probe(pool: Pool) -> None:
    """Raises unless the database answers. For `Check`."""
    async with connection(pool) as lent:
        await lent.execute("SELECT 1")


def connection_string(url: str, *, application: str, statement_timeout: timedelta) -> str:
    """Adds to a database URL what makes a connection fail fast and notice a silent peer."""
    milliseconds = int(statement_timeout.total_seconds() * 1000)
    given = conninfo.conninfo_to_dict(url).get("options") or ""
    return conninfo.make_conninfo(
        url,
        application_name=application,
        connect_timeout=_CONNECT_SECONDS,
        options=f"-c statement_timeout={milliseconds} -c idle_in_transaction_session_timeout=60000 {given}",
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=15_000,
    )


async def check_when_stirred(lent: Connection) -> None:
    """Makes sure of a connection only if its socket has something to read.

    An idle connection has not, unless the server closed it (or sent a notice). This costs a system call where
    `AsyncConnectionPool.check_connection` costs a round trip for each use of the pool.
    """
    poll = select.poll()
    poll.register(lent.fileno(), select.POLLIN)
    if poll.poll(0):
        await AsyncConnectionPool.check_connection(lent)
