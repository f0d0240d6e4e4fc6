"""The camera's route: `POST /api/ingest/{slot_id}` and its short alias."""

import base64
import binascii
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog
from fastapi import APIRouter, Path, Request
from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import ServiceError, Unavailable
from photochanger_chassis.ids import Ids
from starlette.responses import Response

from photochanger_gateway.adapters.http import answers
from photochanger_gateway.adapters.http.clients import ClientAddress
from photochanger_gateway.adapters.http.form_stream import IDLE_TIMEOUT, declared_length, read_request
from photochanger_gateway.adapters.http.metrics import HttpMetrics
from photochanger_gateway.adapters.http.models import SLOT_ID_PATTERN, ErrorBody, result_url
from photochanger_gateway.adapters.http.pictures import PictureResponse
from photochanger_gateway.adapters.http.urls import BaseUrl
from photochanger_gateway.application.ports import Admission, Download, Media, Terms
from photochanger_gateway.application.post_photo import Outcome, PostPhoto
from photochanger_gateway.application.rate_limits import RateLimiter, Rule
from photochanger_gateway.domain.form import FormEvent, check_idempotency_key
from photochanger_gateway.domain.jobs import Picture, ResultOrigin
from photochanger_gateway.domain.refusals import meaning_of, meaning_of_failure
from photochanger_gateway.domain.slots import ResponseMode

_log: Final = structlog.stdlib.get_logger(__name__)
_PICTURE_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "multipart/mixed")
_ERRORS: Final = {
    400: "Not a readable form or photo: `invalid_request`.",
    401: "Wrong ingest password: `invalid_password`.",
    404: "Unknown or disabled slot: `slot_not_found`, `slot_disabled`.",
    409: "The same key's first request still runs: `idempotency_conflict`.",
    413: "Over the slot's limit: `payload_too_large`.",
    415: "Not JPEG, PNG or WebP: `unsupported_media_type`.",
    422: "The same key with another form: `idempotency_mismatch`.",
    429: "Limits of slot, provider or client reached: `rate_limited`, with `Retry-After`.",
    500: "Our fault: `internal_error`.",
    502: "The provider failed: `provider_error`.",
    503: "Provider or storage away for a moment: `provider_error`, `storage_unavailable`, with `Retry-After`.",
    504: "No result in time: `provider_timeout`.",
}
_NO_NUL: Final = "^[^\\x00]*$"
_FORM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["password", "hash", "fileToUpload"],
    "properties": {
        "password": {
            "type": "string",
            "maxLength": 64,
            "pattern": _NO_NUL,
            "description": "The ingest password.",
        },
        "hash": {
            "type": "string",
            "maxLength": 128,
            "pattern": _NO_NUL,
            "description": "Hex digest of the photo: MD5, SHA-1, SHA-256 or SHA-512 by its length.",
        },
        "fileToUpload": {
            "type": "string",
            "format": "binary",
            "description": "The photo: JPEG, PNG or WebP.",
        },
    },
    "maxProperties": 67,
    "propertyNames": {"minLength": 1, "maxLength": 256, "pattern": _NO_NUL},
    "additionalProperties": {
        "type": "string",
        "maxLength": 65536,
        "pattern": _NO_NUL,
        "description": "Whatever the booth knows, kept with the job: at most 64 fields, 64 KiB in all.",
    },
}
_OPENAPI: Final[dict[str, Any]] = {
    "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM_SCHEMA}}},
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "Repeating a request with the same key and form returns the first one's outcome.",
            "schema": {
                "type": "string",
                "pattern": "^[\\x21-\\x7e]{1,255}$",
                "minLength": 1,
                "maxLength": 255,
            },
        }
    ],
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The edited picture.",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _PICTURE_TYPES},
    },
    **{status: {"model": ErrorBody, "description": words} for status, words in _ERRORS.items()},
}


