"""The bucket: bytes by signed URLs over one shared HTTP session, the rare rest by blocking calls on threads."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Final, Protocol

import aiohttp
from minio import Minio
from photochanger_chassis.concurrency import Workers

from photochanger_media.adapters.s3.errors import check_status, storage_errors
from photochanger_media.adapters.s3.held import PartMemory, RecentObjects
from photochanger_media.adapters.s3.signing import S3Address, Signer
from photochanger_media.adapters.s3.unfinished import Unfinished, list_unfinished
from photochanger_media.adapters.s3.writer import MIN_PART_BYTES, S3ObjectWriter, plain_tag
from photochanger_media.application.ports import ListedObject, ObjectMissing, ObjectWriter
from photochanger_media.domain.byte_range import Span
from photochanger_media.domain.errors import StorageUnavailable
from photochanger_media.domain.keys import PREFIXES

_PAGE: Final = 1000
_READ_BYTES: Final = 256 * 1024
_CONNECT_SECONDS: Final = 3.0
_SILENCE_SECONDS: Final = 20.0
# Some servers close an idle connection after 5 s; a POST on it would fail.
_KEEP_ALIVE_SECONDS: Final = 4.0
# 416, or 400 where a server knows no better.
_RANGE_REFUSED: Final = frozenset({400, 416})
_PARTS_IN_MEMORY_BYTES: Final = 16 * 1024 * 1024
_ADMIN_TIMEOUT: Final = timedelta(seconds=30)
# A little more than a writer gives itself.
_WRITERS_END_SECONDS: Final = 6.0


class _Listed(Protocol):
    """What minio's listing yields."""

    object_name: str
    size: int
    etag: str
    last_modified: datetime


