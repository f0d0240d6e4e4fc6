"""Galleries opened to guests for 15 minutes, over replicas and restarts."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from photochanger.ingest.v1 import gallery_service_pb2
from photochanger_ingest.testing.camera import Camera, refused

if TYPE_CHECKING:
    from .conftest import Platform, Replica


async def share(camera: Camera, *, by: str = "serg") -> gallery_service_pb2.ShareGalleriesResponse:
    request = gallery_service_pb2.ShareGalleriesRequest(requested_by=by)
    return await camera.galleries.ShareGalleries(request, timeout=5)


async def shared(camera: Camera, per_slot: int = 0) -> list[tuple[str, list[str]]]:
    request = gallery_service_pb2.ListSharedGalleriesRequest(pictures_per_slot=per_slot)
    answer = await camera.galleries.ListSharedGalleries(request, timeout=5)
    return [(gallery.slot_id, [job.id for job in gallery.jobs]) for gallery in answer.galleries]


async def test_galleries_are_closed_until_an_admin_opens_them(camera: Camera) -> None:
    with refused("GALLERY_NOT_SHARED"):
        await shared(camera)


async def test_open_galleries_show_each_slots_newest_pictures(camera: Camera) -> None:
    first = [(await camera.send(slot_id="slot-003")).id for _ in range(3)]
    other = (await camera.send(slot_id="slot-001")).id
    await share(camera)
    assert await shared(camera) == [("slot-001", [other]), ("slot-003", first[::-1])]
    assert await shared(camera, per_slot=1) == [("slot-001", [other]), ("slot-003", first[:1:-1])]


async def test_expired_pictures_are_not_shown(platform: "Platform", camera: Camera) -> None:
    await camera.send()
    await share(camera)
    await platform.sql("UPDATE jobs SET result_expires_at = %s", platform.clock.now())
    assert await shared(camera) == []


async def test_a_share_ends_after_15_minutes_and_can_begin_anew(platform: "Platform", camera: Camera) -> None:
    answer = await share(camera)
    assert answer.share_until.seconds - answer.requested_at.seconds == 900
    platform.clock.advance(timedelta(minutes=14, seconds=59))
    assert await shared(camera) == []
    platform.clock.advance(timedelta(seconds=1))
    with refused("GALLERY_NOT_SHARED"):
        await shared(camera)
    await share(camera, by="igor")
    assert await shared(camera) == []


async def test_a_share_holds_on_another_replica_and_after_a_restart(
    platform: "Platform", replica: "Replica"
) -> None:
    await share(replica.camera)
    other = await platform.start()
    await replica.stop()
    assert await shared(other.camera) == []


@pytest.mark.parametrize("per_slot", [-1, 11])
async def test_a_senseless_number_of_pictures_is_refused(camera: Camera, per_slot: int) -> None:
    with refused("INVALID_ARGUMENT"):
        await shared(camera, per_slot=per_slot)


async def test_somebody_must_be_named(camera: Camera) -> None:
    with refused("INVALID_ARGUMENT"):
        await share(camera, by="")
