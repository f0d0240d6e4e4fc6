"""Jobs: one photo through one slot, from admission to a final state.

    pending ── start ──> running ── finish ──> done
       │                    │
       └────────────────────┴── fail / time_out / cancel ──> failed / timeout / cancelled

A final state never changes. An asynchronous job goes the same way: while its work is put off or tried again it stays
`running`, and `attempts` grows. A job that timed out may still get a picture, when its slot keeps late results, and so
may an asynchronous one that failed, when an admin has its dead task tried again; a failed one may show the camera's own
photo. None of this touches the state.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from photochanger_ingest.domain.errors import WrongJobState
from photochanger_ingest.domain.form import HashCheck
from photochanger_ingest.domain.ids import ClientId, JobId, MediaObjectId, OperationId, ProviderId, SlotId
from photochanger_ingest.domain.picture import JobResult, Picture, ResultOrigin


class JobState(StrEnum):
    """Where a job is."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


_NO_SLOT: Final = "api"
_COMPLETE: Final = 100
_LONGEST_STAGE: Final = 200
UNFINISHED: Final = frozenset({JobState.PENDING, JobState.RUNNING})


class JobSource(StrEnum):
    """Who opened a job: a camera, an admin's test run, or a client of the public API."""

    INGEST = "ingest"
    UI_TEST = "ui_test"
    API = "api"


class JobMode(StrEnum):
    """How a job is run: while somebody waits, in a camera's place; or through the task engine."""

    SYNC = "sync"
    ASYNC = "async"


class FailureReason(StrEnum):
    """Why a job has no picture of the provider's."""

    TIMEOUT = "timeout"
    PROVIDER_5XX = "provider_5xx"
    BAD_RESPONSE = "bad_response"
    QUOTA = "quota"
    NETWORK = "network"
    CONTENT_BLOCKED = "content_blocked"
    NO_IMAGE = "no_image"
    BAD_INPUT = "bad_input"
    AUTH = "auth"
    CONFIG = "config"
    STORAGE = "storage"
    INTERNAL = "internal"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed, in words that say what to do. Never a form value, a key or an address."""

    reason: FailureReason
    message: str


@dataclass(frozen=True, slots=True)
class Stage:
    """How long one stage of the processing took."""

    name: str
    duration: timedelta


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The provider's picture is stored."""

    picture: Picture
    provider_calls: int = 1
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The provider, or we, could not. The stages are those that began, the one in which it ended included."""

    failure: Failure
    provider_calls: int = 0
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the work on an asynchronous job is: the number of its attempt, 0 to 100 percent, words for people.

    `begun` tells whether a worker has been at it at all.
    """

    begun: bool
    attempt: int
    percent: int = 0
    stage: str = ""

    @classmethod
    def told(cls, *, attempt: int, percent: int, stage: str) -> "Progress":
        """Returns the progress another service tells of, cut to what is kept."""
        words = "".join(char for char in stage if char.isprintable())[:_LONGEST_STAGE]
        # A job that is not done is not complete.
        return cls(attempt > 0, max(attempt, 0), min(max(percent, 0), _COMPLETE - 1), words)


Outcome = Succeeded | Failed
"""What came of a job's processing."""


