"""Rows and what they stand for. The only place that knows how values are laid out in columns and JSON."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar, cast

from psycopg.types.json import Jsonb

from photochanger_ingest.application.store import Assignment, JobDetails
from photochanger_ingest.domain.form import HashCheck
from photochanger_ingest.domain.ids import ClientId, JobId, MediaObjectId, OperationId, ProviderId, SlotId
from photochanger_ingest.domain.job import (
    Failure,
    FailureReason,
    Job,
    JobMode,
    JobSource,
    JobState,
    Stage,
)
from photochanger_ingest.domain.picture import JobResult, MediaKind, Picture, ResultOrigin
from photochanger_ingest.domain.settings import HashPolicy, Limits, Settings
from photochanger_ingest.domain.slot import (
    FailureMode,
    LateResults,
    OutputFormat,
    Plan,
    ResponseMode,
    Slot,
    Template,
)
from photochanger_ingest.domain.slot_version import SlotVersion

Row = Sequence[object]
Json = Mapping[str, object]
_T = TypeVar("_T")

JOB_COLUMNS: Final = """
    jobs.id, jobs.slot_id, jobs.slot_version, jobs.state, jobs.source, jobs.provider_id, jobs.operation_id,
    jobs.received_at, jobs.created_at, jobs.deadline, jobs.input_media_object_id, jobs.hash_check, jobs.started_at,
    jobs.finished_at, jobs.failure_reason, jobs.failure_message, jobs.result, jobs.result_origin,
    jobs.provider_calls, jobs.stages, jobs.late_until, jobs.mode, jobs.client_id, jobs.retry_of, jobs.attempts,
    jobs.progress, jobs.stage_text
"""

JOB_WIDTH: Final = 27

SLOT_COLUMNS: Final = """
    slots.id, slots.display_name, slots.active, slots.version, slots.provider_id, slots.operation_id,
    slots.settings::text, slots.size_limit_bytes, slots.sync_response, slots.response_mode, slots.on_failure,
    slots.late_results, slots.output_format, slots.dedupe, slots.running_limit, slots.queue_length,
    slots.password_hash, slots.updated_at, slots.updated_by,
    (
        SELECT jsonb_agg(jsonb_build_object('id', media_object_id, 'role', role) ORDER BY position)
        FROM slot_templates WHERE slot_id = slots.id
    )
"""
SLOT_WIDTH: Final = 20

SLOT_VERSION_COLUMNS: Final = (
    "slot_id, version, snapshot, changed_fields, restored_from, updated_at, updated_by"
)

SETTINGS_COLUMNS: Final = """
    settings.sync_response, settings.result_retention, settings.hash_policy, settings.dedupe,
    settings.slot_running, settings.slot_queue, settings.provider_running, settings.version,
    settings.password_hash, settings.password_rotated_at, settings.password_rotated_by
