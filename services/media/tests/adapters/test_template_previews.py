"""Templates are shown to admins by their previews, which come and go with them."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta
from pathlib import Path

import pytest
from photochanger.media.v1 import media_object_pb2 as media_pb
from photochanger.media.v1 import media_service_pb2 as pb
from photochanger_chassis.errors import RemoteError
from photochanger_chassis.grpc.errors import translate_rpc_errors
from photochanger_chassis.testing import ManualClock
from photochanger_media.domain.media_object import MediaId, PreviewState
from photochanger_media.testing import Media
from PIL import Image

pytestmark = pytest.mark.storage

PORTRAIT = (Path(__file__).parents[4] / "tests" / "photos" / "portrait-1536.jpg").read_bytes()
TEMPLATE = media_pb.MEDIA_KIND_TEMPLATE
PREVIEW = media_pb.RENDITION_PREVIEW
MINUTES = timedelta(minutes=2)


async def a_template(media: Media, slot_id: str = "slot-001") -> media_pb.MediaObject:
    return (await media.upload(PORTRAIT, kind=TEMPLATE, job_id="", slot_id=slot_id)).media_object


async def preview_of(media: Media, media_id: str) -> media_pb.MediaObject:
    request = pb.GetMediaObjectRequest(media_object_id=media_id, rendition=PREVIEW)
    with translate_rpc_errors():
        return (await media.stub.GetMediaObject(request, timeout=20)).media_object


@pytest.mark.parametrize("slot_id", ["slot-001", ""])
async def test_a_template_has_its_preview_when_its_upload_is_answered(media: Media, slot_id: str) -> None:
    template = await a_template(media, slot_id=slot_id)
    described = await preview_of(media, template.id)
    assert described.kind == media_pb.MEDIA_KIND_PREVIEW
    assert (described.mime_type, described.job_id) == ("image/webp", "")
    assert not described.HasField("expires_at")
    info, data = await media.download(template.id, PREVIEW)
    assert info.media_object == described
    with Image.open(io.BytesIO(data)) as shown:
        assert (shown.format, max(shown.size)) == ("WEBP", 512)
    folder = f"templates/{slot_id or 'shared'}"
    assert sorted(await media.keys()) == [
        f"{folder}/{template.id}.jpg",
        f"{folder}/{template.id}.preview.webp",
    ]


async def test_a_small_template_is_not_enlarged_and_one_of_a_job_belongs_to_no_job(media: Media) -> None:
    target = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(target, "PNG")
    template = (await media.upload(target.getvalue(), kind=TEMPLATE)).media_object
    assert template.job_id
    described = await preview_of(media, template.id)
    assert (described.width_px, described.height_px, described.job_id) == (40, 30, "")
    deleted = await media.stub.DeleteJobMedia(
        pb.DeleteJobMediaRequest(job_id=template.job_id, kinds=[media_pb.MEDIA_KIND_RESULT]), timeout=20
    )
    assert deleted.deleted_count == 0


async def test_a_deleted_template_takes_its_preview_with_it(media: Media) -> None:
    template, other = await a_template(media), await a_template(media)
    preview = await preview_of(media, template.id)
    for _ in range(2):
        await media.stub.DeleteMediaObject(
            pb.DeleteMediaObjectRequest(media_object_id=template.id), timeout=20
        )
    for media_id in (template.id, preview.id):
        with pytest.raises(RemoteError) as gone:
            await media.download(media_id)
        assert gone.value.reason == "MEDIA_NOT_FOUND"
    assert all(other.id in key for key in await media.keys())


async def test_a_preview_stored_while_its_template_is_deleted_goes_too(media: Media) -> None:
    template = await a_template(media)
    row = "key, format, size_bytes, width_px, height_px, orientation, sha256, etag, created_at, preview"
    preview = await preview_of(media, template.id)
    await media.sql("DELETE FROM media_objects WHERE id = %s", preview.id)
    async with media.service.pool.connection() as conn:
        async with conn.transaction():
            await conn.execute("UPDATE media_objects SET preview = 'made' WHERE id = %s", (template.id,))
            deleting = asyncio.create_task(media.service.use_cases.delete(MediaId(template.id)))
            while not await media.sql("SELECT 1 FROM pg_locks WHERE NOT granted"):
                await asyncio.wait({deleting}, timeout=0.01)
            await conn.execute(
                f"INSERT INTO media_objects (id, kind, parent_id, {row}) SELECT %s, 'preview', id, "
                f"{row.replace('key', 'key || id', 1)} FROM media_objects WHERE id = %s".encode(),
                (preview.id, template.id),
            )
        await deleting
    assert await media.sql("SELECT count(*) FROM media_objects WHERE ended_at IS NULL") == [(0,)]


async def test_sweeps_leave_templates_and_previews_alone_and_make_what_is_missing(
    media: Media, clock: ManualClock
) -> None:
    template = await a_template(media)
    clock.advance(timedelta(days=1000))
    report = await media.service.use_cases.run_cleanup()
    assert (report.expired_count, report.orphan_object_count, report.orphan_row_count) == (0, 0, 0)
    preview = await preview_of(media, template.id)

    await media.service.bucket.delete(f"templates/slot-001/{template.id}.preview.webp")
    clock.advance(MINUTES)
    report = await media.service.use_cases.run_cleanup()
    assert (report.orphan_row_count, report.preview_count) == (1, 1)
    assert (await preview_of(media, template.id)).id != preview.id
    await media.download(template.id, PREVIEW)


async def test_the_preview_of_a_template_that_is_lost_goes(media: Media, clock: ManualClock) -> None:
    template = await a_template(media)
    await media.service.bucket.delete(f"templates/slot-001/{template.id}.jpg")
    clock.advance(MINUTES)
    await media.service.use_cases.run_cleanup()
    assert await media.keys() == []


async def test_a_template_whose_preview_was_cut_off_gets_it_by_the_sweep(
    media: Media, clock: ManualClock
) -> None:
    template = await a_template(media)
    preview = await preview_of(media, template.id)
    await media.sql("DELETE FROM media_objects WHERE id = %s", preview.id)
    await media.sql("UPDATE media_objects SET preview = %s", PreviewState.WANTED.value)
    with pytest.raises(RemoteError, match="has no preview"):
        await preview_of(media, template.id)
    clock.advance(MINUTES)
    await media.service.use_cases.run_cleanup()
    assert (await preview_of(media, template.id)).id != preview.id
    assert len(await media.keys()) == 2


@pytest.mark.parametrize("kind", [media_pb.MEDIA_KIND_TEMPORARY, media_pb.MEDIA_KIND_INPUT])
async def test_other_kinds_have_no_preview_and_say_so(
    media: Media, kind: media_pb.MediaKind.ValueType
) -> None:
    stored = (await media.upload(PORTRAIT, kind=kind)).media_object
    with pytest.raises(RemoteError, match="only results and templates get one") as refused:
        await media.download(stored.id, PREVIEW)
    assert refused.value.reason == "MEDIA_NOT_FOUND"
    await media.download(stored.id)


async def test_a_template_that_cannot_be_decoded_is_stored_without_a_preview(
    media: Media, undecodable: bytes
) -> None:
    stored = (await media.upload(undecodable, kind=TEMPLATE)).media_object
    assert await media.sql("SELECT id, preview FROM media_objects") == [(stored.id, "failed")]
