"""Domain values as messages of the contract, and back."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from photochanger.ingest.v1 import job_pb2, settings_service_pb2, slot_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger.providers.v1 import processing_service_pb2

from photochanger_ingest.domain.form import HashCheck
from photochanger_ingest.domain.ids import MediaObjectId
from photochanger_ingest.domain.job import (
    Failed,
    Failure,
    FailureReason,
    Job,
    JobMode,
    JobSource,
    JobState,
    Stage,
    Succeeded,
)
from photochanger_ingest.domain.picture import MediaKind, Picture, ResultOrigin
from photochanger_ingest.domain.settings import HashPolicy, Settings
from photochanger_ingest.domain.slot import (
    FailureMode,
    LateResults,
    OutputFormat,
    ResponseMode,
    Slot,
    Template,
)

_STATES: Final = {
    JobState.PENDING: job_pb2.JOB_STATE_PENDING,
    JobState.RUNNING: job_pb2.JOB_STATE_RUNNING,
    JobState.DONE: job_pb2.JOB_STATE_DONE,
    JobState.FAILED: job_pb2.JOB_STATE_FAILED,
    JobState.TIMEOUT: job_pb2.JOB_STATE_TIMEOUT,
    JobState.CANCELLED: job_pb2.JOB_STATE_CANCELLED,
}
_SOURCES: Final = {
    JobSource.INGEST: job_pb2.JOB_SOURCE_INGEST,
    JobSource.UI_TEST: job_pb2.JOB_SOURCE_UI_TEST,
    JobSource.API: job_pb2.JOB_SOURCE_API,
}
_MODES: Final = {
    JobMode.SYNC: job_pb2.JOB_MODE_SYNC,
    JobMode.ASYNC: job_pb2.JOB_MODE_ASYNC,
}
_ORIGINS: Final = {
    ResultOrigin.PROVIDER: job_pb2.RESULT_ORIGIN_PROVIDER,
    ResultOrigin.LATE: job_pb2.RESULT_ORIGIN_LATE,
    ResultOrigin.INPUT: job_pb2.RESULT_ORIGIN_INPUT,
}
_HASH_CHECKS: Final = {
    HashCheck.UNCHECKED: job_pb2.HASH_CHECK_UNSPECIFIED,
    HashCheck.MATCH: job_pb2.HASH_CHECK_MATCH,
    HashCheck.MISMATCH: job_pb2.HASH_CHECK_MISMATCH,
}
_KINDS: Final = {
    MediaKind.INPUT: media_object_pb2.MEDIA_KIND_INPUT,
    MediaKind.RESULT: media_object_pb2.MEDIA_KIND_RESULT,
    MediaKind.PREVIEW: media_object_pb2.MEDIA_KIND_PREVIEW,
    MediaKind.TEMPLATE: media_object_pb2.MEDIA_KIND_TEMPLATE,
    MediaKind.TEMPORARY: media_object_pb2.MEDIA_KIND_TEMPORARY,
}
_KINDS_BACK: Final = {number: kind for kind, number in _KINDS.items()}
RESPONSE_MODES: Final = {
    ResponseMode.IMAGE: slot_pb2.RESPONSE_MODE_IMAGE,
    ResponseMode.MULTIPART: slot_pb2.RESPONSE_MODE_MULTIPART,
}
_FAILURE_MODES: Final = {
    FailureMode.ERROR: slot_pb2.FAILURE_MODE_ERROR,
    FailureMode.ORIGINAL: slot_pb2.FAILURE_MODE_ORIGINAL,
}
_LATE_RESULTS: Final = {
    LateResults.DISCARD: slot_pb2.LATE_RESULTS_DISCARD,
    LateResults.KEEP: slot_pb2.LATE_RESULTS_KEEP,
}
OUTPUT_FORMATS: Final = {
    OutputFormat.AS_IS: processing_service_pb2.OUTPUT_FORMAT_UNSPECIFIED,
    OutputFormat.JPEG: processing_service_pb2.OUTPUT_FORMAT_JPEG,
    OutputFormat.PNG: processing_service_pb2.OUTPUT_FORMAT_PNG,
    OutputFormat.WEBP: processing_service_pb2.OUTPUT_FORMAT_WEBP,
}
_HASH_POLICIES: Final = {
    HashPolicy.WARN: settings_service_pb2.HASH_POLICY_WARN,
    HashPolicy.ENFORCE: settings_service_pb2.HASH_POLICY_ENFORCE,
    HashPolicy.IGNORE: settings_service_pb2.HASH_POLICY_IGNORE,
}

JOB_STATES: Final = {number: state for state, number in _STATES.items()}
JOB_SOURCES: Final = {number: source for source, number in _SOURCES.items()}
RESPONSE_MODES_BACK: Final = {number: mode for mode, number in RESPONSE_MODES.items()}
FAILURE_MODES_BACK: Final = {number: mode for mode, number in _FAILURE_MODES.items()}
LATE_RESULTS_BACK: Final = {number: mode for mode, number in _LATE_RESULTS.items()}
OUTPUT_FORMATS_BACK: Final = {number: form for form, number in OUTPUT_FORMATS.items()}
HASH_POLICIES_BACK: Final = {number: policy for policy, number in _HASH_POLICIES.items()}


def timestamp(instant: datetime) -> Timestamp:
    """Returns an instant as a message."""
    message = Timestamp()
    message.FromDatetime(instant)
    return message


def instant(message: Timestamp) -> datetime:
    """Returns a message's instant, to the microsecond."""
    return message.ToDatetime(tzinfo=UTC)


