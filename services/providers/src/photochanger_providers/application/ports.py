"""What the use cases need from the outside."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from photochanger_chassis.deadline import Deadline
from photochanger_imaging.formats import ImageFormat

from photochanger_providers.domain.breaker import Verdict
from photochanger_providers.domain.catalogue import ProviderId
from photochanger_providers.domain.order import JobId, Order, Outcome, StoredPicture
from photochanger_providers.domain.picture import Picture

Pause = Callable[[timedelta], Awaitable[None]]
"""Waits. `asyncio.sleep` in the service, nothing at all in most tests."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The job's work is ours to do."""


@dataclass(frozen=True, slots=True)
class HeldElsewhere:
    """Somebody does the job's work already."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The job's work is over."""

    outcome: Outcome


Claim = Claimed | HeldElsewhere | Ended


@dataclass(frozen=True, slots=True)
class Renewal:
    """Which jobs are still ours, and which of these somebody wants stopped."""

    held: frozenset[JobId]
    to_cancel: frozenset[JobId]


class WakeUp(Protocol):
    """A wish to look again when something may have changed."""

    async def wait(self, at_most: timedelta) -> bool:
        """Returns at the next wake-up since the last one (True), or after `at_most` (False)."""
        ...


class WakeUps(Protocol):
    """Wake-ups from other replicas. They may be late or lost: bound every wait, and look anyway."""

    def subscribe(self, channel: str, payload: str | None = None) -> AbstractContextManager[WakeUp]:
        """Watches a channel of `WAKE_…`. Subscribe first, look second."""
        ...


WAKE_FINISHED: Final = "process_finished"
"""A job's outcome is stored; the payload is the job's id."""
WAKE_PLACES: Final = "process_places"
"""A provider has a free place; the payload is the provider's id."""
WAKE_CANCEL: Final = "process_cancel"
"""Somebody wants a job stopped; the payload is the job's id."""


class CallStore(Protocol):
    """The rows of jobs being processed, one a job, shared by all replicas.

    Every method is one transaction, and raises `Unavailable` when the database cannot be reached.
    """

    async def claim(self, order: Order, *, owner: str, now: datetime, lease_until: datetime) -> Claim:
        """Makes the job's row and with it the work ours, unless there is one already."""
        ...

    async def enter(self, order: Order, *, owner: str, limit: int, now: datetime) -> bool:
        """Takes one of the provider's `limit` places over all replicas, if one is free for us."""
        ...

    async def leave(self, order: Order, *, owner: str) -> None:
        """Gives the place back and wakes those who wait for one."""
        ...

    async def renew(
        self, jobs: frozenset[JobId], *, owner: str, now: datetime, lease_until: datetime
    ) -> Renewal:
        """Prolongs the owner's hold on its jobs."""
        ...

    async def finish(self, job_id: JobId, outcome: Outcome, *, owner: str, now: datetime) -> bool:
        """Stores the outcome with its event and wakes those who wait for it. False: the job is not ours."""
        ...

    async def outcome(self, job_id: JobId) -> Outcome | None:
        """Returns the outcome, if there is one already."""
        ...

    async def request_cancel(self, job_id: JobId, *, now: datetime) -> bool:
        """Asks the owner to stop. False: there is nothing to stop."""
        ...

    async def end_lapsed(self, outcome: Outcome, *, now: datetime) -> int:
        """Ends all jobs whose owner has let its lease lapse; returns how many."""
        ...

    async def forget(self, *, finished_before: datetime) -> int:
        """Deletes old outcomes: nobody repeats a call after so long."""
        ...


class PlaceLender(Protocol):
    """Lends places of providers: how many calls to one may be under way over all replicas."""

    def hold(self, order: Order, limit: int) -> AbstractAsyncContextManager[None]:
        """Holds one of the provider's `limit` places while the block runs.

        Raises:
            ProviderBusy: there is none for this order.
        """
        ...


class TaskPlaceStore(Protocol):
    """Places of workers' tasks, counted together with those of calls."""

    async def take(
        self, order: Order, *, owner: str, limit: int, now: datetime, lease_until: datetime
    ) -> bool:
        """Takes a place if one is free and nobody waits for it."""
        ...

    async def give_back(self, order: Order, *, owner: str) -> None:
        """Frees the place and wakes those who wait for one."""
        ...

    async def renew(self, jobs: frozenset[JobId], *, owner: str, lease_until: datetime) -> None:
        """Prolongs the owner's hold on its places."""
        ...

    async def forget_lapsed(self, *, before: datetime) -> None:
        """Deletes what dead workers left; it has not counted since its lease lapsed."""
        ...


class BreakerStore(Protocol):
    """The circuit breakers, shared by all replicas."""

    async def peek(self, provider_id: ProviderId, model: str, *, now: datetime) -> timedelta | None:
        """Returns how long to stay away from the provider, or None when it may be called."""
        ...

    async def enter(self, provider_id: ProviderId, model: str, *, now: datetime) -> timedelta | None:
        """As `peek`, and when the answer is None for a breaker that was open, the caller is its one trial."""
        ...

    async def record(self, provider_id: ProviderId, model: str, verdict: Verdict, *, now: datetime) -> None:
        """Takes note of how a call ended."""
        ...

    async def reset(self, provider_id: ProviderId) -> None:
        """Closes all breakers of a provider, for example because its key is a new one."""
        ...

    async def any_open(self, provider_id: ProviderId, *, now: datetime) -> bool:
        """Tells whether any of the provider's breakers keeps callers away now."""
        ...


class Incoming(Protocol):
    """A media object's bytes on their way in."""

    @property
    def sha256(self) -> str:
        """The digest the bytes must have, 64 lower-case hex digits."""
        ...

    @property
    def orientation(self) -> int:
        """EXIF orientation of the bytes, 1 to 8."""
        ...

    @property
    def pixels(self) -> int:
        """Width times height."""
        ...

    @property
    def image_format(self) -> ImageFormat:
        """What kind of picture it is."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Yields the bytes once."""
        ...


class Media(Protocol):
    """The media service. Every method raises `StorageUnavailable`; what can pass carries `retry_after`."""

    def read(self, media_object_id: str, *, deadline: Deadline) -> AbstractAsyncContextManager[Incoming]:
        """Opens an object for reading."""
        ...

    async def store_result(self, picture: Picture, order: Order) -> StoredPicture:
        """Stores a job's result."""
        ...

    async def lend(self, picture: Picture, order: Order, *, until: Deadline) -> str:
        """Stores a temporary copy and returns a public URL of it that works until then.

        Raises:
            ProviderMisconfigured: the installation has no public base URL.
        """
        ...


class Measures(Protocol):
    """What is counted and timed."""

    def provider_call(self, provider_id: str, model: str, outcome: str, duration: timedelta) -> None:
        """Notes a call to a provider, whose outcome is `done` or a reason."""
        ...

    def repeat(self, provider_id: str, reason: str) -> None:
        """Notes that a call is repeated because of `reason`."""
        ...

    def finished(self, provider_id: str, outcome: str) -> None:
        """Notes the end of a job's processing."""
        ...

    def stage(self, provider_id: str, stage: str, duration: timedelta) -> None:
        """Notes how long a part of the work took."""
        ...

    def jobs_under_way(self, count: int) -> None:
        """Notes how many jobs this process works on."""
        ...
