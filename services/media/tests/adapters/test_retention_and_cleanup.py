"""Objects end by the clock, and bucket and index agree again after each sweep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from photochanger.media.v1 import media_object_pb2 as media_pb
from photochanger.media.v1 import media_service_pb2 as pb
from photochanger_chassis.errors import RemoteError
from photochanger_chassis.testing import ManualClock
from photochanger_devstack.testing.servers import OwnS3
from photochanger_media.adapters.s3.signing import Signer
from photochanger_media.adapters.s3.unfinished import list_unfinished
from photochanger_media.domain.keys import PREFIXES
from photochanger_media.settings import Settings
from photochanger_media.testing import Media, running

pytestmark = pytest.mark.storage

PORTRAIT = (Path(__file__).parents[4] / "tests" / "photos" / "portrait-1024.webp").read_bytes()
JOB = "0" * 31 + "1"
RESULT = media_pb.MEDIA_KIND_RESULT
HOUR = timedelta(hours=1)
MakeSettings = Callable[..., Settings]


async def reason_of(media: Media, media_id: str) -> str:
    with pytest.raises(RemoteError) as refused:
        await media.download(media_id)
    return refused.value.reason


async def put(settings: Settings, key: str, data: bytes = b"x") -> None:
    signer = Signer(settings.address)
    async with aiohttp.ClientSession() as session, session.put(signer.url("PUT", key), data=data) as response:
        assert response.status == 200


async def delete(settings: Settings, key: str) -> None:
    signer = Signer(settings.address)
    async with aiohttp.ClientSession() as session, session.delete(signer.url("DELETE", key)) as response:
        assert response.status == 204


async def begin_parts(settings: Settings, key: str) -> None:
    signer = Signer(settings.address)
    url = signer.url("POST", key, query={"uploads": ""})
    async with aiohttp.ClientSession() as session, session.post(url) as response:
        assert response.status == 200


async def test_an_object_is_expired_by_the_clock_before_and_after_the_sweep(
    media: Media, clock: ManualClock
) -> None:
    stored = await media.upload(PORTRAIT, kind=RESULT)
    assert (
        stored.media_object.expires_at.ToDatetime() - stored.media_object.created_at.ToDatetime() == 72 * HOUR
    )
    media_id = stored.media_object.id
    clock.advance(72 * HOUR - timedelta(milliseconds=1))
    await media.download(media_id)
    clock.advance(timedelta(milliseconds=1))
    assert await reason_of(media, media_id) == "MEDIA_EXPIRED"
    assert len(await media.keys()) == 1
    report = await media.stub.RunCleanup(pb.RunCleanupRequest(), timeout=20)
    assert (report.expired_count, report.freed_bytes) == (1, stored.media_object.size_bytes)
    assert await media.keys() == []
    assert await reason_of(media, media_id) == "MEDIA_EXPIRED"


async def test_a_tombstone_is_forgotten_after_thirty_days(media: Media, clock: ManualClock) -> None:
    media_id = (await media.upload(PORTRAIT)).media_object.id
    clock.advance(25 * HOUR)
    await media.service.use_cases.run_cleanup()
    clock.advance(timedelta(days=30, seconds=1))
    await media.service.use_cases.run_cleanup()
    assert await reason_of(media, media_id) == "MEDIA_NOT_FOUND"
    assert await media.rows() == []


async def test_a_slot_is_cleaned_alone(media: Media, clock: ManualClock) -> None:
    await media.upload(PORTRAIT)
    await media.upload(PORTRAIT, slot_id="slot-002", job_id="2" * 32)
    clock.advance(25 * HOUR)
    report = await media.stub.RunCleanup(pb.RunCleanupRequest(slot_id="slot-002"), timeout=20)
    assert report.expired_count == 1
    assert [key.split("/")[1] for key in await media.keys()] == ["slot-001"]


async def test_templates_outlive_everything(media: Media, clock: ManualClock) -> None:
    stored = await media.upload(PORTRAIT, kind=media_pb.MEDIA_KIND_TEMPLATE, job_id="")
    clock.advance(timedelta(days=3650))
    await media.service.use_cases.run_cleanup()
    await media.download(stored.media_object.id)


async def test_an_object_without_a_row_is_removed(media: Media) -> None:
    kept = await media.upload(PORTRAIT)
    await put(media.settings, f"inputs/slot-001/{JOB}/{'f' * 32}.jpg")
    await put(media.settings, f"results/slot-001/{JOB}/payload.png")
    await put(media.settings, "somebody-elses/file")
    report = await media.service.use_cases.run_cleanup()
    assert report.orphan_object_count == 2
    assert await media.keys() == [f"inputs/slot-001/{JOB}/{kept.media_object.id}.webp"]
    assert (await media.service.use_cases.run_cleanup()).orphan_object_count == 0


async def test_a_row_without_its_object_is_ended(media: Media) -> None:
    lost, kept = [(await media.upload(PORTRAIT)).media_object.id for _ in range(2)]
    await delete(media.settings, f"inputs/slot-001/{JOB}/{lost}.webp")
    media.clock.advance(timedelta(seconds=1))
    assert await reason_of(media, lost) == "MEDIA_NOT_FOUND"
    report = await media.service.use_cases.run_cleanup()
    assert report.orphan_row_count == 1
    assert await reason_of(media, lost) == "MEDIA_NOT_FOUND"
    await media.download(kept)


async def test_bytes_that_are_not_the_rows_are_never_given_out(media: Media) -> None:
    stored = (await media.upload(PORTRAIT)).media_object
    await put(media.settings, f"inputs/slot-001/{JOB}/{stored.id}.webp", b"something else")
    media.clock.advance(timedelta(seconds=1))
    assert await reason_of(media, stored.id) == "MEDIA_NOT_FOUND"
    assert (await media.service.use_cases.run_cleanup()).orphan_row_count == 1
    assert await media.keys() == []


async def test_abandoned_parts_are_removed_once_no_upload_can_be_that_old(
    media: Media, clock: ManualClock
) -> None:
    await begin_parts(media.settings, f"inputs/slot-001/{JOB}/{'f' * 32}.jpg")
    assert (await media.service.use_cases.run_cleanup()).unfinished_count == 0
    clock.advance(media.settings.max_upload_seconds + timedelta(minutes=1))
    assert (await media.service.use_cases.run_cleanup()).unfinished_count == 1
    client = media.settings.address.client()
    assert await asyncio.to_thread(list_unfinished, client, media.settings.s3_bucket, PREFIXES) == []


async def test_two_replicas_do_not_sweep_at_once(media: Media) -> None:
    async with running(media.settings, media.clock) as replica:
        await put(media.settings, f"inputs/slot-001/{JOB}/{'f' * 32}.jpg")
        reports = await asyncio.gather(
            *(one.service.use_cases.run_cleanup() for one in (media, replica) for _ in range(3))
        )
        assert sum(report.orphan_object_count for report in reports) == 1


async def test_uploads_survive_sweeps_that_run_beside_them(media: Media) -> None:
    async with running(media.settings, media.clock) as replica:
        done = asyncio.Event()

        async def sweep() -> int:
            orphans = 0
            while not done.is_set():
                orphans += (await replica.service.use_cases.run_cleanup()).orphan_object_count
            return orphans

        sweeping = asyncio.create_task(sweep())
        stored = [
            await media.upload(PORTRAIT, kind=RESULT, job_id=f"{number:032x}") for number in range(1, 21)
        ]
        done.set()
        assert await sweeping == 0
        for upload in stored:
            await media.download(upload.media_object.id)


async def test_deleting_is_final_and_may_be_repeated(media: Media) -> None:
    media_id = (await media.upload(PORTRAIT)).media_object.id
    request = pb.DeleteMediaObjectRequest(media_object_id=media_id)
    await media.stub.DeleteMediaObject(request, timeout=5)
    assert await media.keys() == []
    assert await reason_of(media, media_id) == "MEDIA_NOT_FOUND"
    await media.stub.DeleteMediaObject(request, timeout=5)
    with pytest.raises(Exception, match="no media object"):
        await media.stub.DeleteMediaObject(pb.DeleteMediaObjectRequest(media_object_id="f" * 32), timeout=5)


async def test_what_is_deleted_while_the_bucket_is_away_goes_with_a_later_sweep(
    make_settings: MakeSettings, own_s3: Callable[[], OwnS3], clock: ManualClock
) -> None:
    server = await asyncio.to_thread(own_s3)
    settings = await asyncio.to_thread(make_settings, server.store)
    async with running(settings, clock) as media:
        media_id = (await media.upload(PORTRAIT)).media_object.id
        await asyncio.to_thread(server.kill)
        await media.stub.DeleteMediaObject(pb.DeleteMediaObjectRequest(media_object_id=media_id), timeout=20)
        assert await reason_of(media, media_id) == "MEDIA_NOT_FOUND"
        await asyncio.to_thread(server.start)
        assert len(await media.keys()) == 1
        await media.service.use_cases.run_cleanup()
        assert await media.keys() == []


async def test_a_jobs_media_go_together_or_by_kind(media: Media) -> None:
    await media.upload(PORTRAIT)
    await media.upload(PORTRAIT, kind=RESULT)
    inputs = pb.DeleteJobMediaRequest(job_id=JOB, kinds=[media_pb.MEDIA_KIND_INPUT])
    assert (await media.stub.DeleteJobMedia(inputs, timeout=5)).deleted_count == 1
    assert await media.keys() == [f"results/slot-001/{JOB}/payload.webp"]
    everything = pb.DeleteJobMediaRequest(job_id=JOB)
    assert (await media.stub.DeleteJobMedia(everything, timeout=5)).deleted_count == 1
    assert (await media.stub.DeleteJobMedia(everything, timeout=5)).deleted_count == 0
    assert await media.keys() == []