@dataclass(frozen=True, slots=True)
class IngestRoute:
    """Answers cameras. Everything about HTTP is here; what is done with a photo is `PostPhoto`'s."""

    post_photo: PostPhoto
    media: Media
    limiter: RateLimiter
    photos: Rule
    wrong_passwords: Rule
    clients: ClientAddress
    base_url: BaseUrl
    clock: Clock
    ids: Ids
    metrics: HttpMetrics
    idle_timeout: timedelta = IDLE_TIMEOUT

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(tags=["cameras"], default_response_class=Response)
        for path, name in (
            ("/api/ingest/{slot_id}", "post_photo"),
            ("/ingest/{slot_id}", "post_photo_short"),
        ):
            router.add_api_route(
                path,
                self._post,
                methods=["POST"],
                operation_id=name,
                summary="Edit a photo",
                description="Takes a photo and answers with the edited one. Refused before the body is read "
                "where the request's head already decides.",
                responses=_RESPONSES,
                openapi_extra=_OPENAPI,
            )
        return router

    async def _post(self, request: Request, slot_id: str = Path(pattern=SLOT_ID_PATTERN)) -> Response:
        started = time.perf_counter()
        structlog.contextvars.bind_contextvars(slot_id=slot_id)
        client = self.clients.of(request)

        def form(terms: Terms) -> AsyncGenerator[FormEvent]:
            return read_request(
                request,
                photo_limit_bytes=terms.size_limit_bytes,
                deadline=terms.deadline,
                clock=self.clock,
                idle_timeout=self.idle_timeout,
            )

        try:
            await self.limiter.take(self.photos, client)
            await self.limiter.check(self.wrong_passwords, client)
            base_url = self.base_url.of(request)
            outcome = await self.post_photo(
                slot_id,
                declared_size_bytes=declared_length(request),
                password=_basic_password(request),
                idempotency_key=check_idempotency_key(request.headers.get("idempotency-key")),
                read_form=form,
            )
            return self._answer(base_url, outcome, started)
        except ServiceError as error:
            if error.reason == "INVALID_PASSWORD":
                await self._count_wrong_password(client)
            meaning = meaning_of(error)
            _log.info("photo.refused", reason=error.reason, status=meaning.status)
            self.metrics.photo_refused(meaning.failure_reason)
            return answers.refusal(error)

    async def _count_wrong_password(self, client: str) -> None:
        try:
            await self.limiter.take(self.wrong_passwords, client)
        except ServiceError:
            _log.warning("photo.password_guessing", client=client)

    def _answer(self, base_url: str, outcome: Outcome, started: float) -> Response:
        job = outcome.job
        if job.picture is None:
            status = meaning_of_failure(job.failure.reason if job.failure else "internal").status
            self.metrics.photo_answered(job, status, time.perf_counter() - started)
            answer = answers.failed_job(job)
            answer.headers.update(_replayed(outcome))
            return answer
        headers = {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "X-Job-Id": job.id,
            "X-Result-Url": result_url(base_url, job),
            **_replayed(outcome),
        }
        expires_at = answers.rfc3339(job.picture.expires_at)
        if expires_at is not None:
            headers["X-Result-Expires-At"] = expires_at
        if job.origin is not None:
            headers["X-Result-Origin"] = job.origin.value
        stages = dict(outcome.stages.durations)
        stages |= {stage: duration.total_seconds() for stage, duration in job.stages.items()}
        headers["Server-Timing"] = answers.server_timing({**stages, "total": time.perf_counter() - started})
        self.metrics.photo_answered(job, 200, time.perf_counter() - started)
        before, after = b"", b""
        content_type = job.picture.mime_type
        if outcome.response_mode is ResponseMode.MULTIPART:
            boundary = self.ids.new_id()
            content_type = f"multipart/mixed; boundary={boundary}"
            facts = {
                "status": "ok",
                "job_id": job.id,
                "result_url": headers["X-Result-Url"],
                "result_expires_at": expires_at,
            }
            before, after = _multipart_frame(boundary, facts, job.picture)
        return PictureResponse(
            self._picture(job.picture, outcome.deadline),
            content_type=content_type,
            headers=headers,
            before=before,
            after=after,
        )

    @asynccontextmanager
    async def _picture(self, picture: Picture, deadline: Deadline) -> AsyncIterator[Download]:
        """Opens the picture. One that is gone (an earlier job's, just expired) is worth another try to a camera."""
        try:
            async with self.media.download(picture.media_object_id, deadline=deadline) as download:
                yield download
        except ServiceError as error:
            if error.reason in {"MEDIA_NOT_FOUND", "MEDIA_EXPIRED"}:
                raise Unavailable("The picture is no longer kept. Send the photo again.") from error
            raise


def _replayed(outcome: Outcome) -> dict[str, str]:
    """Headers that say how the photo was admitted, where it was not as a new job."""
    headers = {}
    if outcome.admission is Admission.REPLAYED:
        headers["Idempotency-Replayed"] = "true"
    if outcome.admission is Admission.DUPLICATE:
        headers["X-Duplicate"] = "true"
    if outcome.job.origin is ResultOrigin.INPUT and outcome.job.failure is not None:
        headers["X-Failure-Reason"] = outcome.job.failure.reason
    return headers


def _multipart_frame(boundary: str, facts: dict[str, str | None], picture: Picture) -> tuple[bytes, bytes]:
    """What stands before and after the picture in a multipart answer: a JSON part, then the picture's head."""
    before = (
        f"--{boundary}\r\nContent-Type: application/json\r\n\r\n{json.dumps(facts)}\r\n"
        f"--{boundary}\r\nContent-Type: {picture.mime_type}\r\nContent-Length: {picture.size_bytes}\r\n"
        f'Content-Disposition: attachment; filename="result.{picture.extension}"\r\n\r\n'
    )
    return before.encode(), f"\r\n--{boundary}--\r\n".encode()


def _basic_password(request: Request) -> str | None:
    """The password of `Authorization: Basic`, for booth programs whose form has no password field.

    They reach us as `https://booth:PASSWORD@host/ingest/slot-001`; the user name does not matter.
    """
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return None
