"""What surrounds every request: its id, its trace, its log line, its metrics, safe headers, bounds of its body."""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Final

import structlog
from opentelemetry import trace
from photochanger_chassis.ids import Ids
from photochanger_chassis.tracing import continued_trace
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from photochanger_gateway.adapters.http import answers
from photochanger_gateway.adapters.http.metrics import HttpMetrics

_log: Final = structlog.stdlib.get_logger(__name__)
_tracer: Final = trace.get_tracer(__name__)

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET_ROUTES: Final = frozenset({"/livez", "/readyz", "/metrics"})
_UNANSWERED: Final = 499
"""Nobody waited for the answer; nginx's number."""
_LARGER_BODIES: Final = {"/api/v1/jobs/batch": 1024 * 1024}
_DEFAULT_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class RequestContext:
    """Binds a request id, continues the caller's trace, logs and counts each request.

    The log names the route (`/public/results/{job_id}`), never the path: an id in it opens a picture.
    """

    def __init__(self, app: ASGIApp, *, ids: Ids, metrics: HttpMetrics) -> None:
        self._app = app
        self._ids = ids
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        offered = headers.get("x-request-id", "")
        request_id = offered if _REQUEST_ID.fullmatch(offered) else self._ids.new_id()
        started = time.perf_counter()
        unread = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        status = _UNANSWERED

        async def body() -> Message:
            nonlocal unread
            message = await receive()
            unread = unread and message.get("more_body", False)
            return message

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answered = MutableHeaders(scope=message)
                answered["X-Request-Id"] = request_id
                if (
                    unread
                ):  # the client may still send it, or (Expect) never: the next request cannot be told apart
                    answered["Connection"] = "close"
                for name, value in _DEFAULT_HEADERS.items():
                    answered.setdefault(name, value)
            await send(message)

        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        with continued_trace(dict(headers)), _tracer.start_as_current_span(scope["method"]) as span:
            try:
                await self._app(scope, body, answer)
            except Exception:  # noqa: BLE001 - a bug: it is logged with its trace and must still be answered
                _log.exception("http.failed")
                if status == _UNANSWERED:
                    problem = answers.wants_problem(Request(scope))
                    await answers.internal_error(problem=problem)(scope, body, answer)
            finally:
                route = getattr(scope.get("route"), "path", "unknown")
                span.update_name(f"{scope['method']} {route}")
                seconds = time.perf_counter() - started
                self._metrics.observe(scope["method"], route, status, seconds)
                if route not in _QUIET_ROUTES:
                    _log.info(
                        "http.answered",
                        method=scope["method"],
                        route=route,
                        status=status,
                        duration_seconds=round(seconds, 4),
                    )


class SmallBodies:
    """Bounds the bodies of all routes but those that take pictures: most are no larger than a few fields.

    `larger` are the paths with a bound of their own, in bytes.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit_bytes: int = 64 * 1024,
        larger: Mapping[str, int] = _LARGER_BODIES,
        seconds: float = 10,
    ) -> None:
        self._app = app
        self._limit = limit_bytes
        self._larger = larger
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http" or answers.takes_picture(scope["path"]):
            await self._app(scope, receive, send)
            return
        received, whole = 0, False
        limit = self._larger.get(scope["path"], self._limit)
        until = time.monotonic() + self._seconds

        async def bounded() -> Message:
            nonlocal received, whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout(until - time.monotonic()):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "The request's body took too long.") from None
            received += len(message.get("body", b""))
            whole = not message.get("more_body", False)
            if received > limit:
                raise HTTPException(413, f"The request's body has more than {limit} bytes.")
            return message

        await self._app(scope, bounded, send)
