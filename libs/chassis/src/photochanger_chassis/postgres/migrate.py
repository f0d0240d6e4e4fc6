"""Brings a service's database to the schema its code expects. Used by a command, before services start.

A service keeps its migrations in a package of its own, `photochanger_<service>.migrations`, with one module
per revision under `versions/`; alembic's env.py is not needed.
"""

import zlib
from dataclasses import dataclass
from typing import Final

import psycopg
import sqlalchemy
import structlog
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg import conninfo, sql
from sqlalchemy.pool import NullPool

from photochanger_chassis.settings import PostgresSettings

_log = structlog.stdlib.get_logger(__name__)
_MAINTENANCE_DATABASES: Final = ("postgres", "template1")


class SchemaOutdated(Exception):
    """The database is older than the code. Run the service's `migrate` command first."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """Where a database stands: what was applied, what the code knows as newest."""

    applied: str | None
    head: str


def migrate(settings: PostgresSettings, package: str) -> SchemaState:
    """Creates the database if it is missing and applies what is not yet applied, in order.

    Safe on several machines at once: one works, the others wait for it and find nothing to do. Each revision
    is a transaction. `package` is the dotted name of the migrations package. Blocking; run it before a loop
    starts, or in a thread.

    Raises:
        psycopg.Error: the server cannot be reached, or a migration failed (its transaction is rolled back).
    """
    url = settings.database_url.get_secret_value()
    _create_database_if_missing(url)
    script = _script(package)
    lock_key = zlib.crc32(package.encode())
    with psycopg.connect(url, autocommit=True) as guard:
        guard.execute("SELECT pg_advisory_lock(%s)", (lock_key,))
        _upgrade(url, script)
    state = schema_state(settings, package)
    _log.info("schema.migrated", package=package, revision=state.applied)
    return state


def schema_state(settings: PostgresSettings, package: str) -> SchemaState:
    """Returns the revision applied and the newest the code knows. Blocking."""
    head = _script(package).get_current_head()
    if head is None:
        raise ValueError(f"{package} has no revisions.")
    with _engine(settings.database_url.get_secret_value()).connect() as connection:
        return SchemaState(MigrationContext.configure(connection).get_current_revision(), head)


def check_schema(settings: PostgresSettings, package: str) -> None:
    """Refuses to start on a database older than the code. A newer one is fine: the next version migrated it.

    Blocking.

    Raises:
        SchemaOutdated: a revision is missing; the message says what to run.
    """
    state = schema_state(settings, package)
    if state.applied == state.head:
        return
    if state.applied is not None:
        try:
            _script(package).get_revision(state.applied)
        except CommandError:
            _log.info("schema.newer_than_code", applied=state.applied, head=state.head)
            return
    raise SchemaOutdated(
        f"The database is at {state.applied or 'no revision'}, this version needs {state.head}. "
        "Run this service's migrate command, then start it again."
    )


def _script(package: str) -> ScriptDirectory:
    config = Config()
    # alembic's `package:folder` notation; the dotted parent resolves to an installed package.
    parent, _, folder = package.rpartition(".")
    config.set_main_option("script_location", f"{parent}:{folder}")
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def _upgrade(url: str, script: ScriptDirectory) -> None:
    with (
        EnvironmentContext(
            Config(),
            script,
            fn=lambda revision, _context: script._upgrade_revs("head", revision),
            destination_rev="head",
        ) as environment,
        _engine(url).connect() as connection,
    ):
        environment.configure(connection=connection, transaction_per_migration=True)
        with environment.begin_transaction():
            environment.run_migrations()


def _engine(url: str) -> sqlalchemy.Engine:
    return sqlalchemy.create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool
    )


def _create_database_if_missing(url: str) -> None:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        # While connecting the server's code (3D000) is not in the error, so the list of databases decides.
        if not _create_database(url):
            raise


def _create_database(url: str) -> bool:
    name = str(conninfo.conninfo_to_dict(url).get("dbname", ""))
    for maintenance in _MAINTENANCE_DATABASES:
        try:
            server = psycopg.connect(url, dbname=maintenance, autocommit=True)
        except psycopg.OperationalError:
            continue
        with server:
            known = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
            if known is not None or not name:
                return False
            try:
                server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return True  # another machine was faster
            _log.info("database.created", database=name)
            return True
    return False
