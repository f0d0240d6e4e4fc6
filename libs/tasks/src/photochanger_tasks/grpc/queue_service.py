"""`QueueService`: registered by each service that has queues."""

from datetime import datetime
from typing import Any, Final, TypeAlias

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from photochanger.tasks.v1 import queue_service_pb2 as messages
from photochanger.tasks.v1 import task_pb2
from photochanger.tasks.v1.queue_service_pb2_grpc import QueueServiceServicer
from photochanger.tasks.v1.task_events_pb2 import TaskState
from photochanger_chassis.errors import FieldViolation, InvalidArgument

from photochanger_tasks.kinds import Queue
from photochanger_tasks.model import State, Task
from photochanger_tasks.postgres.reads import QueueDepth, WorkerSeen
from photochanger_tasks.tasks import Tasks

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
"""A call's context; its two types are the generated code's business."""

_PAGE: Final = 50
_LARGEST_PAGE: Final = 200


class QueueServicer(QueueServiceServicer):
    """Translates calls to `Tasks`."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    async def ListQueues(  # noqa: N802 - named by the proto
        self, request: messages.ListQueuesRequest, context: Context
    ) -> messages.ListQueuesResponse:
        """Lists all queues of the service by name."""
        del request, context
        depths = {depth.queue: depth for depth in await self._tasks.depths()}
        workers = await self._tasks.workers()
        queues = self._tasks.kinds.queues
        return messages.ListQueuesResponse(
            queues=[
                _queue(
                    queues[name],
                    depths.get(name) or QueueDepth.empty(name),
                    sum(name in worker.queues for worker in workers),
                )
                for name in sorted(queues)
            ]
        )

    async def ListDeadTasks(  # noqa: N802 - named by the proto
        self, request: messages.ListDeadTasksRequest, context: Context
    ) -> messages.ListDeadTasksResponse:
        """Lists dead tasks, the latest first."""
        del context
        size = request.page_size or _PAGE
        if not 0 < size <= _LARGEST_PAGE:
            raise _wrong("page_size", f"must be 0 to {_LARGEST_PAGE}")
        token = request.page_token
        if token and not (token.isascii() and token.isdecimal() and len(token) <= 18):  # noqa: PLR2004 - of a bigint
            raise _wrong("page_token", "must come from a former answer")
        tasks = await self._tasks.page(
            state=State.DEAD, queue=request.queue or None, before=int(token) if token else None, size=size
        )
        return messages.ListDeadTasksResponse(
            tasks=[_task(task) for task in tasks],
            next_page_token=str(tasks[-1].position) if len(tasks) == size else "",
        )

    async def RequeueTask(  # noqa: N802 - named by the proto
        self, request: messages.RequeueTaskRequest, context: Context
    ) -> messages.RequeueTaskResponse:
        """Gives a dead task all its attempts anew."""
        del context
        return messages.RequeueTaskResponse(
            task=_task(await self._tasks.requeue(request.task_id, by=_actor(request.actor)))
        )

    async def DropTask(  # noqa: N802 - named by the proto
        self, request: messages.DropTaskRequest, context: Context
    ) -> messages.DropTaskResponse:
        """Gives a dead task up for good."""
        del context
        return messages.DropTaskResponse(
            task=_task(await self._tasks.drop(request.task_id, by=_actor(request.actor)))
        )

    async def ListWorkers(  # noqa: N802 - named by the proto
        self, request: messages.ListWorkersRequest, context: Context
    ) -> messages.ListWorkersResponse:
        """Lists the workers that are alive, the oldest first."""
        del request, context
        return messages.ListWorkersResponse(workers=[_worker(each) for each in await self._tasks.workers()])


def _queue(queue: Queue, depth: QueueDepth, workers: int) -> task_pb2.Queue:
    return task_pb2.Queue(
        name=queue.name,
        queued=depth.queued,
        running=depth.running,
        scheduled=depth.scheduled,
        retrying=depth.retrying,
        blocked=depth.blocked,
        dead=depth.dead,
        oldest_at=_timestamp(depth.oldest_at),
        limit=queue.limit,
        workers=workers,
    )


def _task(task: Task) -> task_pb2.Task:
    return task_pb2.Task(
        id=task.id,
        kind=task.kind,
        queue=task.queue,
        tenant=task.tenant,
        unique_key=task.unique_key or "",
        priority=task.priority,
        state=TaskState.Value(f"TASK_STATE_{task.state.name}"),
        attempt=task.attempt,
        failures=task.failures,
        max_attempts=task.max_attempts,
        progress_percent=task.progress,
        stage=task.stage,
        reason=task.reason,
        message=task.message,
        created_at=_timestamp(task.created_at),
        started_at=_timestamp(task.started_at),
        finished_at=_timestamp(task.finished_at),
    )


def _worker(worker: WorkerSeen) -> task_pb2.Worker:
    return task_pb2.Worker(
        id=worker.id,
        queues=worker.queues,
        slots=worker.slots,
        running=worker.running,
        guard=worker.guard,
        started_at=_timestamp(worker.started_at),
        seen_at=_timestamp(worker.seen_at),
    )


def _actor(actor: str) -> str:
    if not actor:
        raise _wrong("actor", "is required")
    return actor


def _wrong(field: str, description: str) -> InvalidArgument:
    return InvalidArgument(f"{field} {description}.", field_violations=(FieldViolation(field, description),))


def _timestamp(at: datetime | None) -> Timestamp | None:
    if at is None:
        return None
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp
