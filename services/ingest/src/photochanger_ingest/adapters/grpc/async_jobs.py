"""`AsyncJobService`."""

from datetime import timedelta
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from photochanger.ingest.v1 import async_job_service_pb2, async_job_service_pb2_grpc

from photochanger_ingest.adapters.grpc.fields import invalid, page_size, page_token, position, value_of
from photochanger_ingest.adapters.messages import (
    JOB_STATES,
    OUTPUT_FORMATS_BACK,
    instant,
    job_message,
    timestamp,
)
from photochanger_ingest.application.async_jobs import AsyncJobs
from photochanger_ingest.application.async_store import AsyncJobQuery
from photochanger_ingest.application.open_async_job import OpenAsyncJob
from photochanger_ingest.application.store import USUAL_PRIORITY
from photochanger_ingest.domain.async_job import Order
from photochanger_ingest.domain.errors import JobNotFound
from photochanger_ingest.domain.ids import (
    ClientId,
    JobId,
    MediaObjectId,
    OperationId,
    ProviderId,
    SlotId,
    is_id,
)
from photochanger_ingest.domain.slot import OutputFormat, Plan, Template

_Context = grpc.aio.ServicerContext[Any, Any]


class AsyncJobServicer(async_job_service_pb2_grpc.AsyncJobServiceServicer):
    """Translates calls into use cases."""

    def __init__(self, open_job: OpenAsyncJob, jobs: AsyncJobs) -> None:
        self._open_job = open_job
        self._jobs = jobs

    async def OpenAsyncJob(  # noqa: N802 - gRPC's name
        self, request: async_job_service_pb2.OpenAsyncJobRequest, context: _Context
    ) -> async_job_service_pb2.OpenAsyncJobResponse:
        """See the contract."""
        accepted = await self._open_job(_order(request))
        return async_job_service_pb2.OpenAsyncJobResponse(
            job=job_message(accepted.job), replayed=accepted.replayed
        )

    async def GetAsyncJob(  # noqa: N802 - gRPC's name
        self, request: async_job_service_pb2.GetAsyncJobRequest, context: _Context
    ) -> async_job_service_pb2.GetAsyncJobResponse:
        """See the contract."""
        sight = await self._jobs.look(
            _job_id(request.job_id),
            client_id=_client(request.client_id),
            wait_until=instant(request.wait_until) if request.HasField("wait_until") else None,
        )
        start = sight.expected_start_at
        return async_job_service_pb2.GetAsyncJobResponse(
            job=job_message(sight.job),
            queue_position=sight.queue_position,
            expected_start_at=None if start is None else timestamp(start),
        )

    async def ListAsyncJobs(  # noqa: N802 - gRPC's name
        self, request: async_job_service_pb2.ListAsyncJobsRequest, context: _Context
    ) -> async_job_service_pb2.ListAsyncJobsResponse:
        """See the contract."""
        if any(number not in JOB_STATES for number in request.states):
            raise invalid("states", "states of jobs")
        page = await self._jobs.list(
            AsyncJobQuery(
                client_id=_client(request.client_id),
                states=frozenset(JOB_STATES[number] for number in request.states),
                limit=page_size(request.page_size, default=50, most=200),
                before=position(request.page_token),
            )
        )
        return async_job_service_pb2.ListAsyncJobsResponse(
            jobs=[job_message(job) for job in page.items], next_page_token=page_token(page.next)
        )

    async def CancelJob(  # noqa: N802 - gRPC's name
        self, request: async_job_service_pb2.CancelJobRequest, context: _Context
    ) -> async_job_service_pb2.CancelJobResponse:
        """See the contract."""
        job = await self._jobs.cancel(_job_id(request.job_id), client_id=_client(request.client_id))
        return async_job_service_pb2.CancelJobResponse(job=job_message(job))

    async def RetryJob(  # noqa: N802 - gRPC's name
        self, request: async_job_service_pb2.RetryJobRequest, context: _Context
    ) -> async_job_service_pb2.RetryJobResponse:
        """See the contract."""
        accepted = await self._open_job.retry(
            _job_id(request.job_id),
            client_id=_client(request.client_id),
            idempotency_key=request.idempotency_key,
            time_limit=_length(request.time_limit) if request.HasField("time_limit") else None,
        )
        return async_job_service_pb2.RetryJobResponse(
            job=job_message(accepted.job), replayed=accepted.replayed
        )


def _job_id(text: str) -> JobId:
    if not is_id(text):
        raise JobNotFound
    return JobId(text)


def _client(text: str) -> ClientId | None:
    if text and not is_id(text):
        raise invalid("client_id", "32 lower-case hex digits")
    return ClientId(text) if text else None


def _length(message: Duration) -> timedelta:
    try:
        return message.ToTimedelta()
    except (ValueError, OverflowError) as error:
        raise invalid("time_limit", "1 min to 24 h") from error


def _order(request: async_job_service_pb2.OpenAsyncJobRequest) -> Order:
    if request.WhichOneof("order") is None:
        raise invalid("order", "a slot, or provider and operation")
    return Order(
        client_id=ClientId(request.client_id),
        input_media_object_id=MediaObjectId(request.input_media_object_id),
        slot_id=SlotId(request.slot_id) if request.HasField("slot_id") else None,
        plan=_plan(request.explicit) if request.HasField("explicit") else None,
        job_id=JobId(request.job_id) if request.job_id else None,
        form_fields=dict(request.form_fields),
        idempotency_key=request.idempotency_key,
        priority=request.priority if request.HasField("priority") else USUAL_PRIORITY,
        time_limit=_length(request.time_limit) if request.HasField("time_limit") else None,
        webhook_url=request.webhook_url or None,
    )


def _plan(message: async_job_service_pb2.ExplicitOrder) -> Plan:
    return Plan(
        provider_id=ProviderId(message.provider_id),
        operation_id=OperationId(message.operation_id),
        settings_json=message.settings_json or "{}",
        templates=tuple(
            Template(MediaObjectId(item.media_object_id), item.role) for item in message.templates
        ),
        output_format=value_of(
            OUTPUT_FORMATS_BACK,
            message.output_format,
            field="explicit.output_format",
            unset=OutputFormat.AS_IS,
        ),
    )
