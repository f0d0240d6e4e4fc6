"""Learns how asynchronous jobs get on: by the providers service's events, or by asking where none came."""

from datetime import datetime, timedelta
from typing import Final

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ServiceError, Unavailable

from photochanger_ingest.application.async_store import AsyncStore
from photochanger_ingest.application.complete_job import CompleteJob
from photochanger_ingest.application.metrics import JobMetrics
from photochanger_ingest.application.processing_queue import ProcessingQueue
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import Job, JobMode, JobState, Progress

_log = structlog.stdlib.get_logger(__name__)

_SILENCE: Final = timedelta(seconds=60)
_BATCH: Final = 50


class TakeProgress:
    """Applies what was told of a job's work. Repeating it, or telling it too late, changes nothing."""

    def __init__(self, store: AsyncStore, clock: Clock, metrics: JobMetrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics

    async def __call__(self, job_id: JobId, progress: Progress, *, at: datetime | None = None) -> None:
        """Takes the progress made at an instant, now by default. Jobs that are none, or not asynchronous, are none of
        its business.

        Raises:
            Unavailable: the database cannot be reached; repeating is harmless.
        """
        now = self._clock.now()
        started = False
        async with self._store.async_work() as work:
            job = await work.jobs.lock(job_id)
            if job is None or job.mode is not JobMode.ASYNC or job.final:
                return
            # Clocks differ: a job is not begun before it was accepted.
            after = job.progressed(progress, max(at or now, job.created_at))
            if after != job:
                await work.jobs.save(after)
                started = job.state is JobState.PENDING and after.state is JobState.RUNNING
                await (work.events.started(after) if started else work.events.progressed(after, at=now))
                await work.events.changed(after)
            await work.client_jobs.heard(job_id, now)
        if started:
            self._metrics.started(after)


class FollowUp:
    """Asks after jobs nothing was heard of for a minute: events can be lost, with the whole store of NATS."""

    def __init__(
        self,
        store: AsyncStore,
        queue: ProcessingQueue,
        take_progress: TakeProgress,
        complete: CompleteJob,
        clock: Clock,
    ) -> None:
        self._store = store
        self._queue = queue
        self._take_progress = take_progress
        self._complete = complete
        self._clock = clock

    async def __call__(self) -> int:
        """Asks after a batch of jobs. Returns how many."""
        now = self._clock.now()
        silent = await self._store.silent(since=now - _SILENCE, now=now, limit=_BATCH)
        for job_id in silent:
            try:
                await self._ask(job_id)
            except Unavailable as error:
                _log.warning("job.not_asked_after", reason=error.reason, waiting=len(silent))
                break
            except ServiceError as error:
                _log.warning("job.not_asked_after", job_id=job_id, reason=error.reason)
        return len(silent)

    async def _ask(self, job_id: JobId) -> None:
        processing = await self._queue.find(job_id)
        if processing is None:
            _log.warning("job.lost_by_providers", job_id=job_id)
            await self._hand_over_anew(job_id)
        elif processing.outcome is not None:
            await self._complete(job_id, processing.outcome, ended_at=processing.ended_at)
        else:
            await self._take_progress(job_id, processing.progress)

    async def _hand_over_anew(self, job_id: JobId) -> None:
        async with self._store.async_work() as work:
            job: Job | None = await work.jobs.lock(job_id)
            if job is not None and not job.final:
                await work.client_jobs.lost(job_id)