def duration(length: timedelta) -> Duration:
    """Returns a length of time as a message."""
    message = Duration()
    message.FromTimedelta(length)
    return message


def job_message(job: Job) -> job_pb2.Job:
    """Returns a job as the contract has it."""
    message = job_pb2.Job(
        id=job.id,
        slot_id=job.slot_id or "",
        slot_version=job.slot_version or 0,
        state=_STATES[job.state],
        source=_SOURCES[job.source],
        provider_id=job.provider_id,
        operation_id=job.operation_id,
        received_at=timestamp(job.received_at),
        created_at=timestamp(job.created_at),
        deadline=timestamp(job.deadline),
        input_media_object_id=job.input_media_object_id,
        provider_calls=job.provider_calls,
        stages=[
            processing_service_pb2.StageDuration(stage=stage.name, duration=duration(stage.duration))
            for stage in job.stages
        ],
        hash_check=_HASH_CHECKS[job.hash_check],
        mode=_MODES[job.mode],
        progress_percent=job.progress,
        stage=job.stage,
        client_id=job.client_id or "",
        retry_of=job.retry_of or "",
        attempts=job.attempts,
    )
    if job.started_at is not None:
        message.started_at.FromDatetime(job.started_at)
    if job.finished_at is not None:
        message.finished_at.FromDatetime(job.finished_at)
    if job.failure is not None:
        message.failure.reason = job.failure.reason
        message.failure.message = job.failure.message
    if job.result is not None:
        message.result.origin = _ORIGINS[job.result.origin]
        message.result.media_object.CopyFrom(_picture_message(job.result.picture))
    return message


def _picture_message(picture: Picture) -> media_object_pb2.MediaObject:
    message = media_object_pb2.MediaObject(
        id=picture.id,
        kind=_KINDS[picture.kind],
        slot_id=picture.slot_id,
        job_id=picture.job_id,
        mime_type=picture.mime_type,
        size_bytes=picture.size_bytes,
        width_px=picture.width_px,
        height_px=picture.height_px,
        sha256=picture.sha256,
        created_at=timestamp(picture.created_at),
        orientation=picture.orientation,
    )
    if picture.expires_at is not None:
        message.expires_at.FromDatetime(picture.expires_at)
    return message


def picture(message: media_object_pb2.MediaObject) -> Picture:
    """Returns a media object as a job's picture."""
    return Picture(
        id=MediaObjectId(message.id),
        kind=_KINDS_BACK.get(message.kind, MediaKind.RESULT),
        slot_id=message.slot_id,
        job_id=message.job_id,
        mime_type=message.mime_type,
        size_bytes=message.size_bytes,
        width_px=message.width_px,
        height_px=message.height_px,
        sha256=message.sha256,
        created_at=instant(message.created_at),
        expires_at=instant(message.expires_at) if message.HasField("expires_at") else None,
        orientation=message.orientation,
    )


