"""The task engine's queues as admins see them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TaskState(StrEnum):
    """Where a task is."""

    BLOCKED = "blocked"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Queue:
    """How full a queue is. `retrying` are those of `scheduled` whose last attempt failed; `limit` is the fleet's."""

    name: str
    queued: int
    running: int
    scheduled: int
    retrying: int
    blocked: int
    dead: int
    oldest_at: datetime | None
    limit: int
    workers: int


@dataclass(frozen=True, slots=True)
class Task:
    """A piece of work. `unique_key` is what its submitter knows it by: of a photo, the job's id."""

    id: str
    kind: str
    queue: str
    tenant: str
    unique_key: str
    priority: int
    state: TaskState
    attempt: int
    failures: int
    max_attempts: int
    progress: int
    stage: str
    reason: str
    message: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker's process, as its last sign of life tells. `guard`: why it takes less; empty: it does not."""

    id: str
    queues: tuple[str, ...]
    slots: int
    running: int
    guard: str
    started_at: datetime
    seen_at: datetime
