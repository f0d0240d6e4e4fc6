"""Slots and settings that keep the contract of `protos/` in memory."""

from datetime import timedelta
from typing import Final

from photochanger.ingest.v1 import (
    settings_service_pb2,
    settings_service_pb2_grpc,
    slot_pb2,
    slot_service_pb2,
    slot_service_pb2_grpc,
)
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ErrorKind

from photochanger_gateway.adapters.clients.translate import timestamp
from photochanger_gateway.testing.builders import a_refusal
from photochanger_gateway.testing.script import Script, page_of

_MEGABYTE: Final = 1024 * 1024
SLOT_IDS: Final = tuple(f"slot-{number:03d}" for number in range(1, 16))


class FakeSlots(slot_service_pb2_grpc.SlotServiceServicer):
    """Takes every change, by version; `templates_in_use` maps a template to the slots that use it."""

    def __init__(self, clock: Clock) -> None:
        self.script = Script()
        self.clock = clock
        self.versions: dict[str, list[slot_service_pb2.SlotVersion]] = {
            slot_id: [
                slot_service_pb2.SlotVersion(
                    slot=slot_pb2.Slot(
                        id=slot_id,
                        display_name=f"Booth {slot_id[-2:]}",
                        active=slot_id == "slot-001",
                        version=1,
                        provider_id="local",
                        operation_id="blur",
                        settings_json='{"radius": 8}',
                        size_limit_bytes=15 * _MEGABYTE,
                        updated_at=timestamp(clock.now()),
                        updated_by="install",
                    )
                )
            ]
            for slot_id in SLOT_IDS
        }
        self.activity: dict[str, slot_service_pb2.SlotActivity] = {}
        self.passwords: dict[str, str] = {}
        self.templates_in_use: dict[str, str] = {}
        self.deleted_templates: list[str] = []

    def current(self, slot_id: str) -> slot_pb2.Slot:
        """The slot as it is."""
        if slot_id not in self.versions:
            raise a_refusal("SLOT_NOT_FOUND", ErrorKind.NOT_FOUND)
        return self.versions[slot_id][0].slot

    async def GetSlot(  # noqa: N802 - gRPC's names, here and below
        self, request: slot_service_pb2.GetSlotRequest, context: object
    ) -> slot_service_pb2.GetSlotResponse:
        """See the proto."""
        await self.script.enter("GetSlot", request)
        return slot_service_pb2.GetSlotResponse(slot=self.current(request.slot_id))

    async def ListSlots(  # noqa: N802
        self, request: slot_service_pb2.ListSlotsRequest, context: object
    ) -> slot_service_pb2.ListSlotsResponse:
        """See the proto."""
        await self.script.enter("ListSlots", request)
        return slot_service_pb2.ListSlotsResponse(slots=[self.current(slot_id) for slot_id in SLOT_IDS])

    async def ListSlotActivity(  # noqa: N802
        self, request: slot_service_pb2.ListSlotActivityRequest, context: object
    ) -> slot_service_pb2.ListSlotActivityResponse:
        """See the proto."""
        await self.script.enter("ListSlotActivity", request)
        idle = slot_service_pb2.SLOT_CONDITION_ACTIVE
        return slot_service_pb2.ListSlotActivityResponse(
            slots=[
                self.activity.get(slot_id, slot_service_pb2.SlotActivity(slot_id=slot_id, condition=idle))
                for slot_id in SLOT_IDS
            ]
        )

    async def UpdateSlot(  # noqa: N802
        self, request: slot_service_pb2.UpdateSlotRequest, context: object
    ) -> slot_service_pb2.UpdateSlotResponse:
        """See the proto."""
        await self.script.enter("UpdateSlot", request)
        changed = slot_pb2.Slot()
        changed.CopyFrom(self.current(request.slot.id))
        for path in request.update_mask.paths:
            changed.ClearField(path)  # type: ignore[arg-type]  # the mask's own words
        wanted = slot_pb2.Slot()
        request.update_mask.MergeMessage(request.slot, wanted)
        changed.MergeFrom(wanted)
        names = list(request.update_mask.paths)
        if request.HasField("ingest_password"):
            self.passwords[request.slot.id] = request.ingest_password
            changed.own_password = bool(request.ingest_password)
            names.append("ingest_password")
        saved = self._save(changed, request.expected_version, request.updated_by, names)
        return slot_service_pb2.UpdateSlotResponse(slot=saved)

    async def ListSlotVersions(  # noqa: N802
        self, request: slot_service_pb2.ListSlotVersionsRequest, context: object
    ) -> slot_service_pb2.ListSlotVersionsResponse:
        """See the proto."""
        await self.script.enter("ListSlotVersions", request)
        self.current(request.slot_id)
        versions, token = page_of(self.versions[request.slot_id], request.page_size, request.page_token)
        return slot_service_pb2.ListSlotVersionsResponse(versions=versions, next_page_token=token)

    async def RestoreSlotVersion(  # noqa: N802
        self, request: slot_service_pb2.RestoreSlotVersionRequest, context: object
    ) -> slot_service_pb2.RestoreSlotVersionResponse:
        """See the proto."""
        await self.script.enter("RestoreSlotVersion", request)
        self.current(request.slot_id)
        for old in self.versions[request.slot_id]:
            if old.slot.version == request.version:
                restored = slot_pb2.Slot()
                restored.CopyFrom(old.slot)
                saved = self._save(
                    restored, request.expected_version, request.updated_by, ["display_name"], request.version
                )
                return slot_service_pb2.RestoreSlotVersionResponse(slot=saved)
        raise a_refusal("SLOT_VERSION_NOT_FOUND", ErrorKind.NOT_FOUND)

    async def DeleteTemplate(  # noqa: N802
        self, request: slot_service_pb2.DeleteTemplateRequest, context: object
    ) -> slot_service_pb2.DeleteTemplateResponse:
        """See the proto."""
        await self.script.enter("DeleteTemplate", request)
        users = self.templates_in_use.get(request.media_object_id)
        if users is not None:
            raise a_refusal(
                "TEMPLATE_IN_USE", ErrorKind.FAILED_PRECONDITION, f"It is used by {users}.", slotIds=users
            )
        self.deleted_templates.append(request.media_object_id)
        return slot_service_pb2.DeleteTemplateResponse()

    def _save(
        self, slot: slot_pb2.Slot, expected: int, by: str, names: list[str], restored_from: int = 0
    ) -> slot_pb2.Slot:
        current = self.current(slot.id)
        _check_version(expected, current.version)
        slot.version = current.version + 1
        slot.updated_at.CopyFrom(timestamp(self.clock.now()))
        slot.updated_by = by
        version = slot_service_pb2.SlotVersion(slot=slot, changed_fields=names, restored_from=restored_from)
        self.versions[slot.id].insert(0, version)
        return slot


