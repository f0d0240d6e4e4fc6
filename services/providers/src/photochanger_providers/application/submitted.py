"""Photos that are handed over to workers: submitted, looked at, cancelled."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import FieldViolation, InvalidArgument
from photochanger_tasks import State, Task

from photochanger_providers.application.run_photo import Providers
from photochanger_providers.domain.catalogue import ProviderId
from photochanger_providers.domain.errors import OperationNotFound, ProcessingNotFound, ProviderNotFound
from photochanger_providers.domain.order import Effort, JobId, Order

_LONGEST: Final = timedelta(hours=24)
_CLOCKS_DIFFER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a queued task stands. `ahead` tasks start before it, `running` ones of its queue are under way.

    `parallel` is how many run at once with the workers that are alive, `mean_work` how long one took lately;
    None where there is none to reckon by.
    """

    ahead: int
    running: int
    parallel: int
    mean_work: timedelta | None


@dataclass(frozen=True, slots=True)
class Processing:
    """Submitted work: its task, its place in the queue (from 1), and when it will probably start.

    `effort` is what was done for a photo that ended without a picture.
    """

    job_id: JobId
    task: Task
    queue_position: int | None = None
    expected_start_at: datetime | None = None
    effort: Effort | None = None


class PhotoTaskStore(Protocol):
    """Submitted work. Every method is one transaction, and raises `Unavailable` without a database."""

    async def submit(
        self, order: Order, request: bytes, *, client_id: str, priority: int | None
    ) -> tuple[Task, bool]:
        """Stores the work, unless the job has some; returns its task and whether it is new."""
        ...

    async def find(self, job_id: JobId) -> Task | None:
        """Returns the job's task, if there is one."""
        ...

    async def effort(self, job_id: JobId) -> Effort:
        """Returns what the last attempt that failed had done."""
        ...

    async def turn(self, task: Task) -> Turn:
        """Tells where a queued task stands."""
        ...

    async def cancel(self, job_id: JobId) -> bool | None:
        """Cancels the job's task. False: it has ended; None: there is none."""
        ...


class SubmittedProcessing:
    """What callers can do with work that they do not wait for."""

    def __init__(self, *, store: PhotoTaskStore, providers: Providers, clock: Clock) -> None:
        self._store = store
        self._providers = providers
        self._clock = clock

    async def submit(
        self, order: Order, request: bytes, *, client_id: str, priority: int | None
    ) -> tuple[Processing, bool]:
        """Hands a photo over to the workers. `request` is the order as workers read it again.

        Returns where it is, and whether it is new: a job that was submitted before keeps what it has.

        Raises:
            ProviderNotFound, OperationNotFound: there is no such thing.
            InvalidArgument: the deadline is too far ahead.
        """
        provider = self._providers.get(ProviderId(order.provider_id))
        if provider is None:
            raise ProviderNotFound(order.provider_id)
        if provider.info.operation(order.operation_id) is None:
            raise OperationNotFound(order.provider_id, order.operation_id)
        if order.deadline.remaining(self._clock.now()) > _LONGEST + _CLOCKS_DIFFER:
            raise InvalidArgument(
                "The deadline is more than 24 hours ahead.",
                field_violations=(FieldViolation("process.deadline", "must be at most 24 hours ahead"),),
            )
        task, created = await self._store.submit(order, request, client_id=client_id, priority=priority)
        return await self._described(order.job_id, task), created

    async def get(self, job_id: JobId) -> Processing:
        """Tells where submitted work is.

        Raises:
            ProcessingNotFound: there is none, or its time in the history is over.
        """
        task = await self._store.find(job_id)
        if task is None:
            raise ProcessingNotFound(job_id)
        return await self._described(job_id, task)

    async def cancel(self, job_id: JobId) -> bool | None:
        """Cancels submitted work. False: too late; None: the job has none."""
        return await self._store.cancel(job_id)

    async def _described(self, job_id: JobId, task: Task) -> Processing:
        if task.state is State.SCHEDULED:
            return Processing(job_id, task, expected_start_at=task.run_at)
        if task.state.finished and task.state is not State.DONE:
            return Processing(job_id, task, effort=await self._store.effort(job_id))
        if task.state is not State.QUEUED:
            return Processing(job_id, task)
        turn = await self._store.turn(task)
        return Processing(job_id, task, turn.ahead + 1, expected_start(turn, now=self._clock.now()))


def expected_start(turn: Turn, *, now: datetime) -> datetime | None:
    """Returns when a queued task will probably start; None where nothing is known to reckon by."""
    if turn.parallel < 1:
        return None
    before = turn.running + turn.ahead + 1 - turn.parallel
    if before <= 0:
        return now
    return None if turn.mean_work is None else now + turn.mean_work * (before / turn.parallel)
