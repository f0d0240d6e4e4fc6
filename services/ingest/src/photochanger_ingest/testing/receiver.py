"""A client's receiver of webhooks: a real HTTP server on loopback that answers as a test says."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext

from aiohttp import web

_WITHIN_SECONDS = 30.0


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers with `statuses` one by one, the last one again and again; `headers` go with every answer.

    While `holding` is held, requests are not answered.
    """

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [204])
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[Received] = field(default_factory=list)
    holding: asyncio.Lock = field(default_factory=asyncio.Lock)
    came: asyncio.Queue[Received] = field(default_factory=asyncio.Queue)

    async def next(self) -> Received:
        """Waits for the next request and returns it. The limit claims no speed."""
        async with asyncio.timeout(_WITHIN_SECONDS):
            return await self.came.get()

    async def answer(self, request: web.Request) -> web.Response:
        """Takes a request."""
        received = Received(request.method, request.raw_path, dict(request.headers), await request.read())
        self.requests.append(received)
        self.came.put_nowait(received)
        async with self.holding:
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            return web.Response(status=status, headers=self.headers)


@asynccontextmanager
async def open_receiver(
    *, host: str = "127.0.0.1", port: int = 0, ssl_context: SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Opens a receiver. Its `url` is that of the path `/hook`."""
    receiver = Receiver()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", receiver.answer)
    runner = web.AppRunner(application, shutdown_timeout=1.0, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, ssl_context=ssl_context)
        await site.start()
        port = runner.addresses[0][1]
        shown = f"[{host}]" if ":" in host else host
        receiver.url = f"{'https' if ssl_context else 'http'}://{shown}:{port}/hook"
        yield receiver
    finally:
        await runner.cleanup()
