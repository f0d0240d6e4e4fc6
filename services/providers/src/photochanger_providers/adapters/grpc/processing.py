"""`ProcessingService`."""

from typing import Final

from photochanger.providers.v1 import processing_service_pb2 as messages
from photochanger.providers.v1.processing_service_pb2_grpc import ProcessingServiceServicer
from photochanger.tasks.v1.task_events_pb2 import TaskState
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import FieldViolation, InvalidArgument
from photochanger_chassis.grpc.deadlines import deadline_of
from photochanger_tasks import State

from photochanger_providers.adapters.grpc.fields import Context, checked_job_id
from photochanger_providers.adapters.order_codec import order_of
from photochanger_providers.adapters.outcome_codec import effort_message, timestamp, to_response
from photochanger_providers.adapters.tasks.kinds import outcome_of_task
from photochanger_providers.application.processing import Processing
from photochanger_providers.application.submitted import Processing as Submitted
from photochanger_providers.application.submitted import SubmittedProcessing
from photochanger_providers.domain.errors import ProcessingFailed

_LEAST_URGENT: Final = 9
_LONGEST_CLIENT_ID: Final = 128


class ProcessingServicer(ProcessingServiceServicer):
    """Translates calls to `Processing`, and for work nobody waits for to `SubmittedProcessing`."""

    def __init__(self, processing: Processing, submitted: SubmittedProcessing, clock: Clock) -> None:
        self._processing = processing
        self._submitted = submitted
        self._clock = clock

    async def Process(  # noqa: N802 - named by the proto
        self, request: messages.ProcessRequest, context: Context
    ) -> messages.ProcessResponse:
        """Runs one photo through a provider, or joins whoever does."""
        order = order_of(request)
        try:
            outcome = await self._processing.process(order, until=deadline_of(context, self._clock.now()))
        except ProcessingFailed as error:
            error.details = (effort_message(error.effort),)
            raise
        return to_response(outcome)

    async def SubmitProcessing(  # noqa: N802 - named by the proto
        self, request: messages.SubmitProcessingRequest, context: Context
    ) -> messages.SubmitProcessingResponse:
        """Stores one photo for the workers."""
        del context
        if not 0 < len(request.client_id) <= _LONGEST_CLIENT_ID:
            raise _wrong("client_id", f"must have 1 to {_LONGEST_CLIENT_ID} characters")
        priority = request.priority if request.HasField("priority") else None
        if priority is not None and not 0 <= priority <= _LEAST_URGENT:
            raise _wrong("priority", f"must be 0 to {_LEAST_URGENT}")
        processing, created = await self._submitted.submit(
            order_of(request.process),
            request.process.SerializeToString(),
            client_id=request.client_id,
            priority=priority,
        )
        return messages.SubmitProcessingResponse(processing=_message(processing), created=created)

    async def GetProcessing(  # noqa: N802 - named by the proto
        self, request: messages.GetProcessingRequest, context: Context
    ) -> messages.GetProcessingResponse:
        """Tells how far submitted work is."""
        del context
        processing = await self._submitted.get(checked_job_id(request.job_id))
        return messages.GetProcessingResponse(processing=_message(processing))

    async def CancelProcessing(  # noqa: N802 - named by the proto
        self,
        request: messages.CancelProcessingRequest,
        context: Context,
    ) -> messages.CancelProcessingResponse:
        """Stops the work on a job, where it still runs or waits."""
        del context
        job_id = checked_job_id(request.job_id)
        stopped = await self._submitted.cancel(job_id)
        if stopped is None:
            stopped = await self._processing.cancel(job_id)
        return messages.CancelProcessingResponse(stopped=stopped)


def _message(processing: Submitted) -> messages.Processing:
    task = processing.task
    failed = outcome_of_task(task) if task.state.finished and task.state is not State.DONE else None
    return messages.Processing(
        job_id=processing.job_id,
        task_id=task.id,
        state=TaskState.Value(f"TASK_STATE_{task.state.name}"),
        progress_percent=task.progress,
        stage=task.stage,
        attempts=task.attempt,
        queue_position=processing.queue_position,
        expected_start_at=timestamp(processing.expected_start_at) if processing.expected_start_at else None,
        created_at=timestamp(task.created_at),
        started_at=timestamp(task.started_at) if task.started_at else None,
        finished_at=timestamp(task.finished_at) if task.finished_at else None,
        reason=failed.reason if failed is not None else task.reason,
        message=failed.message if failed is not None else task.message,
        result=messages.ProcessResponse.FromString(task.result)
        if task.state is State.DONE and task.result is not None
        else None,
        effort=effort_message(processing.effort) if processing.effort is not None else None,
    )


def _wrong(field: str, description: str) -> InvalidArgument:
    return InvalidArgument(f"{field} {description}.", field_violations=(FieldViolation(field, description),))
