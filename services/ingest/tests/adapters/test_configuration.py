"""Slots and settings: read, changed, guarded."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import grpc
import pytest
from photochanger.ingest.v1 import settings_service_pb2, slot_pb2, slot_service_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger.providers.v1 import processing_service_pb2
from photochanger_chassis.grpc.errors import from_rpc_error
from photochanger_ingest.testing.admin import get_slot, update_settings, update_slot
from photochanger_ingest.testing.camera import PASSWORD, Camera, a_photo, refused

if TYPE_CHECKING:
    from .conftest import Platform


async def test_there_are_fifteen_slots_that_work_out_of_the_box(camera: Camera) -> None:
    answer = await camera.slots.ListSlots(slot_service_pb2.ListSlotsRequest(page_size=10), timeout=5)
    rest = await camera.slots.ListSlots(
        slot_service_pb2.ListSlotsRequest(page_size=10, page_token=answer.next_page_token), timeout=5
    )
    slots = [*answer.slots, *rest.slots]
    assert [slot.id for slot in slots] == [f"slot-{number:03}" for number in range(1, 16)]
    assert rest.next_page_token == ""
    assert {slot.provider_id for slot in slots} == {"local"}
    assert all(slot.active and slot.version == 1 and slot.settings_json == "{}" for slot in slots)
    assert slots[0].size_limit_bytes == 15 * 1_048_576
    assert not slots[0].HasField("dedupe")


async def test_a_change_takes_the_masked_fields_and_counts_from_the_next_photo_on(
    platform: "Platform", camera: Camera
) -> None:
    platform.outside.media.kinds["t1"] = media_object_pb2.MEDIA_KIND_TEMPLATE
    new = slot_pb2.Slot(
        id="slot-001",
        display_name="Passport",
        provider_id="gemini",
        operation_id="image_edit",
        settings_json='{"prompt": "a suit"}',
        templates=[processing_service_pb2.TemplateMedia(media_object_id="t1", role="background")],
        response_mode=slot_pb2.RESPONSE_MODE_MULTIPART,
        dedupe=False,
        running_limit=2,
        output_format=processing_service_pb2.OUTPUT_FORMAT_PNG,
        active=False,
    )
    new.sync_response.FromSeconds(20)
    saved = await update_slot(
        camera, new, "display_name", "provider_id", "operation_id", "settings_json", "templates",
        "response_mode", "dedupe", "running_limit", "output_format", "sync_response",
    )  # fmt: skip
    assert saved == await get_slot(camera)
    assert (saved.version, saved.updated_by, saved.display_name) == (2, "serg", "Passport")
    assert saved.active, "not in the mask"
    opened = await camera.open(a_photo())
    assert opened.job.deadline.ToDatetime() - opened.job.received_at.ToDatetime() == timedelta(seconds=20)
    await camera.run(opened.job.id)
    [request] = platform.outside.providers.requests
    assert (request.provider_id, request.settings_json) == ("gemini", '{"prompt": "a suit"}')
    assert list(request.templates) == list(new.templates)
    assert request.output_format == processing_service_pb2.OUTPUT_FORMAT_PNG
    # What is in the mask but unset follows the platform again.
    cleared = await update_slot(
        camera, slot_pb2.Slot(id="slot-001"), "dedupe", "running_limit", "sync_response", "templates"
    )
    assert not any(cleared.HasField(field) for field in ("dedupe", "running_limit", "sync_response"))
    assert not cleared.templates


async def test_of_two_changes_on_one_version_one_wins(platform: "Platform", camera: Camera) -> None:
    other = (await platform.start()).camera
    answers = await asyncio.gather(
        *(
            update_slot(client, slot_pb2.Slot(id="slot-001", display_name=name), "display_name", version=1)
            for client, name in ((camera, "one"), (other, "two"))
        ),
        return_exceptions=True,
    )
    assert sorted(isinstance(answer, slot_pb2.Slot) for answer in answers) == [False, True]
    [lost] = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
    assert from_rpc_error(lost).reason == "VERSION_CONFLICT"
    assert await platform.sql("SELECT version FROM slot_versions WHERE slot_id = 'slot-001' ORDER BY 1") == [
        (1,),
        (2,),
    ]
    with refused("VERSION_CONFLICT") as refusal:
        await update_slot(camera, slot_pb2.Slot(id="slot-001", active=True), "active", version=1)
    assert refusal.error.metadata["currentVersion"] == "2"


async def test_settings_the_provider_does_not_take_are_refused_field_by_field(camera: Camera) -> None:
    with refused("INVALID_SETTINGS") as refusal:
        await update_slot(camera, slot_pb2.Slot(id="slot-001", settings_json='{"wrong": 1}'), "settings_json")
    assert [violation.field for violation in refusal.error.field_violations] == ["settings.wrong"]
    assert (await get_slot(camera)).version == 1


@pytest.mark.parametrize(
    ("slot", "path", "field"),
    [
        (slot_pb2.Slot(display_name=""), "display_name", "slot.display_name"),
        (slot_pb2.Slot(size_limit_bytes=1), "size_limit_bytes", "slot.size_limit_bytes"),
        (slot_pb2.Slot(settings_json="["), "settings_json", "slot.settings_json"),
        (slot_pb2.Slot(settings_json='{"prompt": "\\u0000"}'), "settings_json", "slot.settings_json"),
        (slot_pb2.Slot(display_name="a\0"), "display_name", "slot.display_name"),
        (slot_pb2.Slot(running_limit=51), "running_limit", "slot.running_limit"),
        (slot_pb2.Slot(response_mode=99), "response_mode", "slot.response_mode"),  # type: ignore[arg-type]  # wrong on purpose
        (slot_pb2.Slot(), "version", "update_mask"),
        (slot_pb2.Slot(), "*", "update_mask"),
    ],
)
async def test_a_change_out_of_bounds_is_refused(
    camera: Camera, slot: slot_pb2.Slot, path: str, field: str
) -> None:
    slot.id = "slot-001"
    with refused("INVALID_ARGUMENT") as refusal:
        await update_slot(camera, slot, path)
    assert [violation.field for violation in refusal.error.field_violations] == [field]
    assert (await get_slot(camera)).version == 1


async def test_an_unknown_slot_cannot_be_read_or_changed(camera: Camera) -> None:
    with refused("SLOT_NOT_FOUND"):
        await get_slot(camera, "slot-016")
    with refused("SLOT_NOT_FOUND"):
        await update_slot(camera, slot_pb2.Slot(id="slot-016", active=True), "active")


async def test_a_slots_own_password_replaces_the_global_one(camera: Camera) -> None:
    saved = await update_slot(camera, slot_pb2.Slot(id="slot-001"), password="only for this slot")
    assert saved.own_password
    with refused("INVALID_PASSWORD"):
        await camera.open(a_photo())
    await camera.open(a_photo(), password="only for this slot")
    with refused("INVALID_PASSWORD"):
        await camera.open(a_photo(), slot_id="slot-002", password="only for this slot")
    cleared = await update_slot(camera, slot_pb2.Slot(id="slot-001"), password="")
    assert not cleared.own_password
    await camera.open(a_photo(), password=PASSWORD)


async def test_settings_are_read_and_changed(camera: Camera) -> None:
    before = (
        await camera.settings.GetSettings(settings_service_pb2.GetSettingsRequest(), timeout=5)
    ).settings
    assert before.sync_response.ToTimedelta() == timedelta(seconds=48)
    assert before.result_retention.ToTimedelta() == timedelta(hours=72)
    assert (before.hash_policy, before.dedupe) == (settings_service_pb2.HASH_POLICY_WARN, True)
    assert (before.limits.slot_running, before.limits.slot_queue) == (4, 8)
    assert before.ingest_password_rotated_by == "installation"

    new = settings_service_pb2.Settings(dedupe=False)
    new.sync_response.FromSeconds(30)
    new.limits.slot_running, new.limits.slot_queue = 2, 0
    new.limits.provider_running["gemini"] = 5
    saved = await update_settings(camera, new, "sync_response", "limits", version=before.version)
    assert saved.version == before.version + 1
    assert saved.sync_response.ToTimedelta() == timedelta(seconds=30)
    assert saved.limits == new.limits
    assert saved.dedupe, "not in the mask"
    opened = await camera.open(a_photo())
    assert opened.job.deadline.ToDatetime() - opened.job.received_at.ToDatetime() == timedelta(seconds=30)
    with refused("VERSION_CONFLICT"):
        await update_settings(camera, new, "dedupe", version=before.version)


async def test_settings_out_of_bounds_are_refused(camera: Camera) -> None:
    new = settings_service_pb2.Settings()
    new.sync_response.FromSeconds(9)
    with refused("INVALID_ARGUMENT"):
        await update_settings(camera, new, "sync_response")
    with refused("INVALID_ARGUMENT"):
        await update_settings(camera, new, "version")
    request = settings_service_pb2.UpdateSettingsRequest(ingest_password="short", updated_by="igor")
    with refused("INVALID_ARGUMENT"):
        await camera.settings.UpdateSettings(request, timeout=5)
