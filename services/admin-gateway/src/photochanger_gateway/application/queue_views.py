"""The queues of all services in one view: each service has an engine of its own, with queues nobody else has."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from photochanger_chassis.errors import ErrorKind, ServiceError

from photochanger_gateway.application.ports_admin import Page, PageRequest
from photochanger_gateway.application.ports_clients import Queues
from photochanger_gateway.application.side_by_side import first_refusal
from photochanger_gateway.domain.queues import Queue, Task, Worker
from photochanger_gateway.domain.refusals import QueueNotFound, TaskNotFound

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class AllQueues:
    """All queues by name, and all workers alive, the oldest first."""

    queues: tuple[Queue, ...]
    workers: tuple[Worker, ...]


class QueueViews:
    """Reads the queues of several services, and finds whose a dead task is."""

    def __init__(self, owners: tuple[Queues, ...]) -> None:
        self._owners = owners

    async def all(self) -> AllQueues:
        """Everything there is."""
        with first_refusal():
            async with asyncio.TaskGroup() as tasks:
                queues = [tasks.create_task(_all_of(owner.list)) for owner in self._owners]
                workers = [tasks.create_task(_all_of(owner.workers)) for owner in self._owners]
        return AllQueues(
            tuple(sorted((item for task in queues for item in task.result()), key=lambda item: item.name)),
            tuple(
                sorted((item for task in workers for item in task.result()), key=lambda item: item.started_at)
            ),
        )

    async def dead(self, queue: str, page: PageRequest) -> Page[Task]:
        """A queue's dead tasks, the latest first. Raises `QueueNotFound`."""
        for owner in self._owners:
            if any(item.name == queue for item in await _all_of(owner.list)):
                return await owner.dead(queue, page)
        raise QueueNotFound

    async def requeue(self, task_id: str, *, by: str) -> Task:
        """Gives a dead task all its attempts anew. Raises `TaskNotFound`, and what its service refuses."""
        return await self._of_its_owner(lambda owner: owner.requeue(task_id, by=by))

    async def drop(self, task_id: str, *, by: str) -> Task:
        """Gives a dead task up for good. Raises `TaskNotFound`, and what its service refuses."""
        return await self._of_its_owner(lambda owner: owner.drop(task_id, by=by))

    async def _of_its_owner(self, change: Callable[[Queues], Awaitable[Task]]) -> Task:
        for owner in self._owners:
            try:
                return await change(owner)
            except ServiceError as error:
                if error.reason != "TASK_NOT_FOUND" and error.kind is not ErrorKind.UNIMPLEMENTED:
                    raise
        raise TaskNotFound


async def _all_of(read: Callable[[], Awaitable[tuple[_Item, ...]]]) -> tuple[_Item, ...]:
    """What a service has; nothing where it is older than its engine."""
    try:
        return await read()
    except ServiceError as error:
        if error.kind is ErrorKind.UNIMPLEMENTED:
            return ()
        raise
