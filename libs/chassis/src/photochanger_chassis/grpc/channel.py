"""Channels to other services."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Self

import grpc

from photochanger_chassis.errors import Unavailable
from photochanger_chassis.grpc.server import MAX_MESSAGE_BYTES
from photochanger_chassis.grpc.tls import channel_credentials
from photochanger_chassis.settings import GrpcTlsSettings
from photochanger_chassis.tracing import trace_headers


@asynccontextmanager
async def open_channel(
    target: str, settings: GrpcTlsSettings, *, retried_reads: Iterable[str] = ()
) -> AsyncIterator[grpc.aio.Channel]:
    """Opens a channel to `host:port`, for the life of the process. Does not connect before the first call.

    Calls are spread over all addresses of the name, a dead peer is noticed within 40 s, the trace context
    goes along. Every call needs a `timeout`, or it raises `ValueError`. `retried_reads` are the idempotent
    methods, as `package.Service/Method`, that gRPC repeats on UNAVAILABLE, at most 4 attempts inside the
    timeout; never repeat them in application code as well.
    """
    address = target if ":///" in target or target.startswith("unix:") else f"dns:///{target}"
    options: list[tuple[str, int | str]] = [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        # The pair of the server's min_recv_ping_interval; 30 s is meant for peers inside one cluster.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.max_reconnect_backoff_ms", 2_000),
        ("grpc.service_config", _service_config(retried_reads)),
    ]
    credentials = channel_credentials(settings)
    if credentials is None:
        channel = grpc.aio.insecure_channel(address, options=options)
    else:
        channel = grpc.aio.secure_channel(address, credentials, options=options)
    async with channel:
        yield _GuardedChannel(channel)


async def ready(channel: grpc.aio.Channel, *, within: timedelta) -> None:
    """Waits until the channel is connected.

    Raises:
        Unavailable: it was not, `within` that time.
    """
    try:
        async with asyncio.timeout(within.total_seconds()):
            await channel.channel_ready()
    except TimeoutError as error:
        raise Unavailable("The service called cannot be reached.") from error


class _GuardedChannel(grpc.aio.Channel):
    """A channel whose calls want a timeout and carry the trace.

    Not an interceptor: those put a queue between the caller and a stream, which costs on every message.
    """

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel

    def unary_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Makes a guarded unary call."""
        return _guarded(method, self._channel.unary_unary(method, *args, **kwargs))

    def unary_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Makes a guarded call with streamed answers."""
        return _guarded(method, self._channel.unary_stream(method, *args, **kwargs))

    def stream_unary(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Makes a guarded call with streamed requests."""
        return _guarded(method, self._channel.stream_unary(method, *args, **kwargs))

    def stream_stream(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Makes a guarded call streamed both ways."""
        return _guarded(method, self._channel.stream_stream(method, *args, **kwargs))

    async def close(self, grace: float | None = None) -> None:
        """Closes the channel."""
        await self._channel.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Returns the state of the connection."""
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Waits until the state is another one."""
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Waits until the channel is connected."""
        await self._channel.channel_ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def _guarded(method: str, call: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(
        *args: Any,
        timeout: float | None = None,
        metadata: Iterable[tuple[str, str]] | None = None,
        **kwargs: Any,
    ) -> Any:
        if timeout is None:
            raise ValueError(f"{method} was called without a timeout; pass what is left until the deadline.")
        sent = (*(metadata or ()), *trace_headers().items())
        return call(*args, timeout=timeout, metadata=sent, **kwargs)

    return guarded


def _service_config(retried_reads: Iterable[str]) -> str:
    names: list[dict[str, str]] = []
    for path in retried_reads:
        service, _, method = path.strip("/").rpartition("/")
        if not service:
            raise ValueError(f"{path!r} is not package.Service/Method.")
        names.append({"service": service, "method": method})
    config: dict[str, Any] = {"loadBalancingConfig": [{"round_robin": {}}]}
    if names:
        policy = {
            "maxAttempts": 4,
            "initialBackoff": "0.1s",
            "maxBackoff": "1s",
            "backoffMultiplier": 2,
            "retryableStatusCodes": ["UNAVAILABLE"],
        }
        config["methodConfig"] = [{"name": names, "retryPolicy": policy}]
        # Stops repeating while most calls fail: repeats would only add to the overload.
        config["retryThrottling"] = {"maxTokens": 20, "tokenRatio": 0.5}
    return json.dumps(config)
