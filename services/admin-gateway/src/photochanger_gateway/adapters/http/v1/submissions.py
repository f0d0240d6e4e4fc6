"""Where programs submit photos: one, many, one again, or a photo for several jobs."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Body, Request
from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import FieldViolation, ServiceError
from starlette.responses import Response

from photochanger_gateway.adapters.http.admin_answers import BODY_ERRORS, UPLOAD_ERRORS, JobPath, json_answer
from photochanger_gateway.adapters.http.form_schema import multipart, picture_field
from photochanger_gateway.adapters.http.form_stream import read_upload
from photochanger_gateway.adapters.http.public import error_answers
from photochanger_gateway.adapters.http.standings import take
from photochanger_gateway.adapters.http.urls import BaseUrl
from photochanger_gateway.adapters.http.v1.answers import (
    KEY_PARAMETER,
    NOT_YOURS,
    SUBMITTED,
    item_refused,
    submitted_answer,
)
from photochanger_gateway.adapters.http.v1.keyed import CurrentClient, Keyed
from photochanger_gateway.adapters.http.v1.models import (
    MOST_IN_BATCH,
    AcceptedJobBody,
    BatchBody,
    BatchChange,
    RetryChange,
    UploadedBody,
)
from photochanger_gateway.adapters.http.v1.order_form import PHOTO, order_form, order_form_schema
from photochanger_gateway.adapters.http.v1.prefer import WAIT_PARAMETER, wanted_wait
from photochanger_gateway.application.keep_picture import KeepPicture, no_fields
from photochanger_gateway.application.rate_limits import RateLimiter, Rule
from photochanger_gateway.application.submit_job import Item, SubmitJob, Submitted
from photochanger_gateway.domain.clients import Client, Scope
from photochanger_gateway.domain.form import FormEvent, check_idempotency_key
from photochanger_gateway.domain.media import MediaKind
from photochanger_gateway.domain.refusals import InvalidChange, InvalidRequest

_MOST_BYTES: Final = 20 * 1024 * 1024
_UPLOAD_TIME: Final = timedelta(seconds=120)
_LONGEST_KEY_OF_BATCH: Final = 250
_ORDER_ERRORS: Final = error_answers(
    s404="The slot is switched off: `slot_disabled`; no such photo, or no longer kept: `input_not_found`.",
    s413="Too many bytes or pixels: `payload_too_large`.",
    s415="Not JPEG, PNG or WebP: `unsupported_media_type`.",
    s422="Fields are wrong, each named in `errors`: `invalid_request_body`, `invalid_settings`, "
    "`provider_not_found`, `operation_not_found`, `template_not_found`; the key was used for something else: "
    "`idempotency_mismatch`.",
)


@dataclass(frozen=True, slots=True)
class SubmissionLimits:
    """How often a client may submit: `waiting` counts those that wait for their job."""

    limiter: RateLimiter
    waiting: Rule
    handed_in: Rule


@dataclass(frozen=True, slots=True)
class SubmissionRoutes:
    """The routes that make jobs."""

    keyed: Keyed
    submit: SubmitJob
    keep_picture: KeepPicture
    limits: SubmissionLimits
    base_url: BaseUrl
    clock: Clock
    idle_timeout: timedelta

    def router(self) -> APIRouter:
        """The routes."""
        router = self.keyed.router(Scope.JOBS_WRITE)
        router.add_api_route(
            "/api/v1/jobs",
            self._submit,
            methods=["POST"],
            operation_id="submit_job",
            summary="Submit a photo",
            description="With `slot_id`, or with `provider` and `operation`. It is brought to its end whatever "
            "restarts meanwhile.",
            status_code=202,
            responses={**_ORDER_ERRORS, **SUBMITTED},
            openapi_extra={**order_form_schema(), "parameters": [KEY_PARAMETER, WAIT_PARAMETER]},
        )
        router.add_api_route(
            "/api/v1/jobs/batch",
            self._batch,
            methods=["POST"],
            operation_id="submit_batch",
            summary=f"Submit up to {MOST_IN_BATCH} photos that were uploaded",
            description="Counts as one submission. Each job is accepted or refused by itself. With an "
            "`Idempotency-Key` (250 characters at most) a job without one of its own gets that and its place in the "
            "batch, `key.0`.",
            responses={
                200: {"model": BatchBody, "description": "What came of each, in order."},
                **BODY_ERRORS,
            },
            openapi_extra={"parameters": [KEY_PARAMETER]},
        )
        router.add_api_route(
            "/api/v1/jobs/{job_id}/retry",
            self._retry,
            methods=["POST"],
            operation_id="retry_job",
            summary="Run a job's photo again, as it was ordered",
            status_code=202,
            responses={
                **BODY_ERRORS,
                **_ORDER_ERRORS,
                **NOT_YOURS,
                **error_answers(
                    s409="The job has not ended yet: `job_not_final`.",
                    s410="The photo is no longer kept: `input_expired`.",
                ),
                **SUBMITTED,
            },
            openapi_extra={"parameters": [KEY_PARAMETER, WAIT_PARAMETER]},
        )
        router.add_api_route(
            "/api/v1/media",
            self._upload,
            methods=["POST"],
            operation_id="upload_photo",
            summary="Store a photo for an hour, for one job or several",
            status_code=201,
            responses={201: {"model": UploadedBody, "description": "It is stored."}, **UPLOAD_ERRORS},
            openapi_extra=multipart({PHOTO: picture_field("20 MB")}, required=[PHOTO]),
        )
        return router

    async def _submit(self, request: Request, client: CurrentClient) -> Response:
        wait = wanted_wait(request)
        key = check_idempotency_key(request.headers.get("idempotency-key"))
        await self._count(request, client, waits=bool(wait))
        deadline = Deadline(self.clock.now() + _UPLOAD_TIME)
        submitted = await self.submit.posted(
            client.id,
            self._form(request, deadline),
            read_order=order_form,
            size_limit_bytes=_MOST_BYTES,
            deadline=deadline,
            idempotency_key=key,
        )
        return await self._answer(request, submitted, wait)

    async def _batch(self, request: Request, client: CurrentClient, batch: BatchChange) -> Response:
        key = check_idempotency_key(request.headers.get("idempotency-key"))
        if len(key) > _LONGEST_KEY_OF_BATCH:
            raise InvalidRequest(f"A batch's Idempotency-Key has at most {_LONGEST_KEY_OF_BATCH} characters.")
        items = _items(batch, key)
        await self._count(request, client, waits=False)
        addresses = self.base_url.addresses(request)
        outcomes = await self.submit.batch(client.id, items)
        return json_answer(
            BatchBody(
                jobs=[
                    item_refused(outcome)
                    if isinstance(outcome, ServiceError)
                    else AcceptedJobBody.of(outcome.job, addresses)
                    for outcome in outcomes
                ]
            )
        )

    async def _retry(
        self,
        request: Request,
        client: CurrentClient,
        job_id: JobPath,
        change: Annotated[RetryChange | None, Body()] = None,
    ) -> Response:
        wait = wanted_wait(request)
        key = check_idempotency_key(request.headers.get("idempotency-key"))
        await self._count(request, client, waits=bool(wait))
        submitted = await self.submit.again(
            client.id,
            job_id,
            idempotency_key=key,
            time_limit=None if change is None else change.time_limit,
        )
        return await self._answer(request, submitted, wait)

    async def _upload(self, request: Request) -> Response:
        deadline = Deadline(self.clock.now() + _UPLOAD_TIME)
        stored = await self.keep_picture(
            MediaKind.TEMPORARY,
            self._form(request, deadline),
            slot_of=no_fields,
            size_limit_bytes=_MOST_BYTES,
            deadline=deadline,
            part=PHOTO,
        )
        return json_answer(UploadedBody.of(stored), status=201)

    async def _count(self, request: Request, client: Client, *, waits: bool) -> None:
        rule = self.limits.waiting if waits else self.limits.handed_in
        await take(request, self.limits.limiter, rule, client.id)

    def _form(self, request: Request, deadline: Deadline) -> AsyncGenerator[FormEvent]:
        return read_upload(
            request,
            photo_limit_bytes=_MOST_BYTES,
            deadline=deadline,
            clock=self.clock,
            idle_timeout=self.idle_timeout,
            photo_field=PHOTO,
        )

    async def _answer(self, request: Request, submitted: Submitted, wait: timedelta) -> Response:
        addresses = self.base_url.addresses(request)
        outcome = await self.submit.outcome(submitted.job, wait=wait)
        return submitted_answer(submitted, outcome, addresses, wait=wait, now=self.clock.now())


def _items(batch: BatchChange, key: str) -> list[Item]:
    """The jobs of a batch. Raises `InvalidChange`, which names every field that is wrong."""
    items: list[Item] = []
    wrong: list[FieldViolation] = []
    for place, item in enumerate(batch.jobs):
        try:
            order = item.order()
        except InvalidChange as error:
            wrong += [
                FieldViolation(f"jobs.{place}.{violation.field}", violation.description)
                for violation in error.field_violations
            ]
            continue
        own = item.idempotency_key or (f"{key}.{place}" if key else "")
        items.append(Item(order, item.media_object_id, own))
    if wrong:
        raise InvalidChange(tuple(wrong))
    return items
