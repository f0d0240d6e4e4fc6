"""How answers look: JSON errors, pictures, headers."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from math import ceil
from typing import Final

from photochanger_chassis.errors import ServiceError
from starlette.requests import Request
from starlette.responses import Response

from photochanger_gateway.domain.jobs import Job, Picture
from photochanger_gateway.domain.refusals import HttpMeaning, meaning_of, meaning_of_failure

PROBLEM_TYPE: Final = "application/problem+json"
FILE_SECURITY_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "Cross-Origin-Resource-Policy": "same-site",
}
"""On every file we serve: shown, never run, never indexed, and the link (a capability) is not passed on."""

_TOKEN_REASONS: Final = frozenset(
    {"MISSING_TOKEN", "INVALID_TOKEN", "TOKEN_EXPIRED", "MISSING_API_KEY", "INVALID_API_KEY"}
)
_LONGEST_CACHE: Final = timedelta(hours=1)
_MOST_FIELDS: Final = 50
_LONGEST_FIELD: Final = 200
_LONGEST_MESSAGE: Final = 500


def for_cameras(path: str) -> bool:
    """Whether a path is the cameras', whose errors keep one shape and whose bodies are streamed."""
    return path.startswith(("/api/ingest/", "/ingest/"))


def takes_picture(path: str) -> bool:
    """Whether a path's body is a form with a picture, which the route itself streams within limits of its own."""
    return (
        for_cameras(path)
        or path in {"/api/template-media/register", "/api/media/register", "/api/v1/jobs", "/api/v1/media"}
        or (path.startswith("/api/slots/") and path.endswith("/test-run"))
    )


def wants_problem(request: Request) -> bool:
    """Whether the client asks for RFC 9457 errors, and may have them."""
    return PROBLEM_TYPE in request.headers.get("accept", "") and not for_cameras(request.url.path)


def rfc3339(instant: datetime | None) -> str | None:
    """Formats an instant in UTC, to the millisecond."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def refusal(error: ServiceError, *, job_id: str | None = None, problem: bool = False) -> Response:
    """The answer to a request that a service, or we, refused."""
    meaning = meaning_of(error)
    answer = _error(
        meaning, str(error), error.retry_after, job_id, problem=problem, facts=_facts_of(error, meaning)
    )
    if error.reason == "RANGE_NOT_SATISFIABLE" and error.metadata.get("sizeBytes", "").isdecimal():
        answer.headers["Content-Range"] = f"bytes */{error.metadata['sizeBytes']}"
    if error.reason in _TOKEN_REASONS:
        answer.headers["WWW-Authenticate"] = "Bearer"
    if error.reason == "INSUFFICIENT_SCOPE":  # RFC 6750 §3
        scope = error.metadata.get("scope", "")
        answer.headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{scope}"'
    return answer


def _facts_of(error: ServiceError, meaning: HttpMeaning) -> dict[str, object]:
    """What a client can act on beside the reason."""
    facts: dict[str, object] = {}
    if meaning.status == HTTPStatus.UNPROCESSABLE_ENTITY and error.field_violations:
        facts["errors"] = [
            {"field": item.field[:_LONGEST_FIELD], "message": item.description[:_LONGEST_MESSAGE]}
            for item in error.field_violations[:_MOST_FIELDS]
        ]
    if error.reason == "VERSION_CONFLICT" and error.metadata.get("currentVersion", "").isdecimal():
        facts["current_version"] = int(error.metadata["currentVersion"])
    return facts


def plain(meaning: HttpMeaning, details: str, request: Request) -> Response:
    """An answer for what no service was asked about: no such route, method or id."""
    return _error(meaning, details, None, None, problem=wants_problem(request))


def failed_job(job: Job, *, problem: bool = False) -> Response:
    """The answer for a job that ended without a picture."""
    reason = job.failure.reason if job.failure is not None else "internal"
    message = job.failure.message if job.failure is not None else "The job ended without a picture."
    return _error(meaning_of_failure(reason), message, None, job.id, problem=problem)


def internal_error(*, problem: bool = False) -> Response:
    """The answer when the fault is ours; the trace is in the log, under the request's id."""
    meaning = HttpMeaning(500, "internal_error")
    return _error(meaning, "Something went wrong on our side.", None, None, problem=problem)


def _error(
    meaning: HttpMeaning,
    details: str,
    retry_after: timedelta | None,
    job_id: str | None,
    *,
    problem: bool,
    facts: Mapping[str, object] | None = None,
) -> Response:
    wait = retry_after or meaning.retry_after if meaning.status in {429, 503} else None
    seconds = max(1, ceil(wait.total_seconds())) if wait is not None else None
    told = {"failure_reason": meaning.failure_reason, "details": details[:1000]}
    extras = {"retry_after": seconds, "job_id": job_id}
    if problem:
        content: dict[str, object] = {
            "type": f"urn:photochanger:{meaning.failure_reason}",
            "title": HTTPStatus(meaning.status).phrase,
            "status": meaning.status,
            "detail": told["details"],
            **told,
        }
    else:
        content = {"status": "timeout" if meaning.status == HTTPStatus.GATEWAY_TIMEOUT else "error", **told}
    content |= {name: value for name, value in extras.items() if value is not None} | dict(facts or {})
    headers = {"Cache-Control": "no-store"}
    if seconds is not None:
        headers["Retry-After"] = str(seconds)
    return Response(
        # A name of the client's own may be half a character, which JSON can hold and UTF-8 cannot.
        json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"),
        status_code=meaning.status,
        headers=headers,
        media_type=PROBLEM_TYPE if problem else "application/json",
    )


def cache_control(picture: Picture, now: datetime) -> str:
    """Lets a browser keep a public picture, never longer than its link lives."""
    if picture.expires_at is None:
        return f"private, max-age={int(_LONGEST_CACHE.total_seconds())}"
    left = min(_LONGEST_CACHE, picture.expires_at - now)
    return f"private, max-age={max(0, int(left.total_seconds()))}"


def server_timing(seconds: Mapping[str, float]) -> str:
    """The `Server-Timing` header, milliseconds."""
    return ", ".join(f"{stage};dur={duration * 1000:.1f}" for stage, duration in seconds.items())
