"""Lists of jobs and galleries, page by page."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from photochanger.ingest.v1 import job_pb2, job_service_pb2
from photochanger_ingest.testing.camera import Camera, a_photo, refused

if TYPE_CHECKING:
    from .conftest import Platform


async def listed(camera: Camera, **request: object) -> list[str]:
    """All jobs of a list, taken in pages of two."""
    ids, token = [], ""
    while True:
        wanted = job_service_pb2.ListJobsRequest(page_size=2, page_token=token, **request)  # type: ignore[arg-type]  # of several types
        page = await camera.jobs.ListJobs(wanted, timeout=5)
        ids += [job.id for job in page.jobs]
        token = page.next_page_token
        if not token:
            return ids


async def test_jobs_are_listed_newest_first(camera: Camera) -> None:
    done = [(await camera.send(slot_id=slot)).id for slot in ("slot-001", "slot-002", "slot-001")]
    pending = [(await camera.open(a_photo(), slot_id=slot)).job.id for slot in ("slot-001", "slot-002")]
    newest_first = [*done, *pending][::-1]
    assert await listed(camera) == newest_first
    assert await listed(camera, states=[job_pb2.JOB_STATE_PENDING]) == pending[::-1]
    assert await listed(camera, slot_id="slot-002") == [pending[1], done[1]]
    assert await listed(camera, source=job_pb2.JOB_SOURCE_INGEST) == newest_first
    assert await listed(camera, source=job_pb2.JOB_SOURCE_UI_TEST) == []
    assert await listed(camera, slot_id="slot-003") == []


async def test_a_list_that_grows_repeats_and_skips_nothing(camera: Camera) -> None:
    first = [(await camera.open(a_photo())).job.id for _ in range(4)]
    request = job_service_pb2.ListJobsRequest(page_size=2)
    page = await camera.jobs.ListJobs(request, timeout=5)
    await camera.open(a_photo())
    request.page_token = page.next_page_token
    rest = await camera.jobs.ListJobs(request, timeout=5)
    assert [job.id for job in (*page.jobs, *rest.jobs)] == first[::-1]


async def test_a_gallery_shows_unexpired_pictures_of_its_slot(platform: "Platform", camera: Camera) -> None:
    old = await camera.send()
    await camera.send(slot_id="slot-002")
    await camera.open(a_photo())
    await platform.sql(
        "UPDATE jobs SET result_expires_at = %s WHERE id = %s",
        platform.clock.now() + timedelta(hours=1),
        old.id,
    )
    newer = [(await camera.send()).id for _ in range(2)]

    async def gallery(size: int = 0, token: str = "") -> job_service_pb2.ListGalleryResponse:
        request = job_service_pb2.ListGalleryRequest(slot_id="slot-001", page_size=size, page_token=token)
        return await camera.jobs.ListGallery(request, timeout=5)

    first = await gallery(2)
    assert first.slot_display_name == "Gradient background"
    assert [job.id for job in first.jobs] == newer[::-1]
    second = await gallery(2, first.next_page_token)
    assert [job.id for job in second.jobs] == [old.id]
    assert second.next_page_token == ""
    platform.clock.advance(timedelta(hours=1))
    assert [job.id for job in (await gallery()).jobs] == newer[::-1]
    with refused("SLOT_NOT_FOUND"):
        await camera.jobs.ListGallery(job_service_pb2.ListGalleryRequest(slot_id="slot-016"), timeout=5)


@pytest.mark.parametrize(
    "request_", [{"page_size": 201}, {"page_size": -1}, {"page_token": "x"}, {"page_token": "9" * 30}]
)
async def test_a_wrong_page_is_refused(camera: Camera, request_: dict[str, object]) -> None:
    with refused("INVALID_ARGUMENT"):
        await camera.jobs.ListJobs(job_service_pb2.ListJobsRequest(**request_), timeout=5)  # type: ignore[arg-type]  # of several types
