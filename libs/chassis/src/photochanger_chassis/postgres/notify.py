"""Wake-ups from PostgreSQL: one LISTEN connection per process, shared by all who wait."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Final

import psycopg
import structlog
from psycopg import AsyncConnection, sql

from photochanger_chassis.lifecycle import cancel_until_done
from photochanger_chassis.postgres.pool import connection_string
from photochanger_chassis.settings import PostgresSettings

_log = structlog.stdlib.get_logger(__name__)

_PROBE_SECONDS: Final = 20.0  # a silent connection is tested this often
_RECONNECT_SECONDS: Final = 1.0


class Subscription:
    """A wish to be woken. Set by each matching notification, and whenever notifications may have been missed."""

    def __init__(self) -> None:
        self._stirred = asyncio.Event()

    async def wait(self, at_most: timedelta) -> bool:
        """Waits for the next wake-up since the last one and tells whether it came in time."""
        try:
            async with asyncio.timeout(at_most.total_seconds()):
                await self._stirred.wait()
        except TimeoutError:
            return False
        self._stirred.clear()
        return True

    def wake(self) -> None:
        """Wakes the waiter, now or when it next waits."""
        self._stirred.set()


class Notifications:
    """Hands notifications of fixed channels to subscriptions. Reconnects for ever.

    Subscribe first and look second, and no change is missed:

        with notifications.subscribe("job_changed", job_id) as changed:
            while not (job := await jobs.get(job_id)).finished:
                await changed.wait(timedelta(seconds=5))

    A wake-up says "look again", not what happened: it also comes after a reconnect. While the connection is
    down none comes, so bound the wait and look anyway.
    """

    def __init__(self, settings: PostgresSettings, *, application: str, channels: Iterable[str]) -> None:
        self._url = settings.database_url
        self._application = application
        self._channels: Final = tuple(channels)
        self._subscriptions: dict[tuple[str, str | None], set[Subscription]] = defaultdict(set)
        self._listening = asyncio.Event()

    @contextmanager
    def subscribe(self, channel: str, payload: str | None = None) -> Iterator[Subscription]:
        """Subscribes to notifications of a channel with this payload, or with any when it is None.

        Raises:
            ValueError: the channel is not one of those listened to.
        """
        if channel not in self._channels:
            raise ValueError(f"{channel!r} is not listened to; add it where Notifications are opened.")
        key = (channel, payload)
        subscription = Subscription()
        self._subscriptions[key].add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions[key].discard(subscription)
            if not self._subscriptions[key]:
                del self._subscriptions[key]

    async def listening(self) -> None:
        """Waits until the connection is up."""
        await self._listening.wait()

    async def run(self) -> None:
        """Listens until cancelled."""
        while True:
            try:
                await self._listen()
            except psycopg.Error as error:
                if self._listening.is_set():
                    _log.warning("notify.disconnected", error=str(error))
            finally:
                self._listening.clear()
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen(self) -> None:
        address = connection_string(
            self._url.get_secret_value(),
            application=f"{self._application}-listen",
            statement_timeout=timedelta(seconds=_PROBE_SECONDS),
        )
        connection = await AsyncConnection.connect(address, autocommit=True)
        async with connection:
            for channel in self._channels:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self._listening.set()
            self._wake_all()
            while True:
                if not await _readable(connection.fileno()):
                    await connection.execute("SELECT 1")
                async for notification in connection.notifies(timeout=0):
                    self._wake(notification.channel, notification.payload)

    def _wake(self, channel: str, payload: str) -> None:
        for key in ((channel, payload), (channel, None)):
            for subscription in self._subscriptions.get(key, ()):
                subscription.wake()

    def _wake_all(self) -> None:
        for group in self._subscriptions.values():
            for subscription in group:
                subscription.wake()


async def _readable(fileno: int) -> bool:
    """Waits until the server has sent something, and tells whether it came before a probe is due.

    `notifies` could wait itself, but looks ten times a second meanwhile.
    """
    sent = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(fileno, sent.set)
    try:
        async with asyncio.timeout(_PROBE_SECONDS):
            await sent.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(fileno)
    return True


@asynccontextmanager
async def open_notifications(
    settings: PostgresSettings, *, application: str, channels: Iterable[str]
) -> AsyncIterator[Notifications]:
    """Listens in the background while the block runs. Does not wait for the database."""
    notifications = Notifications(settings, application=application, channels=channels)
    async with asyncio.TaskGroup() as tasks:
        listener = tasks.create_task(notifications.run(), name="notifications")
        try:
            yield notifications
        finally:
            await cancel_until_done(listener)
