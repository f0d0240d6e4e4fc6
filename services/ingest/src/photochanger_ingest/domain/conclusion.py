"""What an outcome makes of a job, whenever it comes and however often."""

from dataclasses import dataclass
from datetime import datetime

from photochanger_ingest.domain.job import Failed, FailureReason, Job, JobState, Outcome, Succeeded
from photochanger_ingest.domain.picture import Picture


@dataclass(frozen=True, slots=True)
class Conclusion:
    """A job after an outcome.

    `ended` and `kept` tell what has just happened: it reached its final state, it got a late picture. `discarded`
    is a picture nobody will see.
    """

    job: Job
    ended: bool = False
    kept: bool = False
    discarded: Picture | None = None


def conclude(
    job: Job, outcome: Outcome, *, ended_at: datetime, now: datetime, original: Picture | None = None
) -> Conclusion:
    """Applies an outcome that the provider reached at `ended_at` and we learned at `now`.

    A final state never changes. A picture made by the deadline counts as in time even when we learn of it later,
    as long as the job has not ended. `original` is the camera's own photo, published in case of failure.

    Raises:
        WrongJobState: a picture for a job that never started.
    """
    match outcome:
        case Succeeded() if job.final:
            return _late(job, outcome)
        case Succeeded() if ended_at <= job.deadline:
            return Conclusion(job.finish(outcome, now), ended=True)
        case Succeeded():
            late = _late(job.time_out(now, original=original), outcome)
            return Conclusion(late.job, ended=True, kept=late.kept, discarded=late.discarded)
        case Failed() if job.final:
            gave_up = job.state is JobState.TIMEOUT and job.late_until is not None
            # Whoever ended the job first may have known less of what was done.
            return Conclusion((job.give_up_late_result() if gave_up else job).noting_effort(outcome))
        case Failed(failure) if failure.reason is FailureReason.TIMEOUT:
            return Conclusion(job.time_out(now, original=original).noting_effort(outcome), ended=True)
        case Failed(failure) if failure.reason is FailureReason.CANCELLED:
            return Conclusion(job.cancel(now).noting_effort(outcome), ended=True)
        case Failed():
            return Conclusion(job.fail(outcome, now, original=original), ended=True)


def _late(job: Job, outcome: Succeeded) -> Conclusion:
    if job.result is not None and job.result.picture.id == outcome.picture.id:
        return Conclusion(job)
    if job.takes_late_result:
        return Conclusion(job.keep_late_result(outcome), kept=True)
    return Conclusion(job, discarded=outcome.picture)
