"""What the server does around every call: telemetry, errors, limits.

Applied from the outside in: telemetry sees every answer, refusals included; error mapping comes next, so that
a limit refuses by raising an ordinary `ServiceError`; limits are innermost. Health and reflection, under
`/grpc.`, pass untouched: a probe must be answered under overload, and Watch has no deadline.
"""

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import timedelta
from typing import Any, Final, TypeAlias

import grpc
import structlog
from opentelemetry import trace

from photochanger_chassis.concurrency import collapse_group
from photochanger_chassis.errors import ErrorKind, ServiceError
from photochanger_chassis.grpc.errors import to_status
from photochanger_chassis.metrics import GrpcServerMetrics
from photochanger_chassis.tracing import continued_trace, current_trace_id

_log = structlog.stdlib.get_logger(__name__)
_tracer = trace.get_tracer(__name__)

_DEADLINE_SLACK_SECONDS: Final = 0.05

# gRPC's handler types are generic over messages nobody here looks at.
# Quoted: at run time only some of them are generic.
_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
_Continuation: TypeAlias = "Callable[[grpc.HandlerCallDetails], Awaitable[_Handler | None]]"


class DeadlineRequired(ServiceError):
    """The call came without a deadline; it could hold its resources for ever."""

    kind, reason = ErrorKind.INVALID_ARGUMENT, "DEADLINE_REQUIRED"

    def __init__(self, method: str) -> None:
        super().__init__(f"{method} needs a deadline; pass a timeout with the call.", method=method)


class ServerBusy(ServiceError):
    """The server is serving as many calls as it is allowed to."""

    kind, reason = ErrorKind.RESOURCE_EXHAUSTED, "SERVER_BUSY"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The server is at its limit of {limit} calls.",
            retry_after=timedelta(seconds=1),
            limit=str(limit),
        )


class _Around(grpc.aio.ServerInterceptor):
    """Runs every call, whatever its shape, inside `around`."""

    @abstractmethod
    def around(self, method: str, context: _Context) -> AbstractAsyncContextManager[None]:
        """Returns what to enter before the handler starts and to leave after its last message."""

    async def intercept_service(
        self, continuation: _Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> "_Handler | None":
        """Wraps the handler that the next interceptor, or the server, returns."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or method.startswith("/grpc."):
            return handler
        return _wrapped(handler, lambda context: self.around(method, context))


def _wrapped(handler: _Handler, around: Callable[[_Context], AbstractAsyncContextManager[None]]) -> _Handler:
    behaviour: Any = (
        handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    )

    async def unary(request: object, context: _Context) -> object:
        async with around(context):
            return await behaviour(request, context)

    async def streaming(request: object, context: _Context) -> None:
        # Messages are written from here, not yielded: so a cancellation always lands in this coroutine, and
        # the handler's generator is closed before the call ends.
        async with around(context):
            answer = behaviour(request, context)
            if not hasattr(answer, "__aiter__"):
                await answer
                return
            async with aclosing(answer) as messages:
                async for message in messages:
                    await context.write(message)

    makers: dict[tuple[bool, bool], Any] = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    make = makers[handler.request_streaming, handler.response_streaming]
    wrapped: _Handler = make(
        streaming if handler.response_streaming else unary,
        request_deserializer=handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )
    return wrapped


class Telemetry(_Around):
    """Counts and times calls, continues the caller's trace, and binds `trace_id` to log lines."""

    def __init__(self, metrics: GrpcServerMetrics) -> None:
        self._metrics = metrics

    @asynccontextmanager
    async def around(self, method: str, context: _Context) -> AsyncIterator[None]:
        """Measures one call."""
        started = time.perf_counter()
        code = "UNKNOWN"
        with (
            continued_trace(context.invocation_metadata() or ()),
            _tracer.start_as_current_span(
                method.removeprefix("/"), kind=trace.SpanKind.SERVER, record_exception=False
            ),
            structlog.contextvars.bound_contextvars(trace_id=current_trace_id()),
            self._metrics.in_flight.labels(method).track_inprogress(),
        ):
            try:
                yield
                code = _code_name(context, grpc.StatusCode.OK)
            except asyncio.CancelledError:
                code = _cancelled_code(context)
                raise
            except Exception:
                code = _code_name(context, grpc.StatusCode.UNKNOWN)
                raise
            finally:
                self._metrics.calls.labels(method, code).inc()
                self._metrics.duration.labels(method).observe(time.perf_counter() - started)


class ErrorMapping(_Around):
    """Answers every error with a status, so that no client waits for its own deadline.

    A handler whose own `CancelledError` escapes would send nothing at all
    (https://github.com/grpc/grpc/issues/29248): it is answered with UNAVAILABLE.
    """

    def __init__(self, domain: str) -> None:
        self._domain = domain

    @asynccontextmanager
    async def around(self, method: str, context: _Context) -> AsyncIterator[None]:
        """Maps what one handler raises."""
        try:
            with collapse_group():
                yield
        except ServiceError as error:
            _log.info("rpc.refused", method=method, kind=error.kind.name, reason=error.reason)
            await context.abort_with_status(to_status(error, self._domain))
        except grpc.aio.AbortError:
            raise  # the handler has answered already
        except asyncio.CancelledError:
            # The usual cause is that the caller left or its deadline passed; then the call is over and gRPC
            # refuses the abort at once. If the abort does go out, the cancellation came from inside.
            try:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "The work was cancelled inside the server.")
            except grpc.aio.AbortError:
                _log.warning("rpc.cancelled_inside", method=method)
                if not _being_cancelled():
                    raise
            except grpc.aio.BaseError:
                pass
            raise
        except Exception:  # noqa: BLE001 - a bug: it is logged with its trace and must still be answered
            _log.exception("rpc.failed", method=method)
            await context.abort(grpc.StatusCode.INTERNAL, "Internal error.")


class Limits(_Around):
    """Refuses calls without a deadline, and calls beyond what the server serves at once."""

    def __init__(self, max_calls: int) -> None:
        self._max_calls: Final = max_calls
        self._calls = 0

    @asynccontextmanager
    async def around(self, method: str, context: _Context) -> AsyncIterator[None]:
        """Counts one call."""
        # Annotated as float, but None when the caller set no deadline.
        remaining: float | None = context.time_remaining()
        if remaining is None:
            raise DeadlineRequired(method)
        if self._calls >= self._max_calls:
            raise ServerBusy(self._max_calls)
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _cancelled_code(context: _Context) -> str:
    # The cancellation comes a few milliseconds before the deadline itself.
    expired = context.time_remaining() < _DEADLINE_SLACK_SECONDS
    return (grpc.StatusCode.DEADLINE_EXCEEDED if expired else grpc.StatusCode.CANCELLED).name


def _code_name(context: _Context, default: grpc.StatusCode) -> str:
    code: object = context.code()
    if isinstance(code, grpc.StatusCode):
        return code.name
    for known in grpc.StatusCode:
        if code and known.value[0] == code:
            return known.name
    return default.name
