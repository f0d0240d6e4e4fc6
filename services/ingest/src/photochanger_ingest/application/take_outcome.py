"""Takes an outcome that was told by event, which a job's driver may be getting as its call's answer as well."""

from datetime import datetime

from photochanger_ingest.application.complete_job import CompleteJob
from photochanger_ingest.application.store import Store
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import Failed, Job, Outcome, Succeeded
from photochanger_ingest.domain.slot import FailureMode


class TakeOutcome:
    """Completes jobs whose driver died, and brings late pictures."""

    def __init__(self, store: Store, complete: CompleteJob) -> None:
        self._store = store
        self._complete = complete

    async def __call__(self, job_id: JobId, outcome: Outcome, *, ended_at: datetime) -> None:
        """Applies the outcome, unless the camera is to get its own photo in place of a failure.

        That photo has to be published before the job ends, which is its driver's work. A driver that died is
        replaced by the repeated call and asks for the same outcome again; without one the sweeper ends the job.

        Raises:
            Unavailable: the database or the media service cannot be reached; repeating is harmless.
            WrongJobState: a picture for a job that never started.
        """
        job = await self._store.job(job_id)
        if job is None or _told_already(job, outcome):
            return  # the usual case: the call brought the same
        if isinstance(outcome, Failed) and await self._original_is_wanted(job):
            return
        await self._complete(job_id, outcome, ended_at=ended_at)

    async def _original_is_wanted(self, job: Job) -> bool:
        if job.final:
            return False  # a late failure only frees the photo
        assignment = await self._store.assignment(job.id)
        return assignment is not None and assignment.plan.on_failure is FailureMode.ORIGINAL


def _told_already(job: Job, outcome: Outcome) -> bool:
    """Whether the job ended with just this picture. A final state and its picture stay, so no lock is needed."""
    return (
        isinstance(outcome, Succeeded)
        and job.final
        and job.result is not None
        and job.result.picture.id == outcome.picture.id
    )
