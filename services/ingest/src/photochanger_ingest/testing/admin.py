"""Speaks to ingest as the gateway does for admins."""

from google.protobuf.field_mask_pb2 import FieldMask
from photochanger.ingest.v1 import settings_service_pb2, slot_pb2, slot_service_pb2

from photochanger_ingest.testing.camera import Camera

_TIMEOUT = 10.0


async def get_slot(camera: Camera, slot_id: str = "slot-001") -> slot_pb2.Slot:
    """Returns a slot as it is now."""
    request = slot_service_pb2.GetSlotRequest(slot_id=slot_id)
    return (await camera.slots.GetSlot(request, timeout=_TIMEOUT)).slot


async def update_slot(
    camera: Camera, slot: slot_pb2.Slot, *paths: str, version: int = 0, password: str | None = None
) -> slot_pb2.Slot:
    """Takes these fields of `slot`, by serg."""
    request = slot_service_pb2.UpdateSlotRequest(
        slot=slot,
        update_mask=FieldMask(paths=paths),
        expected_version=version,
        ingest_password=password,
        updated_by="serg",
    )
    return (await camera.slots.UpdateSlot(request, timeout=_TIMEOUT)).slot


async def update_settings(
    camera: Camera, settings: settings_service_pb2.Settings, *paths: str, version: int = 0
) -> settings_service_pb2.Settings:
    """Takes these fields of `settings`, by igor."""
    request = settings_service_pb2.UpdateSettingsRequest(
        settings=settings, update_mask=FieldMask(paths=paths), expected_version=version, updated_by="igor"
    )
    return (await camera.settings.UpdateSettings(request, timeout=_TIMEOUT)).settings


async def versions_of(camera: Camera, slot_id: str = "slot-001") -> list[slot_service_pb2.SlotVersion]:
    """Returns all versions of a slot, newest first, taken in pages of two."""
    versions: list[slot_service_pb2.SlotVersion] = []
    request = slot_service_pb2.ListSlotVersionsRequest(slot_id=slot_id, page_size=2)
    while True:
        page = await camera.slots.ListSlotVersions(request, timeout=_TIMEOUT)
        versions += page.versions
        request.page_token = page.next_page_token
        if not request.page_token:
            return versions


async def restore(
    camera: Camera, version: int, *, slot_id: str = "slot-001", expected: int = 0
) -> slot_pb2.Slot:
    """Restores a version, by igor."""
    request = slot_service_pb2.RestoreSlotVersionRequest(
        slot_id=slot_id, version=version, expected_version=expected, updated_by="igor"
    )
    return (await camera.slots.RestoreSlotVersion(request, timeout=_TIMEOUT)).slot


async def activity_of(camera: Camera, slot_id: str = "slot-001") -> slot_service_pb2.SlotActivity:
    """Returns what goes on in a slot."""
    answer = await camera.slots.ListSlotActivity(slot_service_pb2.ListSlotActivityRequest(), timeout=_TIMEOUT)
    [activity] = [item for item in answer.slots if item.slot_id == slot_id]
    return activity


async def delete_template(camera: Camera, media_object_id: str) -> None:
    """Deletes a template."""
    request = slot_service_pb2.DeleteTemplateRequest(media_object_id=media_object_id)
    await camera.slots.DeleteTemplate(request, timeout=_TIMEOUT)
