"""Why a request is refused, and what each reason is in HTTP.

Services name reasons (`SLOT_NOT_FOUND`); jobs name failures (`no_image`); cameras know a status and a
`failure_reason`. Both translations stand here, once. A reason with no row falls back on its kind.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from photochanger_chassis.errors import ErrorKind, FieldViolation, ServiceError


@dataclass(frozen=True, slots=True)
class HttpMeaning:
    """What a reason is to an HTTP client. `retry_after` is the wait advised where the error names none."""

    status: int
    failure_reason: str
    retry_after: timedelta | None = None


_SOON: Final = timedelta(seconds=5)
_INTERNAL: Final = HttpMeaning(500, "internal_error")
_STORAGE: Final = HttpMeaning(503, "storage_unavailable", _SOON)
_PROVIDER_LATER: Final = HttpMeaning(503, "provider_error", _SOON)
_PROVIDER_FAILED: Final = HttpMeaning(502, "provider_error")
_TIMEOUT: Final = HttpMeaning(504, "provider_timeout")
_INVALID: Final = HttpMeaning(400, "invalid_request")
_BUSY: Final = HttpMeaning(429, "rate_limited", _SOON)

BY_REASON: Final[dict[str, HttpMeaning]] = {
    # ingest
    "SLOT_NOT_FOUND": HttpMeaning(404, "slot_not_found"),
    "SLOT_DISABLED": HttpMeaning(404, "slot_disabled"),
    "SLOT_BUSY": _BUSY,
    "PROVIDER_BUSY": _BUSY,
    "PASSWORD_CHECKS_BUSY": _BUSY,
    "INVALID_PASSWORD": HttpMeaning(401, "invalid_password"),
    "INVALID_HASH": _INVALID,
    "HASH_MISMATCH": _INVALID,
    "IDEMPOTENCY_CONFLICT": HttpMeaning(409, "idempotency_conflict"),
    "IDEMPOTENCY_MISMATCH": HttpMeaning(422, "idempotency_mismatch"),
    "DEADLINE_CANNOT_BE_MET": _TIMEOUT,
    "JOB_NOT_FOUND": HttpMeaning(404, "job_not_found"),
    "JOB_NOT_FINISHED": _TIMEOUT,
    "JOB_ALREADY_FINAL": HttpMeaning(409, "job_already_final"),
    "JOB_NOT_FINAL": HttpMeaning(409, "job_not_final"),
    "INPUT_NOT_FOUND": HttpMeaning(404, "input_not_found"),
    "INVALID_API_KEY": HttpMeaning(401, "invalid_api_key"),
    "API_KEY_NOT_FOUND": HttpMeaning(404, "api_key_not_found"),
    "API_CLIENT_NOT_FOUND": HttpMeaning(422, "api_client_not_found"),
    "WEBHOOK_SECRET_NOT_FOUND": HttpMeaning(404, "webhook_secret_not_found"),
    "WEBHOOK_DELIVERY_NOT_FOUND": HttpMeaning(404, "webhook_delivery_not_found"),
    "WEBHOOK_DELIVERY_PENDING": HttpMeaning(409, "webhook_delivery_pending"),
    "WEBHOOKS_NOT_CONFIGURED": HttpMeaning(501, "webhooks_not_configured"),
    "SECRETS_NOT_CONFIGURED": HttpMeaning(501, "secrets_not_configured"),
    "VERSION_CONFLICT": HttpMeaning(409, "version_conflict"),
    "WRONG_JOB_STATE": _INTERNAL,
    "SLOT_VERSION_NOT_FOUND": HttpMeaning(404, "slot_version_not_found"),
    "TEMPLATE_NOT_FOUND": HttpMeaning(422, "template_not_found"),
    "TEMPLATE_IN_USE": HttpMeaning(409, "template_in_use"),
    "AUDIT_ENTRY_NOT_FOUND": _INTERNAL,
    # media
    "PAYLOAD_TOO_LARGE": HttpMeaning(413, "payload_too_large"),
    "TOO_MANY_PIXELS": HttpMeaning(413, "payload_too_large"),
    "UNSUPPORTED_MEDIA_TYPE": HttpMeaning(415, "unsupported_media_type"),
    "BROKEN_IMAGE": _INVALID,
    "MEDIA_NOT_PUBLIC": _INTERNAL,
    "MEDIA_NOT_FOUND": HttpMeaning(404, "result_not_found"),
    "MEDIA_EXPIRED": HttpMeaning(410, "result_expired"),
    "LINK_NOT_FOUND": HttpMeaning(404, "link_not_found"),
    "LINK_EXPIRED": HttpMeaning(410, "link_expired"),
    "LINKS_NOT_CONFIGURED": _INTERNAL,
    "RANGE_NOT_SATISFIABLE": HttpMeaning(416, "range_not_satisfiable"),
    "STORAGE_UNAVAILABLE": _STORAGE,
    # providers, beside the failures of a job below
    "PROVIDER_NOT_FOUND": HttpMeaning(422, "provider_not_found"),
    "OPERATION_NOT_FOUND": HttpMeaning(422, "operation_not_found"),
    "PROCESSING_NOT_FOUND": HttpMeaning(404, "job_not_found"),
    "INVALID_SETTINGS": HttpMeaning(422, "invalid_settings"),
    "PROVIDER_UNAVAILABLE": _PROVIDER_LATER,
    # the task engine, whichever service
    "TASK_NOT_FOUND": HttpMeaning(404, "task_not_found"),
    "TASK_NOT_DEAD": HttpMeaning(409, "task_not_dead"),
    "TASK_UNIQUE_KEY_TAKEN": HttpMeaning(409, "task_unique_key_taken"),
    "CANCELLED": _PROVIDER_LATER,
    # the chassis, whichever service
    "INVALID_ARGUMENT": _INVALID,
    "UNAVAILABLE": _STORAGE,
    "DEADLINE_PASSED": _TIMEOUT,
    "DEADLINE_REQUIRED": _INTERNAL,
    "SERVER_BUSY": _BUSY,
    # the gateway itself
    "INVALID_REQUEST": _INVALID,
    "CLIENT_GONE": _INVALID,
    "INVALID_CHANGE": HttpMeaning(422, "invalid_request_body"),
    "NO_SUCH_TEMPLATE": HttpMeaning(404, "template_not_found"),
    "NO_SUCH_MEDIA": HttpMeaning(404, "media_not_found"),
    "TEMPORARY_MEDIA_EXPIRED": HttpMeaning(410, "media_expired"),
    "INPUT_EXPIRED": HttpMeaning(410, "input_expired"),
    "MISSING_API_KEY": HttpMeaning(401, "missing_api_key"),
    "INSUFFICIENT_SCOPE": HttpMeaning(403, "insufficient_scope"),
    "NO_WEBHOOK_SECRET": HttpMeaning(400, "webhook_secret_not_found"),
    "QUEUE_NOT_FOUND": HttpMeaning(404, "queue_not_found"),
    "RESULT_NOT_FOUND": HttpMeaning(404, "result_not_found"),
    "RESULT_EXPIRED": HttpMeaning(410, "result_expired"),
    "RATE_LIMITED": HttpMeaning(429, "rate_limited", timedelta(seconds=60)),
    "GALLERY_NOT_SHARED": HttpMeaning(403, "gallery_not_shared"),
    "INVALID_CREDENTIALS": HttpMeaning(401, "invalid_credentials"),
    "THROTTLED": HttpMeaning(429, "throttled", timedelta(minutes=15)),
    "MISSING_TOKEN": HttpMeaning(401, "missing_token"),
    "INVALID_TOKEN": HttpMeaning(401, "invalid_token"),
    "TOKEN_EXPIRED": HttpMeaning(401, "token_expired"),
    "CSRF_FAILED": HttpMeaning(403, "csrf_failed"),
    "SESSIONS_UNAVAILABLE": _STORAGE,
    "TOO_MANY_LISTENERS": _STORAGE,
}
"""Every reason a client of the gateway can meet."""

BY_FAILURE: Final[dict[str, HttpMeaning]] = {
    "timeout": _TIMEOUT,
    "provider_5xx": _PROVIDER_FAILED,
    "bad_response": _PROVIDER_FAILED,
    "quota": _PROVIDER_LATER,
    "network": _PROVIDER_LATER,
    "content_blocked": _PROVIDER_FAILED,
    "no_image": _PROVIDER_FAILED,
    "bad_input": _PROVIDER_FAILED,
    "auth": _PROVIDER_FAILED,
    "config": _PROVIDER_FAILED,
    "storage": _STORAGE,
    "cancelled": _PROVIDER_LATER,
    "internal": _INTERNAL,
}
"""Every failure a job can end with."""

_BY_KIND: Final[dict[ErrorKind, HttpMeaning]] = {
    ErrorKind.INVALID_ARGUMENT: _INVALID,
    ErrorKind.NOT_FOUND: HttpMeaning(404, "not_found"),
    ErrorKind.RESOURCE_EXHAUSTED: _BUSY,
    ErrorKind.UNAVAILABLE: _STORAGE,
    ErrorKind.CANCELLED: _STORAGE,  # not by us: the service is stopping
    ErrorKind.DEADLINE_EXCEEDED: _TIMEOUT,
}


def meaning_of(error: ServiceError) -> HttpMeaning:
    """Translates an error of ours or of a service."""
    return BY_REASON.get(error.reason) or _BY_KIND.get(error.kind, _INTERNAL)


def meaning_of_failure(reason: str) -> HttpMeaning:
    """Translates a job's failure; one nobody knows is our fault."""
    return BY_FAILURE.get(reason, _INTERNAL)


