"""Gives free places to waiting jobs, first come first served."""

from collections.abc import Iterable

from photochanger_chassis.clock import Clock

from photochanger_ingest.application.metrics import JobMetrics
from photochanger_ingest.application.store import Store, Work
from photochanger_ingest.domain.admission import next_to_start
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import Job


class StartWaiting:
    """Starts every waiting job that has a driver and a place."""

    def __init__(self, store: Store, clock: Clock, metrics: JobMetrics) -> None:
        self._store = store
        self._clock = clock
        self._metrics = metrics

    async def __call__(self) -> None:
        """Looks at all places and starts what may start; drivers on other replicas are woken."""
        if not await self._store.any_waiting():
            return  # a job that comes from now on looks for its place itself
        async with self._store.work() as work:
            await work.admissions.lock()
            started = await self.within(work, own=None)
        self.note(started.values())

    async def within(self, work: Work, *, own: Job | None) -> dict[JobId, Job]:
        """Does so inside a transaction that holds the admission lock. Returns the jobs that have started.

        `own` is the caller's job, which the transaction has locked already; its driver need not be woken.
        """
        now = self._clock.now()
        started: dict[JobId, Job] = {}
        for job_id in next_to_start(await work.admissions.places(now)):
            is_own = own is not None and own.id == job_id
            job = own if is_own else await work.jobs.lock(job_id)
            if job is None or job.final:
                continue  # ended since the places were read
            started[job_id] = running = job.start(now)
            await work.jobs.save(running)
            await work.events.started(running)
            if not is_own:
                await work.events.changed(running)
        return started

    def note(self, started: Iterable[Job]) -> None:
        """Measures jobs that have started, once that is certain."""
        for job in started:
            self._metrics.started(job)
