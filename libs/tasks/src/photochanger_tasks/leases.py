"""Heartbeats of a worker: it keeps what it has, and learns what it no longer has or shall stop."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import Unavailable
from photochanger_chassis.postgres.notify import Notifications
from photochanger_chassis.postgres.pool import Pool, connection, transaction

from photochanger_tasks.execution import Execution, Stop
from photochanger_tasks.lane import Lane
from photochanger_tasks.model import State
from photochanger_tasks.postgres import claims, reads
from photochanger_tasks.postgres.changes import AttemptEnd
from photochanger_tasks.postgres.claims import Held
from photochanger_tasks.postgres.reads import WorkerSeen
from photochanger_tasks.tasks import Tasks

CANCEL_CHANNEL: Final = "task_cancel"
"""The channel of PostgreSQL that the process's `Notifications` must listen to."""

_log = structlog.stdlib.get_logger(__name__)
_LOOK_AGAIN: Final = timedelta(seconds=5)


class Leases:
    """Renews the leases and tickets of a worker's attempts."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        *,
        pool: Pool,
        tasks: Tasks,
        clock: Clock,
        owner: str,
        lease: timedelta,
        seen: Callable[[datetime], WorkerSeen],
    ) -> None:
        """`seen` tells what the worker says of itself with each heartbeat."""
        self._lanes = lanes
        self._pool = pool
        self._tasks = tasks
        self._clock = clock
        self._owner = owner
        self._lease = lease
        self._seen = seen

    async def run(self) -> None:
        """Renews, three times in a lease's length, until cancelled."""
        cut_off = False
        while True:
            try:
                await self.renew()
                cut_off = False
            except Unavailable as error:
                if not cut_off:
                    _log.warning("tasks.leases_not_renewed", reason=error.reason)
                cut_off = True
            await asyncio.sleep(self._lease.total_seconds() / (15 if cut_off else 3))

    async def obey(self, notifications: Notifications) -> None:
        """Renews at once when somebody cancels a task, until cancelled."""
        with notifications.subscribe(CANCEL_CHANNEL) as wanted:
            while True:
                if await wanted.wait(_LOOK_AGAIN) and self._running():
                    try:
                        await self.renew()
                    except Unavailable as error:
                        _log.info("tasks.leases_not_renewed", reason=error.reason)

    async def renew(self) -> None:
        """Renews leases and tickets, and stops attempts that are cancelled, overtaken or out of time.

        Raises:
            PostgresUnavailable: leases were not renewed.
        """
        running, claims_before = self._running(), self._claims()
        now = self._clock.now()
        async with connection(self._pool) as conn:
            held = {
                (each.id, each.attempt): each
                for each in await claims.renew(conn, owner=self._owner, lease_until=now + self._lease)
            }
            await reads.note_worker(conn, self._seen(now))
        for execution in running:
            found = held.get((execution.task.id, execution.task.attempt))
            if found is None:
                execution.stop(Stop.OVERTAKEN)
            elif found.cancel_requested:
                execution.stop(Stop.CANCELLED)
            execution.check_time()
        if claims_before == self._claims() and not any(lane.claiming for lane in self._lanes):
            known = {(each.task.id, each.task.attempt) for each in (*running, *self._running())}
            await self._put_back([each for key, each in held.items() if key not in known])
        for lane in self._lanes:
            for _, ticket in list(lane.running.values()):
                await ticket.keep()

    async def _put_back(self, orphans: list[Held]) -> None:
        """Gives back tasks that nobody here works on: the claim's or the end's transaction had an unknown outcome."""
        if not orphans:
            return
        _log.warning("tasks.orphans_put_back", number=len(orphans))
        now = self._clock.now()
        ends = [
            AttemptEnd(task_id=each.id, attempt=each.attempt, state=State.QUEUED, keep_until=now)
            for each in orphans
        ]
        async with transaction(self._pool) as conn:
            await self._tasks.transitions.end_attempts(conn, ends, owner=self._owner)

    def _claims(self) -> int:
        return sum(lane.claims for lane in self._lanes)

    def _running(self) -> list[Execution]:
        return [execution for lane in self._lanes for execution in lane.running]
