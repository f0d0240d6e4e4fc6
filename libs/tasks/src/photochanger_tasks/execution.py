"""One attempt under way: the handler, what may stop it, and how its end is read."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

import structlog
from google.protobuf.message import Message
from opentelemetry import trace
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ServiceError
from photochanger_chassis.lifecycle import cancel_until_done
from photochanger_chassis.tracing import continued_trace

from photochanger_tasks.attempt import Attempt, AttemptChannel
from photochanger_tasks.errors import Deferred, Failed
from photochanger_tasks.kinds import AnyKind
from photochanger_tasks.model import Reason, State, Task
from photochanger_tasks.postgres.changes import AttemptEnd

_log = structlog.stdlib.get_logger(__name__)
_tracer = trace.get_tracer(__name__)
_STOP_SECONDS: Final = 1.8  # a cancelled task stops within two seconds; the rest is for storing it


class Stop(Enum):
    """Why an attempt is stopped."""

    CANCELLED = "cancelled"
    DEADLINE = "deadline"
    TIMEOUT = "timeout"
    OVERTAKEN = "overtaken"
    DRAINING = "draining"


class Execution:
    """Runs a handler on a claimed task."""

    def __init__(
        self,
        task: Task,
        kind: AnyKind,
        *,
        clock: Clock,
        channel: Callable[["Execution"], AttemptChannel],
        kept_until: Callable[[Task, State], datetime],
    ) -> None:
        self.task: Final = task
        self.stop_at: Final = min(
            clock.now() + kind.timeout, task.deadline_at or datetime.max.replace(tzinfo=clock.now().tzinfo)
        )
        self.note: tuple[int, str] | None = None
        """Progress that is not stored yet."""
        self._kind = kind
        self._clock = clock
        self._channel = channel(self)
        self._kept_until = kept_until
        self._stopped: asyncio.Future[Stop] = asyncio.get_running_loop().create_future()
        self._work: asyncio.Task[Message | None] | None = None

    def stop(self, why: Stop) -> None:
        """Stops the handler, unless something has already."""
        if not self._stopped.done():
            self._stopped.set_result(why)

    def check_time(self) -> None:
        """Stops the handler if its time is up."""
        if self._clock.now() >= self.stop_at:
            self.stop(Stop.DEADLINE if self.stop_at == self.task.deadline_at else Stop.TIMEOUT)

    async def run(self) -> AttemptEnd | None:
        """Runs the handler to its end. None: nothing is to be stored, somebody else has the task."""
        self._work = asyncio.create_task(
            self._call(), name=f"{self.task.kind}:{self.task.id}:{self.task.attempt}"
        )
        try:
            left = (self.stop_at - self._clock.now()).total_seconds()
            either: set[asyncio.Future[Any]] = {self._work, self._stopped}
            await asyncio.wait(either, timeout=max(left, 0), return_when=asyncio.FIRST_COMPLETED)
            if not self._work.done():
                self.stop(Stop.DEADLINE if self.stop_at == self.task.deadline_at else Stop.TIMEOUT)
                # Once only: what it does now is its clean-up, such as telling the provider.
                self._work.cancel()
                await asyncio.wait({self._work}, timeout=_STOP_SECONDS)
        except asyncio.CancelledError:
            self._work.cancel()
            raise
        return self._end(self._work)

    async def stubborn(self) -> None:
        """Waits for a handler that goes on after its end was stored, and cancels it again and again."""
        if self._work is not None and not self._work.done():
            _log.error("tasks.handler_does_not_stop", kind=self.task.kind, task_id=self.task.id)
            await cancel_until_done(self._work)

    def failed(self, reason: str, message: str, *, retry_after: timedelta | None = None) -> AttemptEnd:
        """Returns the end of an attempt that failed: another one later, or none any more."""
        failures = self.task.failures + 1
        if failures >= self.task.max_attempts:
            return self._ended(State.DEAD, counted=True, reason=reason, message=message)
        pause = max(self._kind.backoff.pause(failures), retry_after or timedelta())
        run_at = self._clock.now() + pause
        return self._ended(State.SCHEDULED, counted=True, run_at=run_at, reason=reason, message=message)

    async def _call(self) -> Message | None:
        task, kind = self.task, self._kind
        if kind.handler is None:
            raise RuntimeError(f"{kind.name} has no handler here; it should not have been claimed.")
        structlog.contextvars.bind_contextvars(task_id=task.id, kind=task.kind, attempt=task.attempt)
        payload = kind.payload.FromString(task.payload)
        with (
            continued_trace(task.trace),
            _tracer.start_as_current_span(f"task {task.kind}", kind=trace.SpanKind.CONSUMER),
        ):
            attempt = Attempt(task, payload, stop_at=self.stop_at, channel=self._channel)
            return await kind.handler(attempt)

    def _end(self, work: asyncio.Task[Message | None]) -> AttemptEnd | None:
        why = self._stopped.result() if self._stopped.done() else None
        if why is Stop.OVERTAKEN:
            return None
        if why is Stop.DEADLINE:
            return self._ended(State.FAILED, reason=Reason.DEADLINE, message="The deadline has passed.")
        if why is Stop.CANCELLED:
            return self._ended(State.CANCELLED, reason=Reason.CANCELLED)
        error = None if not work.done() or work.cancelled() else work.exception()
        if work.done() and not work.cancelled() and error is None:
            result = work.result()
            return self._ended(State.DONE, result=None if result is None else result.SerializeToString())
        if why is Stop.TIMEOUT:
            return self.failed(Reason.TIMEOUT, f"An attempt took longer than {self._kind.timeout}.")
        if why is Stop.DRAINING:
            return self._ended(State.QUEUED)
        return self._refused(error)

    def _refused(self, error: BaseException | None) -> AttemptEnd:
        match error:
            case Failed():
                return self._ended(State.FAILED, reason=error.reason, message=error.message)
            case Deferred():
                run_at = self._clock.now() + error.retry_after
                return self._ended(State.SCHEDULED, run_at=run_at, reason=error.reason, message=error.message)
            case ServiceError():
                _log.info("tasks.attempt_failed", task_id=self.task.id, reason=error.reason)
                return self.failed(error.reason.lower(), error.message, retry_after=error.retry_after)
            case _:
                # Its text may hold anything, so it is only in the log.
                _log.error("tasks.attempt_broken", task_id=self.task.id, kind=self.task.kind, exc_info=error)
                name = type(error).__name__ if error is not None else "CancelledError"
                return self.failed(Reason.BUG, f"The handler broke with {name}; see the log.")

    def _ended(
        self,
        state: State,
        *,
        counted: bool = False,
        run_at: datetime | None = None,
        result: bytes | None = None,
        reason: str = "",
        message: str = "",
    ) -> AttemptEnd:
        return AttemptEnd(
            task_id=self.task.id,
            attempt=self.task.attempt,
            state=state,
            keep_until=self._kept_until(self.task, state),
            counted=counted,
            run_at=run_at,
            result=result,
            reason=reason,
            message=message,
        )
