"""Jobs for which nobody holds a connection, which ingest owns, over gRPC."""

import json
from datetime import timedelta
from typing import Final

import grpc.aio
from google.protobuf.duration_pb2 import Duration
from photochanger.ingest.v1 import async_job_service_pb2
from photochanger.ingest.v1.async_job_service_pb2_grpc import AsyncJobServiceStub
from photochanger.providers.v1 import processing_service_pb2
from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import ServiceError
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.adapters.clients.changes import translate_change_errors
from photochanger_gateway.adapters.clients.slots import FORMATS
from photochanger_gateway.application.ports_admin import Page, PageRequest
from photochanger_gateway.application.ports_clients import ExplicitOrder, NewJob
from photochanger_gateway.domain.jobs import Job, JobState, PlacedJob
from photochanger_gateway.domain.refusals import InputExpired, NoWebhookSecret

_QUICK_SECONDS: Final = 5.0
_OPEN_SECONDS: Final = 10.0
"""An order is checked with providers and media before it is accepted."""
_REFUSED_ORDER: Final[dict[str, type[ServiceError]]] = {"WEBHOOK_SECRET_NOT_FOUND": NoWebhookSecret}


class GrpcAsyncJobs:
    """Keeps the promises of `application.ports_clients.AsyncJobs`."""

    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self._jobs = AsyncJobServiceStub(channel)
        self._clock = clock

    async def open(self, new: NewJob) -> tuple[Job, bool]:
        """See the port."""
        order = new.order
        request = async_job_service_pb2.OpenAsyncJobRequest(
            client_id=new.client_id,
            job_id=new.id,
            input_media_object_id=new.media_object_id,
            form_fields=order.form_fields,
            idempotency_key=new.idempotency_key,
            priority=order.priority,
            time_limit=_duration(order.time_limit),
            webhook_url=order.webhook_url,
        )
        if isinstance(order.way, ExplicitOrder):
            request.explicit.CopyFrom(_explicit(order.way))
        else:
            request.slot_id = order.way
        with translate.renamed(_REFUSED_ORDER), translate_change_errors():
            answer = await self._jobs.OpenAsyncJob(request, timeout=_OPEN_SECONDS)
        return translate.job(answer.job), answer.replayed

    async def get(self, job_id: str, *, client_id: str, wait_until: Deadline | None = None) -> PlacedJob:
        """See the port."""
        request = async_job_service_pb2.GetAsyncJobRequest(job_id=job_id, client_id=client_id)
        seconds = _QUICK_SECONDS
        if wait_until is not None:
            request.wait_until.CopyFrom(translate.timestamp(wait_until.at))
            seconds += wait_until.remaining(self._clock.now()).total_seconds()
        with translate_rpc_errors():
            answer = await self._jobs.GetAsyncJob(request, timeout=seconds)
        return PlacedJob(
            job=translate.job(answer.job),
            queue_position=answer.queue_position if answer.HasField("queue_position") else None,
            expected_start_at=translate.some_instant(answer, "expected_start_at"),
        )

    async def list(self, client_id: str, states: tuple[JobState, ...], page: PageRequest) -> Page[Job]:
        """See the port."""
        request = async_job_service_pb2.ListAsyncJobsRequest(
            client_id=client_id,
            states=[translate.STATES_BACK[state] for state in states],
            page_size=page.size,
            page_token=page.cursor,
        )
        with translate_rpc_errors():
            answer = await self._jobs.ListAsyncJobs(request, timeout=_QUICK_SECONDS)
        return Page(tuple(translate.job(item) for item in answer.jobs), answer.next_page_token)

    async def cancel(self, job_id: str, *, client_id: str) -> Job:
        """See the port."""
        request = async_job_service_pb2.CancelJobRequest(job_id=job_id, client_id=client_id)
        with translate_rpc_errors():
            answer = await self._jobs.CancelJob(request, timeout=_QUICK_SECONDS)
        return translate.job(answer.job)

    async def retry(
        self, job_id: str, *, client_id: str, idempotency_key: str, time_limit: timedelta | None
    ) -> tuple[Job, bool]:
        """See the port."""
        request = async_job_service_pb2.RetryJobRequest(
            job_id=job_id,
            client_id=client_id,
            idempotency_key=idempotency_key,
            time_limit=_duration(time_limit),
        )
        with translate.renamed(_REFUSED_ORDER | {"INPUT_NOT_FOUND": InputExpired}), translate_change_errors():
            answer = await self._jobs.RetryJob(request, timeout=_OPEN_SECONDS)
        return translate.job(answer.job), answer.replayed


def _duration(length: timedelta | None) -> Duration | None:
    if length is None:
        return None
    message = Duration()
    message.FromTimedelta(length)
    return message


def _explicit(order: ExplicitOrder) -> async_job_service_pb2.ExplicitOrder:
    return async_job_service_pb2.ExplicitOrder(
        provider_id=order.provider,
        operation_id=order.operation,
        settings_json=json.dumps(order.settings),
        templates=[
            processing_service_pb2.TemplateMedia(media_object_id=item.media_object_id, role=item.role)
            for item in order.template_media
        ],
        output_format=FORMATS[order.output_format],
    )
