"""`SlotService`."""

from typing import Any, Final

import grpc
from photochanger.ingest.v1 import slot_service_pb2, slot_service_pb2_grpc

from photochanger_ingest.adapters.grpc.fields import invalid, masked, page_size, page_token, position
from photochanger_ingest.adapters.grpc.slot_edits import EDITABLE, edited
from photochanger_ingest.adapters.messages import job_message, slot_message
from photochanger_ingest.application.configure import Change, Slots
from photochanger_ingest.application.slot_activity import ListSlotActivity
from photochanger_ingest.application.templates import Templates
from photochanger_ingest.domain.activity import SlotActivity, SlotCondition
from photochanger_ingest.domain.ids import MediaObjectId, SlotId
from photochanger_ingest.domain.slot_version import SlotVersion

_Context = grpc.aio.ServicerContext[Any, Any]

_CONDITIONS: Final = {
    SlotCondition.ACTIVE: slot_service_pb2.SLOT_CONDITION_ACTIVE,
    SlotCondition.OFF: slot_service_pb2.SLOT_CONDITION_OFF,
    SlotCondition.BUSY: slot_service_pb2.SLOT_CONDITION_BUSY,
    SlotCondition.DELAYED: slot_service_pb2.SLOT_CONDITION_DELAYED,
    SlotCondition.FAILING: slot_service_pb2.SLOT_CONDITION_FAILING,
}


class SlotServicer(slot_service_pb2_grpc.SlotServiceServicer):
    """Translates calls into use cases."""

    def __init__(self, slots: Slots, templates: Templates, list_activity: ListSlotActivity) -> None:
        self._slots = slots
        self._templates = templates
        self._list_activity = list_activity

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
        fields = masked(request.update_mask, EDITABLE)
        if not fields and not request.HasField("ingest_password"):
            raise invalid("update_mask", "at least one field, or an ingest_password")
        saved = await self._slots.update(
            SlotId(request.slot.id),
            lambda slot: edited(slot, request.slot, fields, at="slot"),
            Change(
                updated_by=request.updated_by,
                expected_version=request.expected_version,
                password=request.ingest_password if request.HasField("ingest_password") else None,
            ),
        )
        return slot_service_pb2.UpdateSlotResponse(slot=slot_message(saved))

    async def ListSlotActivity(  # noqa: N802 - gRPC's name
        self, request: slot_service_pb2.ListSlotActivityRequest, context: _Context
    ) -> slot_service_pb2.ListSlotActivityResponse:
        """See the contract."""
        return slot_service_pb2.ListSlotActivityResponse(
            slots=[_activity_message(activity) for activity in await self._list_activity()]
        )

    async def ListSlotVersions(  # noqa: N802 - gRPC's name
        self, request: slot_service_pb2.ListSlotVersionsRequest, context: _Context
    ) -> slot_service_pb2.ListSlotVersionsResponse:
        """See the contract. A page token is the last version before the page."""
        page = await self._slots.versions(
            SlotId(request.slot_id),
            limit=page_size(request.page_size, default=20, most=100),
            before=position(request.page_token),
        )
        return slot_service_pb2.ListSlotVersionsResponse(
            versions=[_version_message(version) for version in page.items],
            next_page_token=page_token(page.next),
        )

    async def RestoreSlotVersion(  # noqa: N802 - gRPC's name
        self, request: slot_service_pb2.RestoreSlotVersionRequest, context: _Context
    ) -> slot_service_pb2.RestoreSlotVersionResponse:
        """See the contract."""
        saved = await self._slots.restore(
            SlotId(request.slot_id),
            request.version,
            Change(updated_by=request.updated_by, expected_version=request.expected_version),
        )
        return slot_service_pb2.RestoreSlotVersionResponse(slot=slot_message(saved))

    async def DeleteTemplate(  # noqa: N802 - gRPC's name
        self, request: slot_service_pb2.DeleteTemplateRequest, context: _Context
    ) -> slot_service_pb2.DeleteTemplateResponse:
        """See the contract."""
        await self._templates.delete(MediaObjectId(request.media_object_id))
        return slot_service_pb2.DeleteTemplateResponse()


def _version_message(version: SlotVersion) -> slot_service_pb2.SlotVersion:
    slot = slot_message(version.slot)
    slot.own_password = version.own_password
    return slot_service_pb2.SlotVersion(
        slot=slot, changed_fields=version.changed_fields, restored_from=version.restored_from or 0
    )


def _activity_message(activity: SlotActivity) -> slot_service_pb2.SlotActivity:
    message = slot_service_pb2.SlotActivity(
        slot_id=activity.slot_id,
        condition=_CONDITIONS[activity.condition],
        running_jobs=activity.running_jobs,
        waiting_jobs=activity.waiting_jobs,
        last_failure_reason=activity.last_failure_reason,
    )
    if activity.last_success_at is not None:
        message.last_success_at.FromDatetime(activity.last_success_at)
    if activity.latest_result is not None:
        message.latest_result.CopyFrom(job_message(activity.latest_result))
    return message
