"""Gets work for one queue of a worker: asks for tickets while slots are free, and claims a task for each."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog
from photochanger_chassis import crashpoints
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import Unavailable
from photochanger_chassis.nats.connection import NatsConnection
from photochanger_chassis.postgres.pool import Pool, connection, transaction

from photochanger_tasks import events
from photochanger_tasks.guards import Guard
from photochanger_tasks.lane import Lane
from photochanger_tasks.model import Task
from photochanger_tasks.nats.source import Ticket, TicketSource
from photochanger_tasks.postgres import claims
from photochanger_tasks.tasks import Tasks

_log = structlog.stdlib.get_logger(__name__)
_LOOK_AGAIN: Final = timedelta(seconds=5)
_PAUSE_SECONDS: Final = 1.0
_UNKNOWN_KIND_SECONDS: Final = 5.0


class Feeder:
    """Keeps the slots of a lane busy."""

    def __init__(
        self,
        lane: Lane,
        *,
        pool: Pool,
        nats: NatsConnection,
        tasks: Tasks,
        clock: Clock,
        guard: Guard,
        owner: str,
        lease: timedelta,
        start: Callable[[Lane, Task, Ticket], None],
        committed: Callable[[], None],
    ) -> None:
        """`start` runs a claimed task; `committed` is called after a claim that made events, to have them sent."""
        self._lane = lane
        self._source = TicketSource(
            nats,
            lane.queue,
            context=tasks.kinds.context,
            # A ticket outlives the lease of the task it was used for: a lost task is queued again by then.
            ack_wait=2 * lease,
            arrived=lane.stirred.set,
        )
        self._pool = pool
        self._tasks = tasks
        self._clock = clock
        self._guard = guard
        self._owner = owner
        self._lease = lease
        self._start = start
        self._committed = committed
        self._stopping = False

    def stop(self) -> None:
        """Takes nothing new; `run` returns when a claim under way is done."""
        self._stopping = True
        self._lane.stirred.set()

    async def run(self) -> None:
        """Works until `stop`.

        Raises:
            QueueOwnedElsewhere: the queue is another service's.
        """
        cut_off = False
        try:
            while not self._stopping:
                self._lane.stirred.clear()
                try:
                    await self._take()
                    cut_off = False
                except Unavailable as error:
                    if not cut_off:
                        reason = str(error.__cause__ or error)
                        _log.warning("tasks.cut_off", queue=self._lane.queue.name, error=reason)
                    cut_off = True
                    await asyncio.sleep(_PAUSE_SECONDS)
                    continue
                # The limit is for what nobody tells: a lost pull, a reconnect.
                await _wait(self._lane.stirred, _LOOK_AGAIN)
        finally:
            await self._source.close()

    async def _take(self) -> None:
        while room := self._room():
            await self._source.want(room)
            tickets = self._source.take(room)
            if not tickets:
                return
            await self._claim(tickets)
        if not self._guard.open:
            await self._source.close()

    def _room(self) -> int:
        """How many tasks may be taken now."""
        if self._guard.open:
            return self._lane.free
        # Busy CPUs make work slow, not impossible: a machine that others keep busy gets one task after the other done.
        return 1 if self._guard.only_busy and not self._lane.running else 0

    async def _claim(self, tickets: list[Ticket]) -> None:
        known = [ticket for ticket in tickets if ticket.kind in self._lane.kinds]
        claimed: list[Task] = []
        given = False
        try:
            if known:
                claimed = await self._claimed(len(known))
                crashpoints.reach("tasks.after_claim")
            for task, ticket in zip(claimed, known, strict=False):
                self._start(self._lane, task, ticket)
            given = True
        finally:
            if not given:
                for ticket in known:
                    await ticket.give_back(delay_seconds=_PAUSE_SECONDS)
            for ticket in tickets:
                if ticket not in known:
                    # For a kind that only a newer version has.
                    await ticket.give_back(delay_seconds=_UNKNOWN_KIND_SECONDS)
        for ticket in known[len(claimed) :]:
            await ticket.done()

    async def _claimed(self, number: int) -> list[Task]:
        lane, now = self._lane, self._clock.now()
        lane.claims += 1
        lane.claiming += 1
        try:
            # Without events the claim is one statement and needs no transaction around it.
            async with (transaction if lane.announced else connection)(self._pool) as conn:
                claimed = await claims.claim(
                    conn,
                    queue=lane.queue.name,
                    kinds=lane.kinds,
                    number=number,
                    owner=self._owner,
                    now=now,
                    lease_until=now + self._lease,
                )
                await self._tasks.transitions.announce(
                    conn, events.STARTED, claimed, by=self._owner, wake=False
                )
        finally:
            lane.claiming -= 1
        if lane.announced:
            self._committed()
        self._tasks.metrics.started(claimed, now)
        return claimed


async def _wait(event: asyncio.Event, at_most: timedelta) -> None:
    try:
        async with asyncio.timeout(at_most.total_seconds()):
            await event.wait()
    except TimeoutError:
        return
