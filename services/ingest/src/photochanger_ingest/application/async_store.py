"""What the use cases of asynchronous jobs need of the database, beside `Store`."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from photochanger_ingest.application.store import Assignment, Page, Work
from photochanger_ingest.domain.ids import ClientId, JobId
from photochanger_ingest.domain.job import Job, JobState


@dataclass(frozen=True, slots=True)
class ClientKey:
    """An idempotency key a client chose, what it stood for, and which job it became."""

    client_id: ClientId
    key: str
    payload_digest: str
    job_id: JobId
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Submission:
    """A job as its client ordered it."""

    job: Job
    assignment: Assignment
    priority: int
    webhook_url: str | None


@dataclass(frozen=True, slots=True)
class AsyncJobQuery:
    """Which jobs to list, newest first; `before` is the position behind which to go on."""

    client_id: ClientId | None
    states: frozenset[JobState]
    limit: int
    before: int | None


class ClientJobs(Protocol):
    """Asynchronous jobs inside a transaction."""

    async def opened(self, job_id: JobId) -> Job | None:
        """Returns the job with this id, None if there is none; nobody else opens it until the transaction ends."""
        ...

    async def use_key(self, client_id: ClientId, key: str, now: datetime) -> ClientKey | None:
        """Returns a key, unless it has run out, and keeps others from using it until the transaction ends."""
        ...

    async def add_key(self, key: ClientKey) -> None:
        """Stores a key, in place of one that has run out."""
        ...

    async def to_hand_over(self, job_id: JobId) -> Submission | None:
        """Returns a job that has yet to be handed over, which nobody else can change until the transaction ends.

        None: it has been, it has ended, or somebody else is at it.
        """
        ...

    async def handed_over(self, job_id: JobId, at: datetime) -> None:
        """Notes that the providers service has the job."""
        ...

    async def heard(self, job_id: JobId, at: datetime) -> None:
        """Notes that something was heard of the job."""
        ...

    async def lost(self, job_id: JobId) -> None:
        """Notes that the providers service does not have the job any more: it is handed over anew, and its attempts
        are counted anew.
        """
        ...

    async def to_be_stopped(self, job_id: JobId) -> None:
        """Notes that the providers service is to stop the job, should it have it."""
        ...


class AsyncWork(Work, Protocol):
    """One transaction."""

    @property
    def client_jobs(self) -> ClientJobs:
        """Its asynchronous jobs."""
        ...


class AsyncStore(Protocol):
    """The database. Every method raises `Unavailable` while it cannot be reached."""

    def async_work(self) -> AbstractAsyncContextManager[AsyncWork]:
        """Opens a transaction."""
        ...

    async def submission(self, job_id: JobId) -> Submission | None:
        """Returns an asynchronous job as it was ordered."""
        ...

    async def list(self, query: AsyncJobQuery) -> Page[Job]:
        """Returns asynchronous jobs, newest first."""
        ...

    async def not_handed_over(self, *, since: datetime, limit: int) -> Sequence[JobId]:
        """Returns jobs that have waited to be handed over since an instant, oldest first."""
        ...

    async def silent(self, *, since: datetime, now: datetime, limit: int) -> Sequence[JobId]:
        """Returns unfinished jobs nothing was heard of since an instant, and counts them as heard of."""
        ...

    async def not_stopped(self, *, limit: int) -> Sequence[JobId]:
        """Returns jobs that have ended while the providers service has yet to be told, oldest first."""
        ...

    async def stopped(self, job_id: JobId) -> None:
        """Notes that the providers service was told."""
        ...
