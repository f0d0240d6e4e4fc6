"""Deletes objects: first the row becomes a tombstone, then the bytes go. Nothing that died can be read between."""

from collections.abc import Sequence

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import Unavailable

from photochanger_media.application.ports import Bucket, Locks, MediaObjects, Remains
from photochanger_media.domain.errors import MediaNotFound
from photochanger_media.domain.keys import lock_name
from photochanger_media.domain.media_object import EndReason, JobId, MediaId, MediaKind

_log = structlog.stdlib.get_logger(__name__)


class Purge:
    """Removes the bytes of ended objects."""

    def __init__(self, objects: MediaObjects, bucket: Bucket, locks: Locks, clock: Clock) -> None:
        self._objects = objects
        self._bucket = bucket
        self._locks = locks
        self._clock = clock

    async def __call__(self, remains: Sequence[Remains]) -> int:
        """Removes them and returns how many bytes that freed. Raises StorageUnavailable."""
        freed = 0
        for item in remains:
            async with self._locks.hold(lock_name(item.key)):
                # A job's next result lies under the same key.
                if not await self._objects.in_use(item.key):
                    await self._bucket.delete(item.key)
                    freed += item.size_bytes
                await self._objects.purged(item.media_id, now=self._clock.now())
        return freed

    async def soon(self, media_ids: Sequence[MediaId]) -> None:
        """Removes the bytes of these objects now if that works, else leaves them to the next sweep."""
        try:
            await self(await self._objects.remains_of(media_ids))
        except Unavailable as error:
            _log.warning("media.left_to_sweep", count=len(media_ids), error=error.reason)


class DeleteMediaObject:
    """Deletes an object and its preview."""

    def __init__(self, objects: MediaObjects, purge: Purge, clock: Clock) -> None:
        self._objects = objects
        self._purge = purge
        self._clock = clock

    async def __call__(self, media_id: MediaId) -> None:
        """Deletes it; doing so twice is no error. Raises MediaNotFound for one that never was."""
        ended = await self._objects.end(media_id, EndReason.DELETED, now=self._clock.now())
        if ended:
            await self._purge.soon(ended)
        elif await self._objects.get(media_id) is None:
            raise MediaNotFound(media_id)


class DeleteJobMedia:
    """Deletes objects of a job."""

    def __init__(self, objects: MediaObjects, purge: Purge, clock: Clock) -> None:
        self._objects = objects
        self._purge = purge
        self._clock = clock

    async def __call__(self, job_id: JobId, kinds: Sequence[MediaKind]) -> int:
        """Deletes those of `kinds` (empty: all) and returns how many, previews included."""
        ended = await self._objects.end_job(job_id, kinds or tuple(MediaKind), now=self._clock.now())
        await self._purge.soon(ended)
        return len(ended)
