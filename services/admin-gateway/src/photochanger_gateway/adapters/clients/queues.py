"""The queues of one service's task engine, over gRPC."""

from typing import Final

import grpc.aio
from photochanger.tasks.v1 import queue_service_pb2, task_events_pb2, task_pb2
from photochanger.tasks.v1.queue_service_pb2_grpc import QueueServiceStub
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.application.ports_admin import Page, PageRequest
from photochanger_gateway.domain.queues import Queue, Task, TaskState, Worker

_QUICK_SECONDS: Final = 5.0
_STATES: Final = {
    task_events_pb2.TASK_STATE_BLOCKED: TaskState.BLOCKED,
    task_events_pb2.TASK_STATE_SCHEDULED: TaskState.SCHEDULED,
    task_events_pb2.TASK_STATE_QUEUED: TaskState.QUEUED,
    task_events_pb2.TASK_STATE_RUNNING: TaskState.RUNNING,
    task_events_pb2.TASK_STATE_DONE: TaskState.DONE,
    task_events_pb2.TASK_STATE_FAILED: TaskState.FAILED,
    task_events_pb2.TASK_STATE_DEAD: TaskState.DEAD,
    task_events_pb2.TASK_STATE_CANCELLED: TaskState.CANCELLED,
}


class GrpcQueues:
    """Keeps the promises of `application.ports_clients.Queues`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._queues = QueueServiceStub(channel)

    async def list(self) -> tuple[Queue, ...]:
        """See the port."""
        with translate_rpc_errors():
            answer = await self._queues.ListQueues(
                queue_service_pb2.ListQueuesRequest(), timeout=_QUICK_SECONDS
            )
        return tuple(_queue(item) for item in answer.queues)

    async def workers(self) -> tuple[Worker, ...]:
        """See the port."""
        with translate_rpc_errors():
            answer = await self._queues.ListWorkers(
                queue_service_pb2.ListWorkersRequest(), timeout=_QUICK_SECONDS
            )
        return tuple(_worker(item) for item in answer.workers)

    async def dead(self, queue: str, page: PageRequest) -> Page[Task]:
        """See the port."""
        request = queue_service_pb2.ListDeadTasksRequest(
            queue=queue, page_size=page.size, page_token=page.cursor
        )
        with translate_rpc_errors():
            answer = await self._queues.ListDeadTasks(request, timeout=_QUICK_SECONDS)
        return Page(tuple(_task(item) for item in answer.tasks), answer.next_page_token)

    async def requeue(self, task_id: str, *, by: str) -> Task:
        """See the port."""
        request = queue_service_pb2.RequeueTaskRequest(task_id=task_id, actor=by)
        with translate_rpc_errors():
            answer = await self._queues.RequeueTask(request, timeout=_QUICK_SECONDS)
        return _task(answer.task)

    async def drop(self, task_id: str, *, by: str) -> Task:
        """See the port."""
        request = queue_service_pb2.DropTaskRequest(task_id=task_id, actor=by)
        with translate_rpc_errors():
            answer = await self._queues.DropTask(request, timeout=_QUICK_SECONDS)
        return _task(answer.task)


def _queue(message: task_pb2.Queue) -> Queue:
    return Queue(
        name=message.name,
        queued=message.queued,
        running=message.running,
        scheduled=message.scheduled,
        retrying=message.retrying,
        blocked=message.blocked,
        dead=message.dead,
        oldest_at=translate.some_instant(message, "oldest_at"),
        limit=message.limit,
        workers=message.workers,
    )


def _worker(message: task_pb2.Worker) -> Worker:
    return Worker(
        id=message.id,
        queues=tuple(message.queues),
        slots=message.slots,
        running=message.running,
        guard=message.guard,
        started_at=translate.instant(message.started_at),
        seen_at=translate.instant(message.seen_at),
    )


def _task(message: task_pb2.Task) -> Task:
    return Task(
        id=message.id,
        kind=message.kind,
        queue=message.queue,
        tenant=message.tenant,
        unique_key=message.unique_key,
        priority=message.priority,
        state=_STATES.get(message.state, TaskState.OTHER),
        attempt=message.attempt,
        failures=message.failures,
        max_attempts=message.max_attempts,
        progress=message.progress_percent,
        stage=message.stage,
        reason=message.reason,
        message=message.message,
        created_at=translate.instant(message.created_at),
        started_at=translate.some_instant(message, "started_at"),
        finished_at=translate.some_instant(message, "finished_at"),
    )