class InvalidRequest(ServiceError):
    """The request cannot be understood; the message says what to change."""

    kind, reason = ErrorKind.INVALID_ARGUMENT, "INVALID_REQUEST"


class InvalidChange(ServiceError):
    """Fields of an admin's request are wrong. `field_violations` name each as the HTTP API does."""

    kind, reason = ErrorKind.INVALID_ARGUMENT, "INVALID_CHANGE"

    def __init__(self, violations: tuple[FieldViolation, ...]) -> None:
        count = len(violations)
        super().__init__(
            f"{count} {'field is' if count == 1 else 'fields are'} wrong: "
            + "; ".join(f"{item.field}: {item.description}" for item in violations[:8]),
            field_violations=violations,
        )


class NoSuchTemplate(ServiceError):
    """The template an admin names in a path does not exist."""

    kind, reason = ErrorKind.NOT_FOUND, "NO_SUCH_TEMPLATE"

    def __init__(self) -> None:
        super().__init__("There is no such template image. It may have been deleted.")


class NoSuchMedia(ServiceError):
    """The temporary picture an admin names in a path does not exist."""

    kind, reason = ErrorKind.NOT_FOUND, "NO_SUCH_MEDIA"

    def __init__(self) -> None:
        super().__init__("There is no such picture.")


