"""Versions of slots: each change one, told once, with nothing secret in it, and back again."""

import asyncio
from typing import TYPE_CHECKING

import psycopg
import pytest
from photochanger.ingest.v1 import configuration_events_pb2, settings_service_pb2, slot_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger.providers.v1 import processing_service_pb2
from photochanger_ingest.testing.admin import get_slot, restore, update_settings, update_slot, versions_of
from photochanger_ingest.testing.camera import PASSWORD, Camera, a_photo, refused

if TYPE_CHECKING:
    from .conftest import Platform


async def test_each_change_is_a_version_with_its_author_and_its_fields(camera: Camera) -> None:
    [first] = await versions_of(camera)
    assert (first.slot, list(first.changed_fields)) == (await get_slot(camera), [])
    second = await update_slot(
        camera, slot_pb2.Slot(id="slot-001", display_name="One", active=True), "display_name", "active"
    )
    new = slot_pb2.Slot(id="slot-001", settings_json='{"strength": 0.5}', running_limit=2)
    new.sync_response.FromMilliseconds(12_500)
    third = await update_slot(camera, new, "settings_json", "running_limit", "sync_response")
    versions = await versions_of(camera)
    assert [version.slot for version in versions] == [third, second, first.slot]
    assert [list(version.changed_fields) for version in versions] == [
        ["running_limit", "settings_json", "sync_response"],
        ["display_name"],
        [],
    ]
    assert [version.slot.updated_by for version in versions] == ["serg", "serg", "installation"]
    assert [version.restored_from for version in versions] == [0, 0, 0]
    assert len(await versions_of(camera, "slot-002")) == 1


async def test_a_change_that_changes_nothing_is_no_version_and_no_event(
    platform: "Platform", camera: Camera
) -> None:
    before = await update_slot(
        camera, slot_pb2.Slot(id="slot-001", settings_json='{"a": 1, "b": 2}'), "settings_json"
    )
    await platform.sql("DELETE FROM outbox")
    first = await camera.open(photo := a_photo())
    same = slot_pb2.Slot()
    same.CopyFrom(before)
    same.settings_json = '{"b":2,"a":1}'
    after = await update_slot(
        camera, same, "settings_json", "display_name", "templates", "dedupe", password=""
    )
    assert after == before
    assert len(await versions_of(camera)) == 2
    assert (await camera.open(photo)).job.id == first.job.id, "a duplicate is still one"
    events = await platform.sql("SELECT subject FROM outbox WHERE subject LIKE '%%changed'")
    assert events == []
    with refused("VERSION_CONFLICT"):
        await update_slot(camera, same, "display_name", version=1)


async def test_of_a_password_only_the_change_is_kept(platform: "Platform", camera: Camera) -> None:
    await update_slot(camera, slot_pb2.Slot(id="slot-001"), password="only for this slot")
    await update_slot(camera, slot_pb2.Slot(id="slot-001"), password="only for this slot")
    await update_slot(camera, slot_pb2.Slot(id="slot-001"), password="")
    versions = await versions_of(camera)
    assert [list(version.changed_fields) for version in versions] == [["ingest_password"]] * 3 + [[]]
    assert [version.slot.own_password for version in versions] == [False, True, True, False]
    [(stored,)] = await platform.sql("SELECT string_agg(slot_versions::text, '') FROM slot_versions")
    [(told,)] = await platform.sql("SELECT string_agg(encode(data, 'escape'), '') FROM outbox")
    for text in (str(stored), str(told)):
        assert "argon2" not in text
        assert "only for" not in text


async def test_an_older_version_comes_back_as_a_new_one_without_its_password(
    platform: "Platform", camera: Camera
) -> None:
    platform.outside.media.kinds["t1"] = media_object_pb2.MEDIA_KIND_TEMPLATE
    wanted = slot_pb2.Slot(
        id="slot-001",
        display_name="Passport",
        provider_id="gemini",
        operation_id="image_edit",
        settings_json='{"prompt": "Ein Anzug, groß"}',
        templates=[processing_service_pb2.TemplateMedia(media_object_id="t1", role="background")],
        late_results=slot_pb2.LATE_RESULTS_KEEP,
        dedupe=False,
    )
    paths = (
        "display_name",
        "provider_id",
        "operation_id",
        "settings_json",
        "templates",
        "late_results",
        "dedupe",
    )
    then = await update_slot(camera, wanted, *paths)
    await update_slot(camera, slot_pb2.Slot(id="slot-001", display_name="Other"), *paths[:1], *paths[3:])
    await update_slot(camera, slot_pb2.Slot(id="slot-001"), password="only for this slot")
    restored = await restore(camera, 2)
    assert (restored.version, restored.updated_by, restored.own_password) == (5, "igor", True)
    await camera.open(a_photo(), password="only for this slot")
    [newest, *_] = await versions_of(camera)
    assert newest.slot == restored == await get_slot(camera)
    assert newest.restored_from == 2
    assert set(newest.changed_fields) == {
        "display_name",
        "settings_json",
        "templates",
        "late_results",
        "dedupe",
    }
    for message in (restored, then):
        for field in ("version", "updated_at", "updated_by", "own_password"):
            message.ClearField(field)
    assert restored == then


