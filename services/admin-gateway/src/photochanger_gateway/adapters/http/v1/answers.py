"""How answers to programs look."""

from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final

from photochanger_chassis.errors import ServiceError
from starlette.responses import Response

from photochanger_gateway.adapters.http.admin_answers import json_answer
from photochanger_gateway.adapters.http.models import ErrorBody
from photochanger_gateway.adapters.http.public import error_answers
from photochanger_gateway.adapters.http.urls import Addresses
from photochanger_gateway.adapters.http.v1.models import AcceptedJobBody, JobStatusBody
from photochanger_gateway.adapters.http.v1.prefer import APPLIED, applied
from photochanger_gateway.application.submit_job import Submitted
from photochanger_gateway.domain.jobs import PlacedJob
from photochanger_gateway.domain.refusals import meaning_of

_SOON_SECONDS: Final = 2
_LATEST_SECONDS: Final = 30
_MOST_DETAILS: Final = 1000

NOT_YOURS: Final = error_answers(s404="Unknown, past its time, or another client's: `job_not_found`.")
RETRY_AFTER: Final[dict[str, Any]] = {
    "Retry-After": {
        "description": "Seconds to wait before asking.",
        "schema": {"type": "string", "maxLength": 8},
    }
}
LOCATION: Final[dict[str, Any]] = {
    "Location": {"description": "The job.", "schema": {"type": "string", "maxLength": 2048}}
}
SUBMITTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": JobStatusBody,
        "description": "The job is final already: it was waited for.",
        "headers": {**LOCATION, **APPLIED},
    },
    202: {
        "model": AcceptedJobBody,
        "description": "It is accepted, and will be brought to its end. `Idempotency-Replayed: true`: it was before.",
        "headers": {**LOCATION, **RETRY_AFTER, **APPLIED},
    },
}
KEY_PARAMETER: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeating a request with the same key and content returns the first one's job.",
    "schema": {"type": "string", "pattern": "^[\\x21-\\x7e]{1,255}$", "minLength": 1, "maxLength": 255},
}


def submitted_answer(
    submitted: Submitted, outcome: PlacedJob, addresses: Addresses, *, wait: timedelta, now: datetime
) -> Response:
    """200 with the job where it was waited for and is final; else 202."""
    job = outcome.job
    headers = {"Location": addresses.api_job(job.id), **applied(wait)}
    if submitted.replayed:
        headers["Idempotency-Replayed"] = "true"
    if wait and job.final:
        return json_answer(JobStatusBody.of(outcome, addresses), headers=headers)
    if not job.final:
        headers["Retry-After"] = _retry_after(outcome, now)
    return json_answer(AcceptedJobBody.of(job, addresses), status=202, headers=headers)


def status_answer(outcome: PlacedJob, addresses: Addresses, *, wait: timedelta, now: datetime) -> Response:
    """200 with a final job, 202 with one that is not."""
    headers = applied(wait)
    if not outcome.job.final:
        headers["Retry-After"] = _retry_after(outcome, now)
    status = 200 if outcome.job.final else 202
    return json_answer(JobStatusBody.of(outcome, addresses), status=status, headers=headers)


def item_refused(error: ServiceError) -> ErrorBody:
    """What came of a job of a batch that was refused."""
    meaning = meaning_of(error)
    wait = error.retry_after or meaning.retry_after if meaning.status in {429, 503} else None
    errors = [
        {"field": item.field[:200], "message": item.description[:500]} for item in error.field_violations[:50]
    ]
    return ErrorBody.model_validate(
        {
            "status": "timeout" if meaning.status == 504 else "error",  # noqa: PLR2004 - as the answer's
            "failure_reason": meaning.failure_reason,
            "details": str(error)[:_MOST_DETAILS],
            "retry_after": None if wait is None else max(1, ceil(wait.total_seconds())),
            "errors": errors or None,
        }
    )


def _retry_after(outcome: PlacedJob, now: datetime) -> str:
    if outcome.expected_start_at is None:
        return str(_SOON_SECONDS)
    until = ceil((outcome.expected_start_at - now).total_seconds())
    return str(min(_LATEST_SECONDS, max(_SOON_SECONDS, until)))
