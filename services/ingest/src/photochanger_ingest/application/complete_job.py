"""Brings a job to its final state, from whichever of call, event and sweeper comes first.

The database counts a camera's job in the same transaction, by a trigger on its state: see `domain/statistics.py`.
"""

from datetime import datetime

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import RemoteError, Unavailable

from photochanger_ingest.application.metrics import JobMetrics
from photochanger_ingest.application.outside import Media
from photochanger_ingest.application.store import Store
from photochanger_ingest.domain.conclusion import Conclusion, conclude
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import Failed, Failure, FailureReason, Job, Outcome
from photochanger_ingest.domain.picture import Picture

_log = structlog.stdlib.get_logger(__name__)


class CompleteJob:
    """Applies an outcome once: repeating it, or bringing another one later, changes no final state."""

    def __init__(self, store: Store, media: Media, clock: Clock, metrics: JobMetrics) -> None:
        self._store = store
        self._media = media
        self._clock = clock
        self._metrics = metrics

    async def __call__(
        self,
        job_id: JobId,
        outcome: Outcome,
        *,
        ended_at: datetime | None = None,
        original: Picture | None = None,
    ) -> Job | None:
        """Returns the job as it is then, None when there is no such job any more.

        `ended_at` is when the provider was done, now by default; `original` the camera's own photo, published
        in case of failure.

        Raises:
            Unavailable: the database cannot be reached, or a picture nobody wants could not be deleted; repeating
                is harmless.
            WrongJobState: a picture for a job that never started.
        """
        async with self._store.work() as work:
            job = await work.jobs.lock(job_id)
            if job is None:
                return None
            now = self._clock.now()
            begun = job.begun_by(outcome, now)
            if begun != job:
                await work.events.started(begun)
            conclusion = conclude(begun, outcome, ended_at=ended_at or now, now=now, original=original)
            after = conclusion.job
            if after != job:
                await work.jobs.save(after)
            if conclusion.ended:
                await work.events.finished(after)
            if conclusion.kept:
                await work.events.result_kept(after)
            if after != job:
                await work.events.changed(after)
        self._note(conclusion)
        if conclusion.discarded is not None:
            await self._delete(conclusion.discarded)
        return after

    async def time_out(self, job_id: JobId, *, original: Picture | None = None) -> Job | None:
        """Ends a job whose deadline has passed, or is about to."""
        outcome = Failed(Failure(FailureReason.TIMEOUT, "The deadline has passed."))
        return await self(job_id, outcome, original=original)

    def _note(self, conclusion: Conclusion) -> None:
        job = conclusion.job
        if conclusion.ended:
            self._metrics.ended(job)
            _log.info(
                "job.finished",
                job_id=job.id,
                slot_id=job.slot_id,
                provider=job.provider_id,
                state=job.state,
                reason=job.failure.reason if job.failure is not None else None,
            )
        if conclusion.kept:
            self._metrics.late_results.labels(job.place, "kept").inc()
        if conclusion.discarded is not None:
            self._metrics.late_results.labels(job.place, "discarded").inc()

    async def _delete(self, picture: Picture) -> None:
        try:
            await self._media.delete(picture.id)
        except RemoteError as error:
            # Gone already, or refused: media removes what belongs to no living job by itself.
            _log.info("job.late_picture_not_deleted", reason=error.reason)
        except Unavailable:
            _log.info("job.late_picture_not_deleted", reason="unavailable")
            raise
