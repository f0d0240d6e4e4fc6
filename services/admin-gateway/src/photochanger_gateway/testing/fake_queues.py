"""Queues and dead tasks that keep the contract of `protos/` in memory."""

from uuid import uuid4

from photochanger.tasks.v1 import queue_service_pb2, queue_service_pb2_grpc, task_events_pb2, task_pb2
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ErrorKind

from photochanger_gateway.adapters.clients.translate import timestamp
from photochanger_gateway.testing.builders import a_refusal
from photochanger_gateway.testing.script import Script, page_of


class FakeQueues(queue_service_pb2_grpc.QueueServiceServicer):
    """The queues of one service, a worker, and the dead tasks it is given."""

    def __init__(self, clock: Clock, names: tuple[str, ...], *, worker: str) -> None:
        self.script = Script()
        self.clock = clock
        self.names = names
        self.worker = worker
        self.dead: dict[str, task_pb2.Task] = {}

    def kill(self, *, queue: str = "gemini", kind: str = "", unique_key: str = "") -> task_pb2.Task:
        """Makes a dead task."""
        now = timestamp(self.clock.now())
        task = task_pb2.Task(
            id=uuid4().hex,
            kind=kind or f"photo.process.{queue}",
            queue=queue,
            tenant="books",
            unique_key=unique_key or uuid4().hex,
            priority=5,
            state=task_events_pb2.TASK_STATE_DEAD,
            attempt=5,
            failures=5,
            max_attempts=5,
            reason="provider_5xx",
            message="It is overloaded.",
            created_at=now,
            started_at=now,
            finished_at=now,
        )
        self.dead[task.id] = task
        return task

    async def ListQueues(  # noqa: N802 - gRPC's names, here and below
        self, request: queue_service_pb2.ListQueuesRequest, context: object
    ) -> queue_service_pb2.ListQueuesResponse:
        """See the proto."""
        await self.script.enter("ListQueues", request)
        counts = {name: sum(task.queue == name for task in self.dead.values()) for name in self.names}
        return queue_service_pb2.ListQueuesResponse(
            queues=[
                task_pb2.Queue(name=name, queued=2, dead=dead, limit=4, workers=1)
                for name, dead in counts.items()
            ]
        )

    async def ListDeadTasks(  # noqa: N802
        self, request: queue_service_pb2.ListDeadTasksRequest, context: object
    ) -> queue_service_pb2.ListDeadTasksResponse:
        """See the proto."""
        await self.script.enter("ListDeadTasks", request)
        wanted = [task for task in reversed(self.dead.values()) if request.queue in {"", task.queue}]
        tasks, token = page_of(wanted, request.page_size or 50, request.page_token)
        return queue_service_pb2.ListDeadTasksResponse(tasks=tasks, next_page_token=token)

    async def RequeueTask(  # noqa: N802
        self, request: queue_service_pb2.RequeueTaskRequest, context: object
    ) -> queue_service_pb2.RequeueTaskResponse:
        """See the proto."""
        await self.script.enter("RequeueTask", request)
        return queue_service_pb2.RequeueTaskResponse(
            task=self._decide(request.task_id, task_events_pb2.TASK_STATE_QUEUED)
        )

    async def DropTask(  # noqa: N802
        self, request: queue_service_pb2.DropTaskRequest, context: object
    ) -> queue_service_pb2.DropTaskResponse:
        """See the proto."""
        await self.script.enter("DropTask", request)
        return queue_service_pb2.DropTaskResponse(
            task=self._decide(request.task_id, task_events_pb2.TASK_STATE_FAILED)
        )

    async def ListWorkers(  # noqa: N802
        self, request: queue_service_pb2.ListWorkersRequest, context: object
    ) -> queue_service_pb2.ListWorkersResponse:
        """See the proto."""
        await self.script.enter("ListWorkers", request)
        now = timestamp(self.clock.now())
        worker = task_pb2.Worker(
            id=self.worker, queues=self.names, slots=4, running=1, started_at=now, seen_at=now
        )
        return queue_service_pb2.ListWorkersResponse(workers=[worker])

    def _decide(self, task_id: str, state: task_events_pb2.TaskState.ValueType) -> task_pb2.Task:
        if task_id not in self.dead:
            raise a_refusal("TASK_NOT_FOUND", ErrorKind.NOT_FOUND)
        task = self.dead[task_id]
        if task.state != task_events_pb2.TASK_STATE_DEAD:
            raise a_refusal("TASK_NOT_DEAD", ErrorKind.FAILED_PRECONDITION)
        task.state = state
        return task
