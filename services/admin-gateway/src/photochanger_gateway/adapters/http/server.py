"""The HTTP server: uvicorn, with the guards against slow and greedy clients that it lacks.

Uvicorn (0.54) bounds neither a request's head nor the time it takes, waits for ever for a client that stops
reading, and closes at once on a body left unread: the system then answers the client's next bytes with a reset,
which makes a camera lose the refusal it was sent (RFC 9112 §9.6 asks for a close in stages).
"""

import asyncio
import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import structlog
import uvicorn
from photochanger_chassis.settings import split_listen
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

_log: Final = structlog.stdlib.get_logger(__name__)
_BACKLOG: Final = 2048
_KEEP_ALIVE_SECONDS: Final = 75


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Bounds of one connection, and of their number."""

    connections: int = 1000
    head_bytes: int = 64 * 1024
    head_seconds: float = 10
    """From the connection's beginning, or a request's first byte, to the end of the request's head."""
    stalled_seconds: float = 60
    """How long a client may leave a full send buffer (64 KiB) unread."""
    linger_idle_seconds: float = 2
    linger_seconds: float = 30
    """How long a body nobody wants is thrown away after the answer, without a byte and in all."""


class HttpServer:
    """Serves an application on one address."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        listen: str,
        trusted_networks: Sequence[str] = (),
        limits: ConnectionLimits | None = None,
        drain_grace_seconds: int = 75,
    ) -> None:
        """Binds the address.

        Raises:
            OSError: it is taken, or not one of this machine's.
        """
        host, port = split_listen(listen)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self.port: Final[int] = self._socket.getsockname()[1]
        self._server = _Uvicorn(
            uvicorn.Config(
                app,
                http=_guarded(limits or ConnectionLimits()),
                ws="none",
                loop="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=True,
                forwarded_allow_ips=list(trusted_networks),
                backlog=_BACKLOG,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=drain_grace_seconds,
            )
        )

    async def serve(self) -> None:
        """Serves until `stop`, then finishes what is being answered."""
        _log.info("http.listening", port=self.port)
        with self._socket:
            await self._server.serve(sockets=[self._socket])
        _log.info("http.drained")

    def stop(self) -> None:
        """Takes nothing new from now on."""
        self._server.should_exit = True


class _Uvicorn(uvicorn.Server):
    """Uvicorn without its signal handlers: SIGTERM is the lifecycle's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves the signals alone."""
        yield


class _HeadTooLarge(Exception):
    """A request's head has more bytes than allowed."""


def _guarded(limits: ConnectionLimits) -> type[HttpToolsProtocol]:
    return type("GuardedProtocol", (_GuardedProtocol,), {"limits": limits})


class _GuardedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol with bounds on heads and on stalled writes, closing in stages."""

    limits: ClassVar[ConnectionLimits]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        self._in_head = True
        self._head_size = 0
        self._body_whole = True  # there is none yet
        self._lingering = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None
        self._linger_timers: list[asyncio.TimerHandle] = []
        self._raw = transport
        super().connection_made(_StagedClose(transport, self))
        if len(self.connections) > self.limits.connections:
            _log.warning("http.too_many_connections", limit=self.limits.connections)
            self._refuse(503, "storage_unavailable", "Too many connections. Try again in a moment.")
            return
        self._await_head()

    def data_received(self, data: bytes) -> None:
        if self._lingering:
            self._linger_on()
            return
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_size += len(data)
            if self._head_size > self.limits.head_bytes:
                self._refuse_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_size, self._body_whole = True, 0, False
        self._await_head()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._cancel_head_timer()
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.limits.head_bytes:
            raise _HeadTooLarge
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._body_whole = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP; uvicorn calls it for whatever a parser's callback raised, too."""
        size = len(self.url or b"") + sum(len(name) + len(value) for name, value in self.headers or ())
        if size > self.limits.head_bytes:
            self._refuse_head()
        else:
            self._refuse(400, "invalid_request", msg)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall_timer = self.loop.call_later(self.limits.stalled_seconds, self._raw.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def eof_received(self) -> None:
        if self._lingering:
            self._raw.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_head_timer()
        for timer in self._linger_timers:
            timer.cancel()
        super().connection_lost(exc)  # resumes writing, which cancels that timer

    def close_in_stages(self) -> None:
        """Closes; when the client is still sending, only our half first, so that it reads the answer."""
        self._cancel_head_timer()
        if self._lingering or self._raw.is_closing():
            return
        if self._body_whole or not self._raw.can_write_eof():
            self._raw.close()
            return
        self._lingering = True
        self._raw.write_eof()
        self._raw.resume_reading()
        self._linger_timers = [self.loop.call_later(self.limits.linger_seconds, self._raw.abort)]
        self._linger_on()

    @property
    def lingering(self) -> bool:
        """Whether our half is closed."""
        return self._lingering

    def _linger_on(self) -> None:
        for timer in self._linger_timers[1:]:
            timer.cancel()
        idle = self.loop.call_later(self.limits.linger_idle_seconds, self._raw.abort)
        self._linger_timers[1:] = [idle]

    def _await_head(self) -> None:
        self._cancel_head_timer()
        self._head_timer = self.loop.call_later(self.limits.head_seconds, self._head_late)

    def _head_late(self) -> None:
        cycle: RequestResponseCycle | None = (
            self.cycle
        )  # None before the first request, against its annotation
        if cycle is not None and not cycle.response_complete:
            self._await_head()  # a pipelined request: its turn has not come
            return
        self.transport.close()

    def _cancel_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _refuse_head(self) -> None:
        details = f"The request's headers have more than {self.limits.head_bytes} bytes."
        self._refuse(431, "invalid_request", details)

    def _refuse(self, status: int, reason: str, details: str) -> None:
        body = json.dumps({"status": "error", "failure_reason": reason, "details": details}).encode()
        phrases = {400: "Bad Request", 431: "Request Header Fields Too Large", 503: "Service Unavailable"}
        retry = "Retry-After: 5\r\n" if status == 503 else ""  # noqa: PLR2004 - the status with a wait
        head = (
            f"HTTP/1.1 {status} {phrases[status]}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
            f"{retry}Connection: close\r\n\r\n"
        )
        self._body_whole = False  # whatever the client goes on sending is thrown away
        self.transport.write(head.encode() + body)
        self.transport.close()


class _StagedClose(asyncio.Transport):
    """The connection's transport as uvicorn sees it: the same, but for how it closes."""

    def __init__(self, raw: asyncio.Transport, protocol: _GuardedProtocol) -> None:
        super().__init__()
        self._raw = raw
        self._protocol = protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._protocol.lingering:
            self._raw.write(data)

    def close(self) -> None:
        self._protocol.close_in_stages()

    def is_closing(self) -> bool:
        return self._protocol.lingering or self._raw.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # asyncio's own signature
        return self._raw.get_extra_info(name, default)

    def pause_reading(self) -> None:
        if not self._protocol.lingering:
            self._raw.pause_reading()

    def resume_reading(self) -> None:
        self._raw.resume_reading()