def succeeded(message: processing_service_pb2.ProcessResponse) -> Succeeded:
    """Returns what the providers service made of a job."""
    return Succeeded(
        picture(message.result),
        provider_calls=message.provider_calls,
        stages=_stages(message.stages),
    )


def _stages(messages: Iterable[processing_service_pb2.StageDuration]) -> tuple[Stage, ...]:
    return tuple(Stage(stage.stage, stage.duration.ToTimedelta()) for stage in messages)


_OTHER_REASONS: Final[Mapping[str, FailureReason]] = {
    "PROVIDER_BUSY": FailureReason.QUOTA,
    "PROVIDER_UNAVAILABLE": FailureReason.NETWORK,
    "STORAGE_UNAVAILABLE": FailureReason.STORAGE,
    "MEDIA_NOT_FOUND": FailureReason.STORAGE,
    "MEDIA_EXPIRED": FailureReason.STORAGE,
    "PROVIDER_NOT_FOUND": FailureReason.CONFIG,
    "OPERATION_NOT_FOUND": FailureReason.CONFIG,
    "INVALID_SETTINGS": FailureReason.CONFIG,
    "DEADLINE_PASSED": FailureReason.TIMEOUT,
}
_OWN_REASONS: Final = frozenset(reason.upper() for reason in FailureReason)


def failed(
    reason: str, message: str, effort: processing_service_pb2.ProcessingEffort | None = None
) -> Failed:
    """Returns a refusal of the providers service as a failure. A reason nobody knows is `internal`.

    `effort` is what was done before it; None: nothing.
    """
    if reason in _OWN_REASONS:
        own = FailureReason(reason.lower())
    else:
        own = _OTHER_REASONS.get(reason, FailureReason.INTERNAL)
    if effort is None:
        return Failed(Failure(own, message))
    return Failed(Failure(own, message), effort.provider_calls, _stages(effort.stages))


def slot_message(slot: Slot) -> slot_pb2.Slot:
    """Returns a slot as the contract has it."""
    plan = slot.plan
    message = slot_pb2.Slot(
        id=slot.id,
        display_name=slot.display_name,
        active=slot.active,
        version=slot.version,
        provider_id=plan.provider_id,
        operation_id=plan.operation_id,
        settings_json=plan.settings_json,
        templates=template_messages(plan.templates),
        size_limit_bytes=slot.size_limit_bytes,
        response_mode=RESPONSE_MODES[slot.response_mode],
        on_failure=_FAILURE_MODES[plan.on_failure],
        late_results=_LATE_RESULTS[plan.late_results],
        dedupe=slot.dedupe,
        running_limit=slot.running_limit,
        queue_length=slot.queue_length,
        output_format=OUTPUT_FORMATS[plan.output_format],
        own_password=slot.password_hash is not None,
        updated_at=timestamp(slot.updated_at),
        updated_by=slot.updated_by,
    )
    if slot.sync_response is not None:
        message.sync_response.FromTimedelta(slot.sync_response)
    return message


def template_messages(templates: tuple[Template, ...]) -> list[processing_service_pb2.TemplateMedia]:
    """Returns a slot's templates as the contract has them."""
    return [
        processing_service_pb2.TemplateMedia(media_object_id=item.media_object_id, role=item.role)
        for item in templates
    ]


def settings_message(settings: Settings) -> settings_service_pb2.Settings:
    """Returns the settings as the contract has them, without a secret."""
    limits = settings.limits
    message = settings_service_pb2.Settings(
        sync_response=duration(settings.sync_response),
        result_retention=duration(settings.result_retention),
        hash_policy=_HASH_POLICIES[settings.hash_policy],
        dedupe=settings.dedupe,
        limits=settings_service_pb2.Limits(
            slot_running=limits.slot_running,
            slot_queue=limits.slot_queue,
            provider_running={str(name): limit for name, limit in limits.provider_running.items()},
        ),
        ingest_password_rotated_by=settings.password_rotated_by,
        version=settings.version,
    )
    if settings.password_rotated_at is not None:
        message.ingest_password_rotated_at.FromDatetime(settings.password_rotated_at)
    return message