@dataclass(frozen=True, slots=True)
class Job:
    """One photo through one slot. Moves return the job after them and raise `WrongJobState`.

    `late_until` is set while a picture after the deadline would be kept. Only asynchronous jobs have a client, tell
    their progress (0 to 100) and what they are at (`stage`), repeat another one, and may be without a slot.
    """

    id: JobId
    slot_id: SlotId | None
    slot_version: int | None
    state: JobState
    source: JobSource
    provider_id: ProviderId
    operation_id: OperationId
    received_at: datetime
    created_at: datetime
    deadline: datetime
    input_media_object_id: MediaObjectId
    hash_check: HashCheck
    started_at: datetime | None = None
    finished_at: datetime | None = None
    failure: Failure | None = None
    result: JobResult | None = None
    provider_calls: int = 0
    stages: tuple[Stage, ...] = ()
    late_until: datetime | None = None
    mode: JobMode = JobMode.SYNC
    client_id: ClientId | None = None
    retry_of: JobId | None = None
    attempts: int = 0
    progress: int = 0
    stage: str = ""

    @property
    def place(self) -> str:
        """Where its pictures lie: its slot's id, or `api` without a slot."""
        return self.slot_id or _NO_SLOT

    @property
    def final(self) -> bool:
        """Whether its state will not change any more."""
        return self.state not in UNFINISHED

    @property
    def has_late_result(self) -> bool:
        """Whether a picture came after the job's end."""
        return self.result is not None and self.result.origin is ResultOrigin.LATE

    @property
    def takes_late_result(self) -> bool:
        """Whether a picture that comes after the job's end is kept.

        An asynchronous job that failed gets one only if its task was dead and somebody had it tried again: to see it.
        """
        if self.mode is JobMode.ASYNC:
            return self.state is JobState.FAILED and self.result is None
        return self.state is JobState.TIMEOUT and self.late_until is not None

    def awaits_late_result(self, now: datetime) -> bool:
        """Tells whether the provider still works on a picture that will be kept."""
        return self.state is JobState.TIMEOUT and self.late_until is not None and now < self.late_until

    @property
    def answers_duplicates_until(self) -> datetime | None:
        """The instant until which an identical photo gets this job for an answer; None: it does not."""
        if not self.final:
            return self.deadline
        if self.state is JobState.DONE or self.has_late_result:
            return self.result.picture.expires_at if self.result is not None else None
        return self.late_until

    def settled(self, now: datetime) -> bool:
        """Tells whether nothing more is to come: neither a state nor a late picture."""
        return self.final and not self.awaits_late_result(now)

    def start(self, now: datetime) -> "Job":
        """Begins the provider's turn."""
        if self.state is not JobState.PENDING:
            raise WrongJobState("start", self.state)
        return replace(self, state=JobState.RUNNING, started_at=now)

    def progressed(self, progress: Progress, now: datetime) -> "Job":
        """Takes what was told of an asynchronous job's work; what was overtaken meanwhile changes nothing."""
        if self.final or progress.attempt < self.attempts:
            return self
        begun = self if self.state is JobState.RUNNING or not progress.begun else self.start(now)
        return replace(begun, attempts=progress.attempt, progress=progress.percent, stage=progress.stage)

    def begun_by(self, outcome: "Outcome", now: datetime) -> "Job":
        """Returns the job as an outcome shows it: what has a picture was begun, though nobody has told of it yet.

        Only of asynchronous jobs, whose messages may overtake each other.
        """
        unheard = self.state is JobState.PENDING and self.mode is JobMode.ASYNC
        if not unheard or not isinstance(outcome, Succeeded):
            return self
        return replace(self.start(now), attempts=1)

    def finish(self, outcome: Succeeded, now: datetime) -> "Job":
        """Takes the provider's picture, which came in time."""
        if self.state is not JobState.RUNNING:
            raise WrongJobState("finish", self.state)
        return replace(
            self,
            state=JobState.DONE,
            finished_at=now,
            result=JobResult(outcome.picture, ResultOrigin.PROVIDER),
            provider_calls=outcome.provider_calls,
            stages=outcome.stages,
            late_until=None,
            progress=_COMPLETE if self.mode is JobMode.ASYNC else 0,
            stage="",
        )

    def fail(self, outcome: Failed, now: datetime, *, original: Picture | None = None) -> "Job":
        """Ends without the provider's picture; `original` is the camera's own photo, published instead."""
        ended = self._ended(JobState.FAILED, "fail", outcome.failure, now, original=original)
        return replace(ended.noting_effort(outcome), late_until=None)

    def time_out(self, now: datetime, *, original: Picture | None = None) -> "Job":
        """Ends because the deadline passed. A job that never started waits for no late picture."""
        failure = Failure(FailureReason.TIMEOUT, _timed_out_message(self))
        ended = self._ended(JobState.TIMEOUT, "time out", failure, now, original=original)
        return ended if ended.started_at is not None else replace(ended, late_until=None)

    def cancel(self, now: datetime) -> "Job":
        """Ends because somebody asked for it."""
        failure = Failure(FailureReason.CANCELLED, "The job was stopped before it had a picture.")
        return replace(self._ended(JobState.CANCELLED, "be cancelled", failure, now), late_until=None)

    def keep_late_result(self, outcome: Succeeded) -> "Job":
        """Keeps a picture that came after the job's end. The state stays."""
        if not self.takes_late_result:
            raise WrongJobState("keep a late result", self.state)
        return replace(
            self,
            result=JobResult(outcome.picture, ResultOrigin.LATE),
            provider_calls=outcome.provider_calls,
            stages=outcome.stages,
            late_until=None,
        )

    def noting_effort(self, outcome: Failed) -> "Job":
        """Takes what was done in vain, unless something is known of it already."""
        if self.stages or self.state is JobState.DONE:
            return self
        calls = max(self.provider_calls, outcome.provider_calls)
        return replace(self, provider_calls=calls, stages=outcome.stages)

    def give_up_late_result(self) -> "Job":
        """Stops waiting for a late picture: the provider failed after all."""
        if self.state is not JobState.TIMEOUT:
            raise WrongJobState("give up its late result", self.state)
        return replace(self, late_until=None)

    def _ended(
        self, state: JobState, move: str, failure: Failure, now: datetime, *, original: Picture | None = None
    ) -> "Job":
        if self.final:
            raise WrongJobState(move, self.state)
        result = None if original is None else JobResult(original, ResultOrigin.INPUT)
        return replace(self, state=state, finished_at=now, failure=failure, result=result)


def _timed_out_message(job: Job) -> str:
    allowed = (job.deadline - job.received_at).total_seconds()
    if job.started_at is None and job.mode is JobMode.ASYNC:
        return f"No worker had time for it within {allowed:g} s. Allow more time or run more workers."
    if job.started_at is None:
        return f"No place was free within {allowed:g} s. Send fewer photos at once or raise the limits."
    return f"The provider had no picture within {allowed:g} s."
