"""What a program has for webhooks: an HTTP server that remembers what it was sent."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


@dataclass(frozen=True, slots=True)
class Message:
    """One request, as it came."""

    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """Answers every message with `status`."""

    url: str = ""
    status: int = 204
    messages: list[Message] = field(default_factory=list)

    async def told(self, count: int = 1) -> list[Message]:
        """All messages so far, at least so many of them."""

        async def enough() -> bool:
            return len(self.messages) >= count

        await until(enough, f"{count} messages at the receiver", within_seconds=30)
        return self.messages

    async def take(self, request: web.Request) -> web.Response:
        """Remembers a message."""
        self.messages.append(Message(request.headers, await request.read()))
        return web.Response(status=self.status)


@asynccontextmanager
async def a_receiver(*, status: int = 204) -> AsyncIterator[Receiver]:
    """Listens on a port of its own on loopback, where only the stack of a test may send."""
    receiver = Receiver(status=status)
    app = web.Application()
    app.router.add_post("/hooks/photos{of:.*}", receiver.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        receiver.url = f"http://{host}:{port}/hooks/photos"
        yield receiver
    finally:
        await runner.cleanup()
