"""Runs jobs to their final state, one driver at a time over all replicas.

JobRunner.run      waits for a job; sees to it that somebody drives it
  └─ _drive        one task per job in this process, owned by the runner, not by the caller
       ├─ claim    another driver's hold: wait until it ends or runs out
       ├─ wait     no place: wait for one
       └─ process  with the providers service, which is keyed by the job: taking over never pays twice
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Self

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import DeadlinePassed, ServiceError, Unavailable
from photochanger_chassis.lifecycle import cancel_until_done

from photochanger_ingest.application.complete_job import CompleteJob
from photochanger_ingest.application.outside import Media, ProviderAtLimit, Providers, Wakeup, Wakeups
from photochanger_ingest.application.start_waiting import StartWaiting
from photochanger_ingest.application.store import Assignment, Claim, Store
from photochanger_ingest.domain.errors import JobNotFinished, JobNotFound
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import (
    Failed,
    Failure,
    FailureReason,
    Job,
    JobMode,
    JobState,
    Outcome,
    Succeeded,
)
from photochanger_ingest.domain.picture import Picture
from photochanger_ingest.domain.slot import FailureMode, LateResults
from photochanger_ingest.domain.timing import LONGEST_SYNC_RESPONSE, Reserves

_log = structlog.stdlib.get_logger(__name__)

_ZERO: Final = timedelta()
_OUTAGE_OUTLASTED: Final = LONGEST_SYNC_RESPONSE + timedelta(seconds=5)
"""How long a drive outlasts an unreachable database; after that the job is overdue and the sweeper's."""
_AFTER_FINAL_STATE: Final = timedelta(milliseconds=700)
"""How long a caller waits past the instant at which the final state should have been written."""


@dataclass(frozen=True, slots=True)
class RunTuning:
    """Lengths of time. A driver's hold (`lease`) is renewed at a third of it; `poll` bounds every wait.

    `finish_within` is how long a stopping process sees to jobs nobody waits for.
    """

    reserves: Reserves = field(default_factory=Reserves)
    lease: timedelta = timedelta(seconds=6)
    poll: timedelta = timedelta(seconds=2)
    shortest_pause: timedelta = timedelta(milliseconds=250)
    longest_pause: timedelta = timedelta(seconds=2)
    cancel_within: timedelta = timedelta(seconds=2)
    finish_within: timedelta = timedelta(seconds=10)