class TemporaryMediaExpired(ServiceError):
    """The temporary picture's time is over."""

    kind, reason = ErrorKind.NOT_FOUND, "TEMPORARY_MEDIA_EXPIRED"

    def __init__(self) -> None:
        super().__init__("This picture is no longer kept. Upload it again.")


class InputExpired(ServiceError):
    """A job's photo is no longer kept."""

    kind, reason = ErrorKind.NOT_FOUND, "INPUT_EXPIRED"

    def __init__(self) -> None:
        super().__init__("The camera's photo is no longer kept, so this job cannot run again.")


class ClientGone(ServiceError):
    """The client hung up in the middle of its request. Nobody reads the answer."""

    kind, reason = ErrorKind.CANCELLED, "CLIENT_GONE"

    def __init__(self) -> None:
        super().__init__("The connection was cut before the form's end.")


class PayloadTooLarge(ServiceError):
    """The body is larger than the slot takes. Sizes in bytes."""

    kind, reason = ErrorKind.OUT_OF_RANGE, "PAYLOAD_TOO_LARGE"

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(
            f"The request has {size_bytes} bytes or more; a picture may have at most {limit_bytes} bytes here. "
            "Make it smaller: a camera by its picture size. A slot's limit can be raised by the studio.",
            sizeBytes=str(size_bytes),
            limitBytes=str(limit_bytes),
        )


class ResultNotFound(ServiceError):
    """No such job, or no picture yet."""

    kind, reason = ErrorKind.NOT_FOUND, "RESULT_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no picture here. The link may be wrong, or the picture is not ready yet.")


class ResultExpired(ServiceError):
    """The picture's time is over."""

    kind, reason = ErrorKind.NOT_FOUND, "RESULT_EXPIRED"

    def __init__(self) -> None:
        super().__init__("This picture is no longer kept.")


