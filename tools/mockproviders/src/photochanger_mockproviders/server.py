"""What both mocks share: a real HTTP server on a local port, gates, and waiting for what has happened."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ParamSpec, Protocol, Self, TypeVar

from aiohttp import web

from .script import Facts, Match

Sleep = Callable[[float], Awaitable[None]]
Clock = Callable[[], datetime]
P = ParamSpec("P")
T = TypeVar("T")


class Fate(Protocol):
    """The part of a recorded call that says how it ended."""

    status: int | None
    aborted: bool


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer ready to be sent. `truncated` breaks the connection half-way through the body."""

    status: int
    body: bytes
    content_type: str
    headers: tuple[tuple[str, str], ...] = ()
    truncated: bool = False


class Gate:
    """Holds matching requests until it is opened, so that tests need no sleeps.

    Made by `MockServer.hold`. A request is held after it was read and checked, before it is answered.
    """

    def __init__(self, matching: Match, changed: Callable[[], None]) -> None:
        self._matching = matching
        self._changed = changed
        self._open = asyncio.Event()
        self.held = 0

    def covers(self, facts: Facts) -> bool:
        """Tells whether the gate is closed for this request."""
        return not self._open.is_set() and self._matching.covers(facts)

    async def wait(self) -> None:
        """Waits until the gate is opened; counted in `held` meanwhile."""
        self.held += 1
        self._changed()
        try:
            await self._open.wait()
        finally:
            self.held -= 1
            self._changed()

    def release(self) -> None:
        """Lets everything that is held go on; nothing is held any more."""
        self._open.set()


class MockServer:
    """An aiohttp server on an ephemeral port of 127.0.0.1, used as an async context manager.

    Handlers are cancelled when their client goes away, so a test can see that the product hung up.
    """

    def __init__(self, *, host: str, port: int, sleep: Sleep, clock: Clock) -> None:
        self._host = host
        self._port = port
        self._sleep = sleep
        self._clock = clock
        self._runner: web.AppRunner | None = None
        self._origin = ""
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="mock-provider")
        self._gates: list[Gate] = []
        self._news = asyncio.Event()
        self.violations: list[str] = []
        """Things a client must never do although the provider lets it pass, such as a key in the URL."""

    @property
    def origin(self) -> str:
        """Scheme, host and port, without a path."""
        if not self._origin:
            raise RuntimeError("The mock is not running. Use it as `async with`.")
        return self._origin

    def hold(self, matching: Match | None = None) -> Gate:
        """Closes a gate for the matching requests (all, if none is named)."""
        gate = Gate(matching or Match(), self._announce)
        self._gates.append(gate)
        return gate

    def release(self) -> None:
        """Opens every gate."""
        for gate in self._gates:
            gate.release()
        self._gates.clear()

    async def until(self, happened: Callable[[], bool]) -> None:
        """Waits until the condition over the mock's own records holds; give it a timeout of your own."""
        while not happened():
            self._news.clear()
            await self._news.wait()

    async def start(self) -> None:
        """Opens the port."""
        app = web.Application()
        self._add_routes(app.router)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        host, port = self._runner.addresses[0][:2]
        self._origin = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Opens the gates and closes the port; what still runs is cancelled after a second."""
        self.release()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.stop()

    def _add_routes(self, router: web.UrlDispatcher) -> None:
        raise NotImplementedError

    def _announce(self) -> None:
        # All waiters share one event: `until` clears it only right before it waits again.
        self._news.set()

    async def _in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        # Two threads at most: a mock must not take the machine from what is being tested.
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(work, *args, **kwargs))

    def _now(self) -> datetime:
        return self._clock()

    async def _pass_gates(self, facts: Facts) -> None:
        for gate in tuple(self._gates):
            if gate.covers(facts):
                await gate.wait()

    @asynccontextmanager
    async def _watching(self, call: Fate) -> AsyncIterator[None]:
        try:
            yield
        except asyncio.CancelledError:
            call.aborted = True
            raise
        finally:
            self._announce()

    async def _send(self, request: web.Request, reply: Reply, call: Fate) -> web.StreamResponse:
        call.status = reply.status
        self._announce()
        headers = dict(reply.headers)
        headers["Content-Type"] = reply.content_type
        if not reply.truncated:
            return web.Response(status=reply.status, body=reply.body, headers=headers)
        response = web.StreamResponse(status=reply.status, headers=headers)
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(reply.body[: len(reply.body) // 2])
        self._hang_up(request)
        return response

    @staticmethod
    def _hang_up(request: web.Request) -> None:
        if request.transport is not None:
            request.transport.close()


def utc_now() -> datetime:
    """The time of day, as calls are stamped by default."""
    return datetime.now(UTC)
