"""One connection to NATS per process, which comes back by itself."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from typing import Final

import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client
from nats.js import JetStreamContext

from photochanger_chassis.errors import Unavailable
from photochanger_chassis.lifecycle import cancel_until_done
from photochanger_chassis.settings import NatsSettings

_log = structlog.stdlib.get_logger(__name__)

_RETRY_AFTER: Final = timedelta(seconds=1)
_CONNECT_SECONDS: Final = 2
_PAUSE_SECONDS: Final = 1
_PING_SECONDS: Final = 10
_CLOSE_SECONDS: Final = 2.0
# A JetStream request that takes longer means a server without a leader or a disk that hangs.
REQUEST_SECONDS: Final = 5.0


class NatsUnavailable(Unavailable):
    """NATS cannot be reached, or JetStream did not answer."""

    reason = "EVENTS_UNAVAILABLE"


@contextmanager
def nats_errors() -> Iterator[None]:
    """Turns every failure of the NATS client into `NatsUnavailable`. Catch what means more inside the block."""
    try:
        yield
    except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
        # nats.errors.TimeoutError is both an Error and an asyncio.TimeoutError.
        raise NatsUnavailable("NATS cannot be reached.", retry_after=_RETRY_AFTER) from error


class NatsConnection:
    """The client and whether it is connected now."""

    def __init__(self, client: Client, replicas: int) -> None:
        self.client: Final = client
        self.replicas: Final = replicas
        self.connected: Final = asyncio.Event()

    @property
    def jetstream(self) -> JetStreamContext:
        """JetStream on this connection.

        Raises:
            NatsUnavailable: not connected. Without this the client would keep requests and send them later.
        """
        if not self.client.is_connected:
            raise NatsUnavailable("NATS is not connected.", retry_after=_RETRY_AFTER)
        return self.client.jetstream(timeout=REQUEST_SECONDS)

    async def probe(self) -> None:
        """Raises unless JetStream answers. For `Check(…, required=False)`."""
        with nats_errors():
            await self.jetstream.account_info()


@asynccontextmanager
async def open_nats(settings: NatsSettings, *, service: str) -> AsyncIterator[NatsConnection]:
    """Connects in the background, for ever, and yields at once: a service starts without NATS.

    What is published while there is no connection fails with `NatsUnavailable`; the outbox keeps it.
    """
    client = Client()
    connection = NatsConnection(client, settings.nats_replicas)
    last_error = ""

    async def on_error(error: Exception) -> None:
        # Called for each refused attempt; once is enough. The default prints a traceback.
        nonlocal last_error
        text = f"{type(error).__name__}: {error}"
        if text != last_error:
            _log.warning("nats.error", error=text)
        last_error = text

    async def on_connected() -> None:
        nonlocal last_error
        last_error = ""
        _log.info("nats.connected")
        connection.connected.set()

    async def on_disconnected() -> None:
        connection.connected.clear()
        _log.warning("nats.disconnected")

    async def connect() -> None:
        await client.connect(
            settings.nats_url.get_secret_value().split(","),
            name=service,
            error_cb=on_error,
            disconnected_cb=on_disconnected,
            reconnected_cb=on_connected,
            max_reconnect_attempts=-1,
            reconnect_time_wait=_PAUSE_SECONDS,
            connect_timeout=_CONNECT_SECONDS,
            ping_interval=_PING_SECONDS,
            max_outstanding_pings=2,
            # Nothing may be kept for later in silence: the outbox is where unsent events live.
            pending_size=0,
            tls=ssl.create_default_context(cafile=settings.nats_tls_ca) if settings.nats_tls_ca else None,
        )
        await on_connected()

    connecting = asyncio.create_task(connect(), name="nats-connect")
    try:
        yield connection
    finally:
        await cancel_until_done(connecting)
        with suppress(asyncio.CancelledError):
            await connecting
        with suppress(Exception):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await client.close()
