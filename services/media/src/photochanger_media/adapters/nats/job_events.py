"""Events of ingest, as far as media reacts to them."""

from datetime import UTC
from typing import Final

import structlog
from google.protobuf.message import DecodeError
from photochanger.ingest.v1 import job_events_pb2, job_pb2
from photochanger_chassis.nats.events import ReceivedEvent

from photochanger_media.application.job_events import JobEnd, JobFinished, JobResultKept, PublishedResult
from photochanger_media.domain.media_object import JobId, MediaId

_log = structlog.stdlib.get_logger(__name__)

DURABLE: Final = "media-jobs"
FINISHED: Final = "events.ingest.job.finished"
RESULT_KEPT: Final = "events.ingest.job.result-kept"


SUBJECTS: Final = (FINISHED, RESULT_KEPT)


class JobEventHandler:
    """Hands events to the use cases. Each may come more than once."""

    def __init__(self, finished: JobFinished, result_kept: JobResultKept) -> None:
        self._finished = finished
        self._result_kept = result_kept

    async def __call__(self, event: ReceivedEvent) -> None:
        """Reacts to one event. Raises Unavailable: try again later."""
        try:
            job = _job(event)
        except DecodeError:
            _log.exception("event.unreadable", event_id=event.id, subject=event.subject)
            return
        result = _result(job)
        if event.subject == FINISHED:
            repeatable = job.mode == job_pb2.JOB_MODE_ASYNC
            await self._finished(JobId(job.id), _end(job.state), result, keep_input=repeatable)
        elif result is not None:
            await self._result_kept(result)


def _job(event: ReceivedEvent) -> job_pb2.Job:
    if event.subject == FINISHED:
        return job_events_pb2.JobFinished.FromString(event.data).job
    return job_events_pb2.JobResultKept.FromString(event.data).job


def _result(job: job_pb2.Job) -> PublishedResult | None:
    if not job.HasField("result") or not job.result.media_object.id:
        return None
    stored = job.result.media_object
    expires_at = stored.expires_at.ToDatetime(UTC) if stored.HasField("expires_at") else None
    return PublishedResult(MediaId(stored.id), expires_at)


def _end(state: job_pb2.JobState.ValueType) -> JobEnd:
    if state == job_pb2.JOB_STATE_TIMEOUT:
        return JobEnd.TIMEOUT
    if state == job_pb2.JOB_STATE_CANCELLED:
        return JobEnd.CANCELLED
    return JobEnd.DONE_OR_FAILED
