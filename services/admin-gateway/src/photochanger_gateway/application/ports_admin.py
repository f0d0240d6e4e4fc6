"""What the admins' routes need of the other services. The adapters in `adapters/clients` keep these promises.

Every method raises `ServiceError` with the owning service's reason. `expected_version` is the one a change was made
on; 0: whatever it is now. `by` is the admin's name.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from photochanger_chassis.deadline import Deadline

from photochanger_gateway.application.audit import AuditEntry, Outcome
from photochanger_gateway.application.ports import Upload
from photochanger_gateway.domain.configuration import Limits, PlatformSettings, ProviderKey, SettingsEdit
from photochanger_gateway.domain.jobs import Job, JobSource, JobState
from photochanger_gateway.domain.media import KindUsage, MediaKind, MediaObject
from photochanger_gateway.domain.providers import Provider
from photochanger_gateway.domain.slots import JobDetails, Slot, SlotActivity, SlotEdit, SlotVersion
from photochanger_gateway.domain.statistics import Series, Statistics

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list: at most `size` items, from where `cursor` (of a former page; empty: the start) says."""

    size: int
    cursor: str = ""


@dataclass(frozen=True, slots=True)
class Page(Generic[_Item]):
    """Items of a list. `next_cursor` is empty where there are no more."""

    items: tuple[_Item, ...]
    next_cursor: str


class Slots(Protocol):
    """The slots and their templates."""

    async def get(self, slot_id: str) -> Slot:
        """Returns a slot."""
        ...

    async def list(self) -> tuple[Slot, ...]:
        """Returns all slots by id."""
        ...

    async def activity(self) -> Mapping[str, SlotActivity]:
        """Returns what goes on in every slot, by id."""
        ...

    async def update(self, slot_id: str, edit: SlotEdit, *, expected_version: int, by: str) -> Slot:
        """Changes a slot and returns it."""
        ...

    async def versions(self, slot_id: str, page: PageRequest) -> Page[SlotVersion]:
        """Returns a slot's versions, newest first."""
        ...

    async def restore(self, slot_id: str, version: int, *, expected_version: int, by: str) -> Slot:
        """Makes an older version's values the slot's again."""
        ...

    async def delete_template(self, media_object_id: str) -> None:
        """Deletes a template that no slot uses. Deleting twice is no error."""
        ...


class Configuration(Protocol):
    """The platform's settings."""

    async def get(self) -> PlatformSettings:
        """Returns the settings."""
        ...

    async def update(
        self, edit: SettingsEdit, limits: Limits | None, *, expected_version: int, by: str
    ) -> PlatformSettings:
        """Changes settings. `limits` are all limits after the change, None where it names none."""
        ...


class Catalogue(Protocol):
    """The providers and their keys."""

    async def list(self) -> tuple[Provider, ...]:
        """Returns all providers by id."""
        ...

    async def keys(self) -> tuple[ProviderKey, ...]:
        """Tells which keys there are; never a key."""
        ...

    async def set_key(self, provider: str, key: str, *, by: str) -> None:
        """Stores or replaces a key."""
        ...

    async def delete_key(self, provider: str) -> None:
        """Takes a stored key away."""
        ...


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs; what is empty or None does not matter."""

    slot_id: str = ""
    states: tuple[JobState, ...] = ()
    source: JobSource | None = None


class Jobs(Protocol):
    """Jobs as admins look at them."""

    async def list(self, wanted: JobFilter, page: PageRequest) -> Page[Job]:
        """Returns jobs, newest first."""
        ...

    async def details(self, job_id: str) -> JobDetails:
        """Returns a job with what it was asked to do."""
        ...

    async def gallery(self, slot_id: str, page: PageRequest) -> tuple[str, Page[Job]]:
        """Returns the slot's name for people and its jobs with an unexpired picture, newest first."""
        ...

    async def shared_until(self) -> datetime | None:
        """Returns until when all galleries are open to guests; None: they are not."""
        ...


class Figures(Protocol):
    """How the cameras' jobs went."""

    async def window(self, window: timedelta, *, failures: int) -> Statistics:
        """Sums up the jobs that ended within a window before now, with that many recent failures."""
        ...

    async def series(self, window: timedelta, slot_id: str) -> Series:
        """Returns the same figures step by step, for one slot or (empty) all."""
        ...


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a clean-up removed."""

    expired: int
    orphans: int
    freed_bytes: int


class MediaLibrary(Protocol):
    """Pictures that are no job's result, and what all pictures take."""

    def upload(
        self, kind: MediaKind, *, slot_id: str, content_type: str, size_limit_bytes: int, deadline: Deadline
    ) -> AbstractAsyncContextManager[Upload]:
        """Opens an upload; leaving the block before `finish` aborts it, and nothing is kept."""
        ...

    async def describe(self, media_object_id: str) -> MediaObject:
        """Returns what is known of an object. Raises `MEDIA_NOT_FOUND`, `MEDIA_EXPIRED`."""
        ...

    async def usage(self) -> tuple[KindUsage, ...]:
        """Sums up the stored bytes."""
        ...


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """Which entries of the record; what is empty does not matter. `action` is how the action begins."""

    actor: str = ""
    action: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One entry of the record. `outcome` is None where nobody knows how it ended."""

    entry: AuditEntry
    outcome: Outcome | None
    refusal: str


class Records(Protocol):
    """The record of what admins did, to be read."""

    async def list(self, wanted: RecordFilter, page: PageRequest) -> Page[Recorded]:
        """Returns entries, newest first."""
        ...
