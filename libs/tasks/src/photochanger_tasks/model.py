"""What a task is."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

DEFAULT_PRIORITY: Final = 5
LEAST_URGENT: Final = 9
MAX_PAYLOAD_BYTES: Final = 64 * 1024


class State(StrEnum):
    """Where a task is. `finished` ones are final, but that an admin may requeue a dead one."""

    BLOCKED = "blocked"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Whether nothing more happens by itself."""
        return self in FINISHED


FINISHED: Final = frozenset({State.DONE, State.FAILED, State.DEAD, State.CANCELLED})
WAITING: Final = frozenset({State.BLOCKED, State.SCHEDULED, State.QUEUED})


class Reason:
    """Reasons the engine itself gives; a kind's own come from its handler's errors."""

    DEADLINE: Final = "deadline"
    TIMEOUT: Final = "timeout"
    WORKER_LOST: Final = "worker_lost"
    STEP_FAILED: Final = "step_failed"
    DROPPED: Final = "dropped"
    CANCELLED: Final = "cancelled"
    BUG: Final = "internal_error"


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it is stored.

    Args:
        id: 32 hexadecimal digits.
        position: grows with each submission.
        kind: what it does.
        queue: whose workers do it; empty for a pipeline, whose steps are tasks of their own.
        priority: 0 (urgent) to 9.
        tenant: whose work it is, as fairness counts.
        payload: encoded protobuf message.
        unique_key: no other live task has it.
        deadline_at: after this nobody wants the result.
        run_at: in `scheduled`, when it may start.
        attempt: number of the latest attempt, never used twice; 0 before the first.
        failures: attempts that count towards `max_attempts`.
        virtual_start: its turn among the tasks of its queue and priority, see `postgres/submission.py`.
        parent_id: the pipeline it is a step of.
        step: in a pipeline's child, which step, from 0; in the pipeline, the step under way.
        cancel_requested: it is running and shall not.
        progress: 0 to 100.
        stage: what it is at, for people.
        status: a finer state that the kind defines.
        result: encoded protobuf message, once done, if the kind has one.
        reason: why it is failed, dead, cancelled or postponed.
        message: the same for people.
        owner: in `running`, the worker that has it.
        lease_until: in `running`, until when the owner's word counts.
        decided_by: who cancelled, requeued or dropped it.
    """

    id: str
    position: int
    kind: str
    queue: str
    priority: int
    tenant: str
    payload: bytes
    payload_type: str
    unique_key: str | None
    deadline_at: datetime | None
    run_at: datetime | None
    state: State
    attempt: int
    failures: int
    max_attempts: int
    virtual_start: float
    parent_id: str | None
    step: int
    cancel_requested: bool
    progress: int
    stage: str
    status: str
    result: bytes | None
    reason: str
    message: str
    owner: str | None
    lease_until: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    decided_by: str
    trace: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Submitted:
    """The answer to a submission. `created` is false when a live task has the unique key: it is `task`."""

    task: Task
    created: bool


class Cancelled(StrEnum):
    """What a wish to cancel came to."""

    AT_ONCE = "at_once"
    """It had not started and never will."""
    STOPPING = "stopping"
    """It is running; its worker stops it within two seconds."""
    TOO_LATE = "too_late"
    """It has ended."""
