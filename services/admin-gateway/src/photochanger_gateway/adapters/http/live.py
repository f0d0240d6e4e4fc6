"""Live events over HTTP: Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import asyncio
import re
import time
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, assert_never

import structlog
from fastapi import APIRouter, Query, Request
from photochanger_chassis.errors import ServiceError
from photochanger_chassis.lifecycle import cancel_until_done
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from photochanger_gateway.adapters.http import answers
from photochanger_gateway.adapters.http.models import SLOT_ID_PATTERN, JobRow
from photochanger_gateway.adapters.http.operations import Readiness
from photochanger_gateway.adapters.http.public import COMMON_ERRORS
from photochanger_gateway.adapters.http.signed_in import CurrentAdmin, SignedIn
from photochanger_gateway.adapters.http.urls import Addresses, BaseUrl
from photochanger_gateway.application.live import (
    Begun,
    Change,
    Events,
    Happened,
    JobChange,
    Missed,
    Position,
    Quiet,
    SettingsChange,
    SlotChange,
    SlotNames,
)
from photochanger_gateway.application.sessions import Sessions
from photochanger_gateway.domain.admins import Admin
from photochanger_gateway.domain.refusals import InvalidToken, TokenExpired, TooManyListeners

_log: Final = structlog.stdlib.get_logger(__name__)

HEARTBEAT: Final = timedelta(seconds=15)
MOST_LISTENERS: Final = 100
_RETRY_MILLISECONDS: Final = 2000
_EVENT_ID: Final = re.compile(r"(\d{1,18})(?:-([0-9a-f]{1,16}))?")
_NOWHERE: Final = Position(0, "none")
"""Stands for an id that is none of ours: as one of a stream that is gone."""
_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep events back
}
_LAST_EVENT_ID: Final[dict[str, Any]] = {
    "name": "Last-Event-ID",
    "in": "header",
    "required": False,
    "description": "The `id` of the last event received; what came after it follows. Browsers send it themselves.",
    "schema": {"type": "string"},
}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class JobEventBody(_Body):
    """`data` of job.created, job.started, job.finished and job.result-kept."""

    job: JobRow


class SlotEventBody(_Body):
    """`data` of slot.changed."""

    slot_id: str = Field(pattern=SLOT_ID_PATTERN)
    version: int = Field(ge=1)
    updated_by: str = Field(max_length=64)


class SettingsEventBody(_Body):
    """`data` of settings.changed."""

    version: int = Field(ge=1)


@dataclass(frozen=True, slots=True)
class LiveRoutes:
    """The route of live events."""

    events: Events
    names: SlotNames
    sessions: Sessions
    signed_in: SignedIn
    base_url: BaseUrl
    readiness: Readiness
    listeners: "Listeners"
    heartbeat: timedelta = HEARTBEAT

    def router(self) -> APIRouter:
        """The route."""
        router = APIRouter(tags=["admins"], route_class=self.signed_in.route_class())
        router.add_api_route(
            "/api/events",
            self._events,
            methods=["GET"],
            operation_id="follow_events",
            summary="What happens, as it happens",
            description="Server-Sent Events: `job.created`, `job.started`, `job.finished`, `job.result-kept`, "
            "`slot.changed`, `settings.changed`, and `reset` where events were missed and everything must be "
            "loaded again. Ends with the session.",
            response_class=Response,
            openapi_extra={"parameters": [_LAST_EVENT_ID]},
            responses={
                200: {
                    "description": "Events, for as long as the client listens.",
                    "content": {"text/event-stream": {"schema": {"type": "string"}}},
                },
                **COMMON_ERRORS,
            },
        )
        return router

    async def _events(
        self,
        request: Request,
        admin: CurrentAdmin,
        last_event_id: Annotated[
            str | None, Query(max_length=64, description="As `Last-Event-ID`, for clients without headers.")
        ] = None,
    ) -> Response:
        told = request.headers.get("last-event-id") or last_event_id
        return _EventStream(
            self, admin, None if told is None else _position(told), self.base_url.addresses(request)
        )


class Listeners:
    """Counts this replica's listeners."""

    def __init__(self, limit: int = MOST_LISTENERS) -> None:
        self._limit = limit
        self._count = 0

    def __enter__(self) -> None:
        if self._count >= self._limit:
            raise TooManyListeners
        self._count += 1

    def __exit__(self, *_: object) -> None:
        self._count -= 1


class _EventStream(Response):
    """Sends events until the client goes, its session ends, or this replica stops.

    The server waits for a client that reads slowly, and cuts it off after a while; meanwhile nothing is read for it.
    """

    def __init__(
        self, routes: LiveRoutes, admin: Admin, after: Position | None, addresses: Addresses
    ) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._routes = routes
        self._admin = admin
        self._after = after
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer."""
        try:
            with self._routes.listeners:
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
                tasks.create_task(self._send_events(send), name="live-events"),
                tasks.create_task(_gone(receive), name="live-client"),
                tasks.create_task(self._routes.readiness.stopped(), name="live-stop"),
            ]
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            await cancel_until_done(*parts)

    async def _send_events(self, send: Send) -> None:
        beat = self._routes.heartbeat.total_seconds()
        await self._routes.names.read()
        written = checked = time.monotonic()
        async with aclosing(
            self._routes.events.follow(self._after, quiet=self._routes.heartbeat)
        ) as followed:
            async for item in followed:
                now = time.monotonic()
                if now - checked >= beat:
                    if not await self._session_lives():
                        return
                    checked = now
                if not isinstance(item, Quiet):
                    await _write(send, self._text(item))
                    written = now
                elif now - written >= beat:
                    await _write(send, ":\n\n")
                    written = now

    async def _session_lives(self) -> bool:
        try:
            await self._routes.sessions.check(self._admin.session_id)
        except (InvalidToken, TokenExpired):
            return False
        except ServiceError as error:
            _log.info("live.session_not_checked", reason=error.reason)
        return True

    def _text(self, item: Happened | Begun | Missed) -> str:
        identified = f"id: {_event_id(item.position)}\n"
        match item:
            case Begun():
                # No event, but the browser keeps the id, and comes back to this very place.
                return f"{identified}\n"
            case Missed():
                return f"{identified}event: reset\ndata: {{}}\n\n"
            case Happened(change=change):
                name, body = self._described(change)
                return f"{identified}event: {name}\ndata: {body.model_dump_json()}\n\n"

    def _described(self, change: Change) -> tuple[str, BaseModel]:
        match change:
            case JobChange(step, job):
                name = self._routes.names.of(job.slot_id)
                row = JobRow.row_of(job, self._addresses.public, name, self._addresses.own)
                return f"job.{step.value}", JobEventBody(job=row)
            case SlotChange(slot_id, _, version, updated_by):
                self._routes.names.heard(change)
                return "slot.changed", SlotEventBody(slot_id=slot_id, version=version, updated_by=updated_by)
            case SettingsChange(version):
                return "settings.changed", SettingsEventBody(version=version)
        assert_never(change)


async def _write(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event_id(position: Position) -> str:
    return f"{position.sequence}-{position.stream}" if position.stream else str(position.sequence)


def _position(event_id: str) -> Position:
    parsed = _EVENT_ID.fullmatch(event_id.strip())
    return Position(int(parsed[1]), parsed[2] or "") if parsed else _NOWHERE
