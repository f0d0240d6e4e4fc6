"""Finds objects and streams their bytes."""

import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

import structlog
from photochanger_chassis.clock import Clock

from photochanger_media.application.ports import Bucket, Links, MediaObjects, ObjectMissing
from photochanger_media.domain.byte_range import ByteRange, Span
from photochanger_media.domain.errors import LinkExpired, LinkNotFound, MediaExpired, MediaNotFound
from photochanger_media.domain.link import token_digest
from photochanger_media.domain.media_object import MediaId, MediaObject

_log = structlog.stdlib.get_logger(__name__)
_SHORTEST_URL: Final = timedelta(seconds=1)


class Rendition(Enum):
    """Which stored form of an object is meant."""

    FULL = "full"
    PREVIEW = "preview"


@dataclass(frozen=True, slots=True)
class OpenDownload:
    """Bytes on their way: what they are of, which ones, and the stream."""

    media_object: MediaObject
    span: Span
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class ReadUrl:
    """A URL of the bucket, for the inside only."""

    url: str
    expires_at: datetime
    media_object: MediaObject


class FindMedia:
    """Returns an object that can be read now."""

    def __init__(self, objects: MediaObjects, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock

    async def __call__(self, media_id: MediaId, rendition: Rendition = Rendition.FULL) -> MediaObject:
        """Finds the object, or its preview.

        Raises:
            MediaNotFound: there is none, it was deleted, or its preview is not made yet.
            MediaExpired: its retention is over, by the clock: no sweep is needed for that.
        """
        found = await self._objects.get(media_id)
        if found is None:
            raise MediaNotFound(media_id)
        found.check_readable(self._clock.now())
        if rendition is Rendition.FULL:
            return found
        preview = await self._objects.preview_of(media_id)
        if preview is None:
            raise MediaNotFound(media_id, preview=True)
        return preview


class Download:
    """Streams an object, or a range of it."""

    def __init__(self, find: FindMedia, bucket: Bucket) -> None:
        self._find = find
        self._bucket = bucket

    @asynccontextmanager
    async def __call__(
        self, media_id: MediaId, rendition: Rendition, wanted: ByteRange
    ) -> AsyncIterator[OpenDownload]:
        """Opens the stream.

        Raises:
            MediaNotFound, MediaExpired: see FindMedia.
            RangeNotSatisfiable: no wanted byte exists.
            StorageUnavailable: the bucket does not work.
        """
        media_object = await self._find(media_id, rendition)
        span = wanted.of(media_object.size_bytes)
        async with AsyncExitStack() as stack:
            try:
                chunks = await stack.enter_async_context(
                    self._bucket.read(media_object.key, etag=media_object.etag, span=span)
                )
            except ObjectMissing as error:
                # Deleted or replaced in this moment, or lost; a sweep settles which.
                _log.warning("media.bytes_missing", media_object_id=media_object.id)
                raise MediaNotFound(media_object.id) from error
            yield OpenDownload(media_object, span, chunks)


class DownloadLink:
    """Streams what a public link points at. Says the same of every link that has ended."""

    def __init__(self, links: Links, download: Download, clock: Clock) -> None:
        self._links = links
        self._download = download
        self._clock = clock

    @asynccontextmanager
    async def __call__(self, token: str, wanted: ByteRange) -> AsyncIterator[OpenDownload]:
        """Opens the stream.

        Raises:
            LinkNotFound: there is no such link, or what it pointed at was deleted.
            LinkExpired: its time is over, or its object's.
            RangeNotSatisfiable, StorageUnavailable: see Download.
        """
        digest = token_digest(token)
        link = await self._links.get(digest)
        if link is None or not hmac.compare_digest(link.token_digest, digest):
            raise LinkNotFound
        link.check_open(self._clock.now())
        async with AsyncExitStack() as stack:
            try:
                opened = await stack.enter_async_context(
                    self._download(link.media_id, Rendition.FULL, wanted)
                )
            except MediaExpired as error:
                raise LinkExpired from error
            except MediaNotFound as error:
                raise LinkNotFound from error
            # The digest's head is enough to tell links apart, and gives nobody access.
            _log.info("link.followed", link=digest.hex()[:12], media_object_id=link.media_id)
            yield opened


class CreateReadUrl:
    """Makes a short-lived URL of the bucket for a service on the inside."""

    def __init__(self, find: FindMedia, bucket: Bucket, clock: Clock, *, lifetime: timedelta) -> None:
        self._find = find
        self._bucket = bucket
        self._clock = clock
        self._lifetime = lifetime

    async def __call__(self, media_id: MediaId) -> ReadUrl:
        """Makes the URL; it never outlives the object. Raises MediaNotFound, MediaExpired."""
        media_object = await self._find(media_id)
        now = self._clock.now()
        lifetime = self._lifetime
        if media_object.expires_at is not None:
            lifetime = min(lifetime, max(media_object.expires_at - now, _SHORTEST_URL))
        # Whole seconds: signatures know no smaller unit.
        lifetime = timedelta(seconds=max(1, int(lifetime.total_seconds())))
        url = self._bucket.read_url(media_object.key, lifetime=lifetime)
        return ReadUrl(url, now + lifetime, media_object)
