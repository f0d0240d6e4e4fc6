"""The slots, which ingest owns, over gRPC."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import grpc.aio
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from photochanger.ingest.v1 import slot_pb2, slot_service_pb2
from photochanger.ingest.v1.slot_service_pb2_grpc import SlotServiceStub
from photochanger.providers.v1 import processing_service_pb2
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.adapters.clients.changes import (
    SLOT_FIELDS,
    SLOT_FIELDS_BACK,
    translate_change_errors,
)
from photochanger_gateway.application.ports_admin import Page, PageRequest
from photochanger_gateway.domain.refusals import NoSuchTemplate
from photochanger_gateway.domain.slots import (
    FailureMode,
    LateResults,
    OutputFormat,
    ResponseMode,
    Slot,
    SlotActivity,
    SlotEdit,
    SlotState,
    SlotValues,
    SlotVersion,
    Switch,
    TemplateImage,
)

_QUICK_SECONDS: Final = 5.0
_CHANGE_SECONDS: Final = 10.0
"""A change asks the providers service about the settings, and hashes a password."""
_MEGABYTE: Final = 1024 * 1024
_MOST_SLOTS: Final = 100

_RESPONSE_MODES: Final = {
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
FORMATS: Final = {
    OutputFormat.AS_IS: processing_service_pb2.OUTPUT_FORMAT_UNSPECIFIED,
    OutputFormat.JPEG: processing_service_pb2.OUTPUT_FORMAT_JPEG,
    OutputFormat.PNG: processing_service_pb2.OUTPUT_FORMAT_PNG,
    OutputFormat.WEBP: processing_service_pb2.OUTPUT_FORMAT_WEBP,
}
_RESPONSE_MODES_BACK: Final = {theirs: ours for ours, theirs in _RESPONSE_MODES.items()}
_FAILURE_MODES_BACK: Final = {theirs: ours for ours, theirs in _FAILURE_MODES.items()}
_LATE_RESULTS_BACK: Final = {theirs: ours for ours, theirs in _LATE_RESULTS.items()}
_FORMATS_BACK: Final = {theirs: ours for ours, theirs in FORMATS.items()}
_STATES: Final = {
    slot_service_pb2.SLOT_CONDITION_OFF: SlotState.OFF,
    slot_service_pb2.SLOT_CONDITION_BUSY: SlotState.BUSY,
    slot_service_pb2.SLOT_CONDITION_DELAYED: SlotState.DELAYED,
    slot_service_pb2.SLOT_CONDITION_FAILING: SlotState.FAILING,
}


class GrpcSlots:
    """Keeps the promises of `application.ports_admin.Slots`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._slots = SlotServiceStub(channel)

    async def get(self, slot_id: str) -> Slot:
        """See the port."""
        request = slot_service_pb2.GetSlotRequest(slot_id=slot_id)
        with translate_rpc_errors():
            answer = await self._slots.GetSlot(request, timeout=_QUICK_SECONDS)
        return slot(answer.slot)

    async def list(self) -> tuple[Slot, ...]:
        """See the port. There are 15, fewer than a page holds."""
        request = slot_service_pb2.ListSlotsRequest(page_size=_MOST_SLOTS)
        with translate_rpc_errors():
            answer = await self._slots.ListSlots(request, timeout=_QUICK_SECONDS)
        return tuple(slot(item) for item in answer.slots)

    async def activity(self) -> Mapping[str, SlotActivity]:
        """See the port."""
        with translate_rpc_errors():
            answer = await self._slots.ListSlotActivity(
                slot_service_pb2.ListSlotActivityRequest(), timeout=_QUICK_SECONDS
            )
        return {item.slot_id: _activity(item) for item in answer.slots}

    async def update(self, slot_id: str, edit: SlotEdit, *, expected_version: int, by: str) -> Slot:
        """See the port."""
        request = slot_service_pb2.UpdateSlotRequest(
            slot=slot_message(edit.values, slot_id),
            update_mask=mask(edit),
            expected_version=expected_version,
            ingest_password=edit.password,
            updated_by=by,
        )
        with translate_change_errors():
            answer = await self._slots.UpdateSlot(request, timeout=_CHANGE_SECONDS)
        return slot(answer.slot)

    async def versions(self, slot_id: str, page: PageRequest) -> Page[SlotVersion]:
        """See the port."""
        request = slot_service_pb2.ListSlotVersionsRequest(
            slot_id=slot_id, page_size=page.size, page_token=page.cursor
        )
        with translate_rpc_errors():
            answer = await self._slots.ListSlotVersions(request, timeout=_QUICK_SECONDS)
        versions = (
            SlotVersion(
                slot(item.slot),
                tuple(SLOT_FIELDS_BACK.get(name, name) for name in item.changed_fields),
                item.restored_from or None,
            )
            for item in answer.versions
        )
        return Page(tuple(versions), answer.next_page_token)

    async def restore(self, slot_id: str, version: int, *, expected_version: int, by: str) -> Slot:
        """See the port."""
        request = slot_service_pb2.RestoreSlotVersionRequest(
            slot_id=slot_id, version=version, expected_version=expected_version, updated_by=by
        )
        with translate_change_errors():
            answer = await self._slots.RestoreSlotVersion(request, timeout=_CHANGE_SECONDS)
        return slot(answer.slot)

    async def delete_template(self, media_object_id: str) -> None:
        """See the port."""
        request = slot_service_pb2.DeleteTemplateRequest(media_object_id=media_object_id)
        with translate.renamed({"MEDIA_NOT_FOUND": NoSuchTemplate}), translate_rpc_errors():
            await self._slots.DeleteTemplate(request, timeout=_QUICK_SECONDS)


