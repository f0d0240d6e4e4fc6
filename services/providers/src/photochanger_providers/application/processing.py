"""Owns the work on jobs: one piece of work a job, whoever asks for it, however often, on whichever replica.

The work belongs to this process, not to the call that began it. A row in the store holds the claim; its lease
is renewed while the process lives. When it lapses, another process ends the job as lost, and whatever the
first one still finds out is refused by the store.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, assert_never

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import DeadlinePassed, ServiceError, Unavailable

from photochanger_providers.application.ports import (
    WAKE_CANCEL,
    WAKE_FINISHED,
    CallStore,
    Claimed,
    Ended,
    HeldElsewhere,
    Measures,
    Pause,
    WakeUps,
)
from photochanger_providers.application.work_log import WorkLog
from photochanger_providers.domain.errors import (
    FAILURE_KINDS,
    BadProviderResponse,
    NetworkFailed,
    ProcessingCancelled,
    ProcessingFailed,
    ProviderTimedOut,
    StorageUnavailable,
)
from photochanger_providers.domain.order import Failed, JobId, Order, Outcome, Succeeded

Work = Callable[[Order, WorkLog], Coroutine[object, object, Succeeded]]

_log = structlog.stdlib.get_logger(__name__)
_LOOK_AGAIN: Final = timedelta(seconds=1)
_STORE_AGAIN: Final = timedelta(milliseconds=500)
_REMEMBERED: Final = timedelta(days=2)
_STORE_GRACE: Final = timedelta(seconds=30)
_TIMED_OUT: Final = Failed(ProviderTimedOut.reason, "The provider gave no answer before the deadline.")
_CANCELLED: Final = Failed(ProcessingCancelled.reason, "The processing was cancelled.")
_LOST: Final = Failed(NetworkFailed.reason, "The worker that processed the photo was lost.")
_STOPPED: Final = Failed(NetworkFailed.reason, "The worker that processed the photo had to stop.")
_BUG: Final = Failed(BadProviderResponse.reason, "Processing failed for a reason of our own; see the logs.")


@dataclass(frozen=True, slots=True)
class LeasePolicy:
    """How long a claim holds without renewal, and how often it is renewed."""

    length: timedelta = timedelta(seconds=15)
    beat: timedelta = timedelta(seconds=3)


class _Job:
    """One job's work in this process."""

    def __init__(self, order: Order) -> None:
        self.order: Final = order
        self.done: Final[asyncio.Event] = asyncio.Event()
        self.outcome: Outcome | None = None
        self.failure: Exception | None = None
        self.task: asyncio.Task[None] | None = None
        self._log: Final = WorkLog()
        self._work: asyncio.Task[Succeeded] | None = None
        self._stopped: Failed | None = None

    def stop(self, outcome: Failed) -> None:
        """Ends the work with this outcome, unless it has ended."""
        if self._stopped is None and self.outcome is None:
            self._stopped = outcome
            if self._work is not None:
                self._work.cancel()

    async def run(self, work: Work, clock: Clock) -> Outcome:
        """Works until done, stopped, or out of time; tells how it ended."""
        if self._stopped is not None:
            return self._stopped
        self._work = asyncio.create_task(work(self.order, self._log), name=f"photo:{self.order.job_id}")
        try:
            left = self.order.ends.remaining(clock.now()).total_seconds()
            await asyncio.wait({self._work}, timeout=left)
            if not self._work.done():
                self.stop(_TIMED_OUT)
                await asyncio.wait({self._work})
        finally:
            self._work.cancel()
        outcome = self._ended(self._work)
        return outcome if isinstance(outcome, Succeeded) else replace(outcome, effort=self._log.effort)

    def _ended(self, work: asyncio.Task[Succeeded]) -> Outcome:
        if work.cancelled():
            return self._stopped or _STOPPED
        error = work.exception()
        if error is None:
            return work.result()
        if isinstance(error, ServiceError) and error.reason in FAILURE_KINDS:
            return Failed(error.reason, error.message, error.retry_after)
        if isinstance(error, Unavailable):
            # Our own database, in the middle of the work.
            return Failed(StorageUnavailable.reason, error.message, error.retry_after)
        if isinstance(error, DeadlinePassed):
            return _TIMED_OUT
        _log.error("processing.bug", exc_info=error)
        return _BUG


