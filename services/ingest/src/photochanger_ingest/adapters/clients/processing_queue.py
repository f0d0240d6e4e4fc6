"""Calls to the providers service about asynchronous jobs."""

from datetime import timedelta
from typing import Final

import grpc
from photochanger.providers.v1 import processing_service_pb2, processing_service_pb2_grpc
from photochanger.tasks.v1 import task_events_pb2
from photochanger_chassis.errors import RemoteError, Unavailable
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_ingest.adapters.clients.providers import NOTHING_DECIDED, process_request
from photochanger_ingest.adapters.messages import failed, instant, succeeded, timestamp
from photochanger_ingest.application.async_store import Submission
from photochanger_ingest.application.processing_queue import Processing
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import Failed, Outcome, Progress
from photochanger_ingest.domain.timing import Reserves

_SHORT_CALL: Final = timedelta(seconds=2)
"""A job is locked while it is submitted, and clients wait for its place."""
_CANCELLED: Final = "CANCELLED"
_NOT_FOUND: Final = "PROCESSING_NOT_FOUND"
_ENDED_BADLY: Final = frozenset({task_events_pb2.TASK_STATE_FAILED, task_events_pb2.TASK_STATE_DEAD})
_RESERVES: Final = Reserves()


class ProcessingQueueClient:
    """`ProcessingService`, as far as it keeps jobs for workers."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._processing = processing_service_pb2_grpc.ProcessingServiceStub(channel)

    async def submit(self, submission: Submission) -> Failed | None:
        """Puts a job into its provider's queue. Repeating it changes nothing. Returns why it was refused, if it was."""
        job = submission.job
        request = processing_service_pb2.SubmitProcessingRequest(
            process=_process(submission), client_id=job.client_id or "", priority=submission.priority
        )
        try:
            with translate_rpc_errors():
                await self._processing.SubmitProcessing(request, timeout=_SHORT_CALL.total_seconds())
        except RemoteError as error:
            _raise_if_undecided(error)
            return failed(error.reason, error.message)
        return None

    async def find(self, job_id: JobId) -> Processing | None:
        """Returns where the work on a job is; None: it was never submitted."""
        try:
            with translate_rpc_errors():
                answer = await self._processing.GetProcessing(
                    processing_service_pb2.GetProcessingRequest(job_id=job_id),
                    timeout=_SHORT_CALL.total_seconds(),
                )
        except RemoteError as error:
            if error.reason == _NOT_FOUND:
                return None
            _raise_if_undecided(error)
            raise
        return _processing_of(answer.processing)

    async def cancel(self, job_id: JobId) -> None:
        """Stops the work on a job, where it waits or runs."""
        try:
            with translate_rpc_errors():
                await self._processing.CancelProcessing(
                    processing_service_pb2.CancelProcessingRequest(job_id=job_id),
                    timeout=_SHORT_CALL.total_seconds(),
                )
        except RemoteError as error:
            _raise_if_undecided(error)
            raise


def _process(submission: Submission) -> processing_service_pb2.ProcessRequest:
    # What is left is for the picture to be stored and told of.
    deadline = _RESERVES.provider_deadline(submission.job.deadline, publishes_original=False)
    return process_request(submission.job, submission.assignment, deadline=timestamp(deadline))


def _raise_if_undecided(error: RemoteError) -> None:
    if error.reason in NOTHING_DECIDED:
        raise Unavailable(error.message, retry_after=error.retry_after) from error


def _processing_of(message: processing_service_pb2.Processing) -> Processing:
    outcome: Outcome | None = None
    if message.HasField("result"):
        outcome = succeeded(message.result)
    elif message.state == task_events_pb2.TASK_STATE_CANCELLED:
        outcome = failed(_CANCELLED, message.message, message.effort)
    elif message.state in _ENDED_BADLY:
        outcome = failed(message.reason, message.message, message.effort)
    return Processing(
        Progress.told(attempt=message.attempts, percent=message.progress_percent, stage=message.stage),
        outcome=outcome,
        ended_at=instant(message.finished_at) if message.HasField("finished_at") else None,
        queue_position=message.queue_position if message.HasField("queue_position") else None,
        expected_start_at=instant(message.expected_start_at)
        if message.HasField("expected_start_at")
        else None,
    )