"""
SETTINGS_WIDTH: Final = 11


def job_of(row: Row) -> Job:
    """Reads `JOB_COLUMNS`."""
    reason, message = _text_or_none(row[14]), _text_or_none(row[15])
    result = _json_or_none(row[16])
    return Job(
        id=JobId(_text(row[0])),
        slot_id=None if row[1] is None else SlotId(_text(row[1])),
        slot_version=_int_or_none(row[2]),
        state=JobState(_text(row[3])),
        source=JobSource(_text(row[4])),
        provider_id=ProviderId(_text(row[5])),
        operation_id=OperationId(_text(row[6])),
        received_at=_time(row[7]),
        created_at=_time(row[8]),
        deadline=_time(row[9]),
        input_media_object_id=MediaObjectId(_text(row[10])),
        hash_check=HashCheck(_text(row[11])),
        started_at=_time_or_none(row[12]),
        finished_at=_time_or_none(row[13]),
        failure=None if reason is None else Failure(FailureReason(reason), message or ""),
        result=None if result is None else JobResult(picture_of(result), ResultOrigin(_text(row[17]))),
        provider_calls=_int(row[18]),
        stages=tuple(
            Stage(_text(stage[0]), timedelta(seconds=_float(stage[1])))
            for stage in cast(Sequence[Sequence[object]], row[19])
        ),
        late_until=_time_or_none(row[20]),
        mode=JobMode(_text(row[21])),
        client_id=None if row[22] is None else ClientId(_text(row[22])),
        retry_of=None if row[23] is None else JobId(_text(row[23])),
        attempts=_int(row[24]),
        progress=_int(row[25]),
        stage=_text(row[26]),
    )


def job_state_parameters(job: Job) -> dict[str, object]:
    """Returns what of a job can change, by column."""
    picture = None if job.result is None else job.result.picture
    until = job.answers_duplicates_until
    return {
        "id": job.id,
        "state": job.state,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "late_until": job.late_until,
        "failure_reason": None if job.failure is None else job.failure.reason,
        "failure_message": None if job.failure is None else job.failure.message,
        "result": None if picture is None else Jsonb(_picture_json(picture)),
        "result_origin": None if job.result is None else job.result.origin,
        "result_expires_at": None if picture is None else picture.expires_at,
        "provider_calls": job.provider_calls,
        "stages": Jsonb([[stage.name, stage.duration.total_seconds()] for stage in job.stages]),
        "dedupe_until": until,
        "attempts": job.attempts,
        "progress": job.progress,
        "stage_text": job.stage,
    }


def picture_of(value: Json) -> Picture:
    """Reads a picture from its JSON form."""
    expires_at = _text_or_none(value["expires_at"])
    return Picture(
        id=MediaObjectId(_text(value["id"])),
        kind=MediaKind(_text(value["kind"])),
        slot_id=_text(value["slot_id"]),
        job_id=_text(value["job_id"]),
        mime_type=_text(value["mime_type"]),
        size_bytes=_int(value["size_bytes"]),
        width_px=_int(value["width_px"]),
        height_px=_int(value["height_px"]),
        sha256=_text(value["sha256"]),
        created_at=datetime.fromisoformat(_text(value["created_at"])),
        expires_at=None if expires_at is None else datetime.fromisoformat(expires_at),
        orientation=_int(value["orientation"]),
    )


def _picture_json(picture: Picture) -> Json:
    return {
        "id": picture.id,
        "kind": picture.kind,
        "slot_id": picture.slot_id,
        "job_id": picture.job_id,
        "mime_type": picture.mime_type,
        "size_bytes": picture.size_bytes,
        "width_px": picture.width_px,
        "height_px": picture.height_px,
        "sha256": picture.sha256,
        "created_at": picture.created_at.isoformat(),
        "expires_at": None if picture.expires_at is None else picture.expires_at.isoformat(),
        "orientation": picture.orientation,
    }


def job_details_of(row: Row) -> JobDetails:
    """Reads `JOB_COLUMNS`, the slot's name, what `assignment_of` reads, input_sha256, input_size_bytes."""
    assignment = assignment_of(row[JOB_WIDTH + 1 : JOB_WIDTH + 6])
    return JobDetails(
        job=job_of(row[:JOB_WIDTH]),
        slot_display_name=_text_or_none(row[JOB_WIDTH]) or "",
        plan=assignment.plan,
        form_fields=assignment.form_fields,
        sha256=_text(row[JOB_WIDTH + 6]),
        size_bytes=_int(row[JOB_WIDTH + 7]),
    )


def plan_json(plan: Plan) -> Jsonb:
    """Returns a job's copy of its slot's plan, as it is stored."""
    return Jsonb(
        {
            "settings": json.loads(plan.settings_json),
            "templates": [{"id": item.media_object_id, "role": item.role} for item in plan.templates],
            "output_format": plan.output_format,
            "on_failure": plan.on_failure,
            "late_results": plan.late_results,
        }
    )


def assignment_of(row: Row) -> Assignment:
    """Reads provider_id, operation_id, plan, form_fields, result_retention."""
    plan = _json(row[2])
    return Assignment(
        Plan(
            provider_id=ProviderId(_text(row[0])),
            operation_id=OperationId(_text(row[1])),
            settings_json=json.dumps(plan["settings"], ensure_ascii=False),
            templates=_templates(plan["templates"]),
            output_format=OutputFormat(_text(plan["output_format"])),
            on_failure=FailureMode(_text(plan["on_failure"])),
            late_results=LateResults(_text(plan["late_results"])),
        ),
        form_fields={name: _text(value) for name, value in _json(row[3]).items()},
        result_retention=_duration(row[4]),
    )


def slot_of(row: Row) -> Slot:
    """Reads `SLOT_COLUMNS`."""
    return Slot(
        id=SlotId(_text(row[0])),
        display_name=_text(row[1]),
        active=bool(row[2]),
        version=_int(row[3]),
        plan=Plan(
            provider_id=ProviderId(_text(row[4])),
            operation_id=OperationId(_text(row[5])),
            settings_json=_text(row[6]),
            templates=_templates(row[19]),
            output_format=OutputFormat(_text(row[12])),
            on_failure=FailureMode(_text(row[10])),
            late_results=LateResults(_text(row[11])),
        ),
        size_limit_bytes=_int(row[7]),
        sync_response=_duration_or_none(row[8]),
        response_mode=ResponseMode(_text(row[9])),
        dedupe=None if row[13] is None else bool(row[13]),
        running_limit=_int_or_none(row[14]),
        queue_length=_int_or_none(row[15]),
        password_hash=_text_or_none(row[16]),
        updated_at=_time(row[17]),
        updated_by=_text(row[18]),
    )


