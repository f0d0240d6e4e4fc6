"""The bucket by itself: what a storage that closes, refuses or breaks off leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web
from photochanger.media.v1 import media_object_pb2 as media_pb
from photochanger_chassis.errors import RemoteError
from photochanger_chassis.testing import ManualClock
from photochanger_devstack.testing.servers import S3Store
from photochanger_media.adapters.s3.bucket import open_bucket
from photochanger_media.adapters.s3.unfinished import list_unfinished
from photochanger_media.domain.keys import PREFIXES
from photochanger_media.settings import Settings
from photochanger_media.testing import Media, running
from yarl import URL

pytestmark = pytest.mark.storage

PART = 5 * 1024 * 1024
KEY = f"inputs/slot-001/{'1' * 32}/{'f' * 32}.jpg"
RESULT = media_pb.MEDIA_KIND_RESULT
MakeSettings = Callable[..., Settings]


async def test_a_writer_cancelled_while_the_bucket_closes_takes_its_parts_back(
    make_settings: MakeSettings, s3: S3Store
) -> None:
    settings = await asyncio.to_thread(make_settings, s3)
    sent, never = asyncio.Event(), asyncio.Event()
    async with open_bucket(settings.address, part_bytes=PART) as bucket:

        async def write() -> None:
            async with bucket.writer(KEY, mime_type="image/jpeg") as writer:
                await writer.write(bytes(PART))
                await writer.write(b"x")
                sent.set()
                await never.wait()

        writing = asyncio.create_task(write())
        await sent.wait()
        writing.cancel()  # as the handler of a call whose client hung up
    with pytest.raises(asyncio.CancelledError):
        await writing
    client = settings.address.client()
    assert await asyncio.to_thread(list_unfinished, client, settings.s3_bucket, PREFIXES) == []


class Moody:
    """Stands before the storage and, when told, answers PUTs by itself: with `status`, after storing or not."""

    def __init__(self, behind: S3Store, session: aiohttp.ClientSession) -> None:
        self._behind = behind.endpoint_url.rstrip("/")
        self._session = session
        self.status = 0
        self.stores = False
        self.endpoint_url = ""

    async def handle(self, request: web.Request) -> web.Response:
        """Passes a request on, the address it was signed for with it."""
        refused = self.status and request.method == "PUT"
        body = await request.read()
        if refused and not self.stores:
            return web.Response(status=self.status)
        headers = {name: value for name, value in request.headers.items() if name != "Transfer-Encoding"}
        url = URL(f"{self._behind}{request.raw_path}", encoded=True)
        async with self._session.request(request.method, url, headers=headers, data=body or None) as answer:
            if refused:
                return web.Response(status=self.status)
            kept = {name: answer.headers[name] for name in ("ETag", "Content-Type") if name in answer.headers}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)


@pytest.fixture
async def moody(s3: S3Store) -> AsyncIterator[Moody]:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        moody = Moody(s3, session)
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", moody.handle)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            moody.endpoint_url = f"http://{host}:{port}"
            yield moody
        finally:
            await runner.cleanup()


@pytest.fixture
async def behind_moody(
    moody: Moody, make_settings: MakeSettings, s3: S3Store, clock: ManualClock
) -> AsyncIterator[Media]:
    settings = await asyncio.to_thread(make_settings, s3)
    moved = settings.model_copy(update={"s3_endpoint_url": moody.endpoint_url})
    async with running(moved, clock) as media:
        yield media


@pytest.mark.parametrize("status", [403, 404, 500, 503])
@pytest.mark.parametrize("stores", [False, True], ids=["refused", "stored all the same"])
async def test_a_storage_that_answers_with_an_error_is_named_and_keeps_nothing(
    behind_moody: Media, moody: Moody, planted_photo: bytes, status: int, stores: bool
) -> None:
    media, moody.status, moody.stores = behind_moody, status, stores
    with pytest.raises(RemoteError) as refused:
        await media.upload(planted_photo, kind=RESULT)
    assert refused.value.reason == "STORAGE_UNAVAILABLE"
    assert refused.value.retry_after is not None
    assert await media.keys() == []
    assert await media.rows() == []
    moody.status = 0
    stored = (await media.upload(planted_photo, kind=RESULT)).media_object
    await media.download(stored.id)
