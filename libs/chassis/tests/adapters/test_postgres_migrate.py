import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from photochanger_chassis.postgres.migrate import SchemaOutdated, check_schema, migrate, schema_state
from photochanger_chassis.settings import PostgresSettings
from pydantic import SecretStr

_REVISION = """
from alembic import op

revision = "{revision}"
down_revision = {previous}


def upgrade() -> None:
    op.execute("{statement}")
"""


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Writes migrations, each a (revision, statement), as `planted.migrations`."""
    versions = tmp_path / "planted" / "migrations" / "versions"
    versions.mkdir(parents=True)
    (tmp_path / "planted" / "__init__.py").touch()
    sys.path.insert(0, str(tmp_path))

    def write(*revisions: tuple[str, str]) -> str:
        for old in versions.glob("*.py"):
            old.unlink()
        previous = None
        for revision, statement in revisions:
            text = _REVISION.format(revision=revision, previous=repr(previous), statement=statement)
            (versions / f"{revision}.py").write_text(text)
            previous = revision
        return "planted.migrations"

    yield write
    sys.path.remove(str(tmp_path))
    sys.modules.pop("planted", None)


_FIRST = ("0001", "CREATE TABLE a (x int)")
_SECOND = ("0002", "ALTER TABLE a ADD y int")


def _settings(url: str) -> PostgresSettings:
    return PostgresSettings(database_url=SecretStr(url))


def test_a_missing_database_is_created_and_brought_to_the_newest_revision(
    postgres_server: Any, postgres_url: str, package: Callable[..., str]
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
    postgres_server.drop_database(name)
    planted = package(_FIRST, _SECOND)
    assert migrate(_settings(postgres_url), planted).applied == "0002"
    check_schema(_settings(postgres_url), planted)
    with psycopg.connect(postgres_url) as conn:
        conn.execute("SELECT x, y FROM a")


def test_a_second_run_finds_nothing_to_do(postgres_url: str, package: Callable[..., str]) -> None:
    planted = package(_FIRST)
    first = migrate(_settings(postgres_url), planted)
    assert migrate(_settings(postgres_url), planted) == first


def test_two_at_once_apply_each_revision_once(postgres_url: str, package: Callable[..., str]) -> None:
    planted = package(_FIRST, _SECOND)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            migrate(_settings(postgres_url), planted)
        except psycopg.Error as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert schema_state(_settings(postgres_url), planted).applied == "0002"


def test_a_failed_migration_leaves_what_was_before_it(postgres_url: str, package: Callable[..., str]) -> None:
    planted = package(_FIRST, ("0002", "CREATE TABLE b (x int); SELECT 1/0"))
    with pytest.raises(Exception, match="division by zero"):
        migrate(_settings(postgres_url), planted)
    assert schema_state(_settings(postgres_url), planted).applied == "0001"
    with psycopg.connect(postgres_url) as conn:
        assert conn.execute("SELECT to_regclass('b')").fetchone() == (None,)


def test_an_older_database_is_refused_with_what_to_do(postgres_url: str, package: Callable[..., str]) -> None:
    planted = package(_FIRST)
    with pytest.raises(SchemaOutdated, match="migrate command"):
        check_schema(_settings(postgres_url), planted)
    migrate(_settings(postgres_url), planted)
    with pytest.raises(SchemaOutdated, match="is at 0001, this version needs 0002"):
        check_schema(_settings(postgres_url), package(_FIRST, _SECOND))


def test_a_database_the_next_version_migrated_is_accepted(
    postgres_url: str, package: Callable[..., str]
) -> None:
    migrate(_settings(postgres_url), package(_FIRST, _SECOND))
    check_schema(_settings(postgres_url), package(_FIRST))
