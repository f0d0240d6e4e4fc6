"""Puts a finished picture into the bucket and the index, so that neither is ever without the other for long.

The order is: bytes, then row. While both happen, the key is locked for everybody else, sweeps included. When
the row cannot be written the bytes are taken back; when nobody can tell whether it was written they stay, and
the next sweep decides.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.ids import Ids
from photochanger_imaging.formats import ImageFormat
from photochanger_imaging.info import ImageInfo

from photochanger_media.application.ports import Bucket, Locks, MediaObjects, ObjectWriter
from photochanger_media.domain.keys import lock_name, object_key
from photochanger_media.domain.media_object import (
    JobId,
    MediaId,
    MediaKind,
    MediaObject,
    PreviewState,
    SlotId,
)
from photochanger_media.domain.retention import Retentions

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is about to be stored, and for whom."""

    kind: MediaKind
    slot_id: SlotId | None
    job_id: JobId | None
    retention: timedelta | None = None
    """None: the kind's default."""
    parent: MediaObject | None = None
    """Of a preview: what it shows. It lives as long as that."""

    @property
    def template_id(self) -> MediaId | None:
        """Of a template's preview: the template."""
        if self.parent is None or self.parent.kind is not MediaKind.TEMPLATE:
            return None
        return self.parent.id


class RunningDigest(Protocol):
    """A digest that somebody keeps up to date."""

    def hexdigest(self) -> str:
        """Of the bytes so far, in lower-case hex."""
        ...


class Shelf:
    """Where one object is put: its bytes by `write`, then once `commit`.

    `sha256_kept` is the SHA-256 of the same bytes where somebody computes that already.
    """

    def __init__(
        self,
        media_id: MediaId,
        key: str,
        image_format: ImageFormat,
        writer: ObjectWriter,
        sha256_kept: RunningDigest | None = None,
    ) -> None:
        self.media_id: Final = media_id
        self.key: Final = key
        self.format: Final = image_format
        self.writer: Final = writer
        own = hashlib.sha256()
        self._own: Final = own if sha256_kept is None else None
        self._sha256: Final[RunningDigest] = sha256_kept or own
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """Of what was written, in lower-case hex."""
        return self._sha256.hexdigest()

    async def write(self, data: bytes) -> None:
        """Takes the next bytes of the object."""
        if self._own is not None:
            self._own.update(data)
        self.size_bytes += len(data)
        await self.writer.write(data)


class Storing:
    """Stores objects."""

    def __init__(
        self,
        *,
        bucket: Bucket,
        objects: MediaObjects,
        locks: Locks,
        clock: Clock,
        ids: Ids,
        retentions: Retentions,
    ) -> None:
        self._bucket = bucket
        self._objects = objects
        self._locks = locks
        self._clock = clock
        self._ids = ids
        self._retentions = retentions

    @asynccontextmanager
    async def shelf(
        self, place: Place, image_format: ImageFormat, sha256_kept: RunningDigest | None = None
    ) -> AsyncIterator[Shelf]:
        """Opens a place for one object (see `Shelf`); nothing stays of it unless `commit` returned."""
        media_id = MediaId(self._ids.new_id())
        key = object_key(
            place.kind,
            image_format,
            media_id=media_id,
            slot_id=place.slot_id,
            job_id=place.job_id,
            template_id=place.template_id,
        )
        # A result goes to its camera and into its preview next.
        read_soon = place.kind is MediaKind.RESULT
        async with self._bucket.writer(key, mime_type=image_format.mime, read_soon=read_soon) as writer:
            yield Shelf(media_id, key, image_format, writer, sha256_kept)

    async def commit(
        self, shelf: Shelf, place: Place, info: ImageInfo, *, upright: bool
    ) -> MediaObject | None:
        """Makes the object readable and returns it.

        A job's result with the same bytes as the one it has is not stored again: the first one is returned.
        A preview whose parent is gone, or has one by now, is not stored: None.
        Raises StorageUnavailable, and what the index raises.
        """
        new = self._describe(shelf, place, info, upright=upright)
        async with self._locks.hold(lock_name(shelf.key)):
            if new.kind is MediaKind.RESULT and new.job_id is not None:
                first = await self._objects.live_result(new.job_id)
                if first is not None and first.sha256 == new.sha256 and not first.expired(new.created_at):
                    await shelf.writer.discard()
                    return first
            if place.parent is not None and not await self._wants_preview(place.parent):
                await shelf.writer.discard()
                return None
            try:
                stored = replace(new, etag=await shelf.writer.commit())
                if not await self._index(stored):
                    await self._take_back(shelf.key)
                    return None
            except BaseException:
                await self._take_back(shelf.key)
                raise
        _log.info(
            "media.stored",
            media_object_id=stored.id,
            kind=stored.kind.value,
            slot_id=stored.slot_id,
            job_id=stored.job_id,
            size_bytes=stored.size_bytes,
        )
        return stored

    def _describe(self, shelf: Shelf, place: Place, info: ImageInfo, *, upright: bool) -> MediaObject:
        now = self._clock.now()
        width, height = info.upright_size
        return MediaObject(
            id=shelf.media_id,
            kind=place.kind,
            slot_id=place.slot_id,
            job_id=place.job_id,
            parent_id=place.parent.id if place.parent else None,
            key=shelf.key,
            format=shelf.format,
            size_bytes=shelf.size_bytes,
            width_px=width,
            height_px=height,
            orientation=1 if upright else info.orientation,
            sha256=shelf.sha256,
            etag="",
            created_at=now,
            expires_at=self._expires_at(place, now),
            preview=PreviewState.WANTED if place.kind.previewed else PreviewState.NONE,
        )

    def _expires_at(self, place: Place, now: datetime) -> datetime | None:
        if place.parent is not None:
            return place.parent.expires_at
        return self._retentions.expires_at(place.kind, now=now, asked=place.retention)

    async def _wants_preview(self, parent: MediaObject) -> bool:
        current = await self._objects.get(parent.id)
        return current is not None and current.end is None and current.preview is PreviewState.WANTED

    async def _index(self, stored: MediaObject) -> bool:
        if stored.kind is MediaKind.PREVIEW:
            return await self._objects.add_preview(stored)
        await self._objects.add(stored)
        return True

    async def _take_back(self, key: str) -> None:
        """Removes bytes that may have arrived, unless a row points at their key. Under the key's lock."""
        try:
            if not await self._objects.in_use(key):
                await self._bucket.delete(key)
        except Exception as error:  # noqa: BLE001 - index or bucket are down; the next sweep decides
            _log.warning("media.left_to_sweep", error=type(error).__name__)