def slot(message: slot_pb2.Slot) -> Slot:
    """A slot."""
    values = SlotValues(
        display_name=message.display_name,
        provider=message.provider_id,
        operation=message.operation_id,
        is_active=message.active,
        # Whole megabytes are all that HTTP can say; a limit set by other means is told rounded up.
        size_limit_mb=-(-message.size_limit_bytes // _MEGABYTE),
        sync_response_seconds=message.sync_response.seconds if message.HasField("sync_response") else None,
        settings=translate.json_object(message.settings_json),
        template_media=tuple(TemplateImage(item.media_object_id, item.role) for item in message.templates),
        response_mode=_RESPONSE_MODES_BACK.get(message.response_mode, ResponseMode.IMAGE),
        on_failure=_FAILURE_MODES_BACK.get(message.on_failure, FailureMode.ERROR),
        late_results=_LATE_RESULTS_BACK.get(message.late_results, LateResults.DISCARD),
        dedupe=translate.switch(message.dedupe) if message.HasField("dedupe") else None,
        running_limit=message.running_limit if message.HasField("running_limit") else None,
        queue_length=message.queue_length if message.HasField("queue_length") else None,
        output_format=_FORMATS_BACK.get(message.output_format, OutputFormat.AS_IS),
    )
    return Slot(
        id=message.id,
        version=message.version,
        values=values,
        has_own_password=message.own_password,
        updated_at=translate.instant(message.updated_at) if message.HasField("updated_at") else None,
        updated_by=message.updated_by,
    )


def slot_message(values: SlotValues, slot_id: str = "") -> slot_pb2.Slot:
    """The message of a slot's values."""
    wait = values.sync_response_seconds
    return slot_pb2.Slot(
        id=slot_id,
        display_name=values.display_name,
        active=values.is_active,
        provider_id=values.provider,
        operation_id=values.operation,
        settings_json=json.dumps(dict(values.settings), ensure_ascii=False, allow_nan=False),
        templates=[
            processing_service_pb2.TemplateMedia(media_object_id=item.media_object_id, role=item.role)
            for item in values.template_media
        ],
        size_limit_bytes=values.size_limit_mb * _MEGABYTE,
        sync_response=None if wait is None else _duration(timedelta(seconds=wait)),
        response_mode=_RESPONSE_MODES[values.response_mode],
        on_failure=_FAILURE_MODES[values.on_failure],
        late_results=_LATE_RESULTS[values.late_results],
        dedupe=None if values.dedupe is None else values.dedupe is Switch.ON,
        running_limit=values.running_limit,
        queue_length=values.queue_length,
        output_format=FORMATS[values.output_format],
    )


def mask(edit: SlotEdit) -> FieldMask:
    """Which fields of the message a change takes."""
    return FieldMask(paths=sorted(SLOT_FIELDS.get(name, name) for name in edit.fields))


def _activity(message: slot_service_pb2.SlotActivity) -> SlotActivity:
    return SlotActivity(
        state=_STATES.get(message.condition, SlotState.ACTIVE),
        running_jobs=message.running_jobs,
        waiting_jobs=message.waiting_jobs,
        last_success_at=translate.instant(message.last_success_at)
        if message.HasField("last_success_at")
        else None,
        last_failure_reason=message.last_failure_reason or None,
        latest_result=translate.job(message.latest_result) if message.HasField("latest_result") else None,
    )


def _duration(length: timedelta) -> Duration:
    message = Duration()
    message.FromTimedelta(length)
    return message
