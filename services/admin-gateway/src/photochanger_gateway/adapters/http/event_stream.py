"""Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html), whatever they tell."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, contextmanager
from datetime import timedelta
from typing import Any, Final

from photochanger_chassis.lifecycle import cancel_until_done
from pydantic import BaseModel
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from photochanger_gateway.adapters.http import answers
from photochanger_gateway.adapters.http.operations import Readiness
from photochanger_gateway.application.live import Position
from photochanger_gateway.domain.refusals import TooManyListeners

HEARTBEAT: Final = timedelta(seconds=15)
MOST_LISTENERS: Final = 100
LAST_EVENT_ID: Final[dict[str, Any]] = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The `id` of the last event received; what came after it follows. Browsers send it themselves.",
    "schema": {"type": "string"},
}
_RETRY_MILLISECONDS: Final = 2000
_EVENT_ID: Final = re.compile(r"(\d{1,18})(?:-([0-9a-f]{1,16}))?")
_NOWHERE: Final = Position(0, "none")
"""Stands for an id that is none of ours: as one of a stream that is gone."""
_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep events back
}

Texts = AsyncGenerator[str | None, None]
"""What is sent, piece by piece; None, often enough, where there is nothing to send."""


def stream_answer(words: str) -> dict[str, Any]:
    """A stream of events in OpenAPI."""
    return {"description": words, "content": {"text/event-stream": {"schema": {"type": "string"}}}}


class Listeners:
    """Counts this replica's listeners: `limit` of them, and `each` of one client."""

    def __init__(self, limit: int = MOST_LISTENERS, *, each: int | None = None) -> None:
        self._limit = limit
        self._each = limit if each is None else each
        self._counts: Counter[str] = Counter()

    @contextmanager
    def one(self, who: str) -> Iterator[None]:
        """Counts a client for the block. Raises `TooManyListeners`."""
        if self._counts.total() >= self._limit or self._counts[who] >= self._each:
            raise TooManyListeners
        self._counts[who] += 1
        try:
            yield
        finally:
            self._counts[who] -= 1
            if not self._counts[who]:
                del self._counts[who]


class EventStream(Response):
    """Sends texts until they end, the client goes, may not listen any more, or this replica stops.

    The server waits for a client that reads slowly, and cuts it off after a while; meanwhile nothing is read for it.
    `may_listen` is asked again in each heartbeat.
    """

    def __init__(
        self,
        texts: Texts,
        *,
        who: str,
        listeners: Listeners,
        readiness: Readiness,
        heartbeat: timedelta,
        may_listen: Callable[[], Awaitable[bool]],
    ) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._texts = texts
        self._who = who
        self._listeners = listeners
        self._readiness = readiness
        self._beat = heartbeat.total_seconds()
        self._may_listen = may_listen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer."""
        try:
            with self._listeners.one(self._who):
                await self._serve(receive, send)
        except TooManyListeners as error:
            await answers.refusal(error)(scope, receive, send)

    async def _serve(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        # Also while this replica stops: an answer that ends makes a browser come back, a refusal would not.
        await _write(send, f"retry: {_RETRY_MILLISECONDS}\n\n")
        await self._until_over(receive, send)
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _until_over(self, receive: Receive, send: Send) -> None:
        async with asyncio.TaskGroup() as tasks:
            parts = [
                tasks.create_task(self._send_texts(send), name="live-events"),
                tasks.create_task(_gone(receive), name="live-client"),
                tasks.create_task(self._readiness.stopped(), name="live-stop"),
            ]
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            await cancel_until_done(*parts)

    async def _send_texts(self, send: Send) -> None:
        written = checked = time.monotonic()
        async with aclosing(self._texts) as texts:
            async for text in texts:
                now = time.monotonic()
                if now - checked >= self._beat:
                    if not await self._may_listen():
                        return
                    checked = now
                if text is not None:
                    await _write(send, text)
                    written = now
                elif now - written >= self._beat:
                    await _write(send, ":\n\n")
                    written = now


def event_text(event_id: str, name: str = "", body: BaseModel | None = None) -> str:
    """An event. Without a name it is none, but the client keeps the id, and comes back to this very place."""
    if not name:
        return f"id: {event_id}\n\n"
    data = "{}" if body is None else body.model_dump_json()
    return f"id: {event_id}\nevent: {name}\ndata: {data}\n\n"


def event_id(position: Position) -> str:
    """A position as the id of an event."""
    return f"{position.sequence}-{position.stream}" if position.stream else str(position.sequence)


def position_of(told: str) -> Position:
    """The position an id stands for."""
    parsed = _EVENT_ID.fullmatch(told.strip())
    return Position(int(parsed[1]), parsed[2] or "") if parsed else _NOWHERE


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
