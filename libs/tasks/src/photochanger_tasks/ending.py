"""Stores the ends of a worker's attempts, many in one transaction where nothing else depends on them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from photochanger_chassis.errors import Unavailable
from photochanger_chassis.postgres.pool import Pool, transaction

from photochanger_tasks.model import Task
from photochanger_tasks.postgres.changes import AttemptEnd
from photochanger_tasks.transitions import Transitions

_log = structlog.stdlib.get_logger(__name__)
_AGAIN_SECONDS: Final = 0.5
# Longer than a lease: by then a sweep has given the task to somebody else.
_TRIES: Final = 60


@dataclass(frozen=True, slots=True)
class _Waiting:
    end: AttemptEnd
    stored: asyncio.Future[Task | None]


class Endings:
    """Stores ends. While one transaction is under way, the next one gathers what comes."""

    def __init__(
        self, pool: Pool, transitions: Transitions, *, owner: str, stored: Callable[[], None]
    ) -> None:
        """`stored` is called after each commit, to have the relays woken."""
        self._pool = pool
        self._transitions = transitions
        self._owner = owner
        self._stored_some = stored
        self._waiting: list[_Waiting] = []
        self._storing: asyncio.Task[None] | None = None

    async def store(self, task: Task, end: AttemptEnd) -> Task | None:
        """Stores an end with all that follows from it. Returns the task since then, None if it was overtaken.

        Goes on trying through an outage of the database for half a minute.

        Raises:
            PostgresUnavailable: it could not be stored; when the lease lapses, somebody else tries the task.
            Exception: whatever a hook of the kind raised; nothing is stored then.
        """
        if not self._transitions.is_simple(task):
            parents = [] if task.parent_id is None else [task.parent_id]
            return next(iter(await self._stored([end], parents)), None)
        waiting = _Waiting(end, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._storing is None or self._storing.done():
            self._storing = asyncio.create_task(self._store_all(), name="task-endings")
        return await waiting.stored

    async def _store_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                stored = {task.id: task for task in await self._stored([each.end for each in group], [])}
            except BaseException as error:
                for each in group:
                    if not each.stored.done():
                        each.stored.set_exception(error) if isinstance(
                            error, Exception
                        ) else each.stored.cancel()
                if not isinstance(error, Exception):
                    raise
                continue
            for each in group:
                if not each.stored.done():
                    each.stored.set_result(stored.get(each.end.task_id))

    async def _stored(self, ends: Sequence[AttemptEnd], parents: Sequence[str]) -> list[Task]:
        for attempt in range(_TRIES):
            try:
                async with transaction(self._pool) as conn:
                    ended = await self._transitions.end_attempts(
                        conn, ends, owner=self._owner, parents=parents, wake=False
                    )
            except Unavailable as error:
                # If it was stored after all, the next try finds the attempts ended and changes nothing.
                if attempt == 0:
                    _log.warning("tasks.end_not_stored", reason=error.reason, number=len(ends))
                if attempt == _TRIES - 1:
                    raise
            else:
                self._stored_some()
                return ended
            await asyncio.sleep(_AGAIN_SECONDS)
        raise AssertionError("unreachable")