class RateLimited(ServiceError):
    """Too many requests from one client."""

    kind, reason = ErrorKind.RESOURCE_EXHAUSTED, "RATE_LIMITED"

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__(
            f"Too many requests. Try again in {max(1, round(retry_after.total_seconds()))} s.",
            retry_after=retry_after,
        )


class MissingApiKey(ServiceError):
    """The route wants an API key."""

    kind, reason = ErrorKind.UNAUTHENTICATED, "MISSING_API_KEY"

    def __init__(self) -> None:
        super().__init__("Send your API key as `Authorization: Bearer pc_…` or as `X-API-Key`.")


class InvalidApiKey(ServiceError):
    """The key has not even the form of one of ours."""

    kind, reason = ErrorKind.UNAUTHENTICATED, "INVALID_API_KEY"

    def __init__(self) -> None:
        super().__init__("The API key is not valid. Ask the studio for a new one.")


class InsufficientScope(ServiceError):
    """The key is good, but not for this."""

    kind, reason = ErrorKind.PERMISSION_DENIED, "INSUFFICIENT_SCOPE"

    def __init__(self, scope: str) -> None:
        super().__init__(f"The API key lacks the scope {scope}.", scope=scope)


class NoWebhookSecret(ServiceError):
    """A job is to have a webhook, and its client has nothing to sign it with."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "NO_WEBHOOK_SECRET"

    def __init__(self) -> None:
        super().__init__("A webhook_url wants a secret to sign with: POST /api/v1/webhooks/secret first.")


class QueueNotFound(ServiceError):
    """No service has a queue of this name."""

    kind, reason = ErrorKind.NOT_FOUND, "QUEUE_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such queue. GET /api/queues lists them.")


class TaskNotFound(ServiceError):
    """No service has this task."""

    kind, reason = ErrorKind.NOT_FOUND, "TASK_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("There is no such task. It may have been removed with its queue's history.")


class InvalidCredentials(ServiceError):
    """Unknown account or wrong password; which of the two is not told."""

    kind, reason = ErrorKind.UNAUTHENTICATED, "INVALID_CREDENTIALS"

    def __init__(self) -> None:
        super().__init__("The user name or the password is wrong.")


class Throttled(ServiceError):
    """Too many wrong passwords."""

    kind, reason = ErrorKind.RESOURCE_EXHAUSTED, "THROTTLED"

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("Too many wrong passwords. Wait before you try again.", retry_after=retry_after)


class MissingToken(ServiceError):
    """The route wants a bearer token, or a session's cookie."""

    kind, reason = ErrorKind.UNAUTHENTICATED, "MISSING_TOKEN"

    def __init__(self) -> None:
        super().__init__("Sign in by POST /api/login and send the token as `Authorization: Bearer …`.")


class InvalidToken(ServiceError):
    """The token is not one of ours."""

    kind, reason = ErrorKind.UNAUTHENTICATED, "INVALID_TOKEN"

    def __init__(self) -> None:
        super().__init__("The token is not valid. Sign in again.")


class TokenExpired(ServiceError):
    """The token's time is over."""

    kind, reason = ErrorKind.UNAUTHENTICATED, "TOKEN_EXPIRED"

    def __init__(self) -> None:
        super().__init__("The token has expired. Sign in again.")


class CsrfFailed(ServiceError):
    """A change was asked for with a session's cookie and without what only a page of ours can know."""

    kind, reason = ErrorKind.PERMISSION_DENIED, "CSRF_FAILED"

    def __init__(self) -> None:
        super().__init__("The request does not come from a page of ours. Load the page again.")


class SessionsUnavailable(ServiceError):
    """The list of live sessions cannot be reached, so nobody can be let in."""

    kind, reason = ErrorKind.UNAVAILABLE, "SESSIONS_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__(
            "Sessions cannot be checked right now. Cameras are not affected. Try again in a moment.",
            retry_after=timedelta(seconds=2),
        )


class TooManyListeners(ServiceError):
    """This replica sends live events to as many clients as it may."""

    kind, reason = ErrorKind.UNAVAILABLE, "TOO_MANY_LISTENERS"

    def __init__(self) -> None:
        super().__init__(
            "Too many pages follow live events. Close some, or try again later.",
            retry_after=timedelta(seconds=30),
        )
