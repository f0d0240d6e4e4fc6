"""From the services' messages to the gateway's values."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from photochanger.ingest.v1 import job_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger_chassis.errors import RemoteError, ServiceError

from photochanger_gateway.domain.jobs import (
    HashCheck,
    Job,
    JobFailure,
    JobMode,
    JobSource,
    JobState,
    Picture,
    ResultOrigin,
)
from photochanger_gateway.domain.media import MediaKind, MediaObject
from photochanger_gateway.domain.slots import Switch

# A state we do not know yet counts as unfinished, as the contract says.
STATES: Final = {
    job_pb2.JOB_STATE_PENDING: JobState.PENDING,
    job_pb2.JOB_STATE_RUNNING: JobState.RUNNING,
    job_pb2.JOB_STATE_DONE: JobState.DONE,
    job_pb2.JOB_STATE_FAILED: JobState.FAILED,
    job_pb2.JOB_STATE_TIMEOUT: JobState.TIMEOUT,
    job_pb2.JOB_STATE_CANCELLED: JobState.CANCELLED,
}
STATES_BACK: Final = {ours: theirs for theirs, ours in STATES.items()}
_SOURCES: Final = {
    job_pb2.JOB_SOURCE_UI_TEST: JobSource.UI_TEST,
    job_pb2.JOB_SOURCE_API: JobSource.API,
}
_MODES: Final = {job_pb2.JOB_MODE_ASYNC: JobMode.ASYNC}
_ORIGINS: Final = {
    job_pb2.RESULT_ORIGIN_PROVIDER: ResultOrigin.PROVIDER,
    job_pb2.RESULT_ORIGIN_LATE: ResultOrigin.LATE,
    job_pb2.RESULT_ORIGIN_INPUT: ResultOrigin.INPUT,
}

_HASH_CHECKS: Final = {
    job_pb2.HASH_CHECK_MATCH: HashCheck.MATCH,
    job_pb2.HASH_CHECK_MISMATCH: HashCheck.MISMATCH,
}
# Kinds we do not know yet count as private, as the contract says.
KINDS: Final = {
    media_object_pb2.MEDIA_KIND_INPUT: MediaKind.INPUT,
    media_object_pb2.MEDIA_KIND_RESULT: MediaKind.RESULT,
    media_object_pb2.MEDIA_KIND_PREVIEW: MediaKind.PREVIEW,
    media_object_pb2.MEDIA_KIND_TEMPLATE: MediaKind.TEMPLATE,
    media_object_pb2.MEDIA_KIND_TEMPORARY: MediaKind.TEMPORARY,
}


def instant(timestamp: Timestamp) -> datetime:
    """An aware instant in UTC."""
    return timestamp.ToDatetime(tzinfo=UTC)


def some_instant(message: Message, field: str) -> datetime | None:
    """The instant of a message's field, or None where it is unset."""
    return instant(getattr(message, field)) if message.HasField(field) else None


def timestamp(at: datetime) -> Timestamp:
    """The message of an aware instant."""
    message = Timestamp()
    message.FromDatetime(at)
    return message


@contextmanager
def renamed(errors: Mapping[str, type[ServiceError]]) -> Iterator[None]:
    """Turns refusals whose reasons `errors` names into ours, where the same one means another thing to our clients."""
    try:
        yield
    except RemoteError as error:
        if error.reason in errors:
            raise errors[error.reason] from error
        raise


def json_object(text: str) -> dict[str, object]:
    """A JSON object that a service keeps; empty where there is none."""
    parsed = json.loads(text or "{}")
    return parsed if isinstance(parsed, dict) else {}


def switch(on: bool) -> Switch:
    """On or off."""
    return Switch.ON if on else Switch.OFF


def picture(message: media_object_pb2.MediaObject) -> Picture:
    """A stored picture."""
    return Picture(
        media_object_id=message.id,
        mime_type=message.mime_type,
        size_bytes=message.size_bytes,
        sha256=message.sha256,
        expires_at=instant(message.expires_at) if message.HasField("expires_at") else None,
        width_px=message.width_px,
        height_px=message.height_px,
    )


def media_object(message: media_object_pb2.MediaObject) -> MediaObject:
    """A stored picture, whatever it is for."""
    return MediaObject(
        id=message.id,
        kind=KINDS.get(message.kind, MediaKind.OTHER),
        slot_id=message.slot_id,
        mime_type=message.mime_type,
        size_bytes=message.size_bytes,
        width_px=message.width_px,
        height_px=message.height_px,
        sha256=message.sha256,
        expires_at=instant(message.expires_at) if message.HasField("expires_at") else None,
    )


def job(message: job_pb2.Job) -> Job:
    """A job."""
    has_result = message.HasField("result")
    return Job(
        id=message.id,
        slot_id=message.slot_id,
        state=STATES.get(message.state, JobState.RUNNING),
        source=_SOURCES.get(message.source, JobSource.INGEST),
        provider=message.provider_id,
        operation=message.operation_id,
        received_at=instant(message.received_at),
        created_at=instant(message.created_at) if message.HasField("created_at") else None,
        started_at=instant(message.started_at) if message.HasField("started_at") else None,
        finished_at=instant(message.finished_at) if message.HasField("finished_at") else None,
        failure=JobFailure(message.failure.reason, message.failure.message)
        if message.HasField("failure")
        else None,
        picture=picture(message.result.media_object) if has_result else None,
        origin=_ORIGINS.get(message.result.origin, ResultOrigin.PROVIDER) if has_result else None,
        stages={stage.stage: stage.duration.ToTimedelta() for stage in message.stages},
        deadline=instant(message.deadline) if message.HasField("deadline") else None,
        hash_check=_HASH_CHECKS.get(message.hash_check, HashCheck.UNCHECKED),
        provider_calls=message.provider_calls,
        input_media_object_id=message.input_media_object_id,
        mode=_MODES.get(message.mode, JobMode.SYNC),
        progress=min(100, max(0, message.progress_percent)),
        stage=message.stage,
        client_id=message.client_id,
        retry_of=message.retry_of,
        attempts=message.attempts,
    )
