"""Why the providers service refuses or fails, as reasons others can act on.

    ServiceError
    ├── ProviderNotFound, OperationNotFound     the catalogue has none of that name
    ├── ProcessingNotFound                      no such work was submitted, or its time in the history is over
    ├── InvalidSettings                         they do not fit the operation's schema
    ├── ProviderBusy                            the limit of parallel calls is reached; nothing was called
    ├── ProviderUnavailable                     the circuit breaker is open; nothing was called
    ├── StorageUnavailable                      a picture cannot be read or stored
    ├── ProcessingCancelled                     somebody asked to stop
    ├── ProcessingFailed                        any of these, told again from where it was stored
    └── ProviderError                           what came of asking a provider; drivers raise these
        ├── ProviderTimedOut     TIMEOUT            no answer in time
        ├── ProviderFault        PROVIDER_5XX       the provider is broken or overloaded
        ├── BadProviderResponse  BAD_RESPONSE       its answer cannot be used
        ├── QuotaExceeded        QUOTA              its limit or our budget is used up
        ├── NetworkFailed        NETWORK            it cannot be reached, or the connection broke
        ├── ContentBlocked       CONTENT_BLOCKED    its rules refuse the picture or the words
        ├── NoImage              NO_IMAGE           a proper answer without a picture
        ├── BadInput             BAD_INPUT          it cannot work with this photo
        ├── ProviderAuthFailed   AUTH               the key is missing, wrong or lacks rights
        └── ProviderMisconfigured CONFIG            the slot's settings or the service's do not fit

Messages are words for an operator: never a form value, a key, a URL with a token, or a provider's body.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from photochanger_chassis.errors import ErrorKind, FieldViolation, ServiceError

from photochanger_providers.domain.order import Failed
from photochanger_providers.domain.repeat import Repeat


class ProviderNotFound(ServiceError):
    """There is no such provider."""

    kind, reason = ErrorKind.NOT_FOUND, "PROVIDER_NOT_FOUND"

    def __init__(self, provider_id: str) -> None:
        super().__init__(
            f"There is no provider '{provider_id}'. ListProviders tells which there are.",
            providerId=provider_id,
        )


class OperationNotFound(ServiceError):
    """The provider has no such operation."""

    kind, reason = ErrorKind.NOT_FOUND, "OPERATION_NOT_FOUND"

    def __init__(self, provider_id: str, operation_id: str) -> None:
        super().__init__(
            f"Provider '{provider_id}' has no operation '{operation_id}'. ListProviders tells which it has.",
            providerId=provider_id,
            operationId=operation_id,
        )


class ProcessingNotFound(ServiceError):
    """No work on this job was submitted, or it ended too long ago."""

    kind, reason = ErrorKind.NOT_FOUND, "PROCESSING_NOT_FOUND"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"There is no submitted work on job {job_id}.", jobId=job_id)


class InvalidSettings(ServiceError):
    """Settings or template roles do not fit the operation's schema."""

    kind, reason = ErrorKind.INVALID_ARGUMENT, "INVALID_SETTINGS"

    def __init__(self, violations: tuple[FieldViolation, ...]) -> None:
        count = len(violations)
        super().__init__(
            f"{count} {'field does' if count == 1 else 'fields do'} not fit the operation's settings schema.",
            field_violations=violations,
            violationCount=str(count),
        )


class ProviderBusy(ServiceError):
    """As many calls as allowed are under way, and none ended in time. Nothing was called."""

    kind, reason = ErrorKind.RESOURCE_EXHAUSTED, "PROVIDER_BUSY"

    def __init__(self, provider_id: str, limit: int, *, retry_after: timedelta) -> None:
        super().__init__(
            f"Provider '{provider_id}' already works on {limit} photos, which is its limit.",
            retry_after=retry_after,
            providerId=provider_id,
            limit=str(limit),
        )


class ProviderUnavailable(ServiceError):
    """The provider failed so often lately that it is left alone for a while. Nothing was called."""

    kind, reason = ErrorKind.UNAVAILABLE, "PROVIDER_UNAVAILABLE"

    def __init__(self, provider_id: str, model: str, *, retry_after: timedelta) -> None:
        name = f"{provider_id} ({model})" if model else provider_id
        super().__init__(
            f"Provider {name} failed repeatedly and is tried again later.",
            retry_after=retry_after,
            providerId=provider_id,
            model=model,
        )