class FakeSettings(settings_service_pb2_grpc.SettingsServiceServicer):
    """Takes every change, by version."""

    def __init__(self, clock: Clock) -> None:
        self.script = Script()
        self.clock = clock
        self.password = ""
        self.meanwhile = 0
        """How many changes somebody else still makes right before ours."""
        self.settings = settings_service_pb2.Settings(
            hash_policy=settings_service_pb2.HASH_POLICY_WARN,
            dedupe=True,
            limits=settings_service_pb2.Limits(slot_running=4, slot_queue=8, provider_running={"local": 2}),
            version=1,
        )
        self.settings.sync_response.FromTimedelta(timedelta(seconds=48))
        self.settings.result_retention.FromTimedelta(timedelta(hours=72))

    async def GetSettings(  # noqa: N802
        self, request: settings_service_pb2.GetSettingsRequest, context: object
    ) -> settings_service_pb2.GetSettingsResponse:
        """See the proto."""
        await self.script.enter("GetSettings", request)
        return settings_service_pb2.GetSettingsResponse(settings=self.settings)

    async def UpdateSettings(  # noqa: N802
        self, request: settings_service_pb2.UpdateSettingsRequest, context: object
    ) -> settings_service_pb2.UpdateSettingsResponse:
        """See the proto."""
        await self.script.enter("UpdateSettings", request)
        if self.meanwhile:
            self.meanwhile -= 1
            self.settings.version += 1
        _check_version(request.expected_version, self.settings.version)
        for path in request.update_mask.paths:
            self.settings.ClearField(path)  # type: ignore[arg-type]  # the mask's own words
        request.update_mask.MergeMessage(request.settings, self.settings)
        if request.HasField("ingest_password"):
            self.password = request.ingest_password
            self.settings.ingest_password_rotated_at.CopyFrom(timestamp(self.clock.now()))
            self.settings.ingest_password_rotated_by = request.updated_by
        self.settings.version += 1
        return settings_service_pb2.UpdateSettingsResponse(settings=self.settings)


def _check_version(expected: int, current: int) -> None:
    if expected not in {0, current}:
        raise a_refusal(
            "VERSION_CONFLICT",
            ErrorKind.ABORTED,
            f"The change was made on version {expected}; the current version is {current}.",
            expectedVersion=str(expected),
            currentVersion=str(current),
        )
