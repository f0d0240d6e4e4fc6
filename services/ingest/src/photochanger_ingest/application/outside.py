"""What use cases need of other services and of the process around them."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from photochanger_chassis.errors import ErrorKind, ServiceError

from photochanger_ingest.application.store import Assignment
from photochanger_ingest.domain.ids import JobId, MediaObjectId, OperationId, ProviderId
from photochanger_ingest.domain.job import Job, Outcome
from photochanger_ingest.domain.picture import MediaKind, Picture


class ProviderAtLimit(ServiceError):
    """The provider's parallel calls are at their limit; nothing was called. `retry_after` says when to ask."""

    kind, reason = ErrorKind.RESOURCE_EXHAUSTED, "PROVIDER_BUSY"


class Providers(Protocol):
    """The providers service."""

    async def process(
        self, job: Job, assignment: Assignment, *, deadline: datetime, give_up_at: datetime
    ) -> Outcome:
        """Runs a job through its provider, or joins the work under way. The job id is the key.

        `deadline` is the provider's, `give_up_at` ours.

        Raises:
            Unavailable: the service cannot be reached, or the connection was lost; repeating joins.
            ProviderAtLimit: there was no place; repeating asks again.
            DeadlinePassed: there was no answer until `give_up_at`.
        """
        ...

    async def cancel(self, job_id: JobId) -> None:
        """Stops the work on a job, where it still runs."""
        ...

    async def validate_settings(
        self, provider_id: ProviderId, operation_id: OperationId, settings_json: str, roles: tuple[str, ...]
    ) -> None:
        """Raises what the providers service says of settings that do not fit the operation's schema."""
        ...


class Media(Protocol):
    """The media service."""

    async def publish_input(
        self, media_object_id: MediaObjectId, *, retention: timedelta, within: timedelta
    ) -> Picture:
        """Makes a job's input its result: upright, without metadata. Repeating it returns the same."""
        ...

    async def describe(self, media_object_id: MediaObjectId) -> Picture | None:
        """Returns what is known of an object; None: there is no such object, or its retention is over."""
        ...

    async def kind_of(self, media_object_id: MediaObjectId) -> MediaKind | None:
        """Returns what an object is for; None: there is no such object, or its retention is over."""
        ...

    async def delete(self, media_object_id: MediaObjectId) -> None:
        """Deletes an object. Deleting twice is no error."""
        ...


class Wakeup(Protocol):
    """A wish to be woken."""

    async def wait(self, at_most: timedelta) -> bool:
        """Waits for the next wake-up and tells whether it came in time. It means "look again"."""
        ...

    def wake(self) -> None:
        """Wakes the waiter, now or when it next waits."""
        ...


class Wakeups(Protocol):
    """Tells of changes to jobs, on whichever replica they were made."""

    def subscribe(self, job_id: JobId) -> AbstractContextManager[Wakeup]:
        """Wakes at each change of a job. Subscribe first and look second, and no change is missed."""
        ...


class PasswordHasher(Protocol):
    """Hashes passwords. Blocking and slow on purpose: call it on a thread."""

    def hash(self, password: str) -> str:
        """Returns a salted hash in the PHC string format."""
        ...

    def verify(self, password_hash: str, password: str) -> bool:
        """Tells whether a password is the one that was hashed, in constant time."""
        ...

    @property
    def dummy_hash(self) -> str:
        """A hash that no password fits, as costly to verify as any."""
        ...
