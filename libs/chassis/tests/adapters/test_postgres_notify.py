from datetime import timedelta
from typing import Any

import psycopg
import pytest
from photochanger_chassis.postgres.notify import open_notifications
from photochanger_chassis.settings import PostgresSettings
from pydantic import SecretStr

_LONG = timedelta(seconds=20)
_SHORT = timedelta(milliseconds=50)


async def _notify(url: str, channel: str, payload: str) -> None:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as conn:
        await conn.execute("SELECT pg_notify(%s, %s)", (channel, payload))


def _open(url: str) -> Any:
    return open_notifications(
        PostgresSettings(database_url=SecretStr(url)),
        application="test",
        channels=["changed", "Other Channel"],
    )


async def test_a_change_between_subscribing_and_waiting_is_not_missed(postgres_url: str) -> None:
    async with _open(postgres_url) as notifications:
        await notifications.listening()
        with (
            notifications.subscribe("changed", "7") as mine,
            notifications.subscribe("changed") as any_of_them,
        ):
            await _notify(postgres_url, "changed", "7")
            # Both wait only after it was sent; the second proves that it has arrived.
            assert await any_of_them.wait(_LONG)
            assert await mine.wait(_LONG)


async def test_only_the_one_concerned_is_woken(postgres_url: str) -> None:
    async with _open(postgres_url) as notifications:
        await notifications.listening()
        with (
            notifications.subscribe("changed", "7") as mine,
            notifications.subscribe("changed", "8") as other,
            notifications.subscribe("Other Channel", "7") as elsewhere,
        ):
            await _notify(postgres_url, "changed", "7")
            assert await mine.wait(_LONG)
            assert not await other.wait(_SHORT)
            assert not await elsewhere.wait(_SHORT)
            assert not await mine.wait(_SHORT), "one notification woke twice"


async def test_everybody_looks_again_after_a_reconnect(postgres_url: str) -> None:
    async with _open(postgres_url) as notifications:
        await notifications.listening()
        with notifications.subscribe("changed", "7") as mine:
            async with await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as conn:
                await conn.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'test-listen'"
                    " AND datname = current_database()"
                )
            assert await mine.wait(_LONG)
            await _notify(postgres_url, "changed", "7")
            assert await mine.wait(_LONG)


async def test_a_channel_nobody_listens_to_is_refused(postgres_url: str) -> None:
    async with _open(postgres_url) as notifications:
        with pytest.raises(ValueError, match="not listened to"), notifications.subscribe("typo"):
            pass
