"""Where programs ask about their jobs, and stop them."""

from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request
from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import ServiceError
from starlette.responses import Response

from photochanger_gateway.adapters.http.admin_answers import JobPath, PageQuery, StatesQuery, json_answer
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
from photochanger_gateway.adapters.http.operations import Readiness
from photochanger_gateway.adapters.http.public import (
    FILE_ANSWERS,
    RANGE_PARAMETERS,
    error_answers,
    result_file,
)
from photochanger_gateway.adapters.http.urls import Addresses, BaseUrl
from photochanger_gateway.adapters.http.v1.answers import NOT_YOURS, RETRY_AFTER, status_answer
from photochanger_gateway.adapters.http.v1.keyed import CurrentClient, Keyed
from photochanger_gateway.adapters.http.v1.models import (
    JobStatusBody,
    JobStatusEventBody,
    JobStatusListBody,
)
from photochanger_gateway.adapters.http.v1.prefer import APPLIED, WAIT_PARAMETER, wanted_wait
from photochanger_gateway.application.live import Begun, Events, Happened, JobChange, Missed, Position, Quiet
from photochanger_gateway.application.ports_clients import AsyncJobs
from photochanger_gateway.application.public_results import PublicResults
from photochanger_gateway.domain.clients import Client, Scope
from photochanger_gateway.domain.jobs import PlacedJob

_log: Final = structlog.stdlib.get_logger(__name__)

_OVER: Final = "-end"
"""Ends the id of a job's last event: whoever comes back with it need not come again."""
_STATUS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": JobStatusBody, "description": "The job, which is final.", "headers": APPLIED},
    202: {
        "model": JobStatusBody,
        "description": "The job, which is not final yet.",
        "headers": {**RETRY_AFTER, **APPLIED},
    },
    **NOT_YOURS,
}


@dataclass(frozen=True, slots=True)
class Watching:
    """What events of a job are made of."""

    events: Events
    readiness: Readiness
    listeners: Listeners
    heartbeat: timedelta = HEARTBEAT


