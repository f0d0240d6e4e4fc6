"""Pictures go in and come out, over gRPC, on real storage."""

from __future__ import annotations

import asyncio
import hashlib
import io
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
from photochanger.media.v1 import media_object_pb2 as media_pb
from photochanger.media.v1 import media_service_pb2 as pb
from photochanger_chassis.errors import RemoteError
from photochanger_chassis.testing import ManualClock
from photochanger_devstack.testing.servers import OwnS3, S3Store
from photochanger_media.adapters.s3.unfinished import Unfinished, list_unfinished
from photochanger_media.domain.keys import PREFIXES
from photochanger_media.settings import Settings
from photochanger_media.testing import Media, running, upload_messages
from PIL import Image
from yarl import URL

pytestmark = pytest.mark.storage

PHOTOS = Path(__file__).parents[4] / "tests" / "photos"
PORTRAIT = (PHOTOS / "portrait-1536.jpg").read_bytes()
JOB = "0" * 31 + "1"
PART = 5 * 1024 * 1024
MakeSettings = Callable[..., Settings]


async def unfinished(settings: Settings) -> list[Unfinished]:
    return await asyncio.to_thread(list_unfinished, settings.address.client(), settings.s3_bucket, PREFIXES)


async def nothing_stays(settings: Settings, clock: ManualClock) -> bool:
    """Looks from a fresh process' point of view: no object, no row, no part."""
    async with running(settings, clock) as after:
        return not await after.keys() and not await after.rows() and not await unfinished(settings)


async def test_an_input_is_stored_as_it_came(media: Media) -> None:
    stored = await media.upload(PORTRAIT, digest_algorithms=[pb.DIGEST_ALGORITHM_MD5])
    described = stored.media_object
    assert described.sha256 == hashlib.sha256(PORTRAIT).hexdigest()
    assert (described.mime_type, described.size_bytes) == ("image/jpeg", len(PORTRAIT))
    assert {digest.algorithm: digest.hex for digest in stored.received_digests} == {
        pb.DIGEST_ALGORITHM_MD5: hashlib.md5(PORTRAIT).hexdigest(),
        pb.DIGEST_ALGORITHM_SHA256: described.sha256,
    }
    assert await media.keys() == [f"inputs/slot-001/{JOB}/{described.id}.jpg"]
    info, data = await media.download(described.id)
    assert data == PORTRAIT
    assert info.media_object == described
    assert (info.offset, info.length) == (0, len(PORTRAIT))


@pytest.mark.parametrize("kind", [media_pb.MEDIA_KIND_INPUT, media_pb.MEDIA_KIND_RESULT])
async def test_a_large_photo_goes_in_parts_and_comes_back_whole(
    make_settings: MakeSettings,
    s3: S3Store,
    clock: ManualClock,
    large_photo: bytes,
    kind: media_pb.MediaKind.ValueType,
) -> None:
    settings = await asyncio.to_thread(make_settings, s3, s3_part_bytes=PART)
    async with running(settings, clock) as media:
        stored = await media.upload(large_photo, kind=kind)
        _, data = await media.download(stored.media_object.id)
        assert hashlib.sha256(data).hexdigest() == stored.media_object.sha256
        assert stored.received_size_bytes == len(large_photo)
        assert await unfinished(settings) == []


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, 0, slice(0, None)),
        (0, 1, slice(0, 1)),
        (1000, 300_000, slice(1000, 301_000)),
        (300_000, 10**9, slice(300_000, None)),
        (-1, 0, slice(-1, None)),
        (-(10**9), 0, slice(0, None)),
    ],
)
async def test_a_range_is_a_slice_of_the_bytes(
    media: Media, offset: int, length: int, expected: slice
) -> None:
    stored = await media.upload(PORTRAIT)
    info, data = await media.download(
        stored.media_object.id, wanted=pb.ByteRange(offset=offset, length=length)
    )
    assert data == PORTRAIT[expected]
    assert info.length == len(data)
    assert PORTRAIT[info.offset : info.offset + info.length] == data


async def test_a_range_behind_the_end_is_refused_with_the_size(media: Media) -> None:
    stored = await media.upload(PORTRAIT)
    with pytest.raises(RemoteError) as refused:
        await media.download(stored.media_object.id, wanted=pb.ByteRange(offset=len(PORTRAIT)))
    assert refused.value.reason == "RANGE_NOT_SATISFIABLE"
    assert refused.value.metadata["sizeBytes"] == str(len(PORTRAIT))


async def test_a_result_is_upright_and_says_nothing_of_its_maker(media: Media, planted_photo: bytes) -> None:
    stored = await media.upload(planted_photo, kind=media_pb.MEDIA_KIND_RESULT)
    described = stored.media_object
    assert (described.width_px, described.height_px, described.orientation) == (400, 600, 1)
    assert await media.keys() == [f"results/slot-001/{JOB}/payload.jpg"]
    _, data = await media.download(described.id)
    assert b"PLANTED" not in data
    assert described.sha256 == hashlib.sha256(data).hexdigest()
    received = {digest.algorithm: digest.hex for digest in stored.received_digests}
    assert received[pb.DIGEST_ALGORITHM_SHA256] == hashlib.sha256(planted_photo).hexdigest()
    with Image.open(io.BytesIO(data)) as shown:
        assert shown.size == (400, 600)
        assert not shown.getexif()
        red, _, blue = shown.convert("RGB").getpixel((200, 100))  # type: ignore[misc]  # an RGB picture has three
        assert red > 200 > blue


