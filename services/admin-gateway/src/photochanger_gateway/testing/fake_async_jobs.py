"""Asynchronous jobs that keep the contract of `protos/` in memory."""

import asyncio
from typing import Final
from uuid import uuid4

from photochanger.ingest.v1 import async_job_service_pb2, async_job_service_pb2_grpc, job_pb2
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ErrorKind

from photochanger_gateway.adapters.clients.translate import timestamp
from photochanger_gateway.testing.builders import a_refusal
from photochanger_gateway.testing.fake_webhooks import FakeWebhooks
from photochanger_gateway.testing.script import Script, page_of

_FINAL: Final = frozenset(
    {
        job_pb2.JOB_STATE_DONE,
        job_pb2.JOB_STATE_FAILED,
        job_pb2.JOB_STATE_TIMEOUT,
        job_pb2.JOB_STATE_CANCELLED,
    }
)


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

    async def OpenAsyncJob(  # noqa: N802 - gRPC's names, here and below
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