class StorageUnavailable(ServiceError):
    """A picture could not be read from, or written to, the media service."""

    kind, reason = ErrorKind.UNAVAILABLE, "STORAGE_UNAVAILABLE"


class ProcessingCancelled(ServiceError):
    """The work was stopped because somebody asked for it."""

    kind, reason = ErrorKind.CANCELLED, "CANCELLED"

    def __init__(self) -> None:
        super().__init__("The processing was cancelled.")


class ProcessingFailed(ServiceError):
    """A failure that was stored as a job's outcome, told to whoever asks for it."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.message, retry_after=failed.retry_after)
        self.kind = FAILURE_KINDS[failed.reason]
        self.reason = failed.reason
        self.effort: Final = failed.effort


class ProviderError(ServiceError):
    """What went wrong in asking a provider.

    `repeat` tells the retry layer whether asking again is safe and sensible: a driver passes `Repeat.never()`
    (the default) whenever the provider may have accepted the call and a second one would cost twice.
    `provider_calls` counts the calls made before it was raised. `long_outage` marks what will not pass within
    minutes (a daily quota, a refused key), so that the breaker stays open longer.
    """

    def __init__(
        self,
        message: str,
        *,
        repeat: Repeat | None = None,
        retry_after: timedelta | None = None,
        provider_calls: int = 1,
        long_outage: bool = False,
        field_violations: tuple[FieldViolation, ...] = (),
        **metadata: str,
    ) -> None:
        super().__init__(message, retry_after=retry_after, field_violations=field_violations, **metadata)
        self.repeat: Final = repeat or Repeat.never()
        self.provider_calls: Final = provider_calls
        self.long_outage: Final = long_outage


class ProviderTimedOut(ProviderError):
    """The provider gave no answer in time."""

    kind, reason = ErrorKind.DEADLINE_EXCEEDED, "TIMEOUT"


class ProviderFault(ProviderError):
    """The provider answered that it is broken or overloaded."""

    kind, reason = ErrorKind.ABORTED, "PROVIDER_5XX"


class BadProviderResponse(ProviderError):
    """The provider's answer cannot be used."""

    kind, reason = ErrorKind.ABORTED, "BAD_RESPONSE"


class QuotaExceeded(ProviderError):
    """The provider's limit, or our budget with it, is used up."""

    kind, reason = ErrorKind.RESOURCE_EXHAUSTED, "QUOTA"


class NetworkFailed(ProviderError):
    """The provider could not be reached, or the connection broke, or the worker was lost."""

    kind, reason = ErrorKind.ABORTED, "NETWORK"


class ContentBlocked(ProviderError):
    """The provider's rules refuse the picture or the words."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "CONTENT_BLOCKED"


class NoImage(ProviderError):
    """The provider answered properly, without a picture."""

    kind, reason = ErrorKind.ABORTED, "NO_IMAGE"


class BadInput(ProviderError):
    """The provider cannot work with this photo, for example because it shows no face."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "BAD_INPUT"


class ProviderAuthFailed(ProviderError):
    """The provider's key is missing, wrong or lacks rights."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "AUTH"


class ProviderMisconfigured(ProviderError):
    """The slot's settings, or the service's, do not fit the provider."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "CONFIG"


_FAILURES: Final[tuple[type[ServiceError], ...]] = (
    ProviderTimedOut,
    ProviderFault,
    BadProviderResponse,
    QuotaExceeded,
    NetworkFailed,
    ContentBlocked,
    NoImage,
    BadInput,
    ProviderAuthFailed,
    ProviderMisconfigured,
    ProviderBusy,
    ProviderUnavailable,
    StorageUnavailable,
    ProcessingCancelled,
)
FAILURE_KINDS: Final[Mapping[str, ErrorKind]] = {error.reason: error.kind for error in _FAILURES}
"""The reasons a job's processing can fail with, all of them, and their kinds."""
