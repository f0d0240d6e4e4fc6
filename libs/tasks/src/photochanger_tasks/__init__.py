"""Asynchronous tasks: PostgreSQL is the truth, JetStream moves the work.

RESIZE = TaskKind(name="photo.resize", queue="light", payload=ResizePhoto)

await tasks.submit(conn, RESIZE.task(ResizePhoto(photo_id=photo_id), tenant=client_id))

async def resize(attempt: Attempt[ResizePhoto]) -> None: ...
"""

from photochanger_tasks.attempt import Attempt
from photochanger_tasks.cache import ResultCache
from photochanger_tasks.errors import (
    AttemptOvertaken,
    Deferred,
    Failed,
    PipelineEnded,
    TaskNotDead,
    TaskNotFound,
    UniqueKeyTaken,
)
from photochanger_tasks.guards import Guard, Limits
from photochanger_tasks.keeper import Keeper
from photochanger_tasks.kinds import Backoff, Kinds, NewTask, PipelineKind, Queue, TaskKind
from photochanger_tasks.leases import CANCEL_CHANNEL
from photochanger_tasks.metrics import TaskMetrics
from photochanger_tasks.model import Cancelled, Reason, State, Submitted, Task
from photochanger_tasks.nats.stream import QueueOwnedElsewhere, TicketPublisher
from photochanger_tasks.pipelines import Pipelines, Step
from photochanger_tasks.schema import create_task_tables
from photochanger_tasks.tasks import Tasks
from photochanger_tasks.worker import Worker, WorkerOptions

__all__ = [
    "CANCEL_CHANNEL",
    "Attempt",
    "AttemptOvertaken",
    "Backoff",
    "Cancelled",
    "Deferred",
    "Failed",
    "Guard",
    "Keeper",
    "Kinds",
    "Limits",
    "NewTask",
    "PipelineEnded",
    "PipelineKind",
    "Pipelines",
    "Queue",
    "QueueOwnedElsewhere",
    "Reason",
    "ResultCache",
    "State",
    "Step",
    "Submitted",
    "Task",
    "TaskKind",
    "TaskMetrics",
    "TaskNotDead",
    "TaskNotFound",
    "Tasks",
    "TicketPublisher",
    "UniqueKeyTaken",
    "Worker",
    "WorkerOptions",
    "create_task_tables",
]
