"""What use cases need of the database.

`Store.work` is one transaction: committed when its block is left, rolled back by an error. Repositories never
commit. Reads beside it are one round trip each.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Generic, Protocol, TypeVar

from photochanger_ingest.domain.admission import Load, Place
from photochanger_ingest.domain.ids import JobId, MediaObjectId, ProviderId, SlotId
from photochanger_ingest.domain.job import Job, JobSource, JobState
from photochanger_ingest.domain.settings import Settings
from photochanger_ingest.domain.slot import Plan, Slot
from photochanger_ingest.domain.slot_version import SlotVersion

Item = TypeVar("Item")

USUAL_PRIORITY: Final = 5


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a job needs beside itself to be run."""

    plan: Plan
    form_fields: Mapping[str, str]
    result_retention: timedelta


@dataclass(frozen=True, slots=True)
class JobDetails:
    """A job and what it was asked to do. `sha256` and `size_bytes` are of the photo as it was received.

    The slot's name is empty where there is no slot.
    """

    job: Job
    slot_display_name: str
    plan: Plan
    form_fields: Mapping[str, str]
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key a client chose, what it stood for, and which job it became."""

    slot_id: SlotId
    key: str
    payload_digest: str
    job_id: JobId
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be stored. `dedupe_key` is None when the job answers no duplicates.

    `priority`, 0 urgent to 9, and `webhook_url`, whom to tell of the end, are of asynchronous jobs.
    """

    job: Job
    assignment: Assignment
    sha256: str
    size_bytes: int
    dedupe_key: str | None
    priority: int = USUAL_PRIORITY
    webhook_url: str | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """What an admission has to know, read while nobody else is admitted."""

    existing: Job | None
    used_key: IdempotencyKey | None
    duplicate_of: JobId | None
    load: Load


@dataclass(frozen=True, slots=True)
class Claim:
    """A job, and whether this driver holds it now."""

    job: Job
    held: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """A slot, the settings that hold for it, and what is in it."""

    slot: Slot
    settings: Settings
    load: Load


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs to list, newest first; `before` is the position behind which to go on."""

    slot_id: SlotId | None
    states: frozenset[JobState]
    source: JobSource | None
    limit: int
    before: int | None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some of a list. `next` is the position behind which to go on, None at the end."""

    items: tuple[Item, ...]
    next: int | None


class JobRepository(Protocol):
    """Jobs inside a transaction."""

    async def lock(self, job_id: JobId) -> Job | None:
        """Returns a job that nobody else can change until the transaction ends."""
        ...

    async def add(self, new: NewJob) -> None:
        """Stores a job."""
        ...

    async def save(self, job: Job) -> None:
        """Stores a job's state, and frees its dedupe key unless it still answers duplicates."""
        ...

    async def claim(self, job_id: JobId, *, driver: str, now: datetime, until: datetime) -> Claim | None:
        """Takes an unfinished job for `driver` unless another driver's hold has not run out."""
        ...


class Admissions(Protocol):
    """Places and keys inside a transaction."""

    async def lock(self) -> None:
        """Keeps everybody else from admitting and starting jobs until the transaction ends."""
        ...

    async def situation(
        self,
        job_id: JobId,
        slot: Slot,
        *,
        idempotency_key: str,
        dedupe_key: str | None,
        now: datetime,
    ) -> Situation:
        """Reads what an admission has to know, and lets go of keys that have run out."""
        ...

    async def add_key(self, key: IdempotencyKey) -> None:
        """Stores a key, in place of one that has run out."""
        ...

    async def places(self, now: datetime) -> Sequence[Place]:
        """Returns every unfinished sync job, in order of admission; the others take no place."""
        ...


class SlotRepository(Protocol):
    """Slots and settings inside a transaction."""

    async def with_settings(self, slot_id: SlotId) -> tuple[Slot, Settings] | None:
        """Returns a slot and the settings as they are now."""
        ...

    async def lock_slot(self, slot_id: SlotId) -> Slot | None:
        """Returns a slot that nobody else can change until the transaction ends."""
        ...

    async def save_slot(self, slot: Slot) -> None:
        """Stores a slot with its templates."""
        ...

    async def add_version(self, version: SlotVersion) -> None:
        """Stores what a slot has become."""
        ...

    async def lock_templates(self) -> None:
        """Keeps everybody else from binding and deleting templates until the transaction ends."""
        ...

    async def slots_with_template(self, media_object_id: MediaObjectId) -> Sequence[SlotId]:
        """Returns the slots that use a template now, by id."""
        ...

    async def lock_settings(self) -> Settings:
        """Returns the settings, which nobody else can change until the transaction ends."""
        ...

    async def save_settings(self, settings: Settings) -> None:
        """Stores the settings."""
        ...


