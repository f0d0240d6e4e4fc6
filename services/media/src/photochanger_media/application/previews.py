"""Makes the small WebP of a result, off the critical path, and of a template, before its upload is answered."""

import time
from typing import Final, Protocol

import structlog
from photochanger_chassis.concurrency import Workers
from photochanger_imaging.encode import preview
from photochanger_imaging.errors import ImageError
from photochanger_imaging.info import PixelLimits
from photochanger_imaging.probe import probe

from photochanger_media.application.ports import Bucket, MediaObjects, ObjectMissing
from photochanger_media.application.storing import Place, Storing
from photochanger_media.domain.byte_range import Span
from photochanger_media.domain.media_object import MediaId, MediaKind, MediaObject, PreviewState

_log = structlog.stdlib.get_logger(__name__)


class PreviewMetrics(Protocol):
    """What is measured of previews."""

    def preview_made(self, seconds: float) -> None:
        """Notes one preview and how long it took."""
        ...


class MakePreview:
    """Makes the preview of one object, once."""

    def __init__(
        self,
        *,
        objects: MediaObjects,
        bucket: Bucket,
        storing: Storing,
        workers: Workers,
        limits: PixelLimits,
        metrics: PreviewMetrics,
    ) -> None:
        self._objects = objects
        self._bucket = bucket
        self._storing = storing
        self._workers = workers
        self._limits: Final = limits
        self._metrics = metrics

    async def __call__(self, media_id: MediaId) -> MediaObject | None:
        """Makes the preview and returns it; None when there is none to be made (any more).

        Raises StorageUnavailable: try again later.
        """
        parent = await self._objects.get(media_id)
        if parent is None or parent.end is not None or parent.preview is not PreviewState.WANTED:
            return None
        started = time.perf_counter()
        original = await self._read(parent)
        if original is None:
            return None
        try:
            small = await self._workers.run(_preview, original, self._limits)
        except ImageError as error:
            _log.info("preview.impossible", media_object_id=media_id, reason=error.reason)
            await self._objects.preview_failed(media_id)
            return None
        info = probe(small)
        place = Place(
            kind=MediaKind.PREVIEW,
            slot_id=parent.slot_id,
            job_id=parent.job_id if parent.kind.owned_by_job else None,
            parent=parent,
        )
        async with self._storing.shelf(place, info.format) as shelf:
            await shelf.write(small)
            stored = await self._storing.commit(shelf, place, info, upright=True)
        if stored is not None:
            self._metrics.preview_made(time.perf_counter() - started)
        return stored

    async def _read(self, parent: MediaObject) -> bytes | None:
        try:
            span = Span(0, parent.size_bytes)
            async with self._bucket.read(parent.key, etag=parent.etag, span=span) as chunks:
                return b"".join([chunk async for chunk in chunks])
        except ObjectMissing:
            return None


def _preview(original: bytes, limits: PixelLimits) -> bytes:
    return preview(original, limits=limits)
