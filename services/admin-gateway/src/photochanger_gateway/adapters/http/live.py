"""Live events for admins."""

from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, assert_never

import structlog
from fastapi import APIRouter, Query, Request
from photochanger_chassis.errors import ServiceError
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from photochanger_gateway.adapters.http.event_stream import (
    HEARTBEAT,
    LAST_EVENT_ID,
    EventStream,
    Listeners,
    Texts,
    event_id,
    event_text,
    position_of,
    stream_answer,
)
from photochanger_gateway.adapters.http.models import SLOT_ID_PATTERN, JobRow
from photochanger_gateway.adapters.http.operations import Readiness
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
from photochanger_gateway.domain.refusals import InvalidToken, TokenExpired

_log: Final = structlog.stdlib.get_logger(__name__)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class JobEventBody(_Body):
    """`data` of job.created, job.started, job.progressed, job.finished and job.result-kept."""

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
    listeners: Listeners
    heartbeat: timedelta = HEARTBEAT

    def router(self) -> APIRouter:
        """The route."""
        router = self.signed_in.router("admins")
        router.add_api_route(
            "/api/events",
            self._events,
            methods=["GET"],
            operation_id="follow_events",
            summary="What happens, as it happens",
            description="Server-Sent Events: `job.created`, `job.started`, `job.progressed`, `job.finished`, "
            "`job.result-kept`, `slot.changed`, `settings.changed`, and `reset` where events were missed and "
            "everything must be loaded again. Ends with the session.",
            openapi_extra={"parameters": [LAST_EVENT_ID]},
            responses={200: stream_answer("Events, for as long as the client listens.")},
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
        after = None if told is None else position_of(told)
        return EventStream(
            self._texts(after, self.base_url.addresses(request)),
            who=admin.username,
            listeners=self.listeners,
            readiness=self.readiness,
            heartbeat=self.heartbeat,
            may_listen=lambda: self._session_lives(admin),
        )

    async def _texts(self, after: Position | None, addresses: Addresses) -> Texts:
        await self.names.read()
        async with aclosing(self.events.follow(after, quiet=self.heartbeat)) as followed:
            async for item in followed:
                match item:
                    case Quiet():
                        yield None
                    case Begun(position):
                        yield event_text(event_id(position))
                    case Missed(position):
                        yield event_text(event_id(position), "reset")
                    case Happened(position, change):
                        name, body = self._described(change, addresses)
                        yield event_text(event_id(position), name, body)

    async def _session_lives(self, admin: Admin) -> bool:
        try:
            await self.sessions.check(admin.session_id)
        except (InvalidToken, TokenExpired):
            return False
        except ServiceError as error:
            _log.info("live.session_not_checked", reason=error.reason)
        return True

    def _described(self, change: Change, addresses: Addresses) -> tuple[str, BaseModel]:
        match change:
            case JobChange(step, job):
                name = self.names.of(job.slot_id)
                row = JobRow.row_of(job, addresses.public, name, addresses.own)
                return f"job.{step.value}", JobEventBody(job=row)
            case SlotChange(slot_id, _, version, updated_by):
                self.names.heard(change)
                return "slot.changed", SlotEventBody(slot_id=slot_id, version=version, updated_by=updated_by)
            case SettingsChange(version):
                return "settings.changed", SettingsEventBody(version=version)
        assert_never(change)
