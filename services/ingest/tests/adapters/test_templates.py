"""Template images: bound only while they are there, deleted only while nobody uses them."""

import asyncio
from typing import TYPE_CHECKING

import pytest
from photochanger.ingest.v1 import slot_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger.providers.v1 import processing_service_pb2
from photochanger_ingest.testing.admin import delete_template, get_slot, restore, update_slot
from photochanger_ingest.testing.camera import Camera, refused

if TYPE_CHECKING:
    from photochanger_ingest.testing.fakes import FakeMedia

    from .conftest import Platform


@pytest.fixture
def media(platform: "Platform") -> "FakeMedia":
    """Has the templates `t1` and `t2`."""
    platform.outside.media.kinds |= {
        "t1": media_object_pb2.MEDIA_KIND_TEMPLATE,
        "t2": media_object_pb2.MEDIA_KIND_TEMPLATE,
        "temporary": media_object_pb2.MEDIA_KIND_TEMPORARY,
        "result": media_object_pb2.MEDIA_KIND_RESULT,
    }
    return platform.outside.media


async def bind(camera: Camera, *names: str, slot_id: str = "slot-001") -> slot_pb2.Slot:
    templates = [processing_service_pb2.TemplateMedia(media_object_id=name, role="style") for name in names]
    return await update_slot(camera, slot_pb2.Slot(id=slot_id, templates=templates), "templates")


@pytest.mark.parametrize("name", ["gone", "temporary", "result", ""])
async def test_a_slot_takes_only_templates_that_are_there(
    media: "FakeMedia", camera: Camera, name: str
) -> None:
    with refused("TEMPLATE_NOT_FOUND") as refusal:
        await bind(camera, "t1", name)
    assert refusal.error.metadata["mediaObjectId"] == name
    assert (await get_slot(camera)).version == 1
    assert [item.media_object_id for item in (await bind(camera, "t1", "t2")).templates] == ["t1", "t2"]
    assert not media.deleted


async def test_a_change_of_something_else_asks_for_no_template(media: "FakeMedia", camera: Camera) -> None:
    await bind(camera, "t1")
    media.kinds.clear()
    await update_slot(camera, slot_pb2.Slot(id="slot-001", display_name="New"), "display_name")
    await bind(camera)


async def test_a_template_in_use_stays(media: "FakeMedia", camera: Camera) -> None:
    for slot_id in ("slot-004", "slot-002"):
        await bind(camera, "t2", "t1", "t1", slot_id=slot_id)
    with refused("TEMPLATE_IN_USE") as refusal:
        await delete_template(camera, "t1")
    assert refusal.error.metadata == {"mediaObjectId": "t1", "slotIds": "slot-002,slot-004"}
    await bind(camera, slot_id="slot-002")
    with refused("TEMPLATE_IN_USE"):
        await delete_template(camera, "t1")
    assert media.deleted == []
    await bind(camera, slot_id="slot-004")
    await delete_template(camera, "t1")
    await delete_template(camera, "t1")
    assert media.deleted == ["t1", "t1"]


async def test_a_version_whose_template_is_gone_cannot_be_restored(
    media: "FakeMedia", camera: Camera
) -> None:
    await bind(camera, "t1")
    await bind(camera)
    assert (await restore(camera, 2)).version == 4
    await bind(camera)
    await delete_template(camera, "t1")
    with refused("TEMPLATE_NOT_FOUND"):
        await restore(camera, 2)
    assert media.deleted == ["t1"]
    assert (await restore(camera, 1)).version == 5, "it has had none, as now"


@pytest.mark.parametrize("name", ["temporary", "result", "never"])
async def test_nothing_but_a_template_is_deleted(media: "FakeMedia", camera: Camera, name: str) -> None:
    media.never_were.add("never")
    with refused("MEDIA_NOT_FOUND") as refusal:
        await delete_template(camera, name)
    assert refusal.error.metadata["mediaObjectId"] == name
    assert media.deleted == []


async def waits_for_a_lock(platform: "Platform") -> None:
    """Returns once a transaction waits for an advisory lock."""
    ours = "(SELECT oid FROM pg_database WHERE datname = current_database())"
    waiting = f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = {ours}"
    while not await platform.sql(waiting):
        continue  # each look at the database lets the others go on


async def test_a_template_is_not_deleted_while_a_slot_is_about_to_use_it(
    platform: "Platform", media: "FakeMedia", camera: Camera
) -> None:
    other = (await platform.start()).camera
    async with media.asking:
        binding = asyncio.create_task(bind(camera, "t1"))
        await media.asked.wait()  # it has been there; the slot is not saved yet
        deleting = asyncio.create_task(delete_template(other, "t1"))
        await waits_for_a_lock(platform)
    assert [item.media_object_id for item in (await binding).templates] == ["t1"]
    with refused("TEMPLATE_IN_USE"):
        await deleting
    assert media.deleted == []


async def test_no_slot_gets_a_template_that_is_about_to_go(
    platform: "Platform", media: "FakeMedia", camera: Camera
) -> None:
    other = (await platform.start()).camera
    async with media.deleting:
        deleting = asyncio.create_task(delete_template(other, "t1"))
        await media.began_deleting.wait()  # nobody used it; it is not gone yet
        binding = asyncio.create_task(bind(camera, "t1"))
        await waits_for_a_lock(platform)
    await deleting
    with refused("TEMPLATE_NOT_FOUND"):
        await binding
    assert not (await get_slot(camera)).templates
