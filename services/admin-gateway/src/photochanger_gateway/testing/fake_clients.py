"""API keys, asynchronous jobs and queues that keep the contract of `protos/` in memory."""

import asyncio
from typing import Final
from uuid import uuid4

from photochanger.ingest.v1 import (
    api_key_service_pb2,
    api_key_service_pb2_grpc,
    async_job_service_pb2,
    async_job_service_pb2_grpc,
    job_pb2,
)
from photochanger.tasks.v1 import (
    queue_service_pb2,
    queue_service_pb2_grpc,
    task_events_pb2,
    task_pb2,
)
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ErrorKind

from photochanger_gateway.adapters.clients.translate import timestamp
from photochanger_gateway.testing.builders import a_refusal
from photochanger_gateway.testing.fake_webhooks import FakeWebhooks
from photochanger_gateway.testing.script import Script, page_of

ALL_SCOPES: Final = (
    api_key_service_pb2.API_SCOPE_JOBS_WRITE,
    api_key_service_pb2.API_SCOPE_JOBS_READ,
    api_key_service_pb2.API_SCOPE_WEBHOOKS_MANAGE,
)
_FINAL: Final = frozenset(
    {
        job_pb2.JOB_STATE_DONE,
        job_pb2.JOB_STATE_FAILED,
        job_pb2.JOB_STATE_TIMEOUT,
        job_pb2.JOB_STATE_CANCELLED,
    }
)


class FakeApiKeys(api_key_service_pb2_grpc.ApiKeyServiceServicer):
    """Keeps keys in memory."""

    def __init__(self, clock: Clock) -> None:
        self.script = Script()
        self.clock = clock
        self.keys: dict[str, api_key_service_pb2.ApiKey] = {}
        """By the key itself, the oldest first."""

    def add(
        self,
        *,
        client_id: str = "",
        scopes: tuple[api_key_service_pb2.ApiScope.ValueType, ...] = ALL_SCOPES,
        name: str = "Books",
        by: str = "serg",
    ) -> str:
        """Makes a key and returns it."""
        secret = f"pc_{len(self.keys):043d}"
        key_id = uuid4().hex
        self.keys[secret] = api_key_service_pb2.ApiKey(
            id=key_id,
            name=name,
            client_id=client_id or key_id,
            scopes=scopes,
            last_four=secret[-4:],
            created_at=timestamp(self.clock.now()),
            created_by=by,
        )
        return secret

    async def CreateApiKey(  # noqa: N802 - gRPC's names, here and below
        self, request: api_key_service_pb2.CreateApiKeyRequest, context: object
    ) -> api_key_service_pb2.CreateApiKeyResponse:
        """See the proto."""
        await self.script.enter("CreateApiKey", request)
        if request.client_id and not any(key.client_id == request.client_id for key in self.keys.values()):
            raise a_refusal("API_CLIENT_NOT_FOUND", ErrorKind.NOT_FOUND)
        secret = self.add(
            client_id=request.client_id,
            scopes=tuple(request.scopes),
            name=request.name,
            by=request.created_by,
        )
        return api_key_service_pb2.CreateApiKeyResponse(api_key=self.keys[secret], key=secret)

    async def ListApiKeys(  # noqa: N802
        self, request: api_key_service_pb2.ListApiKeysRequest, context: object
    ) -> api_key_service_pb2.ListApiKeysResponse:
        """See the proto."""
        await self.script.enter("ListApiKeys", request)
        newest_first = list(reversed(self.keys.values()))
        keys, token = page_of(newest_first, request.page_size or 50, request.page_token)
        return api_key_service_pb2.ListApiKeysResponse(api_keys=keys, next_page_token=token)

    async def RevokeApiKey(  # noqa: N802
        self, request: api_key_service_pb2.RevokeApiKeyRequest, context: object
    ) -> api_key_service_pb2.RevokeApiKeyResponse:
        """See the proto."""
        await self.script.enter("RevokeApiKey", request)
        for key in self.keys.values():
            if key.id == request.api_key_id:
                if not key.HasField("revoked_at"):
                    key.revoked_at.CopyFrom(timestamp(self.clock.now()))
                    key.revoked_by = request.revoked_by
                return api_key_service_pb2.RevokeApiKeyResponse(api_key=key)
        raise a_refusal("API_KEY_NOT_FOUND", ErrorKind.NOT_FOUND)

    async def VerifyApiKey(  # noqa: N802
        self, request: api_key_service_pb2.VerifyApiKeyRequest, context: object
    ) -> api_key_service_pb2.VerifyApiKeyResponse:
        """See the proto."""
        await self.script.enter("VerifyApiKey", request)
        key = self.keys.get(request.key)
        if key is None or key.HasField("revoked_at"):
            raise a_refusal("INVALID_API_KEY", ErrorKind.UNAUTHENTICATED)
        return api_key_service_pb2.VerifyApiKeyResponse(api_key=key)


