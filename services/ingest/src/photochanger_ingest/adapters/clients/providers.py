"""Calls to the providers service."""

from datetime import datetime, timedelta
from typing import Final

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from photochanger.providers.v1 import (
    catalogue_service_pb2,
    catalogue_service_pb2_grpc,
    processing_service_pb2,
    processing_service_pb2_grpc,
)
from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import RemoteError, Unavailable
from photochanger_chassis.grpc.deadlines import timeout_until
from photochanger_chassis.grpc.errors import detail_of, translate_rpc_errors

from photochanger_ingest.adapters.messages import (
    OUTPUT_FORMATS,
    duration,
    failed,
    succeeded,
    template_messages,
    timestamp,
)
from photochanger_ingest.application.outside import ProviderAtLimit
from photochanger_ingest.application.store import Assignment
from photochanger_ingest.domain.ids import JobId, OperationId, ProviderId
from photochanger_ingest.domain.job import Job, Outcome

_SHORT_CALL: Final = timedelta(seconds=5)
_PROVIDER_BUSY: Final = "PROVIDER_BUSY"
NOTHING_DECIDED: Final = frozenset({"DATABASE_UNAVAILABLE", "UNAVAILABLE", "SERVER_BUSY"})
"""The service cannot reach its own database, is stopping, or is full: no outcome of the job, whose work may go on."""


def process_request(
    job: Job, assignment: Assignment, *, deadline: Timestamp
) -> processing_service_pb2.ProcessRequest:
    """Returns what is to be done with a job's photo."""
    plan = assignment.plan
    return processing_service_pb2.ProcessRequest(
        job_id=job.id,
        slot_id=job.place,
        provider_id=plan.provider_id,
        operation_id=plan.operation_id,
        settings_json=plan.settings_json,
        input_media_object_id=job.input_media_object_id,
        templates=template_messages(plan.templates),
        form_fields=dict(assignment.form_fields),
        deadline=deadline,
        late_until=None if job.late_until is None else timestamp(job.late_until),
        result_retention=duration(assignment.result_retention),
        output_format=OUTPUT_FORMATS[plan.output_format],
    )


class ProvidersClient:
    """`ProcessingService` and `CatalogueService` over one channel."""

    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self._processing = processing_service_pb2_grpc.ProcessingServiceStub(channel)
        self._catalogue = catalogue_service_pb2_grpc.CatalogueServiceStub(channel)
        self._clock = clock

    async def process(
        self, job: Job, assignment: Assignment, *, deadline: datetime, give_up_at: datetime
    ) -> Outcome:
        """Runs a job through its provider, or joins the work under way. The job id is the key.

        Raises:
            Unavailable: the service cannot be reached, or the connection was lost; repeating joins.
            ProviderAtLimit: there was no place; repeating asks again.
            DeadlinePassed: there was no answer until `give_up_at`.
        """
        request = process_request(job, assignment, deadline=timestamp(deadline))
        timeout = timeout_until(Deadline(give_up_at), self._clock.now())
        try:
            with translate_rpc_errors():
                answer = await self._processing.Process(request, timeout=timeout)
        except RemoteError as error:
            if error.reason == _PROVIDER_BUSY:
                raise ProviderAtLimit(error.message, retry_after=error.retry_after) from error
            if error.reason in NOTHING_DECIDED:
                raise Unavailable(error.message, retry_after=error.retry_after) from error
            effort = detail_of(error, processing_service_pb2.ProcessingEffort)
            return failed(error.reason, error.message, effort)
        return succeeded(answer)

    async def cancel(self, job_id: JobId) -> None:
        """Stops the work on a job, where it still runs."""
        with translate_rpc_errors():
            await self._processing.CancelProcessing(
                processing_service_pb2.CancelProcessingRequest(job_id=job_id),
                timeout=_SHORT_CALL.total_seconds(),
            )

    async def validate_settings(
        self, provider_id: ProviderId, operation_id: OperationId, settings_json: str, roles: tuple[str, ...]
    ) -> None:
        """Raises what the providers service says of settings that do not fit the operation's schema."""
        with translate_rpc_errors():
            await self._catalogue.ValidateSettings(
                catalogue_service_pb2.ValidateSettingsRequest(
                    provider_id=provider_id,
                    operation_id=operation_id,
                    settings_json=settings_json,
                    template_roles=roles,
                ),
                timeout=_SHORT_CALL.total_seconds(),
            )