async def test_an_input_keeps_its_metadata_and_tells_the_size_as_shown(
    media: Media, planted_photo: bytes
) -> None:
    stored = await media.upload(planted_photo)
    described = stored.media_object
    assert (described.width_px, described.height_px, described.orientation) == (400, 600, 6)
    _, data = await media.download(described.id)
    assert data == planted_photo


def bomb() -> bytes:
    """A PNG that declares 20,000 x 20,000 pixels in a few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    header = (20_000).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x" * 100) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "header", "reason"),
    [
        (PORTRAIT, {"max_size_bytes": 100_000}, "PAYLOAD_TOO_LARGE"),
        (b"GIF89a" + bytes(300), {}, "UNSUPPORTED_MEDIA_TYPE"),
        (PORTRAIT, {"declared_mime_type": "image/gif"}, "UNSUPPORTED_MEDIA_TYPE"),
        (bomb(), {}, "TOO_MANY_PIXELS"),
        (b"", {}, "BROKEN_IMAGE"),
        (PORTRAIT[:200_000], {"kind": media_pb.MEDIA_KIND_RESULT}, "BROKEN_IMAGE"),
        (PORTRAIT, {"kind": media_pb.MEDIA_KIND_PREVIEW}, "INVALID_ARGUMENT"),
        (PORTRAIT, {"kind": media_pb.MEDIA_KIND_UNSPECIFIED}, "INVALID_ARGUMENT"),
        (PORTRAIT, {"slot_id": "slot-016"}, "INVALID_ARGUMENT"),
        (PORTRAIT, {"job_id": ""}, "INVALID_ARGUMENT"),
        (PORTRAIT, {"job_id": "../../etc/passwd"}, "INVALID_ARGUMENT"),
    ],
)
async def test_what_is_refused_leaves_nothing(
    media: Media, data: bytes, header: dict[str, Any], reason: str
) -> None:
    with pytest.raises(RemoteError) as refused:
        await media.upload(data, **header)
    assert refused.value.reason == reason
    assert await media.keys() == []
    assert await media.rows() == []


async def test_too_many_bytes_are_refused_before_they_have_all_come(media: Media) -> None:
    sent = 0

    async def endless() -> AsyncIterator[pb.UploadRequest]:
        nonlocal sent
        for message in upload_messages(PORTRAIT, max_size_bytes=len(PORTRAIT)):
            yield message
        while True:
            sent += 1
            yield pb.UploadRequest(chunk=bytes(256 * 1024))

    call = media.stub.Upload(endless(), timeout=20)
    with pytest.raises(grpc.aio.AioRpcError):
        await call
    assert sent < 200  # what a refusal reads on for the sake of the client, and gRPC holds
    assert await media.keys() == []


async def test_an_upload_that_breaks_off_leaves_nothing(
    make_settings: MakeSettings, s3: S3Store, clock: ManualClock, large_photo: bytes
) -> None:
    settings = await asyncio.to_thread(make_settings, s3, s3_part_bytes=PART)
    never = asyncio.Event()

    async def breaking_off() -> AsyncIterator[pb.UploadRequest]:
        for message in upload_messages(large_photo[:-1000]):
            yield message
        await never.wait()

    async with running(settings, clock) as media:
        call = media.stub.Upload(breaking_off(), timeout=20)
        while not await unfinished(settings):  # the first part is in the bucket once this ends
            pass
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert await nothing_stays(settings, clock)


async def test_an_upload_whose_deadline_passes_leaves_nothing(
    make_settings: MakeSettings, s3: S3Store, clock: ManualClock
) -> None:
    settings = await asyncio.to_thread(make_settings, s3, max_upload_seconds=0.2)
    never = asyncio.Event()

    async def stalling() -> AsyncIterator[pb.UploadRequest]:
        for message in upload_messages(PORTRAIT[:-1000]):
            yield message
        await never.wait()

    async with running(settings, clock) as media:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await media.stub.Upload(stalling(), timeout=20)
        assert refused.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert await nothing_stays(settings, clock)


async def test_storage_that_dies_is_named_and_nothing_stays(
    make_settings: MakeSettings, own_s3: Callable[[], OwnS3], clock: ManualClock, large_photo: bytes
) -> None:
    server = await asyncio.to_thread(own_s3)
    settings = await asyncio.to_thread(make_settings, server.store, s3_part_bytes=PART)
    killed = False

    async def with_a_kill() -> AsyncIterator[pb.UploadRequest]:
        nonlocal killed
        for number, message in enumerate(upload_messages(large_photo)):
            if number == 30:
                await asyncio.to_thread(server.kill)
                killed = True
            yield message

    async with running(settings, clock) as media:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await media.stub.Upload(with_a_kill(), timeout=20)
        assert killed
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
        with pytest.raises(RemoteError) as named:
            await media.upload(PORTRAIT)
        assert named.value.reason == "STORAGE_UNAVAILABLE"
        assert named.value.retry_after is not None
        await asyncio.to_thread(server.start)
        clock.advance(settings.max_upload_seconds * 2)
        await media.service.use_cases.run_cleanup()
        assert (await media.upload(PORTRAIT)).media_object.id
    assert await unfinished(settings) == []


async def test_uploads_beyond_the_limit_wait_for_their_turn(
    make_settings: MakeSettings, s3: S3Store, clock: ManualClock
) -> None:
    settings = await asyncio.to_thread(make_settings, s3, max_parallel_uploads=2)
    async with running(settings, clock) as media:
        async with asyncio.TaskGroup() as tasks:
            uploads = [tasks.create_task(media.upload(PORTRAIT)) for _ in range(6)]
        assert len({upload.result().media_object.id for upload in uploads}) == 6


async def test_the_same_result_again_is_the_first_one(media: Media) -> None:
    first = await media.upload(PORTRAIT, kind=media_pb.MEDIA_KIND_RESULT)
    again = await media.upload(PORTRAIT, kind=media_pb.MEDIA_KIND_RESULT)
    assert again.media_object == first.media_object
    assert len(await media.rows()) == 1


async def test_another_result_replaces_the_first(media: Media) -> None:
    other = (PHOTOS / "portrait-512.png").read_bytes()
    first = await media.upload(PORTRAIT, kind=media_pb.MEDIA_KIND_RESULT)
    second = await media.upload(other, kind=media_pb.MEDIA_KIND_RESULT)
    with pytest.raises(RemoteError) as gone:
        await media.download(first.media_object.id)
    assert gone.value.reason == "MEDIA_NOT_FOUND"
    info, _ = await media.download(second.media_object.id)
    assert info.media_object.mime_type == "image/png"
    await media.service.use_cases.run_cleanup()
    assert await media.keys() == [f"results/slot-001/{JOB}/payload.png"]


async def test_results_of_one_job_at_once_leave_one_whole_result(media: Media) -> None:
    photos = [
        PORTRAIT,
        (PHOTOS / "portrait-512.png").read_bytes(),
        (PHOTOS / "portrait-1024.webp").read_bytes(),
    ] * 2
    async with asyncio.TaskGroup() as tasks:
        for photo in photos:
            tasks.create_task(media.upload(photo, kind=media_pb.MEDIA_KIND_RESULT))
    listed = await media.stub.ListMediaObjects(pb.ListMediaObjectsRequest(job_id=JOB), timeout=5)
    (result,) = listed.media_objects
    info, data = await media.download(result.id)
    assert hashlib.sha256(data).hexdigest() == result.sha256
    assert info.length == result.size_bytes


async def test_a_read_url_gives_the_bytes_to_whoever_is_inside(media: Media) -> None:
    stored = await media.upload(PORTRAIT)
    made = await media.stub.CreateReadUrl(
        pb.CreateReadUrlRequest(media_object_id=stored.media_object.id), timeout=5
    )
    assert made.media_object == stored.media_object
    async with aiohttp.ClientSession() as session, session.get(URL(made.url, encoded=True)) as response:
        assert await response.read() == PORTRAIT


async def test_lists_page_through_everything_newest_first(media: Media, clock: ManualClock) -> None:
    ids = []
    for _ in range(5):
        clock.advance(timedelta(seconds=1))
        ids.append((await media.upload(PORTRAIT)).media_object.id)
    found: list[str] = []
    token = ""
    while True:
        page = await media.stub.ListMediaObjects(
            pb.ListMediaObjectsRequest(page_size=2, page_token=token), timeout=5
        )
        found += [item.id for item in page.media_objects]
        token = page.next_page_token
        if not token:
            break
    assert found == ids[::-1]


async def test_usage_is_summed_by_kind(media: Media) -> None:
    await media.upload(PORTRAIT)
    await media.upload(PORTRAIT, slot_id="slot-002", job_id="2" * 32)
    await media.upload(PORTRAIT, kind=media_pb.MEDIA_KIND_TEMPLATE, job_id="")
    everything = await media.stub.GetUsage(pb.GetUsageRequest(), timeout=5)
    counts = {item.kind: item.object_count for item in everything.kinds}
    assert counts == {
        media_pb.MEDIA_KIND_INPUT: 2,
        media_pb.MEDIA_KIND_TEMPLATE: 1,
        media_pb.MEDIA_KIND_PREVIEW: 1,
    }
    one = await media.stub.GetUsage(pb.GetUsageRequest(slot_id="slot-002"), timeout=5)
    assert [item.size_bytes for item in one.kinds] == [len(PORTRAIT)]