async def test_restoring_is_checked_as_any_change(platform: "Platform", camera: Camera) -> None:
    with refused("SLOT_VERSION_NOT_FOUND") as refusal:
        await restore(camera, 2)
    assert refusal.error.metadata == {"slotId": "slot-001", "version": "2"}
    with refused("SLOT_NOT_FOUND"):
        await restore(camera, 1, slot_id="slot-016")
    await update_slot(camera, slot_pb2.Slot(id="slot-001", display_name="New"), "display_name")
    with refused("VERSION_CONFLICT"):
        await restore(camera, 1, expected=1)
    # The provider takes the old settings no longer.
    await platform.sql(
        'UPDATE slot_versions SET snapshot = snapshot || \'{"settings": {"wrong": 1}}\' WHERE version = 1'
    )
    with refused("INVALID_SETTINGS"):
        await restore(camera, 1)
    assert (await restore(camera, 2)).version == 2, "it is so already"
    assert len(await versions_of(camera)) == 2


async def test_versions_of_an_unknown_slot_are_refused(camera: Camera) -> None:
    with refused("SLOT_NOT_FOUND"):
        await versions_of(camera, "slot-016")


async def test_changes_at_once_leave_one_unbroken_line_of_versions(
    platform: "Platform", camera: Camera
) -> None:
    other = (await platform.start()).camera
    await asyncio.gather(
        *(
            update_slot(
                (camera, other)[number % 2],
                slot_pb2.Slot(id="slot-001", display_name=str(number)),
                "display_name",
            )
            for number in range(8)
        ),
        return_exceptions=True,
    )
    versions = await versions_of(camera)
    assert versions[0].slot == await get_slot(camera)
    assert [version.slot.version for version in versions] == list(range(len(versions), 0, -1))
    names = [version.slot.display_name for version in versions]
    assert len(set(names)) == len(names) > 1


async def test_changes_are_told_as_events(platform: "Platform", camera: Camera) -> None:
    slot = await update_slot(camera, slot_pb2.Slot(id="slot-003", active=False), "active")
    settings = await update_settings(camera, settings_service_pb2.Settings(dedupe=False), "dedupe")
    again = await update_settings(camera, settings_service_pb2.Settings(dedupe=False), "dedupe")
    assert again == settings, "nothing has changed"
    rows = await platform.sql("SELECT subject, aggregate_id, data_type, data FROM outbox ORDER BY position")
    assert [row[:3] for row in rows] == [
        ("events.ingest.slot.changed", "slot-003", "photochanger.ingest.v1.SlotChanged"),
        ("events.ingest.settings.changed", "settings", "photochanger.ingest.v1.SettingsChanged"),
    ]
    told = [row[3] for row in rows]
    assert isinstance(told[0], bytes)
    assert isinstance(told[1], bytes)
    assert configuration_events_pb2.SlotChanged.FromString(told[0]).slot == slot
    assert configuration_events_pb2.SettingsChanged.FromString(told[1]).settings == settings


async def test_a_new_ingest_password_is_told_and_its_hash_is_not(
    platform: "Platform", camera: Camera
) -> None:
    request = settings_service_pb2.UpdateSettingsRequest(ingest_password=PASSWORD, updated_by="igor")
    saved = (await camera.settings.UpdateSettings(request, timeout=10)).settings
    [(data,)] = await platform.sql("SELECT data FROM outbox")
    assert isinstance(data, bytes)
    assert configuration_events_pb2.SettingsChanged.FromString(data).settings == saved
    assert b"argon2" not in data
    assert saved.ingest_password_rotated_by == "igor"


async def test_a_password_hash_cannot_get_into_a_version(platform: "Platform") -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        await platform.sql('UPDATE slot_versions SET snapshot = snapshot || \'{"password_hash": "x"}\'')
