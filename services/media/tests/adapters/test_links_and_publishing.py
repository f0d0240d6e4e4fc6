"""Public links are unguessable and end on time; an input becomes a result without its metadata."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from photochanger.media.v1 import media_object_pb2 as media_pb
from photochanger.media.v1 import media_service_pb2 as pb
from photochanger_chassis.errors import RemoteError
from photochanger_chassis.grpc.errors import translate_rpc_errors
from photochanger_chassis.testing import ManualClock
from photochanger_devstack.testing.servers import S3Store
from photochanger_imaging.scrub import scrub
from photochanger_media.settings import Settings
from photochanger_media.testing import Media, running

pytestmark = pytest.mark.storage

PORTRAIT = (Path(__file__).parents[4] / "tests" / "photos" / "portrait-1536.jpg").read_bytes()
MINUTE = timedelta(minutes=1)
MakeSettings = Callable[..., Settings]


def at(instant: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(instant)
    return stamp


async def a_temporary(media: Media) -> str:
    stored = await media.upload(PORTRAIT, kind=media_pb.MEDIA_KIND_TEMPORARY, slot_id="", job_id="")
    return stored.media_object.id


async def link(media: Media, media_id: str, expires_at: datetime) -> pb.CreateLinkResponse:
    request = pb.CreateLinkRequest(media_object_id=media_id, expires_at=at(expires_at))
    with translate_rpc_errors():
        return await media.stub.CreateLink(request, timeout=5)


async def refusal(media: Media, token: str) -> str:
    with pytest.raises(RemoteError) as refused:
        await media.follow(token)
    assert token not in refused.value.message
    return refused.value.reason


async def test_a_link_shows_the_object_until_the_very_instant(media: Media, clock: ManualClock) -> None:
    made = await link(media, await a_temporary(media), clock.now() + MINUTE)
    assert made.url == f"https://photos.example/public/provider-media/{made.token}"
    assert len(made.token) >= 43
    _, data = await media.follow(made.token)
    assert data == scrub(PORTRAIT)
    info, part = await media.follow(made.token, pb.ByteRange(offset=-10))
    assert (info.length, part) == (10, data[-10:])
    clock.advance(MINUTE - timedelta(milliseconds=1))
    await media.follow(made.token)
    clock.advance(timedelta(milliseconds=1))
    assert await refusal(media, made.token) == "LINK_EXPIRED"


async def test_a_link_ends_with_its_object(media: Media, clock: ManualClock) -> None:
    media_id = await a_temporary(media)
    made = await link(media, media_id, clock.now() + timedelta(days=30))
    assert made.expires_at.ToDatetime() == clock.now().replace(tzinfo=None) + timedelta(hours=1)
    await media.stub.DeleteMediaObject(pb.DeleteMediaObjectRequest(media_object_id=media_id), timeout=5)
    assert await refusal(media, made.token) == "LINK_NOT_FOUND"


async def test_a_guess_finds_nothing(media: Media) -> None:
    assert await refusal(media, "A" * 43) == "LINK_NOT_FOUND"
    assert await refusal(media, "%") == "LINK_NOT_FOUND"


async def test_the_token_is_stored_nowhere(
    media: Media, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    made = await link(media, await a_temporary(media), clock.now() + MINUTE)
    await media.follow(made.token)
    rows = await media.sql("SELECT links::text FROM links")
    assert len(rows) == 1
    assert made.token not in str(rows)
    captured = capsys.readouterr()
    assert "link.followed" in captured.out
    assert made.token not in captured.out + captured.err


async def test_inputs_are_never_linked(media: Media, clock: ManualClock) -> None:
    stored = await media.upload(PORTRAIT)
    with pytest.raises(RemoteError) as refused:
        await link(media, stored.media_object.id, clock.now() + MINUTE)
    assert refused.value.reason == "MEDIA_NOT_PUBLIC"


async def test_without_a_public_address_there_are_no_links(
    make_settings: MakeSettings, s3: S3Store, clock: ManualClock
) -> None:
    settings = await asyncio.to_thread(make_settings, s3, public_media_base_url=None)
    async with running(settings, clock) as media:
        with pytest.raises(RemoteError) as refused:
            await link(media, await a_temporary(media), clock.now() + MINUTE)
        assert refused.value.reason == "LINKS_NOT_CONFIGURED"


async def test_a_published_input_is_upright_and_clean_and_the_same_when_repeated(
    media: Media, planted_photo: bytes
) -> None:
    stored = await media.upload(planted_photo)
    request = pb.PublishInputRequest(media_object_id=stored.media_object.id)
    first = (await media.stub.PublishInput(request, timeout=20)).media_object
    assert (first.kind, first.width_px, first.height_px) == (media_pb.MEDIA_KIND_RESULT, 400, 600)
    _, data = await media.download(first.id)
    assert b"PLANTED" not in data
    again = (await media.stub.PublishInput(request, timeout=20)).media_object
    assert again == first
    await media.download(stored.media_object.id)


async def test_only_inputs_are_published(media: Media) -> None:
    stored = await media.upload(PORTRAIT, kind=media_pb.MEDIA_KIND_RESULT)
    with pytest.raises(RemoteError) as refused, translate_rpc_errors():
        await media.stub.PublishInput(
            pb.PublishInputRequest(media_object_id=stored.media_object.id), timeout=5
        )
    assert refused.value.reason == "INVALID_ARGUMENT"