@asynccontextmanager
async def open_bucket(
    address: S3Address, *, part_bytes: int = MIN_PART_BYTES, recent_bytes: int = 0, connections: int = 64
) -> AsyncIterator["S3Bucket"]:
    """Opens the bucket for the life of the process; connects with the first request.

    Of objects that are read soon, up to `recent_bytes` stay in memory for a minute.
    """
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS)
    connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=_KEEP_ALIVE_SECONDS)
    async with (
        Workers(2, name="s3-admin") as workers,
        aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False, trust_env=False
        ) as session,
    ):
        recent = RecentObjects(recent_bytes, largest_bytes=recent_bytes // 3)
        bucket = S3Bucket(address, session, workers, part_bytes=part_bytes, recent=recent)
        try:
            yield bucket
        finally:
            await bucket.let_writers_end()


class S3Bucket:
    """One bucket of any S3-compatible server, addressed by path."""

    def __init__(
        self,
        address: S3Address,
        session: aiohttp.ClientSession,
        workers: Workers,
        *,
        part_bytes: int,
        recent: RecentObjects,
    ) -> None:
        self._bucket = address.bucket
        self._client: Minio = address.client()
        self._signer = Signer(address)
        self._session = session
        self._workers = workers
        self._part_bytes = max(part_bytes, MIN_PART_BYTES)
        self._memory = PartMemory(_PARTS_IN_MEMORY_BYTES)
        self._recent = recent
        self._writers = 0
        self._no_writers = asyncio.Event()
        self._no_writers.set()

    async def let_writers_end(self) -> None:
        """Waits a moment for writers that are still taking back what they sent.

        The server does not wait for the handler of a call that its client has cancelled.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_WRITERS_END_SECONDS):
                await self._no_writers.wait()

    async def ensure(self) -> None:
        """Creates the bucket where it does not exist."""
        with storage_errors("look for the bucket"):
            await self._workers.run(self._ensure, timeout=_ADMIN_TIMEOUT)

    async def check(self) -> None:
        """Raises StorageUnavailable unless the bucket answers and lets us in."""
        with storage_errors("look for the bucket"):
            found = await self._workers.run(self._found, timeout=_ADMIN_TIMEOUT)
        if not found:
            raise StorageUnavailable("there is no bucket of the configured name")

    @asynccontextmanager
    async def writer(
        self, key: str, *, mime_type: str, read_soon: bool = False
    ) -> AsyncIterator[ObjectWriter]:
        """Opens a new object; its parts are removed when the block is left without `commit`."""
        writer = S3ObjectWriter(
            self._session,
            self._signer,
            key,
            mime_type=mime_type,
            part_bytes=self._part_bytes,
            memory=self._memory,
            recent=self._recent if read_soon else None,
        )
        self._writers += 1
        self._no_writers.clear()
        try:
            yield writer
        finally:
            try:
                await writer.discard()
            finally:
                self._writers -= 1
                if not self._writers:
                    self._no_writers.set()

    @asynccontextmanager
    async def read(self, key: str, *, etag: str, span: Span) -> AsyncIterator[AsyncIterator[bytes]]:
        """Opens bytes of an object as a stream of chunks of at most 256 KiB."""
        held = self._recent.pieces(key, etag, span)
        if held is not None:
            yield _each(held)
            return
        headers = {
            "Range": f"bytes={span.offset}-{span.offset + span.length - 1}",
            "If-Match": f'"{etag}"',
        }
        async with AsyncExitStack() as stack:
            with storage_errors("read"):
                request = self._session.get(self._signer.url("GET", key), headers=headers)
                response = await stack.enter_async_context(request)
            if response.status in _RANGE_REFUSED and await self.tag_of(key) != etag:
                raise ObjectMissing("other bytes, and fewer")
            check_status("read", response)
            # Not every server heeds If-Match.
            if plain_tag(response.headers.get("ETag", "")) != etag:
                raise ObjectMissing("other bytes")
            yield _exactly(response, span.length)

    def read_url(self, key: str, *, lifetime: timedelta) -> str:
        """Makes a URL from which the object can be read."""
        return str(self._signer.url("GET", key, lifetime=lifetime))

    async def delete(self, key: str) -> None:
        """Deletes an object; one that is not there is no error."""
        self._recent.forget(key)
        with storage_errors("delete"):
            async with self._session.delete(self._signer.url("DELETE", key)) as response:
                try:
                    check_status("delete", response)
                except ObjectMissing:
                    return
                await response.read()

    async def tag_of(self, key: str) -> str | None:
        """Returns the tag of the object under the key, None where there is none."""
        with storage_errors("look"):
            async with self._session.head(self._signer.url("HEAD", key)) as response:
                try:
                    check_status("look", response)
                except ObjectMissing:
                    return None
                return plain_tag(response.headers.get("ETag", ""))

    async def pages(self) -> AsyncIterator[Sequence[ListedObject]]:
        """Lists everything of ours, up to 1000 a page."""
        for prefix in PREFIXES:
            found = self._client.list_objects(bucket_name=self._bucket, prefix=prefix, recursive=True)
            while True:
                with storage_errors("list"):
                    page = await self._workers.run(_page, found, timeout=_ADMIN_TIMEOUT)
                if not page:
                    break
                yield page

    async def abort_unfinished(self, *, before: datetime) -> int:
        """Removes the parts of objects begun before then and never finished."""
        with storage_errors("list unfinished objects"):
            found = await self._workers.run(
                list_unfinished, self._client, self._bucket, PREFIXES, timeout=_ADMIN_TIMEOUT
            )
        old = [upload for upload in found if upload.begun_at < before]
        for upload in old:
            await self._abort(upload)
        return len(old)

    async def _abort(self, upload: Unfinished) -> None:
        url = self._signer.url("DELETE", upload.key, query={"uploadId": upload.upload_id})
        with storage_errors("remove parts"):
            async with self._session.delete(url) as response:
                try:
                    check_status("remove parts", response)
                except ObjectMissing:
                    return
                await response.read()

    def _found(self) -> bool:
        found: bool = self._client.bucket_exists(bucket_name=self._bucket)
        return found

    def _ensure(self) -> None:
        if not self._found():
            self._client.make_bucket(bucket_name=self._bucket)


async def _each(pieces: Sequence[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _exactly(response: aiohttp.ClientResponse, length: int) -> AsyncIterator[bytes]:
    """Yields `length` bytes. Raises StorageUnavailable when the server ends before."""
    left = length
    with storage_errors("read"):
        async for chunk in response.content.iter_chunked(_READ_BYTES):
            left -= len(chunk)
            yield chunk
    if left != 0:
        raise StorageUnavailable("read: the object ended early")


def _page(found: Iterator[_Listed]) -> list[ListedObject]:
    return [
        ListedObject(item.object_name, item.size, plain_tag(item.etag or ""), item.last_modified)
        for item in islice(found, _PAGE)
    ]
