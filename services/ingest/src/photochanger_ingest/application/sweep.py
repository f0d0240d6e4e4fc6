"""Ends what a dead process left, and removes what has run out."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ServiceError

from photochanger_ingest.application.complete_job import CompleteJob
from photochanger_ingest.application.metrics import JobMetrics
from photochanger_ingest.application.start_waiting import StartWaiting
from photochanger_ingest.application.store import Store
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import Failed, Failure, FailureReason

_log = structlog.stdlib.get_logger(__name__)

_BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class SweepTuning:
    """`grace`: how long past its deadline a job may stay unfinished. `abandoned_after`: how long a waiting job may
    stay without a driver. `keep_jobs`: how long final jobs are kept.
    """

    grace: timedelta = timedelta(seconds=1)
    abandoned_after: timedelta = timedelta(seconds=12)
    keep_jobs: timedelta = timedelta(days=30)


class Sweeper:
    """Runs on every replica; each job is ended once, by whoever locks it first."""

    def __init__(
        self,
        store: Store,
        *,
        complete: CompleteJob,
        start_waiting: StartWaiting,
        clock: Clock,
        metrics: JobMetrics,
        tuning: SweepTuning,
    ) -> None:
        self._store = store
        self._complete = complete
        self._start_waiting = start_waiting
        self._clock = clock
        self._metrics = metrics
        self._tuning = tuning

    async def end_overdue(self) -> int:
        """Ends jobs past their deadline, and waiting ones nobody drives. Returns how many it looked at."""
        now = self._clock.now()
        overdue = await self._store.overdue(deadline_before=now - self._tuning.grace, limit=_BATCH)
        abandoned = await self._store.abandoned(since=now - self._tuning.abandoned_after, limit=_BATCH)
        timed_out = Failed(Failure(FailureReason.TIMEOUT, "The deadline has passed."))
        lost = Failed(
            Failure(
                FailureReason.INTERNAL, "The request was lost before its turn came. Send the photo again."
            )
        )
        for job_id in overdue:
            await self._end(job_id, timed_out, kind="overdue")
        for job_id in abandoned:
            await self._end(job_id, lost, kind="abandoned")
        if overdue or abandoned:
            await self._start_waiting()
        return len(overdue) + len(abandoned)

    async def prune(self) -> int:
        """Removes a batch of keys, form fields and jobs that have run out. Returns how many."""
        now = self._clock.now()
        return await self._store.prune(
            now=now, keep_jobs_since=now - self._tuning.keep_jobs, limit=_BATCH * 10
        )

    async def measure(self) -> None:
        """Takes the number of unfinished jobs into the metrics."""
        self._metrics.load(await self._store.unfinished())

    async def _end(self, job_id: JobId, outcome: Failed, *, kind: str) -> None:
        try:
            await self._complete(job_id, outcome)
        except ServiceError as error:
            _log.warning("sweep.job_not_ended", job_id=job_id, reason=error.reason)
            return
        self._metrics.swept.labels(kind).inc()
        _log.warning("sweep.job_ended", job_id=job_id, kind=kind)
