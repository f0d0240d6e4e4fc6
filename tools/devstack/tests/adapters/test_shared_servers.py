"""The fixtures every adapter test of the workspace stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import nats
import psycopg
import pytest
from minio import Minio

if TYPE_CHECKING:
    from collections.abc import Callable

    from photochanger_devstack.testing.servers import OwnNats, OwnPostgres, OwnS3, S3Store, SharedServers


def _tables(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return [str(row[0]) for row in rows]


def _minio(store: S3Store) -> Minio:
    return Minio(
        store.endpoint_url.removeprefix("http://"),
        access_key=store.access_key,
        secret_key=store.secret_key,
        secure=False,
        region=store.region,
    )


async def _acknowledged(url: str, stream: str, subject: str) -> int:
    client = await nats.connect(url)
    try:
        jetstream = client.jetstream()
        await jetstream.add_stream(name=stream, subjects=[subject])
        return (await jetstream.publish(subject, b"x")).seq
    finally:
        await client.close()


def test_each_test_gets_an_empty_database(postgres_url: str) -> None:
    assert _tables(postgres_url) == []
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE left_behind (id int)")


def test_the_next_test_does_not_see_what_the_last_one_left(postgres_url: str) -> None:
    assert _tables(postgres_url) == []


def test_a_template_is_filled_once_and_each_copy_is_its_own(shared_servers: SharedServers) -> None:
    filled: list[str] = []

    def fill(url: str) -> None:
        filled.append(url)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE planted (id int)")

    server = shared_servers.postgres()
    name = f"template_{uuid4().hex}"
    copies = [
        server.create_database(f"copy{place}_{name}", template=shared_servers.template(name, fill))
        for place in range(2)
    ]
    with psycopg.connect(copies[0]) as connection:
        connection.execute("DROP TABLE planted")
    assert [_tables(url) for url in copies] == [[], ["planted"]]
    assert len(filled) == 1


def test_a_template_that_could_not_be_filled_is_filled_by_the_next_to_ask(
    shared_servers: SharedServers,
) -> None:
    def fail(_: str) -> None:
        raise KeyError

    name = f"template_{uuid4().hex}"
    with pytest.raises(KeyError):
        shared_servers.template(name, fail)
    filled: list[str] = []
    shared_servers.template(name, filled.append)
    assert len(filled) == 1


def test_text_is_utf8_whatever_locale_the_machine_has(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute("SELECT upper('привет'), current_setting('server_encoding')").fetchone()
    assert row == ("ПРИВЕТ", "UTF8")


async def test_the_shared_nats_has_jetstream(nats_url: str) -> None:
    assert await _acknowledged(nats_url, "DEVSTACK_SHARED", "devstack.shared") == 1


def test_a_new_bucket_takes_objects(s3: S3Store) -> None:
    client = _minio(s3)
    bucket = s3.new_bucket()
    assert bucket != s3.new_bucket()
    from io import BytesIO

    client.put_object(bucket_name=bucket, object_name="a/b", data=BytesIO(b"photo"), length=5)
    assert [item.object_name for item in client.list_objects(bucket_name=bucket, recursive=True)] == ["a/b"]


def test_a_private_postgres_keeps_committed_rows_through_a_crash(
    own_postgres: Callable[[], OwnPostgres],
) -> None:
    server = own_postgres()
    url = server.create_database("things")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    first = server.pid
    server.kill()
    assert server.pid is None
    server.start()
    assert server.pid not in {None, first}
    assert _tables(url) == ["kept"]


async def test_a_private_nats_keeps_its_stream_through_a_crash_and_loses_it_when_wiped(
    own_nats: Callable[[], OwnNats],
) -> None:
    server = own_nats()
    assert await _acknowledged(server.url, "KEPT", "kept") == 1
    server.kill()
    server.start()
    assert await _acknowledged(server.url, "KEPT", "kept") == 2
    server.wipe()
    server.start()
    assert await _acknowledged(server.url, "KEPT", "kept") == 1


def test_a_private_s3_server_can_be_stopped_and_keeps_its_buckets(own_s3: Callable[[], OwnS3]) -> None:
    server = own_s3()
    bucket = server.store.new_bucket()
    server.restart()
    assert _minio(server.store).bucket_exists(bucket_name=bucket)
