"""What the use cases need of the outside world."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from photochanger_media.domain.byte_range import Span
from photochanger_media.domain.link import Link
from photochanger_media.domain.media_object import EndReason, JobId, MediaId, MediaKind, MediaObject, SlotId


class ObjectMissing(Exception):
    """The bucket has no such object, or other bytes under its key than were asked for."""


class ObjectWriter(Protocol):
    """Puts one object together. Nothing can be read of it before `commit` has returned."""

    async def write(self, data: bytes) -> None:
        """Takes the next bytes. Raises StorageUnavailable."""
        ...

    async def commit(self) -> str:
        """Makes the object readable; returns its tag. Raises StorageUnavailable."""
        ...

    async def discard(self) -> None:
        """Gives up before `commit`. Raises nothing: a sweep finds what stays behind."""
        ...


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object as the bucket lists it."""

    key: str
    size_bytes: int
    etag: str
    modified_at: datetime


class Bucket(Protocol):
    """Bytes by key. Every method raises StorageUnavailable when the bucket does not work."""

    def writer(
        self, key: str, *, mime_type: str, read_soon: bool = False
    ) -> AbstractAsyncContextManager[ObjectWriter]:
        """Opens a new object; it is discarded when the block is left by an error before `commit`.

        `read_soon` says that it will be read in a moment, so that it may be kept at hand.
        """
        ...

    def read(self, key: str, *, etag: str, span: Span) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Opens bytes of an object as a stream. Raises ObjectMissing, also for bytes with another tag."""
        ...

    def read_url(self, key: str, *, lifetime: timedelta) -> str:
        """Makes a URL from which the object can be read; no network is needed."""
        ...

    async def delete(self, key: str) -> None:
        """Deletes an object; one that is not there is no error."""
        ...

    async def tag_of(self, key: str) -> str | None:
        """Returns the tag of the object under the key, None where there is none."""
        ...

    def pages(self) -> AsyncIterator[Sequence[ListedObject]]:
        """Lists everything of ours, up to 1000 a page."""
        ...

    async def abort_unfinished(self, *, before: datetime) -> int:
        """Removes the parts of objects begun before then and never finished; returns how many objects."""
        ...


class Locks(Protocol):
    """Exclusion between tasks, processes and replicas, by name. A process that dies lets go at once."""

    def hold(self, name: str) -> AbstractAsyncContextManager[None]:
        """Waits until nobody else holds `name`, then holds it."""
        ...

    def try_hold(self, name: str) -> AbstractAsyncContextManager[bool]:
        """Holds `name` if nobody else does; yields whether it does."""
        ...


@dataclass(frozen=True, slots=True)
class Filter:
    """Which objects are listed; None: any."""

    kind: MediaKind | None = None
    slot_id: SlotId | None = None
    job_id: JobId | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended."""

    created_at: datetime
    media_id: MediaId


@dataclass(frozen=True, slots=True)
class Usage:
    """The stored bytes of one kind."""

    kind: MediaKind
    object_count: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Remains:
    """A key whose object has ended while its bytes may still be in the bucket."""

    media_id: MediaId
    key: str
    size_bytes: int


class MediaObjects(Protocol):
    """The index. Each method is one transaction."""

    async def add(self, media_object: MediaObject) -> None:
        """Adds an object. A result ends its job's former result and that one's preview, as replaced."""
        ...

    async def add_preview(self, preview: MediaObject) -> bool:
        """Adds a preview and notes it with its parent; False when the parent is gone, or already has one."""
        ...

    async def preview_failed(self, media_id: MediaId) -> None:
        """Notes that no preview can be made of an object."""
        ...

    async def get(self, media_id: MediaId) -> MediaObject | None:
        """Returns an object or its tombstone."""
        ...

    async def preview_of(self, media_id: MediaId) -> MediaObject | None:
        """Returns the live preview of an object."""
        ...

    async def live_result(self, job_id: JobId) -> MediaObject | None:
        """Returns a job's result unless it has ended."""
        ...

    async def readable(
        self, wanted: Filter, *, now: datetime, limit: int, after: Cursor | None
    ) -> list[MediaObject]:
        """Lists what can be read now, newest first."""
        ...

    async def without_preview(self, *, now: datetime, before: datetime, limit: int) -> list[MediaObject]:
        """Lists readable objects, stored before then, whose preview has yet to be made."""
        ...

    async def usage(self, slot_id: SlotId | None) -> list[Usage]:
        """Sums up what is in the bucket, by kind."""
        ...

    async def end(self, media_id: MediaId, reason: EndReason, *, now: datetime) -> list[MediaId]:
        """Ends an object and its preview; returns those that had not ended before.

        An object whose preview was lost wants another.
        """
        ...

    async def end_job(self, job_id: JobId, kinds: Sequence[MediaKind], *, now: datetime) -> list[MediaId]:
        """Ends a job's objects of these kinds, previews with their results; returns those it ended."""
        ...

    async def end_expired(self, slot_id: SlotId | None, *, now: datetime, limit: int) -> list[MediaId]:
        """Ends up to `limit` objects whose retention is over; returns them."""
        ...

    async def set_expiry(self, job_id: JobId, *, result_at_most: datetime) -> None:
        """Shortens the retention of a job's result and its preview; never lengthens it."""
        ...

    async def restore_expiry(self, media_id: MediaId, expires_at: datetime) -> None:
        """Gives an object and its preview a retention again, unless they have ended."""
        ...

    async def remains(self, *, limit: int, after: MediaId | None) -> list[Remains]:
        """Lists ended objects whose bytes have not been removed, by id."""
        ...

    async def remains_of(self, media_ids: Sequence[MediaId]) -> list[Remains]:
        """As `remains`, of these objects only."""
        ...

    async def in_use(self, key: str) -> bool:
        """Whether a live object has this key."""
        ...

    async def purged(self, media_id: MediaId, *, now: datetime) -> None:
        """Notes that the bytes of an ended object are gone."""
        ...

    async def forget(self, *, ended_before: datetime) -> int:
        """Deletes tombstones whose bytes are gone, and links, that ended before then; returns how many."""
        ...


class Inventory(Protocol):
    """A comparison of the bucket with the index, kept in the database so that its size does not matter."""

    async def note(self, page: Sequence[ListedObject]) -> None:
        """Takes a page of the bucket's listing."""
        ...

    async def objects_without_row(self, *, limit: int) -> list[ListedObject]:
        """Takes out and returns listed objects that no unpurged row knows; empty: no more."""
        ...

    async def rows_without_object(self, *, stored_before: datetime, limit: int) -> list[Remains]:
        """Returns live rows, stored before then, whose very bytes were not listed."""
        ...


class Inventories(Protocol):
    """Opens comparisons."""

    def open(self) -> AbstractAsyncContextManager[Inventory]:
        """Opens an empty one; it vanishes with the block."""
        ...


class Links(Protocol):
    """The links."""

    async def add(self, link: Link, *, now: datetime) -> None:
        """Adds a link."""
        ...

    async def get(self, token_digest: bytes) -> Link | None:
        """Returns a link by the digest of its token."""
        ...
