"""Hands asynchronous jobs over to the providers service, whose workers run them, and takes them back from there.

Nothing here is needed for a job to be kept: what a crash left undone is found in the database and done again, and the
providers service knows each job by its id.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.concurrency import collapse_group
from photochanger_chassis.errors import ServiceError, Unavailable

from photochanger_ingest.application.async_store import AsyncStore
from photochanger_ingest.application.complete_job import CompleteJob
from photochanger_ingest.application.processing_queue import ProcessingQueue
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import Failed

_log = structlog.stdlib.get_logger(__name__)

_AT_ONCE: Final = 3
"""Each holds a connection of the pool, which cameras' jobs need as well."""
_KNOWN: Final = 1000
_OVERDUE: Final = timedelta(seconds=2)
_BATCH: Final = 100


class HandOver:
    """Runs on every replica. A job is locked while it is handed over: it cannot be cancelled in that moment, so one
    that was cancelled before its turn is never submitted.
    """

    def __init__(
        self, store: AsyncStore, queue: ProcessingQueue, complete: CompleteJob, clock: Clock
    ) -> None:
        self._store = store
        self._queue = queue
        self._complete = complete
        self._clock = clock
        self._waiting: asyncio.Queue[JobId] = asyncio.Queue(_KNOWN)

    def soon(self, job_id: JobId) -> None:
        """Has a job handed over as soon as possible. The sweep finds what does not fit here."""
        if not self._waiting.full():
            self._waiting.put_nowait(job_id)

    async def run(self) -> None:
        """Hands jobs over until cancelled."""
        with collapse_group():
            async with asyncio.TaskGroup() as tasks:
                for number in range(_AT_ONCE):
                    tasks.create_task(self._work(), name=f"hand-over-{number}")

    async def sweep(self) -> int:
        """Hands over what was left lying, and stops what ended without its work being stopped. Returns how many."""
        since = self._clock.now() - _OVERDUE
        left = await self._store.not_handed_over(since=since, limit=_BATCH)
        to_stop = await self._store.not_stopped(limit=_BATCH)
        await self._each(left, self._hand_over, otherwise="job.not_handed_over")
        await self._each(to_stop, self._stop, otherwise="job.not_stopped")
        return len(left) + len(to_stop)

    async def stop(self, job_id: JobId) -> None:
        """Stops the work on a job that has ended here. Where that fails now, the sweep repeats it."""
        try:
            await self._stop(job_id)
        except ServiceError as error:
            _log.warning("job.not_stopped", job_id=job_id, reason=error.reason)

    async def _each(
        self, job_ids: Sequence[JobId], action: Callable[[JobId], Awaitable[None]], *, otherwise: str
    ) -> None:
        for job_id in job_ids:
            try:
                await action(job_id)
            except Unavailable as error:
                _log.warning(otherwise, reason=error.reason, waiting=len(job_ids))
                return  # nor could the next
            except ServiceError as error:
                _log.warning(otherwise, job_id=job_id, reason=error.reason)

    async def _work(self) -> None:
        while True:
            job_id = await self._waiting.get()
            try:
                await self._hand_over(job_id)
            except ServiceError as error:
                _log.warning("job.not_handed_over", job_id=job_id, reason=error.reason)
            except Exception:  # noqa: BLE001 - a bug: logged with its trace, and the other jobs go on
                _log.exception("job.hand_over_failed", job_id=job_id)

    async def _hand_over(self, job_id: JobId) -> None:
        refused: Failed | None = None
        async with self._store.async_work() as work:
            submission = await work.client_jobs.to_hand_over(job_id)
            if submission is None:
                return
            refused = await self._queue.submit(submission)
            await work.client_jobs.handed_over(job_id, self._clock.now())
        if refused is not None:
            await self._complete(job_id, refused)

    async def _stop(self, job_id: JobId) -> None:
        await self._queue.cancel(job_id)
        await self._store.stopped(job_id)