class JobRunner:
    """Drives jobs. Enter it once; leaving it ends its work and lets go of the jobs it holds."""

    def __init__(
        self,
        driver: str,
        *,
        store: Store,
        start_waiting: StartWaiting,
        complete: CompleteJob,
        providers: Providers,
        media: Media,
        wakeups: Wakeups,
        clock: Clock,
        tuning: RunTuning,
    ) -> None:
        self._driver: Final = driver
        self._store = store
        self._start_waiting = start_waiting
        self._complete = complete
        self._providers = providers
        self._media = media
        self._wakeups = wakeups
        self._clock = clock
        self._tuning = tuning
        self._reserves = tuning.reserves
        self._drives: dict[JobId, asyncio.Task[None]] = {}
        self._tasks = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await cancel_until_done(*self._drives.values())
        await self._tasks.__aexit__(None, None, None)

    @property
    def driving(self) -> Sequence[JobId]:
        """Jobs this process sees to."""
        return tuple(self._drives)

    async def run(self, job_id: JobId, *, wait_until: datetime | None) -> Job:
        """Runs a job to its final state, or waits for whoever does, and returns it.

        With `wait_until` set a late picture is waited for as well. The work goes on when the caller leaves.

        Raises:
            JobNotFound: there is no such job.
            JobNotFinished: `wait_until`, by default the job's deadline, has passed.
        """
        with self._wakeups.subscribe(job_id) as changed:
            while True:
                job = await self._store.job(job_id)
                if job is None:
                    raise JobNotFound
                now = self._clock.now()
                if job.settled(now) or (job.final and wait_until is None):
                    return job
                patience = (wait_until or self._reserves.final_state(job.deadline) + _AFTER_FINAL_STATE) - now
                if patience <= _ZERO:
                    if job.final:
                        return job
                    raise JobNotFinished(job_id)
                if not job.final and job.mode is JobMode.SYNC:
                    self._see_to(job, changed)
                await changed.wait(min(patience, self._tuning.poll))

    async def renew_holds(self) -> None:
        """Prolongs this process's hold on its jobs. Call it at least every third of the lease."""
        if self._drives:
            until = self._clock.now() + self._tuning.lease
            await self._store.renew(self.driving, driver=self._driver, until=until)

    async def start_waiting(self) -> None:
        """Looks for free places, in case whoever left one could not tell."""
        if self._drives:
            await self._start_waiting()

    async def finish(self) -> None:
        """Waits until nothing is driven any more, for as long as a stopping process may."""
        if self._drives:
            await asyncio.wait(self._drives.values(), timeout=self._tuning.finish_within.total_seconds())

    def _see_to(self, job: Job, changed: Wakeup) -> None:
        drive = self._drives.get(job.id)
        if drive is None:
            drive = self._tasks.create_task(self._drive(job), name=f"drive:{job.id}")
            self._drives[job.id] = drive
            drive.add_done_callback(lambda _: self._drives.pop(job.id, None))
        # The notification says the same, but not while its connection is down.
        drive.add_done_callback(lambda _: changed.wake())

    async def _drive(self, job: Job) -> None:
        give_up_at = self._clock.now() + _OUTAGE_OUTLASTED
        with (
            structlog.contextvars.bound_contextvars(job_id=job.id),
            self._wakeups.subscribe(job.id) as changed,
        ):
            try:
                while self._clock.now() < give_up_at:
                    try:
                        return await self._to_the_end(job, changed)
                    except Unavailable as error:
                        _log.warning("job.drive_interrupted", reason=error.reason)
                    await asyncio.sleep(self._tuning.shortest_pause.total_seconds())
            except asyncio.CancelledError:
                await self._let_go(job.id)
                raise
            except Exception:  # noqa: BLE001 - a bug: logged with its trace, and the other jobs go on
                _log.exception("job.drive_failed")
                await self._conclude_quietly(job.id, _failed(FailureReason.INTERNAL, "An error of ours."))

    async def _to_the_end(self, job: Job, changed: Wakeup) -> None:
        assignment = await self._store.assignment(job.id)
        while assignment is not None:
            claim = await self._claim(job)
            if claim is None or claim.job.final:
                return
            job = claim.job
            left = self._stops_waiting_at(job, assignment) - self._clock.now()
            if left <= _ZERO:
                original = await self._publish_original(job, assignment)
                await self._complete.time_out(job.id, original=original)
                await self._start_waiting()
                return
            if claim.held and job.state is JobState.RUNNING:
                await self._process(job, assignment, changed)
                return
            await changed.wait(min(left, self._tuning.poll))

    def _stops_waiting_at(self, job: Job, assignment: Assignment) -> datetime:
        if job.state is JobState.PENDING and assignment.plan.on_failure is FailureMode.ORIGINAL:
            return self._reserves.provider_deadline(job.deadline, publishes_original=True)
        return self._reserves.final_state(job.deadline)

    async def _claim(self, job: Job) -> Claim | None:
        started: dict[JobId, Job] = {}
        async with self._store.work() as work:
            waits = job.state is JobState.PENDING
            if waits:
                # Before the job's own lock, as everywhere, or two transactions could wait for each other.
                await work.admissions.lock()
            now = self._clock.now()
            claim = await work.jobs.claim(
                job.id, driver=self._driver, now=now, until=now + self._tuning.lease
            )
            if claim is None:
                return None
            if waits and claim.held and claim.job.state is JobState.PENDING:
                started = await self._start_waiting.within(work, own=claim.job)
        self._start_waiting.note(started.values())
        return replace(claim, job=started.get(job.id, claim.job))

    async def _process(self, job: Job, assignment: Assignment, changed: Wakeup) -> None:
        outcome = await self._first_outcome(job, assignment, changed)
        if outcome is None:
            return  # somebody else ended the job
        original = None
        if not isinstance(outcome, Succeeded):
            original = await self._publish_original(job, assignment)
        await self._complete(job.id, outcome, original=original)
        await self._start_waiting()
        timed_out = isinstance(outcome, Failed) and outcome.failure.reason is FailureReason.TIMEOUT
        if timed_out and assignment.plan.late_results is LateResults.DISCARD:
            await self._cancel_processing(job.id)

    async def _first_outcome(self, job: Job, assignment: Assignment, changed: Wakeup) -> Outcome | None:
        """Returns what the provider made of the job, or None once the job has ended without us."""
        asking = asyncio.create_task(self._ask_provider(job, assignment), name=f"process:{job.id}")
        watching = asyncio.create_task(self._until_final(job.id, changed), name=f"watch:{job.id}")
        try:
            await asyncio.wait({asking, watching}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return asking.result()
            watching.result()
            return None
        finally:
            await cancel_until_done(asking, watching)

    async def _until_final(self, job_id: JobId, changed: Wakeup) -> None:
        while True:
            await changed.wait(self._tuning.lease)
            try:
                job = await self._store.job(job_id)
            except Unavailable:
                continue
            if job is None or job.final:
                return

    async def _ask_provider(self, job: Job, assignment: Assignment) -> Outcome:
        publishes = assignment.plan.on_failure is FailureMode.ORIGINAL
        deadline = self._reserves.provider_deadline(job.deadline, publishes_original=publishes)
        give_up_at = self._reserves.last_call(job.deadline, publishes_original=publishes)
        last = _failed(FailureReason.TIMEOUT, "The provider had no answer by the deadline.")
        pause = self._tuning.shortest_pause
        while self._clock.now() < give_up_at:
            try:
                return await self._providers.process(
                    job, assignment, deadline=deadline, give_up_at=give_up_at
                )
            except DeadlinePassed:
                return _failed(FailureReason.TIMEOUT, "The provider had no answer by the deadline.")
            except ProviderAtLimit as error:
                last = _failed(FailureReason.QUOTA, error.message)
                wait = min(max(error.retry_after or pause, pause), self._tuning.longest_pause)
            except Unavailable:
                last = _failed(FailureReason.NETWORK, "The providers service cannot be reached.")
                wait = pause
            pause = min(pause * 2, self._tuning.longest_pause)
            await asyncio.sleep(min(wait, max(give_up_at - self._clock.now(), _ZERO)).total_seconds())
        return last

    async def _publish_original(self, job: Job, assignment: Assignment) -> Picture | None:
        left = self._reserves.final_state(job.deadline) - self._clock.now()
        if assignment.plan.on_failure is not FailureMode.ORIGINAL or left <= _ZERO:
            return None
        try:
            return await self._media.publish_input(
                job.input_media_object_id, retention=assignment.result_retention, within=left
            )
        except ServiceError as error:
            _log.warning("job.original_not_published", reason=error.reason)
            return None

    async def _cancel_processing(self, job_id: JobId) -> None:
        try:
            async with asyncio.timeout(self._tuning.cancel_within.total_seconds()):
                await self._providers.cancel(job_id)
        except (ServiceError, TimeoutError) as error:
            # The work also ends by itself, at the deadline it was given.
            _log.info("job.processing_not_cancelled", error=type(error).__name__)

    async def _conclude_quietly(self, job_id: JobId, outcome: Failed) -> None:
        try:
            await self._complete(job_id, outcome)
            await self._start_waiting()
        except ServiceError as error:
            _log.warning("job.not_concluded", reason=error.reason)

    async def _let_go(self, job_id: JobId) -> None:
        try:
            await self._store.release(job_id, driver=self._driver)
        except ServiceError as error:
            _log.info("job.hold_not_released", reason=error.reason)


def _failed(reason: FailureReason, message: str) -> Failed:
    return Failed(Failure(reason, message))