def snapshot_json(version: SlotVersion) -> Jsonb:
    """Returns a version's values as they are stored. The migration that filled the table writes the same."""
    slot, plan = version.slot, version.slot.plan
    return Jsonb(
        {
            "display_name": slot.display_name,
            "active": slot.active,
            "provider_id": plan.provider_id,
            "operation_id": plan.operation_id,
            "settings": json.loads(plan.settings_json),
            "templates": [{"id": item.media_object_id, "role": item.role} for item in plan.templates],
            "size_limit_bytes": slot.size_limit_bytes,
            "sync_response_seconds": None
            if slot.sync_response is None
            else slot.sync_response.total_seconds(),
            "response_mode": slot.response_mode,
            "on_failure": plan.on_failure,
            "late_results": plan.late_results,
            "output_format": plan.output_format,
            "dedupe": slot.dedupe,
            "running_limit": slot.running_limit,
            "queue_length": slot.queue_length,
            "own_password": version.own_password,
        }
    )


def slot_version_of(row: Row) -> SlotVersion:
    """Reads `SLOT_VERSION_COLUMNS`."""
    values = _json(row[2])
    seconds = values["sync_response_seconds"]
    slot = Slot(
        id=SlotId(_text(row[0])),
        display_name=_text(values["display_name"]),
        active=bool(values["active"]),
        version=_int(row[1]),
        plan=Plan(
            provider_id=ProviderId(_text(values["provider_id"])),
            operation_id=OperationId(_text(values["operation_id"])),
            settings_json=json.dumps(values["settings"], ensure_ascii=False),
            templates=_templates(values["templates"]),
            output_format=OutputFormat(_text(values["output_format"])),
            on_failure=FailureMode(_text(values["on_failure"])),
            late_results=LateResults(_text(values["late_results"])),
        ),
        size_limit_bytes=_int(values["size_limit_bytes"]),
        sync_response=None if seconds is None else timedelta(seconds=_float(seconds)),
        response_mode=ResponseMode(_text(values["response_mode"])),
        dedupe=None if values["dedupe"] is None else bool(values["dedupe"]),
        running_limit=_int_or_none(values["running_limit"]),
        queue_length=_int_or_none(values["queue_length"]),
        updated_at=_time(row[5]),
        updated_by=_text(row[6]),
    )
    return SlotVersion(
        slot=slot,
        own_password=bool(values["own_password"]),
        changed_fields=tuple(_text(name) for name in cast(Sequence[object], row[3])),
        restored_from=_int_or_none(row[4]),
    )


def settings_of(row: Row) -> Settings:
    """Reads `SETTINGS_COLUMNS`."""
    return Settings(
        sync_response=_duration(row[0]),
        result_retention=_duration(row[1]),
        hash_policy=HashPolicy(_text(row[2])),
        dedupe=bool(row[3]),
        limits=Limits(
            slot_running=_int(row[4]),
            slot_queue=_int(row[5]),
            provider_running={ProviderId(name): _int(limit) for name, limit in _json(row[6]).items()},
        ),
        version=_int(row[7]),
        password_hash=_text_or_none(row[8]),
        password_rotated_at=_time_or_none(row[9]),
        password_rotated_by=_text(row[10]),
    )


def _templates(value: object) -> tuple[Template, ...]:
    items = cast(Sequence[Json], value or ())
    return tuple(Template(MediaObjectId(_text(item["id"])), _text(item["role"])) for item in items)


def _of_type(value: object, wanted: type[_T]) -> _T:
    if not isinstance(value, wanted):
        raise TypeError(f"The database holds {type(value).__name__} where {wanted.__name__} is expected.")
    return value


def _text(value: object) -> str:
    return _of_type(value, str)


def _int(value: object) -> int:
    return _of_type(value, int)


def _float(value: object) -> float:
    return float(value) if isinstance(value, int) else _of_type(value, float)


def _time(value: object) -> datetime:
    return _of_type(value, datetime)


def _duration(value: object) -> timedelta:
    return _of_type(value, timedelta)


def _json(value: object) -> Json:
    return cast(Json, _of_type(value, dict))


def _int_or_none(value: object) -> int | None:
    return None if value is None else _int(value)


def _text_or_none(value: object) -> str | None:
    return None if value is None else _text(value)


def _time_or_none(value: object) -> datetime | None:
    return None if value is None else _time(value)


def _duration_or_none(value: object) -> timedelta | None:
    return None if value is None else _duration(value)


def _json_or_none(value: object) -> Json | None:
    return None if value is None else _json(value)
