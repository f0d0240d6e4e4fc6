"""Removes what has ended, and makes bucket and index agree again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from photochanger_chassis.clock import Clock

from photochanger_media.application.ports import (
    Bucket,
    Inventories,
    Inventory,
    ListedObject,
    Locks,
    MediaObjects,
)
from photochanger_media.application.previews import MakePreview
from photochanger_media.application.removal import Purge
from photochanger_media.domain.keys import is_object_key, lock_name
from photochanger_media.domain.media_object import EndReason, MediaId, SlotId

_log = structlog.stdlib.get_logger(__name__)

_BATCH: Final = 200
_LOCK: Final = "cleanup"
_PREVIEWS_AFTER: Final = timedelta(minutes=1)
"""The event of a job that has just finished gets this long to ask for its preview."""
_TOMBSTONES_KEPT: Final = timedelta(days=30)
"""So long a dead object is told from one that never was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupReport:
    """What one cleanup did."""

    expired_count: int = 0
    orphan_object_count: int = 0
    """Objects in the bucket that had no row."""
    orphan_row_count: int = 0
    """Rows whose bytes were no longer in the bucket."""
    unfinished_count: int = 0
    """Uploads in parts that nobody finished."""
    preview_count: int = 0
    """Previews that were missing and are made."""
    freed_bytes: int = 0


class CleanupMetrics(Protocol):
    """What is measured of cleanups."""

    def cleaned(self, report: CleanupReport) -> None:
        """Notes one cleanup."""
        ...


class RunCleanup:
    """One sweep. Where another replica sweeps already, there is nothing to do."""

    def __init__(
        self,
        *,
        objects: MediaObjects,
        inventories: Inventories,
        bucket: Bucket,
        locks: Locks,
        purge: Purge,
        make_preview: MakePreview,
        clock: Clock,
        longest_upload: timedelta,
        metrics: CleanupMetrics,
    ) -> None:
        self._objects = objects
        self._inventories = inventories
        self._bucket = bucket
        self._locks = locks
        self._purge = purge
        self._make_preview = make_preview
        self._clock = clock
        self._longest_upload = longest_upload
        self._metrics = metrics

    async def __call__(self, slot_id: SlotId | None = None) -> CleanupReport:
        """Cleans everything, or only the expired objects of one slot; returns what it did.

        Raises StorageUnavailable; what is not done then is done by the next sweep.
        """
        if slot_id is not None:
            count, freed = await self._expire(slot_id)
            return self._done(CleanupReport(expired_count=count, freed_bytes=freed))
        async with self._locks.try_hold(_LOCK) as alone:
            if not alone:
                _log.info("cleanup.skipped")
                return CleanupReport()
            return self._done(await self._sweep())

    def _done(self, report: CleanupReport) -> CleanupReport:
        self._metrics.cleaned(report)
        _log.info(
            "cleanup.finished",
            expired_count=report.expired_count,
            orphan_object_count=report.orphan_object_count,
            orphan_row_count=report.orphan_row_count,
            unfinished_count=report.unfinished_count,
            preview_count=report.preview_count,
            freed_bytes=report.freed_bytes,
        )
        return report

    async def _sweep(self) -> CleanupReport:
        expired, freed = await self._expire(None)
        freed += await self._purge_rest()
        unfinished = await self._bucket.abort_unfinished(before=self._clock.now() - self._longest_upload)
        async with self._inventories.open() as inventory:
            started = self._clock.now()
            async for page in self._bucket.pages():
                await inventory.note(page)
            orphans, orphan_bytes = await self._remove_orphans(inventory)
            lost = await self._end_lost(inventory, stored_before=started)
        previews = await self._make_previews()
        await self._objects.forget(ended_before=self._clock.now() - _TOMBSTONES_KEPT)
        return CleanupReport(
            expired_count=expired,
            orphan_object_count=orphans,
            orphan_row_count=lost,
            unfinished_count=unfinished,
            preview_count=previews,
            freed_bytes=freed + orphan_bytes,
        )

    async def _expire(self, slot_id: SlotId | None) -> tuple[int, int]:
        count = freed = 0
        while ended := await self._objects.end_expired(slot_id, now=self._clock.now(), limit=_BATCH):
            freed += await self._purge(await self._objects.remains_of(ended))
            count += len(ended)
        return count, freed

    async def _purge_rest(self) -> int:
        """Removes bytes of objects that ended while the bucket was not reachable."""
        freed = 0
        after: MediaId | None = None
        while remains := await self._objects.remains(limit=_BATCH, after=after):
            freed += await self._purge(remains)
            after = remains[-1].media_id
        return freed

    async def _remove_orphans(self, inventory: Inventory) -> tuple[int, int]:
        """Removes objects without a row.

        An upload that has put its bytes and not yet its row holds the key's lock, so none is taken for an orphan.
        What has no key of ours may be the storage server's scratch for an upload that is running: it has to be
        older than any upload.
        """
        count = freed = 0
        abandoned = self._clock.now() - self._longest_upload
        async for item in _orphans(inventory):
            if not is_object_key(item.key) and item.modified_at > abandoned:
                continue
            async with self._locks.hold(lock_name(item.key)):
                if await self._objects.in_use(item.key):
                    continue
                await self._bucket.delete(item.key)
            count += 1
            freed += item.size_bytes
        return count, freed

    async def _end_lost(self, inventory: Inventory, *, stored_before: datetime) -> int:
        """Ends rows whose bytes are gone or are other bytes; asks the bucket again for each, under its lock."""
        count = 0
        while rows := await inventory.rows_without_object(stored_before=stored_before, limit=_BATCH):
            ended_any = False
            for row in rows:
                async with self._locks.hold(lock_name(row.key)):
                    current = await self._objects.get(row.media_id)
                    if current is None or current.end is not None:
                        continue
                    if await self._bucket.tag_of(row.key) == current.etag:
                        continue
                    _log.warning("media.lost", media_object_id=row.media_id, kind=current.kind.value)
                    ended = await self._objects.end(row.media_id, EndReason.LOST, now=self._clock.now())
                await self._purge(await self._objects.remains_of(ended))
                ended_any = True
                count += 1
            if not ended_any:
                break
        return count

    async def _make_previews(self) -> int:
        now = self._clock.now()
        waiting = await self._objects.without_preview(now=now, before=now - _PREVIEWS_AFTER, limit=_BATCH)
        count = 0
        for parent in waiting:
            if await self._make_preview(parent.id) is not None:
                count += 1
        return count


async def _orphans(inventory: Inventory) -> AsyncIterator[ListedObject]:
    while found := await inventory.objects_without_row(limit=_BATCH):
        for item in found:
            yield item
