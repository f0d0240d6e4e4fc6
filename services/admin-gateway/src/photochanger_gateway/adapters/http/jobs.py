"""Jobs, as admins look at them, and trying slots."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from photochanger_chassis.clock import Clock
from starlette.responses import Response

from photochanger_gateway.adapters.http import answers
from photochanger_gateway.adapters.http.admin_answers import (
    SLOT_NOT_FOUND,
    JobPath,
    PageQuery,
    SlotPath,
    SlotQuery,
    StatesQuery,
    json_answer,
)
from photochanger_gateway.adapters.http.form_stream import IDLE_TIMEOUT, declared_length, read_request
from photochanger_gateway.adapters.http.job_models import (
    JobDetailsBody,
    JobListBody,
    TestRunBody,
    row_of,
)
from photochanger_gateway.adapters.http.models import JobBody
from photochanger_gateway.adapters.http.pictures import PictureResponse
from photochanger_gateway.adapters.http.public import PICTURE_TYPES, error_answers
from photochanger_gateway.adapters.http.signed_in import CurrentAdmin, SignedIn
from photochanger_gateway.adapters.http.trial_form import TRIAL_FORM, TRIAL_PHOTO, trial_form
from photochanger_gateway.adapters.http.urls import BaseUrl
from photochanger_gateway.application.admin_pictures import AdminPictures
from photochanger_gateway.application.audit import Audit
from photochanger_gateway.application.job_views import JobViews
from photochanger_gateway.application.ports import Terms
from photochanger_gateway.application.ports_admin import JobFilter
from photochanger_gateway.application.ports_clients import AsyncJobs
from photochanger_gateway.application.try_photo import Tried, TryPhoto
from photochanger_gateway.domain.form import FormEvent
from photochanger_gateway.domain.jobs import JobSource, JobState

_JOB_NOT_FOUND: Final = error_answers(s404="Unknown, or past its time: `job_not_found`.")
_NOT_ASYNC: Final = error_answers(
    s404="Unknown, past its time, or no API client's: `job_not_found`; its slot is switched off: `slot_disabled`."
)
_TRIAL_ERRORS: Final = error_answers(
    s413="The photo is larger than the slot takes: `payload_too_large`.",
    s415="Not JPEG, PNG or WebP: `unsupported_media_type`.",
    s422="Fields are wrong, each named in `errors`: `invalid_request_body`, `invalid_settings`, "
    "`provider_not_found`, `operation_not_found`, `template_not_found`.",
    s429="Limits of slot or provider reached: `rate_limited`, with `Retry-After`.",
    s502="The provider failed: `provider_error`; `job_id` is the job.",
    s503="Provider or storage away for a moment: `provider_error`, `storage_unavailable`, with `Retry-After`.",
    s504="No result in time: `provider_timeout`.",
)
_DONE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": TestRunBody,
        "description": "It went well. A job that did not is an error with its `job_id`.",
    }
}
_Source = Annotated[
    Literal["", "ingest", "ui_test", "api"], Query(description="Only from this source; empty: all.")
]


@dataclass(frozen=True, slots=True)
class JobRoutes:
    """The routes of jobs that need a login."""

    signed_in: SignedIn
    views: JobViews
    pictures: AdminPictures
    try_photo: TryPhoto
    async_jobs: AsyncJobs
    audit: Audit
    base_url: BaseUrl
    clock: Clock
    idle_timeout: timedelta = IDLE_TIMEOUT

    def router(self) -> APIRouter:
        """The routes."""
        router = self.signed_in.router("jobs")
        router.add_api_route(
            "/api/jobs",
            self._list,
            methods=["GET"],
            operation_id="list_jobs",
            summary="Jobs, newest first",
            responses={200: {"model": JobListBody, "description": "A page of jobs."}},
        )
        router.add_api_route(
            "/api/jobs/{job_id}/details",
            self._details,
            methods=["GET"],
            operation_id="get_job_details",
            summary="A job and what it was asked to do",
            responses={200: {"model": JobDetailsBody, "description": "The job."}, **_JOB_NOT_FOUND},
        )
        router.add_api_route(
            "/api/jobs/{job_id}/input",
            self._input,
            methods=["GET"],
            operation_id="get_job_input",
            summary="The photo a job began with",
            description="As the camera sent it, while it is kept.",
            responses={
                200: {"description": "The photo.", "content": PICTURE_TYPES},
                **_JOB_NOT_FOUND,
                **error_answers(s410="No longer kept: `input_expired`."),
            },
        )
        router.add_api_route(
            "/api/jobs/{job_id}/rerun",
            self._rerun,
            methods=["POST"],
            operation_id="rerun_job",
            summary="Run a job's photo again, through its slot as it is now",
            responses={
                **_DONE,
                **_TRIAL_ERRORS,
                **_JOB_NOT_FOUND,
                **error_answers(s410="The photo is no longer kept: `input_expired`."),
            },
        )
        router.add_api_route(
            "/api/jobs/{job_id}/cancel",
            self._cancel,
            methods=["POST"],
            operation_id="cancel_job",
            summary="Stop a job of an API client",
            description="One that has not begun never does; one under way is stopped within about 2 s. Cameras' jobs "
            "cannot be stopped.",
            responses={
                200: {"model": JobBody, "description": "The job, which is cancelled."},
                **_NOT_ASYNC,
                **error_answers(s409="It has ended in another way: `job_already_final`."),
            },
        )
        router.add_api_route(
            "/api/jobs/{job_id}/retry",
            self._retry,
            methods=["POST"],
            operation_id="retry_clients_job",
            summary="Run an API client's job again, as it was ordered",
            status_code=202,
            responses={
                202: {"model": JobBody, "description": "The new job, which is the client's, too."},
                **_NOT_ASYNC,
                **error_answers(
                    s409="It has not ended yet: `job_not_final`.",
                    s410="The photo is no longer kept: `input_expired`.",
                    s422="What it asks for is no longer there, or takes other settings: `provider_not_found`, "
                    "`operation_not_found`, `invalid_settings`, `template_not_found`.",
                ),
            },
        )
        router.add_api_route(
            "/api/slots/{slot_id}/test-run",
            self._test_run,
            methods=["POST"],
            operation_id="test_slot",
            summary="Run a photo through a slot, with values that are not saved",
            description="The slot may be switched off. The job's source is `ui_test`; limits and the slot's time hold.",
            responses={**_DONE, **_TRIAL_ERRORS, **SLOT_NOT_FOUND},
            openapi_extra=TRIAL_FORM,
        )
        return router

    async def _list(
        self,
        request: Request,
        page: PageQuery,
        slot_id: SlotQuery = "",
        status: StatesQuery = (),
        source: _Source = "",
    ) -> Response:
        addresses = self.base_url.addresses(request)
        wanted = JobFilter(slot_id, tuple(status), JobSource(source) if source else None)
        found = await self.views.page(wanted, page)
        rows = [row_of(summary, addresses) for summary in found.items]
        return json_answer(JobListBody(jobs=rows, next_cursor=found.next_cursor or None))

    async def _details(self, request: Request, job_id: JobPath) -> Response:
        addresses = self.base_url.addresses(request)
        return json_answer(JobDetailsBody.whole(await self.views.one(job_id), addresses))

    async def _input(self, request: Request, job_id: JobPath) -> Response:
        return PictureResponse(
            self.pictures.input_of(job_id),
            headers={**answers.FILE_SECURITY_HEADERS, "Cache-Control": "private, no-store"},
            problem=answers.wants_problem(request),
        )

    async def _rerun(self, request: Request, admin: CurrentAdmin, job_id: JobPath) -> Response:
        async with self.audit.entry(admin, "job.rerun", target=job_id) as entry:
            tried = await self.try_photo.again(job_id, entry)
        return self._answer(request, tried)

    async def _cancel(self, request: Request, admin: CurrentAdmin, job_id: JobPath) -> Response:
        async with self.audit.entry(admin, "job.cancel", target=job_id):
            job = await self.async_jobs.cancel(job_id, client_id="")
        return json_answer(JobBody.of(job, self.base_url.of(request)))

    async def _retry(self, request: Request, admin: CurrentAdmin, job_id: JobPath) -> Response:
        async with self.audit.entry(admin, "job.retry", target=job_id) as entry:
            job, _ = await self.async_jobs.retry(job_id, client_id="", idempotency_key="", time_limit=None)
            entry.add(job_id=job.id)
        return json_answer(JobBody.of(job, self.base_url.of(request)), status=202)

    async def _test_run(self, request: Request, admin: CurrentAdmin, slot_id: SlotPath) -> Response:
        def form(terms: Terms) -> AsyncGenerator[FormEvent]:
            return read_request(
                request,
                photo_limit_bytes=terms.size_limit_bytes,
                deadline=terms.deadline,
                clock=self.clock,
                idle_timeout=self.idle_timeout,
                photo_field=TRIAL_PHOTO,
            )

        async with self.audit.entry(admin, "slot.test-run", target=slot_id) as entry:
            tried = await self.try_photo.posted(
                slot_id,
                declared_size_bytes=declared_length(request),
                read_form=form,
                read_fields=trial_form,
                entry=entry,
            )
        return self._answer(request, tried)

    def _answer(self, request: Request, tried: Tried) -> Response:
        job = tried.job
        if job.state is not JobState.DONE or job.picture is None:
            return answers.failed_job(job, problem=answers.wants_problem(request))
        return json_answer(TestRunBody.of(job, tried.stages, self.base_url.addresses(request)))
