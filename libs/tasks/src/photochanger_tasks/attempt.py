"""What a handler sees of its task."""

from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar

from google.protobuf.message import Message
from photochanger_chassis.deadline import Deadline

from photochanger_tasks.model import Task

P = TypeVar("P", bound=Message)
M = TypeVar("M", bound=Message)


class AttemptChannel(Protocol):
    """How an attempt speaks to the engine."""

    def progress(self, percent: int, stage: str) -> None:
        """Notes how far it is; stored once a second."""

    async def status(self, status: str) -> None:
        """Stores the finer state at once. Raises `AttemptOvertaken`."""

    async def results(self, step: int) -> list[bytes]:
        """Reads the results of another step of the pipeline, in order of submission."""


class Attempt(Generic[P]):
    """One numbered try at a task.

    It is cancelled, as any asyncio task is, when somebody cancels the task, its time is up, or its word no
    longer counts; a handler cleans up in `finally`, tells its provider, and lets the cancellation pass.
    """

    def __init__(self, task: Task, payload: P, *, stop_at: datetime, channel: AttemptChannel) -> None:
        self.payload: Final[P] = payload
        self.task_id: Final = task.id
        self.number: Final = task.attempt
        self.failures: Final = task.failures
        self.tenant: Final = task.tenant
        self.parent_id: Final = task.parent_id
        self.step: Final = task.step
        self.deadline: Final = Deadline(stop_at)
        """When this attempt is stopped: the task's deadline or the end of the kind's timeout."""
        self._channel = channel

    async def progress(self, percent: int, stage: str = "") -> None:
        """Says how far it is, 0 to 100, and what it is at. As often as you like: it is stored once a second."""
        self._channel.progress(min(max(percent, 0), 100), stage)

    async def status(self, status: str) -> None:
        """Says a finer state that the kind defines, lower_snake, e.g. `waiting_for_provider`.

        Raises:
            AttemptOvertaken: the attempt's word no longer counts; let it pass.
            Unavailable: it could not be stored.
        """
        await self._channel.status(status)

    async def results(self, step: int, message: type[M]) -> list[M]:
        """Returns what the done tasks of an earlier step of this pipeline returned, in order of submission."""
        return [message.FromString(data) for data in await self._channel.results(step)]
