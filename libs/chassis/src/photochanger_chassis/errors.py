"""Errors a caller can act on.

    ServiceError                    has a kind, a reason, metadata
    ├── InvalidArgument             the request itself is wrong; field_violations say where
    ├── Unavailable                 a dependency cannot be reached now; trying again may help
    ├── DeadlinePassed              nobody waits for the answer any more
    ├── RemoteError                 what another service answered, carried as data
    └── …                           each service's own, in its domain/errors.py

Anything else that is raised is a bug: it is logged with its trace and answered as a bare INTERNAL.
`grpc/errors.py` maps this tree to `google.rpc.Status` and back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from google.protobuf.message import Message


class ErrorKind(Enum):
    """The codes of `google.rpc.Code`, with their numbers, named without importing gRPC.

    Source: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
    """

    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request that was refused.

    `field` is its path as in the proto (`settings.password`), `description` says what is wanted.
    """

    field: str
    description: str


class ServiceError(Exception):
    """An error a caller can act on.

    A subclass sets `kind` and `reason` once for the class; `reason` is UPPER_SNAKE, unique in the service and
    never reused. What appears in the message is also in `metadata`, under lowerCamelCase keys, so nobody has
    to parse text. `retry_after` says when trying again makes sense. An adapter may set `details`: messages of the
    service's contract, 2 KiB together at most, for callers that know them; in a `RemoteError` each is still an `Any`.
    """

    kind: ErrorKind
    reason: str
    details: tuple[Message, ...] = ()

    def __init__(
        self,
        message: str,
        *,
        retry_after: timedelta | None = None,
        field_violations: tuple[FieldViolation, ...] = (),
        **metadata: str,
    ) -> None:
        super().__init__(message)
        self.message: Final = message
        self.retry_after: Final = retry_after
        self.field_violations: Final = field_violations
        self.metadata: Final[Mapping[str, str]] = metadata


class InvalidArgument(ServiceError):
    """The request is wrong whatever the state of the service."""

    kind, reason = ErrorKind.INVALID_ARGUMENT, "INVALID_ARGUMENT"


class Unavailable(ServiceError):
    """Something the service depends on cannot be reached right now."""

    kind, reason = ErrorKind.UNAVAILABLE, "UNAVAILABLE"


class DeadlinePassed(ServiceError):
    """The deadline passed before there was an answer."""

    kind, reason = ErrorKind.DEADLINE_EXCEEDED, "DEADLINE_PASSED"


class RemoteError(ServiceError):
    """What another service answered. Left alone, it reaches our own caller with its reason and domain intact.

    `domain` names the service that raised it, `photochanger.<service>`, or is empty when the answer carried
    no details (a bare INTERNAL, a proxy); `reason` is then the name of the kind.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind,
        reason: str,
        domain: str,
        metadata: Mapping[str, str],
        retry_after: timedelta | None = None,
        field_violations: tuple[FieldViolation, ...] = (),
        details: tuple[Message, ...] = (),
    ) -> None:
        super().__init__(message, retry_after=retry_after, field_violations=field_violations, **metadata)
        self.kind = kind
        self.reason = reason
        self.domain: Final = domain
        self.details = details