@dataclass(frozen=True, slots=True)
class ClientJobRoutes:
    """The routes of jobs that are there."""

    keyed: Keyed
    jobs: AsyncJobs
    results: PublicResults
    watching: Watching
    base_url: BaseUrl
    clock: Clock

    def router(self) -> APIRouter:
        """The routes."""
        router = self.keyed.router(Scope.JOBS_READ)
        router.add_api_route(
            "/api/v1/jobs",
            self._list,
            methods=["GET"],
            operation_id="list_own_jobs",
            summary="The client's jobs, newest first",
            description="Places in queues are told job by job.",
            responses={200: {"model": JobStatusListBody, "description": "A page of jobs."}},
        )
        router.add_api_route(
            "/api/v1/jobs/{job_id}",
            self._status,
            methods=["GET"],
            operation_id="get_job_status",
            summary="A job: 202 until it is final, then 200",
            responses=_STATUS,
            openapi_extra={"parameters": [WAIT_PARAMETER]},
        )
        router.add_api_route(
            "/api/v1/jobs/{job_id}/result",
            self._result,
            methods=["GET"],
            operation_id="get_job_result",
            summary="A job's picture",
            responses={
                **FILE_ANSWERS,
                **error_answers(
                    s404="No such job of the client's: `job_not_found`; no picture (yet): `result_not_found`."
                ),
            },
            openapi_extra=RANGE_PARAMETERS,
        )
        router.add_api_route(
            "/api/v1/jobs/{job_id}/cancel",
            self._cancel,
            methods=["POST"],
            operation_id="cancel_own_job",
            summary="Stop a job",
            description="One that has not begun never does; one under way is stopped within about 2 s."
            " Twice is no error.",
            route_class_override=self.keyed.route_class(Scope.JOBS_WRITE),
            responses={
                200: {"model": JobStatusBody, "description": "The job, which is cancelled."},
                **NOT_YOURS,
                **error_answers(s409="It has ended in another way: `job_already_final`."),
            },
        )
        router.add_api_route(
            "/api/v1/jobs/{job_id}/events",
            self._events,
            methods=["GET"],
            operation_id="follow_job",
            summary="What happens to a job, as it happens",
            description="Server-Sent Events: first `job.status`, the job as it is; then `job.created`, `job.started`, "
            "`job.progressed`, `job.finished`, which is the last. With `Last-Event-ID` what came after that follows "
            "in place of `job.status`, unless it is lost.",
            openapi_extra={"parameters": [LAST_EVENT_ID]},
            responses={
                200: stream_answer("Events, until the job is final."),
                204: {
                    "description": "`Last-Event-ID` is that of the last event there is: no need to come again."
                },
                **NOT_YOURS,
            },
        )
        return router

    async def _list(
        self, request: Request, client: CurrentClient, page: PageQuery, status: StatesQuery = ()
    ) -> Response:
        addresses = self.base_url.addresses(request)
        found = await self.jobs.list(client.id, tuple(status), page)
        bodies = [JobStatusBody.of(PlacedJob(job), addresses) for job in found.items]
        return json_answer(JobStatusListBody(jobs=bodies, next_cursor=found.next_cursor or None))

    async def _status(self, request: Request, client: CurrentClient, job_id: JobPath) -> Response:
        addresses = self.base_url.addresses(request)
        wait = wanted_wait(request)
        until = Deadline(self.clock.now() + wait) if wait else None
        placed = await self.jobs.get(job_id, client_id=client.id, wait_until=until)
        return status_answer(placed, addresses, wait=wait, now=self.clock.now())

    async def _result(self, request: Request, client: CurrentClient, job_id: JobPath) -> Response:
        placed = await self.jobs.get(job_id, client_id=client.id)
        picture = self.results.of(placed.job)
        return result_file(request, self.results, picture, job_id, now=self.clock.now())

    async def _cancel(self, request: Request, client: CurrentClient, job_id: JobPath) -> Response:
        addresses = self.base_url.addresses(request)
        job = await self.jobs.cancel(job_id, client_id=client.id)
        return json_answer(JobStatusBody.of(PlacedJob(job), addresses))

    async def _events(self, request: Request, client: CurrentClient, job_id: JobPath) -> Response:
        addresses = self.base_url.addresses(request)
        await self.jobs.get(job_id, client_id=client.id)
        told = request.headers.get("last-event-id")
        if told is not None and told.endswith(_OVER):
            return Response(status_code=204)
        return EventStream(
            self._texts(job_id, client, None if told is None else position_of(told), addresses),
            who=client.id,
            listeners=self.watching.listeners,
            readiness=self.watching.readiness,
            heartbeat=self.watching.heartbeat,
            may_listen=lambda: self.keyed.still_good(request, Scope.JOBS_READ),
        )

    async def _texts(
        self, job_id: str, client: Client, after: Position | None, addresses: Addresses
    ) -> Texts:
        async with aclosing(self.watching.events.follow(after, quiet=self.watching.heartbeat)) as followed:
            async for item in followed:
                match item:
                    case Begun(position) if after is not None:
                        yield event_text(event_id(position))
                    case Begun(position) | Missed(position):
                        try:
                            placed = await self.jobs.get(job_id, client_id=client.id)
                        except ServiceError as error:
                            _log.info("live.job_not_read", reason=error.reason)
                            return  # the client comes back, and is told why
                        yield _told("job.status", position, placed, addresses)
                        if placed.job.final:
                            return
                    case Happened(position, JobChange(step, job)) if job.id == job_id:
                        yield _told(f"job.{step.value}", position, PlacedJob(job), addresses)
                        if job.final:
                            return
                    case Happened() | Quiet():
                        yield None


def _told(name: str, position: Position, placed: PlacedJob, addresses: Addresses) -> str:
    told = event_id(position) + (_OVER if placed.job.final else "")
    return event_text(told, name, JobStatusEventBody(job=JobStatusBody.of(placed, addresses)))
