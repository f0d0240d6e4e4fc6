"""Translates errors: ours to `google.rpc.Status` on the server, and back on the client.

The model is https://google.aip.dev/193: ErrorInfo with reason, domain and metadata, RetryInfo, BadRequest.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final, TypeVar

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from photochanger_chassis.errors import (
    DeadlinePassed,
    ErrorKind,
    FieldViolation,
    RemoteError,
    ServiceError,
    Unavailable,
)

_M = TypeVar("_M", bound=Message)
_DETAILS_KEY: Final = "grpc-status-details-bin"
# Details travel in trailing metadata, of which a peer takes 8 KiB, and base64 adds a third.
_MAX_TEXT: Final = 500
_MAX_ENTRIES: Final = 8
_SOON: Final = timedelta(seconds=1)
_BROKEN: Final = "Internal error from Core"
"""What grpc.aio itself (seen in 1.85.1) says, as INTERNAL, of a streaming call whose server was killed."""


def domain_of(service: str) -> str:
    """Returns the ErrorInfo domain of a service: `photochanger.<service>`."""
    return f"photochanger.{service}"


def to_status(error: ServiceError, domain: str) -> grpc.Status:
    """Makes the status that answers a call. Texts and lists are cut where they would not fit a trailer.

    A `RemoteError` keeps the domain it came with: the first caller learns who refused, not who passed it on.
    """
    if isinstance(error, RemoteError) and error.domain:
        domain = error.domain
    info = error_details_pb2.ErrorInfo(
        reason=error.reason,
        domain=domain,
        metadata={key: value[:_MAX_TEXT] for key, value in list(error.metadata.items())[:_MAX_ENTRIES]},
    )
    details: list[any_pb2.Any] = [_packed(info)]
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromTimedelta(error.retry_after)
        details.append(_packed(retry))
    if error.field_violations:
        bad_request = error_details_pb2.BadRequest()
        for violation in error.field_violations[:_MAX_ENTRIES]:
            bad_request.field_violations.add(
                field=violation.field[:_MAX_TEXT], description=violation.description[:_MAX_TEXT]
            )
        details.append(_packed(bad_request))
    details += [_packed(detail) for detail in error.details]
    message = status_pb2.Status(code=error.kind.value, message=error.message[:_MAX_TEXT], details=details)
    status: grpc.Status = rpc_status.to_status(message)
    return status


def from_rpc_error(error: grpc.aio.AioRpcError) -> ServiceError:
    """Makes the error of ours that a failed call stands for.

    With details it is a `RemoteError`. Without, the call failed on the way: UNAVAILABLE, a CANCELLED
    nobody asked for (a server that stops answers so, https://github.com/grpc/grpc/issues/41785) and a stream
    that broke under our hands are `Unavailable`, DEADLINE_EXCEEDED is `DeadlinePassed`, the rest a `RemoteError`
    without a domain.
    """
    kind = ErrorKind[error.code().name]
    message = error.details() or kind.name
    status = _details_of(error)
    if status is None:
        broken = kind is ErrorKind.INTERNAL and message == _BROKEN
        if broken or kind in {ErrorKind.UNAVAILABLE, ErrorKind.CANCELLED}:
            return Unavailable("The service called cannot be reached.", retry_after=timedelta(seconds=1))
        if kind is ErrorKind.DEADLINE_EXCEEDED:
            return DeadlinePassed("The deadline passed before the service called had answered.")
        return RemoteError(message, kind=kind, reason=kind.name, domain="", metadata={})
    info = error_details_pb2.ErrorInfo()
    retry = error_details_pb2.RetryInfo()
    bad_request = error_details_pb2.BadRequest()
    retry_after = None
    others: list[any_pb2.Any] = []
    for detail in status.details:
        # Unpack leaves the message alone when the type is another one.
        if detail.Unpack(retry):
            retry_after = retry.retry_delay.ToTimedelta()
        elif not (detail.Unpack(info) or detail.Unpack(bad_request)):
            others.append(detail)
    return RemoteError(
        message,
        kind=kind,
        reason=info.reason or kind.name,
        domain=info.domain,
        metadata=dict(info.metadata),
        retry_after=retry_after,
        field_violations=tuple(
            FieldViolation(item.field, item.description) for item in bad_request.field_violations
        ),
        details=tuple(others),
    )


def detail_of(error: ServiceError, kind: type[_M]) -> _M:
    """Returns the detail of this kind that an error of another service carries; an empty one where there is none."""
    found = kind()
    for detail in error.details:
        if isinstance(detail, any_pb2.Any) and detail.Unpack(found):
            break
    return found


@contextmanager
def translate_rpc_errors() -> Iterator[None]:
    """Turns a failed call in the block into `RemoteError`, `Unavailable` or `DeadlinePassed`.

    Put it around the awaiting of a call and, for a stream, around reading it.
    """
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling() > 0:
            raise
        # Nobody cancelled us: gRPC cancels a call itself when sending on it fails while its refusal is on the way,
        # and raises this in place of the refusal (`_consume_request_iterator` in grpc/aio/_call.py, 1.85).
        raise Unavailable("The connection to the service was lost.", retry_after=_SOON) from error


def _packed(message: Message) -> any_pb2.Any:
    if isinstance(message, any_pb2.Any):
        return message  # of another service, passed on as it came
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _details_of(error: grpc.aio.AioRpcError) -> status_pb2.Status | None:
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                return status_pb2.Status.FromString(value)
            except DecodeError:
                return None
    return None
