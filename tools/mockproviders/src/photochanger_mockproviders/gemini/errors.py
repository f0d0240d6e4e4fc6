"""Google's error bodies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from ..server import Reply

JSON_TYPE = "application/json; charset=UTF-8"
_TYPE = "type.googleapis.com/google.rpc."
_TROUBLESHOOTING = "https://ai.google.dev/gemini-api/docs/troubleshooting"
Detail = Mapping[str, object]


class ApiError(Exception):
    """A refusal in Google's own words: HTTP status, canonical status name, message and details."""

    def __init__(self, http: int, status: str, message: str, details: Sequence[Detail] = ()) -> None:
        super().__init__(message)
        self.http = http
        self.status = status
        self.message = message
        self.details = tuple(details)

    def reply(self, *, as_array: bool = False) -> Reply:
        """The answer that carries the error; as a one-element array, some of Google's front ends send it."""
        error: dict[str, object] = {"code": self.http, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = self.details
        body: object = {"error": error}
        return Reply(self.http, json.dumps([body] if as_array else body, indent=2).encode(), JSON_TYPE)


def invalid(message: str) -> ApiError:
    """400 without details, as the model's front end answers."""
    return ApiError(400, "INVALID_ARGUMENT", message)


def bad_field(field: str, description: str) -> ApiError:
    """400 as the JSON-to-protobuf transcoder answers."""
    detail = {
        "@type": _TYPE + "BadRequest",
        "fieldViolations": [{"field": field, "description": description}],
    }
    return ApiError(400, "INVALID_ARGUMENT", description, [detail])


def unknown_field(name: str, path: str) -> ApiError:
    """400 for a field that the message does not have."""
    at = f" at '{path}'" if path else ""
    return bad_field(path, f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.')


def api_key_invalid() -> ApiError:
    """A wrong key is a 400, not a 401."""
    info = {
        "@type": _TYPE + "ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }
    return ApiError(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [info])


def key_missing() -> ApiError:
    """No key at all."""
    return ApiError(
        403,
        "PERMISSION_DENIED",
        "Method doesn't allow unregistered callers (callers without established identity). Please use API Key"
        " or other form of API consumer identity to call this API.",
    )


def model_not_found(model: str) -> ApiError:
    """Unknown and retired names alike."""
    return ApiError(
        404,
        "NOT_FOUND",
        f"models/{model} is not found for API version v1beta, or is not supported for generateContent."
        " Call ListModels to see the list of available models and their supported methods.",
    )


def quota(details: Sequence[Detail] = ()) -> ApiError:
    """429 with the given details, possibly none."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return ApiError(429, "RESOURCE_EXHAUSTED", message, details)


def quota_details(model: str, *, per_day: bool, retry_delay: str) -> list[Detail]:
    """The three details a full 429 has. A daily limit comes with a short, misleading `retryDelay` too."""
    window = "PerDay" if per_day else "PerMinute"
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_requests_per_model",
        "quotaId": f"GenerateRequests{window}PerProjectPerModel",
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": "2000" if per_day else "500",
    }
    return [
        {"@type": _TYPE + "Help", "links": [{"description": "Learn more", "url": _TROUBLESHOOTING}]},
        {"@type": _TYPE + "QuotaFailure", "violations": [violation]},
        {"@type": _TYPE + "RetryInfo", "retryDelay": retry_delay},
    ]


def precondition_failed() -> ApiError:
    """Billing is off, or the free tier is not offered here."""
    return ApiError(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")


def permission_denied() -> ApiError:
    """The key exists, without the right to this."""
    return ApiError(
        403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."
    )


def internal() -> ApiError:
    """500."""
    return ApiError(
        500, "INTERNAL", f"An internal error has occurred. Please retry or report in {_TROUBLESHOOTING}"
    )


def unavailable() -> ApiError:
    """503."""
    return ApiError(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")


def deadline_exceeded() -> ApiError:
    """504."""
    return ApiError(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete.")


def too_large(limit_bytes: int, http: int) -> ApiError:
    """The whole body is over the limit; seen as 400, and as 413 from the front end."""
    return ApiError(http, "INVALID_ARGUMENT", f"Request payload size exceeds the limit: {limit_bytes} bytes.")