class Processing:
    """Processes photos: claims, joins, cancels, and keeps the leases alive."""

    def __init__(
        self,
        *,
        owner: str,
        calls: CallStore,
        wake_ups: WakeUps,
        work: Work,
        measures: Measures,
        clock: Clock,
        pause: Pause,
        lease: LeasePolicy,
    ) -> None:
        self._owner = owner
        self._calls = calls
        self._wake_ups = wake_ups
        self._work = work
        self._measures = measures
        self._clock = clock
        self._pause = pause
        self._lease = lease
        self._jobs: dict[JobId, _Job] = {}
        self._draining = False

    async def process(self, order: Order, *, until: Deadline) -> Succeeded:
        """Runs the photo, or joins whoever does, and returns the stored result.

        Raises:
            ProcessingFailed: how it ended, told to every caller alike.
            DeadlinePassed: the caller's time (`until`) is up; the work may go on.
            Unavailable: this process is about to stop and takes no new work.
        """
        job = self._jobs.get(order.job_id) or self._begun(order)
        await self._wait_for(job, until)
        if job.failure is not None:
            raise job.failure
        outcome = job.outcome or await self._outcome_elsewhere(order.job_id, until)
        if isinstance(outcome, Succeeded):
            return outcome
        raise ProcessingFailed(outcome)

    async def cancel(self, job_id: JobId) -> bool:
        """Stops the work on a job wherever it runs; tells whether there was any."""
        stopped = await self._calls.request_cancel(job_id, now=self._clock.now())
        job = self._jobs.get(job_id)
        if job is not None:
            job.stop(_CANCELLED)
        return stopped

    async def keep_leases(self) -> None:
        """Renews the leases of this process's jobs for ever, and ends jobs that others have lost."""
        beats = 0
        while True:
            try:
                await self._beat()
                beats += 1
                # After an outage of the database nobody's lease is fresh; their owners may beat first.
                if beats * self._lease.beat > self._lease.length:
                    await self._end_lost()
            except Unavailable as error:
                beats = 0
                _log.warning("leases.not_renewed", reason=error.reason)
            await self._pause(self._lease.beat)

    async def forget_old(self) -> None:
        """Deletes outcomes nobody asks for any more."""
        await self._calls.forget(finished_before=self._clock.now() - _REMEMBERED)

    async def watch_cancels(self) -> None:
        """Stops jobs for ever, as soon as somebody asks for it on another replica."""
        with self._wake_ups.subscribe(WAKE_CANCEL) as wanted:
            while True:
                if await wanted.wait(timedelta(minutes=1)):
                    try:
                        await self._beat()
                    except Unavailable as error:
                        _log.warning("leases.not_renewed", reason=error.reason)

    async def drain(self, grace: timedelta) -> None:
        """Takes no new work, waits for what is under way, and ends what is left after `grace`."""
        self._draining = True
        tasks = {job.task for job in self._jobs.values() if job.task is not None}
        if tasks:
            _log.info("processing.draining", jobs=len(tasks))
            await asyncio.wait(tasks, timeout=grace.total_seconds())
        for job in list(self._jobs.values()):
            job.stop(_STOPPED)
        left = {task for task in tasks if not task.done()}
        if left:
            await asyncio.wait(left, timeout=_LOOK_AGAIN.total_seconds() * 5)

    def _begun(self, order: Order) -> _Job:
        if self._draining:
            raise Unavailable("The service is stopping.", retry_after=_LOOK_AGAIN)
        job = _Job(order)
        self._jobs[order.job_id] = job
        job.task = asyncio.create_task(self._own(job), name=f"job:{order.job_id}")
        self._measures.jobs_under_way(len(self._jobs))
        return job

    async def _own(self, job: _Job) -> None:
        """Does the job's work from claim to stored outcome. `drain` awaits it; nothing else stops it."""
        order = job.order
        structlog.contextvars.bind_contextvars(job_id=order.job_id, slot_id=order.slot_id)
        try:
            now = self._clock.now()
            claim = await self._calls.claim(
                order, owner=self._owner, now=now, lease_until=now + self._lease.length
            )
            match claim:
                case Ended(outcome):
                    job.outcome = outcome
                case Claimed():
                    ended = await job.run(self._work, self._clock)
                    job.outcome = await self._stored(order, ended)
                case HeldElsewhere():
                    pass
                case _:
                    assert_never(claim)
        except Unavailable as error:
            # Nothing was claimed, so a repeated call may try again.
            job.failure = error
        except Exception as error:  # noqa: BLE001 - a bug: callers see it, the lapsing lease ends the job
            _log.exception("processing.bug")
            job.failure = error
        finally:
            del self._jobs[order.job_id]
            self._measures.jobs_under_way(len(self._jobs))
            job.done.set()

    async def _stored(self, order: Order, outcome: Outcome) -> Outcome | None:
        """Stores the outcome, through an outage of the database if need be. None: it is not ours to tell."""
        give_up = Deadline(max(order.ends.at, self._clock.now()) + _STORE_GRACE)
        while True:
            try:
                if await self._calls.finish(order.job_id, outcome, owner=self._owner, now=self._clock.now()):
                    break
            except Unavailable as error:
                if give_up.passed(self._clock.now()):
                    _log.error("processing.outcome_not_stored", reason=error.reason)
                    return None
                await self._pause(_STORE_AGAIN)
            else:
                _log.warning("processing.lease_lost")
                return None
        reason = outcome.reason if isinstance(outcome, Failed) else "done"
        self._measures.finished(order.provider_id, reason)
        _log.info(
            "processing.finished",
            provider=order.provider_id,
            operation=order.operation_id,
            outcome=reason,
            detail=outcome.message if isinstance(outcome, Failed) else None,
        )
        return outcome

    async def _wait_for(self, job: _Job, until: Deadline) -> None:
        try:
            async with asyncio.timeout(until.remaining(self._clock.now()).total_seconds()):
                await job.done.wait()
        except TimeoutError as error:
            raise DeadlinePassed("The caller's deadline passed; the work goes on.") from error

    async def _outcome_elsewhere(self, job_id: JobId, until: Deadline) -> Outcome:
        with self._wake_ups.subscribe(WAKE_FINISHED, job_id) as ended:
            while (outcome := await self._calls.outcome(job_id)) is None:
                left = until.remaining(self._clock.now())
                if left <= timedelta():
                    raise DeadlinePassed("The caller's deadline passed; the work goes on elsewhere.")
                await ended.wait(min(left, _LOOK_AGAIN))
        return outcome

    async def _beat(self) -> None:
        mine = frozenset(self._jobs)
        if not mine:
            return
        now = self._clock.now()
        renewal = await self._calls.renew(
            mine, owner=self._owner, now=now, lease_until=now + self._lease.length
        )
        for job_id in renewal.to_cancel:
            if (job := self._jobs.get(job_id)) is not None:
                job.stop(_CANCELLED)

    async def _end_lost(self) -> None:
        ended = await self._calls.end_lapsed(_LOST, now=self._clock.now())
        if ended:
            _log.warning("processing.lost_jobs_ended", jobs=ended)