class JobEvents(Protocol):
    """What other services, and other replicas, are told once the transaction commits."""

    async def created(self, job: Job) -> None:
        """A job has been admitted."""
        ...

    async def started(self, job: Job) -> None:
        """A job's turn with the provider has begun."""
        ...

    async def progressed(self, job: Job, *, at: datetime) -> None:
        """An asynchronous job has come further, has been begun anew, or waits again."""
        ...

    async def finished(self, job: Job) -> None:
        """A job has reached its final state: also its client is told, if it came with a webhook URL."""
        ...

    async def result_kept(self, job: Job) -> None:
        """A picture came after a job's final state, and is kept."""
        ...

    async def changed(self, job: Job) -> None:
        """Wakes those who wait for a job, on every replica, and tells nobody else."""
        ...


class ConfigurationEvents(Protocol):
    """What others are told of changed slots and settings once the transaction commits."""

    async def slot_changed(self, slot: Slot) -> None:
        """An admin has changed a slot."""
        ...

    async def settings_changed(self, settings: Settings, *, at: datetime) -> None:
        """An admin has changed the platform's settings."""
        ...


class Work(Protocol):
    """One transaction."""

    @property
    def jobs(self) -> JobRepository:
        """Its jobs."""
        ...

    @property
    def admissions(self) -> Admissions:
        """Its places and keys."""
        ...

    @property
    def slots(self) -> SlotRepository:
        """Its slots and settings."""
        ...

    @property
    def events(self) -> JobEvents:
        """Its events."""
        ...

    @property
    def configuration_events(self) -> ConfigurationEvents:
        """Its events of slots and settings."""
        ...


class Store(Protocol):
    """The database. Every method raises `Unavailable` while it cannot be reached."""

    def work(self) -> AbstractAsyncContextManager[Work]:
        """Opens a transaction."""
        ...

    async def opening(self, slot_id: SlotId, now: datetime) -> Opening | None:
        """Returns a slot, its settings and its load."""
        ...

    async def slot(self, slot_id: SlotId) -> tuple[Slot, Settings] | None:
        """Returns a slot and the settings."""
        ...

    async def slots(self) -> Sequence[Slot]:
        """Returns all slots by id."""
        ...

    async def settings(self) -> Settings:
        """Returns the settings."""
        ...

    async def job(self, job_id: JobId) -> Job | None:
        """Returns a job."""
        ...

    async def assignment(self, job_id: JobId) -> Assignment | None:
        """Returns what a job needs to be run."""
        ...

    async def job_details(self, job_id: JobId) -> JobDetails | None:
        """Returns a job with what it was asked to do."""
        ...

    async def list_jobs(self, query: JobQuery) -> Page[Job]:
        """Returns jobs, newest first."""
        ...

    async def gallery(self, slot_id: SlotId, *, now: datetime, limit: int, before: int | None) -> Page[Job]:
        """Returns a slot's sync jobs with an unexpired picture, newest first; clients' pictures are theirs alone."""
        ...

    async def renew(self, job_ids: Sequence[JobId], *, driver: str, until: datetime) -> None:
        """Prolongs a driver's hold on the unfinished among these jobs."""
        ...

    async def release(self, job_id: JobId, *, driver: str) -> None:
        """Ends a driver's hold on a job."""
        ...

    async def overdue(self, *, deadline_before: datetime, limit: int) -> Sequence[JobId]:
        """Returns unfinished jobs whose deadline lies before an instant, oldest first."""
        ...

    async def abandoned(self, *, since: datetime, limit: int) -> Sequence[JobId]:
        """Returns waiting sync jobs that nobody has driven since an instant, oldest first."""
        ...

    async def any_waiting(self) -> bool:
        """Tells whether a sync job waits for a place."""
        ...

    async def unfinished(self) -> Mapping[tuple[ProviderId, JobState], int]:
        """Returns how many sync jobs are unfinished, by provider and state."""
        ...

    async def prune(self, *, now: datetime, keep_jobs_since: datetime, limit: int) -> int:
        """Removes what has run out: keys, form fields, old jobs; at most `limit` of each. Returns how many."""
        ...
