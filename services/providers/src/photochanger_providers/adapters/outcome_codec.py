"""Outcomes as protobuf: in the event, in the database and in the answer they are the same bytes."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from photochanger.media.v1.media_object_pb2 import MEDIA_KIND_RESULT, MediaObject
from photochanger.providers.v1.processing_events_pb2 import ProcessingFailure, ProcessingFinished
from photochanger.providers.v1.processing_service_pb2 import (
    ProcessingEffort,
    ProcessResponse,
    StageDuration,
)

from photochanger_providers.domain.order import (
    Effort,
    Failed,
    JobId,
    Outcome,
    Stage,
    StoredPicture,
    Succeeded,
)


def finished_event(job_id: JobId, outcome: Outcome, *, now: datetime) -> ProcessingFinished:
    """Makes the event that tells how a job's processing ended."""
    if isinstance(outcome, Succeeded):
        return succeeded_event(job_id, to_response(outcome), now=now)
    return failed_event(job_id, outcome, now=now)


def succeeded_event(job_id: JobId, response: ProcessResponse, *, now: datetime) -> ProcessingFinished:
    """Makes the event that tells that a picture was stored."""
    return ProcessingFinished(job_id=job_id, finished_at=timestamp(now), succeeded=response)


def failed_event(job_id: JobId, failed: Failed, *, now: datetime) -> ProcessingFinished:
    """Makes the event that tells that nothing was stored."""
    failure = ProcessingFailure(
        reason=failed.reason, message=failed.message, effort=effort_message(failed.effort)
    )
    return ProcessingFinished(job_id=job_id, finished_at=timestamp(now), failed=failure)


def outcome_of(event: ProcessingFinished, *, retry_after: timedelta | None) -> Outcome:
    """Reads an outcome back from its event; `retry_after` is not part of it."""
    if event.HasField("failed"):
        failed = event.failed
        return Failed(failed.reason, failed.message, retry_after, effort_of(failed.effort))
    return Succeeded(
        stored_picture(event.succeeded.result),
        event.succeeded.provider_calls,
        _stages(event.succeeded.stages),
        event.succeeded.model,
    )


def effort_message(effort: Effort) -> ProcessingEffort:
    """Makes what is told of work that came to nothing."""
    return ProcessingEffort(provider_calls=effort.provider_calls, stages=_durations(effort.stages))


def effort_of(message: ProcessingEffort) -> Effort:
    """Reads what was told of work that came to nothing."""
    return Effort(message.provider_calls, _stages(message.stages))


def to_response(outcome: Succeeded) -> ProcessResponse:
    """Makes the answer of a call."""
    return ProcessResponse(
        result=_media_object(outcome.result),
        provider_calls=outcome.provider_calls,
        stages=_durations(outcome.stages),
        model=outcome.model,
    )


def stored_picture(message: MediaObject) -> StoredPicture:
    """Reads a media object."""
    return StoredPicture(
        id=message.id,
        slot_id=message.slot_id,
        job_id=message.job_id,
        mime_type=message.mime_type,
        size_bytes=message.size_bytes,
        width_px=message.width_px,
        height_px=message.height_px,
        sha256=message.sha256,
        created_at=instant(message.created_at),
        expires_at=instant(message.expires_at) if message.HasField("expires_at") else None,
    )


def _media_object(picture: StoredPicture) -> MediaObject:
    return MediaObject(
        id=picture.id,
        kind=MEDIA_KIND_RESULT,
        slot_id=picture.slot_id,
        job_id=picture.job_id,
        mime_type=picture.mime_type,
        size_bytes=picture.size_bytes,
        width_px=picture.width_px,
        height_px=picture.height_px,
        sha256=picture.sha256,
        created_at=timestamp(picture.created_at),
        expires_at=timestamp(picture.expires_at) if picture.expires_at is not None else None,
        orientation=1,
    )


def _durations(stages: Iterable[Stage]) -> list[StageDuration]:
    return [StageDuration(stage=stage.name, duration=duration(stage.duration)) for stage in stages]


def _stages(messages: Iterable[StageDuration]) -> tuple[Stage, ...]:
    return tuple(Stage(each.stage, each.duration.ToTimedelta()) for each in messages)


def timestamp(value: datetime) -> Timestamp:
    """Makes a protobuf timestamp."""
    message = Timestamp()
    message.FromDatetime(value)
    return message


def instant(message: Timestamp) -> datetime:
    """Reads a protobuf timestamp, aware and in UTC."""
    return message.ToDatetime(tzinfo=UTC)


def duration(value: timedelta) -> Duration:
    """Makes a protobuf duration."""
    message = Duration()
    message.FromTimedelta(value)
    return message
