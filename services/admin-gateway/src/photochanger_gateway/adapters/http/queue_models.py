"""Bodies about queues, dead tasks and workers."""

from typing import Annotated, Literal

from pydantic import Field

from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.adapters.http.fields import Body, Count, Cursor, Instant, JobId, instant
from photochanger_gateway.application.ports_admin import Page
from photochanger_gateway.application.queue_views import AllQueues
from photochanger_gateway.domain.queues import Queue, Task, TaskState, Worker

_PHOTO_TASKS = "photo.process."
"""How the kinds of providers' work begin; the provider follows."""
_MOST = 500

_Name = Annotated[str, Field(max_length=64)]


class QueueBody(Body):
    """How full a queue is."""

    name: _Name
    queued: Count = Field(description="Tasks that wait for a worker.")
    running: Count
    scheduled: Count = Field(description="Tasks that wait for their time: a pause, a provider's wish.")
    retrying: Count = Field(description="Those of `scheduled` whose last attempt failed.")
    blocked: Count = Field(description="Tasks that wait for an earlier step of their pipeline.")
    dead: Count = Field(
        description="Tasks whose attempts are used up, until somebody requeues or drops them."
    )
    oldest_at: Instant | None = Field(description="Since when the oldest of `queued` waits.")
    limit: Count = Field(description="How many run at once in the whole fleet.")
    workers: Count = Field(description="Workers alive that take its tasks.")

    @classmethod
    def of(cls, queue: Queue) -> "QueueBody":
        """The body for a queue."""
        return cls(
            name=queue.name,
            queued=queue.queued,
            running=queue.running,
            scheduled=queue.scheduled,
            retrying=queue.retrying,
            blocked=queue.blocked,
            dead=queue.dead,
            oldest_at=rfc3339(queue.oldest_at),
            limit=queue.limit,
            workers=queue.workers,
        )


class WorkerBody(Body):
    """A worker's process."""

    id: str = Field(max_length=128)
    queues: list[_Name] = Field(description="From which it takes tasks.", max_length=_MOST)
    slots: Count = Field(description="How many tasks it runs at once.")
    running: Count
    guard: str | None = Field(
        description="Why it takes nothing new: `memory`, `free_memory`, `draining`; or a queue's tasks one by one: "
        "`cpu`. null: it takes what it has room for.",
        max_length=64,
    )
    started_at: Instant
    seen_at: Instant = Field(description="When it was last heard of; after 30 s it counts as gone.")

    @classmethod
    def of(cls, worker: Worker) -> "WorkerBody":
        """The body for a worker."""
        return cls(
            id=worker.id,
            queues=list(worker.queues),
            slots=worker.slots,
            running=worker.running,
            guard=worker.guard or None,
            started_at=instant(worker.started_at),
            seen_at=instant(worker.seen_at),
        )


class QueuesBody(Body):
    """All queues and workers."""

    queues: list[QueueBody] = Field(description="By name, empty ones too.", max_length=_MOST)
    workers: list[WorkerBody] = Field(description="Those alive, the oldest first.", max_length=_MOST)

    @classmethod
    def of(cls, everything: AllQueues) -> "QueuesBody":
        """The body for all of them."""
        return cls(
            queues=[QueueBody.of(item) for item in everything.queues[:_MOST]],
            workers=[WorkerBody.of(item) for item in everything.workers[:_MOST]],
        )


class TaskBody(Body):
    """A task."""

    task_id: JobId
    kind: _Name = Field(description="What it does: `photo.process.gemini`, `webhook.deliver`…")
    queue: _Name
    client_id: str = Field(description="Whose work it is.", max_length=128)
    job_id: JobId | None = Field(description="The job it carries, where it carries one.")
    priority: int = Field(description="0 (most urgent) to 9.", ge=0, le=9)
    state: Literal[
        "blocked", "scheduled", "queued", "running", "done", "failed", "dead", "cancelled", "other"
    ]
    attempt: Count = Field(description="How often it was started.")
    failures: Count = Field(description="How many attempts failed since it was submitted or requeued.")
    max_attempts: Count
    progress: int = Field(ge=0, le=100)
    stage: str = Field(description="What it was at, for people.", max_length=500)
    reason: str | None = Field(description="Why it failed or waits: a code.", max_length=128)
    message: str | None = Field(description="The same in words.", max_length=2000)
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None

    @classmethod
    def of(cls, task: Task) -> "TaskBody":
        """The body for a task."""
        return cls(
            task_id=task.id,
            kind=task.kind,
            queue=task.queue,
            client_id=task.tenant,
            job_id=task.unique_key if task.kind.startswith(_PHOTO_TASKS) and task.unique_key else None,
            priority=task.priority,
            state=TaskState(task.state).value,
            attempt=task.attempt,
            failures=task.failures,
            max_attempts=task.max_attempts,
            progress=task.progress,
            stage=task.stage[:500],
            reason=task.reason or None,
            message=task.message[:2000] or None,
            created_at=instant(task.created_at),
            started_at=rfc3339(task.started_at),
            finished_at=rfc3339(task.finished_at),
        )


class DeadTasksBody(Body):
    """A page of dead tasks."""

    tasks: list[TaskBody] = Field(description="The latest first.", max_length=200)
    next_cursor: Cursor | None

    @classmethod
    def of(cls, page: Page[Task]) -> "DeadTasksBody":
        """The body for a page."""
        return cls(tasks=[TaskBody.of(item) for item in page.items], next_cursor=page.next_cursor or None)