class FakeAsyncJobs(async_job_service_pb2_grpc.AsyncJobServiceServicer):
    """Accepts every job, which then waits; `finish` ends one. `place` and `expected_start` hold for all that wait."""

    def __init__(self, clock: Clock, webhooks: FakeWebhooks) -> None:
        self.script = Script()
        self.clock = clock
        self.webhooks = webhooks
        self.jobs: dict[str, job_pb2.Job] = {}
        self.orders: dict[str, async_job_service_pb2.OpenAsyncJobRequest] = {}
        self.any_job: job_pb2.Job | None = None
        """What every unknown id stands for, where a test cannot choose ids."""
        self.place: int | None = 3
        self._changed = asyncio.Condition()

    async def finish(self, job: job_pb2.Job) -> None:
        """Puts a job in the place of the one of its id, and tells those who wait."""
        async with self._changed:
            self.jobs[job.id] = job
            self._changed.notify_all()

    async def OpenAsyncJob(  # noqa: N802
        self, request: async_job_service_pb2.OpenAsyncJobRequest, context: object
    ) -> async_job_service_pb2.OpenAsyncJobResponse:
        """See the proto."""
        await self.script.enter("OpenAsyncJob", request)
        known = self._keyed(request.client_id, request.idempotency_key)
        if known is None:
            known = self.jobs.get(request.job_id)
        if known is not None:
            return async_job_service_pb2.OpenAsyncJobResponse(job=known, replayed=True)
        if request.webhook_url and request.client_id not in self.webhooks.secrets:
            raise a_refusal("WEBHOOK_SECRET_NOT_FOUND", ErrorKind.FAILED_PRECONDITION)
        explicit = request.HasField("explicit")
        now = timestamp(self.clock.now())
        job = job_pb2.Job(
            id=request.job_id or uuid4().hex,
            slot_id=request.slot_id,
            state=job_pb2.JOB_STATE_PENDING,
            source=job_pb2.JOB_SOURCE_API,
            mode=job_pb2.JOB_MODE_ASYNC,
            provider_id=request.explicit.provider_id if explicit else "local",
            operation_id=request.explicit.operation_id if explicit else "blur",
            received_at=now,
            created_at=now,
            deadline=timestamp(self.clock.now() + request.time_limit.ToTimedelta()),
            client_id=request.client_id,
            input_media_object_id=request.input_media_object_id,
        )
        self.jobs[job.id], self.orders[job.id] = job, request
        return async_job_service_pb2.OpenAsyncJobResponse(job=job)

    async def GetAsyncJob(  # noqa: N802
        self, request: async_job_service_pb2.GetAsyncJobRequest, context: object
    ) -> async_job_service_pb2.GetAsyncJobResponse:
        """See the proto. Waits for a moment at most: the tests' clock stands still."""
        await self.script.enter("GetAsyncJob", request)
        job = self._job(request.job_id, request.client_id)
        if request.HasField("wait_until") and job.state not in _FINAL:
            try:
                async with asyncio.timeout(0.5), self._changed:
                    await self._changed.wait_for(lambda: self.jobs[request.job_id].state in _FINAL)
            except TimeoutError:
                pass
            job = self._job(request.job_id, request.client_id)
        waits = job.state == job_pb2.JOB_STATE_PENDING
        return async_job_service_pb2.GetAsyncJobResponse(
            job=job,
            queue_position=self.place if waits else None,
            expected_start_at=timestamp(self.clock.now()) if waits else None,
        )

    async def ListAsyncJobs(  # noqa: N802
        self, request: async_job_service_pb2.ListAsyncJobsRequest, context: object
    ) -> async_job_service_pb2.ListAsyncJobsResponse:
        """See the proto."""
        await self.script.enter("ListAsyncJobs", request)
        wanted = [
            job
            for job in reversed(self.jobs.values())
            if request.client_id in {"", job.client_id}
            and (not request.states or job.state in request.states)
        ]
        jobs, token = page_of(wanted, request.page_size or 50, request.page_token)
        return async_job_service_pb2.ListAsyncJobsResponse(jobs=jobs, next_page_token=token)

    async def CancelJob(  # noqa: N802
        self, request: async_job_service_pb2.CancelJobRequest, context: object
    ) -> async_job_service_pb2.CancelJobResponse:
        """See the proto."""
        await self.script.enter("CancelJob", request)
        job = self._job(request.job_id, request.client_id)
        if job.state in _FINAL and job.state != job_pb2.JOB_STATE_CANCELLED:
            raise a_refusal("JOB_ALREADY_FINAL", ErrorKind.FAILED_PRECONDITION)
        cancelled = job_pb2.Job()
        cancelled.CopyFrom(job)
        cancelled.state = job_pb2.JOB_STATE_CANCELLED
        cancelled.finished_at.CopyFrom(timestamp(self.clock.now()))
        await self.finish(cancelled)
        return async_job_service_pb2.CancelJobResponse(job=cancelled)

    async def RetryJob(  # noqa: N802
        self, request: async_job_service_pb2.RetryJobRequest, context: object
    ) -> async_job_service_pb2.RetryJobResponse:
        """See the proto."""
        await self.script.enter("RetryJob", request)
        first = self._job(request.job_id, request.client_id)
        if first.state not in _FINAL:
            raise a_refusal("JOB_NOT_FINAL", ErrorKind.FAILED_PRECONDITION)
        job = job_pb2.Job()
        job.CopyFrom(first)
        job.id, job.retry_of, job.state = uuid4().hex, first.id, job_pb2.JOB_STATE_PENDING
        for name in ("result", "failure", "finished_at", "started_at"):
            job.ClearField(name)
        self.jobs[job.id] = job
        return async_job_service_pb2.RetryJobResponse(job=job)

    def _keyed(self, client_id: str, idempotency_key: str) -> job_pb2.Job | None:
        if idempotency_key:
            for job_id, order in self.orders.items():
                if (order.client_id, order.idempotency_key) == (client_id, idempotency_key):
                    return self.jobs[job_id]
        return None

    def _job(self, job_id: str, client_id: str) -> job_pb2.Job:
        job = self.jobs.get(job_id)
        if job is None and self.any_job is not None:
            job = job_pb2.Job()
            job.CopyFrom(self.any_job)
            job.id, job.client_id = job_id, client_id
        if job is None or client_id not in {"", job.client_id}:
            raise a_refusal("JOB_NOT_FOUND", ErrorKind.NOT_FOUND)
        return job


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

    async def ListQueues(  # noqa: N802
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
