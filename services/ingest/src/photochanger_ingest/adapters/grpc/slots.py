"""`SlotService`."""

from dataclasses import replace
from typing import Any, Final, TypeVar

import grpc
from photochanger.ingest.v1 import slot_pb2, slot_service_pb2, slot_service_pb2_grpc

from photochanger_ingest.adapters.grpc.fields import invalid, masked, page_size, value_of
from photochanger_ingest.adapters.messages import (
    FAILURE_MODES_BACK,
    LATE_RESULTS_BACK,
    OUTPUT_FORMATS_BACK,
    RESPONSE_MODES_BACK,
    slot_message,
)
from photochanger_ingest.application.configure import Change, Slots
from photochanger_ingest.domain.ids import MediaObjectId, OperationId, ProviderId, SlotId
from photochanger_ingest.domain.slot import (
    FailureMode,
    LateResults,
    OutputFormat,
    Plan,
    ResponseMode,
    Slot,
    Template,
)

_Value = TypeVar("_Value")
_Context = grpc.aio.ServicerContext[Any, Any]

_EDITABLE: Final = frozenset(
    {
        "display_name", "active", "provider_id", "operation_id", "settings_json", "templates", "size_limit_bytes",
        "sync_response", "response_mode", "on_failure", "late_results", "dedupe", "running_limit",
        "queue_length", "output_format",
    }
)  # fmt: skip


class SlotServicer(slot_service_pb2_grpc.SlotServiceServicer):
    """Translates calls into use cases."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots

    async def GetSlot(  # noqa: N802 - gRPC's name
        self, request: slot_service_pb2.GetSlotRequest, context: _Context
    ) -> slot_service_pb2.GetSlotResponse:
        """See the contract."""
        slot = await self._slots.get(SlotId(request.slot_id))
        return slot_service_pb2.GetSlotResponse(slot=slot_message(slot))

    async def ListSlots(  # noqa: N802 - gRPC's name
        self, request: slot_service_pb2.ListSlotsRequest, context: _Context
    ) -> slot_service_pb2.ListSlotsResponse:
        """See the contract. A page token is the id of the last slot before the page."""
        size = page_size(request.page_size, default=100, most=100)
        rest = [slot for slot in await self._slots.list() if slot.id > request.page_token]
        return slot_service_pb2.ListSlotsResponse(
            slots=[slot_message(slot) for slot in rest[:size]],
            next_page_token=rest[size - 1].id if len(rest) > size else "",
        )

    async def UpdateSlot(  # noqa: N802 - gRPC's name
        self, request: slot_service_pb2.UpdateSlotRequest, context: _Context
    ) -> slot_service_pb2.UpdateSlotResponse:
        """See the contract."""
        fields = masked(request.update_mask, _EDITABLE)
        if not fields and not request.HasField("ingest_password"):
            raise invalid("update_mask", "at least one field, or an ingest_password")
        saved = await self._slots.update(
            SlotId(request.slot.id),
            lambda slot: _edited(slot, request.slot, fields),
            Change(
                updated_by=request.updated_by,
                expected_version=request.expected_version,
                password=request.ingest_password if request.HasField("ingest_password") else None,
            ),
        )
        return slot_service_pb2.UpdateSlotResponse(slot=slot_message(saved))


def _edited(slot: Slot, new: slot_pb2.Slot, fields: frozenset[str]) -> Slot:
    def taken(field: str, value: _Value, old: _Value) -> _Value:
        return value if field in fields else old

    templates = tuple(Template(MediaObjectId(item.media_object_id), item.role) for item in new.templates)
    on_failure = value_of(
        FAILURE_MODES_BACK, new.on_failure, field="slot.on_failure", unset=FailureMode.ERROR
    )
    late_results = value_of(
        LATE_RESULTS_BACK, new.late_results, field="slot.late_results", unset=LateResults.DISCARD
    )
    output_format = value_of(
        OUTPUT_FORMATS_BACK, new.output_format, field="slot.output_format", unset=OutputFormat.AS_IS
    )
    response_mode = value_of(
        RESPONSE_MODES_BACK, new.response_mode, field="slot.response_mode", unset=ResponseMode.IMAGE
    )
    old = slot.plan
    plan = Plan(
        provider_id=taken("provider_id", ProviderId(new.provider_id), old.provider_id),
        operation_id=taken("operation_id", OperationId(new.operation_id), old.operation_id),
        settings_json=taken("settings_json", new.settings_json or "{}", old.settings_json),
        templates=taken("templates", templates, old.templates),
        output_format=taken("output_format", output_format, old.output_format),
        on_failure=taken("on_failure", on_failure, old.on_failure),
        late_results=taken("late_results", late_results, old.late_results),
    )
    sync_response = new.sync_response.ToTimedelta() if new.HasField("sync_response") else None
    dedupe = new.dedupe if new.HasField("dedupe") else None
    running_limit = new.running_limit if new.HasField("running_limit") else None
    queue_length = new.queue_length if new.HasField("queue_length") else None
    return replace(
        slot,
        plan=plan,
        display_name=taken("display_name", new.display_name, slot.display_name),
        active=taken("active", new.active, slot.active),
        size_limit_bytes=taken("size_limit_bytes", new.size_limit_bytes, slot.size_limit_bytes),
        response_mode=taken("response_mode", response_mode, slot.response_mode),
        sync_response=taken("sync_response", sync_response, slot.sync_response),
        dedupe=taken("dedupe", dedupe, slot.dedupe),
        running_limit=taken("running_limit", running_limit, slot.running_limit),
        queue_length=taken("queue_length", queue_length, slot.queue_length),
    )
