"""Looks at asynchronous jobs, waits for them, and cancels them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ServiceError

from photochanger_ingest.application.async_store import AsyncJobQuery, AsyncStore
from photochanger_ingest.application.metrics import JobMetrics
from photochanger_ingest.application.outside import Wakeups
from photochanger_ingest.application.processing_queue import ProcessingQueue
from photochanger_ingest.application.store import Page, Store
from photochanger_ingest.domain.errors import JobAlreadyFinal, JobNotFound
from photochanger_ingest.domain.ids import ClientId, JobId
from photochanger_ingest.domain.job import Job, JobMode, JobState

_log = structlog.stdlib.get_logger(__name__)

_POLL: Final = timedelta(seconds=2)
_ZERO: Final = timedelta()


@dataclass(frozen=True, slots=True)
class Sight:
    """A job, and while it waits its place in the queue, from 1, and when it will about begin, where they are known."""

    job: Job
    queue_position: int | None = None
    expected_start_at: datetime | None = None


class Stopper(Protocol):
    """Stops work."""

    async def stop(self, job_id: JobId) -> None:
        """Has the work on a job that has ended stopped, now or a little later."""
        ...


class AsyncJobs:
    """A client sees its own jobs only; without a client all of them are seen."""

    def __init__(
        self,
        store: Store,
        async_store: AsyncStore,
        *,
        queue: ProcessingQueue,
        stopper: Stopper,
        wakeups: Wakeups,
        clock: Clock,
        metrics: JobMetrics,
    ) -> None:
        self._store = store
        self._async_store = async_store
        self._queue = queue
        self._stopper = stopper
        self._wakeups = wakeups
        self._clock = clock
        self._metrics = metrics

    async def look(
        self, job_id: JobId, *, client_id: ClientId | None, wait_until: datetime | None = None
    ) -> Sight:
        """Returns a job, at once or when it is final, at `wait_until` at the latest. Raises `JobNotFound`."""
        job = await self._wait(job_id, client_id, wait_until)
        if job.state is not JobState.PENDING:
            return Sight(job)
        try:
            processing = await self._queue.find(job_id)
        except ServiceError as error:
            _log.info("job.place_unknown", job_id=job_id, reason=error.reason)
            return Sight(job)
        if processing is None:
            return Sight(job)
        return Sight(job, processing.queue_position, processing.expected_start_at)

    async def list(self, query: AsyncJobQuery) -> Page[Job]:
        """Returns a page of jobs, newest first."""
        return await self._async_store.list(query)

    async def cancel(self, job_id: JobId, *, client_id: ClientId | None) -> Job:
        """Ends a job. Whatever its worker still makes of it is dropped. Cancelling twice is no error.

        Raises:
            JobNotFound: there is no such job of the client's.
            JobAlreadyFinal: it is too late.
        """
        async with self._async_store.async_work() as work:
            job = _visible(await work.jobs.lock(job_id), client_id)
            if job.state is JobState.CANCELLED:
                return job
            if job.final:
                raise JobAlreadyFinal(job.id, job.state)
            cancelled = job.cancel(self._clock.now())
            await work.jobs.save(cancelled)
            # Even a job that is not known to be submitted: a crash may have hidden it.
            await work.client_jobs.to_be_stopped(job_id)
            await work.events.finished(cancelled)
            await work.events.changed(cancelled)
        self._metrics.ended(cancelled)
        _log.info("job.cancelled", job_id=job_id)
        await self._stopper.stop(job_id)
        return cancelled

    async def _wait(self, job_id: JobId, client_id: ClientId | None, until: datetime | None) -> Job:
        with self._wakeups.subscribe(job_id) as changed:
            while True:
                job = _visible(await self._store.job(job_id), client_id)
                left = _ZERO if until is None else until - self._clock.now()
                if job.final or left <= _ZERO:
                    return job
                await changed.wait(min(left, _POLL))


def _visible(job: Job | None, client_id: ClientId | None) -> Job:
    if job is None or job.mode is not JobMode.ASYNC:
        raise JobNotFound
    if client_id is not None and job.client_id != client_id:
        raise JobNotFound
    return job
