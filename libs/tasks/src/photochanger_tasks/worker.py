"""A worker: runs the tasks of some queues, and drains when it is told to stop."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.concurrency import collapse_group
from photochanger_chassis.errors import Unavailable
from photochanger_chassis.lifecycle import cancel_until_done
from photochanger_chassis.nats.connection import NatsConnection
from photochanger_chassis.postgres import outbox
from photochanger_chassis.postgres.notify import Notifications
from photochanger_chassis.postgres.pool import Pool

from photochanger_tasks.execution import Execution, Stop
from photochanger_tasks.feeding import Feeder
from photochanger_tasks.guards import Guard, Limits
from photochanger_tasks.lane import Lane
from photochanger_tasks.leases import Leases
from photochanger_tasks.postgres.reads import WorkerSeen
from photochanger_tasks.running import Runner
from photochanger_tasks.tasks import Tasks

_log = structlog.stdlib.get_logger(__name__)
_TICK: Final = timedelta(seconds=1)
_WAKES_APART_SECONDS: Final = 0.01
_FEEDERS_SECONDS: Final = 8.0  # more than a request to NATS may take


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How a worker works.

    Args:
        slots: by queue, how many tasks it runs at once.
        lease: how long a claim counts without a renewal; it is renewed three times in that time.
        grace: how long tasks may go on after SIGTERM.
        limits: above these it takes nothing new.
    """

    slots: Mapping[str, int]
    lease: timedelta = timedelta(seconds=15)
    grace: timedelta = timedelta(seconds=60)
    limits: Limits = field(default_factory=Limits)


class Worker:
    """Runs the tasks of some queues, until told to stop."""

    def __init__(
        self,
        *,
        worker_id: str,
        pool: Pool,
        nats: NatsConnection,
        notifications: Notifications,
        tasks: Tasks,
        clock: Clock,
        options: WorkerOptions,
        guard: Guard | None = None,
    ) -> None:
        self.id: Final = worker_id
        self._pool = pool
        self._notifications = notifications
        self._metrics = tasks.metrics
        self._grace = options.grace
        self._guard = guard or Guard(options.limits)
        self._started_at = clock.now()
        self._committed = asyncio.Event()
        self._stopping = False
        self._lanes = [Lane.of(tasks.kinds, queue, slots) for queue, slots in options.slots.items()]
        self._runner = Runner(
            pool=pool, tasks=tasks, clock=clock, owner=worker_id, committed=self._committed.set
        )
        self._leases = Leases(
            self._lanes,
            pool=pool,
            tasks=tasks,
            clock=clock,
            owner=worker_id,
            lease=options.lease,
            seen=self._seen,
        )
        self._feeders = [
            Feeder(
                lane,
                pool=pool,
                nats=nats,
                tasks=tasks,
                clock=clock,
                guard=self._guard,
                owner=worker_id,
                lease=options.lease,
                start=self._runner.start,
                committed=self._committed.set,
            )
            for lane in self._lanes
        ]

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set, then finishes what it can within the grace and gives back the rest.

        Raises:
            QueueOwnedElsewhere: one of the queues is another service's.
        """
        try:
            with collapse_group():
                async with asyncio.TaskGroup() as group:
                    helpers = [
                        group.create_task(self._leases.run(), name="task-beats"),
                        group.create_task(self._ticks(), name="task-ticks"),
                        group.create_task(self._leases.obey(self._notifications), name="task-cancels"),
                        group.create_task(self._wakes(), name="task-wakes"),
                    ]
                    feeding = [
                        group.create_task(feeder.run(), name="task-feeder") for feeder in self._feeders
                    ]
                    await stop.wait()
                    await self._stop_feeding(feeding)
                    await self._drain()
                    await cancel_until_done(*helpers)
        finally:
            # Left in another way than by `stop`: leases and tickets lapse by themselves.
            await cancel_until_done(*(task for lane in self._lanes for task, _ in lane.running.values()))

    async def beat(self) -> None:
        """Renews leases and tickets, and stops attempts that are cancelled, overtaken or out of time.

        Raises:
            PostgresUnavailable: leases were not renewed.
        """
        await self._leases.renew()

    async def tick(self) -> None:
        """Stores progress, and looks whether the machine can take more.

        Raises:
            PostgresUnavailable: progress was not stored; it is the next time.
        """
        was_open = self._guard.open
        is_open = self._guard.check()
        self._metrics.guard_closed.set(not is_open)
        if is_open != was_open:
            for lane in self._lanes:
                lane.stirred.set()
        await self._runner.store_progress(self._running())

    async def _stop_feeding(self, feeding: Sequence[asyncio.Task[None]]) -> None:
        self._stopping = True
        for feeder in self._feeders:
            feeder.stop()
        # Not cancelled at once: it could be in the middle of a claim.
        _, left = await asyncio.wait(feeding, timeout=_FEEDERS_SECONDS)
        await cancel_until_done(*left)

    async def _drain(self) -> None:
        tasks = {task for lane in self._lanes for task, _ in lane.running.values()}
        if not tasks:
            return
        _log.info("tasks.draining", running=len(tasks))
        _, left = await asyncio.wait(tasks, timeout=self._grace.total_seconds())
        for execution in self._running():
            execution.stop(Stop.DRAINING)
        if left:
            await asyncio.wait(left)

    async def _ticks(self) -> None:
        while True:
            try:
                await self.tick()
            except Unavailable as error:
                _log.info("tasks.progress_not_stored", reason=error.reason)
            await asyncio.sleep(_TICK.total_seconds())

    async def _wakes(self) -> None:
        while True:
            await self._committed.wait()
            self._committed.clear()
            try:
                await outbox.wake_relays(self._pool)
            except Unavailable:
                continue  # a relay looks by itself, too
            await asyncio.sleep(_WAKES_APART_SECONDS)

    def _running(self) -> list[Execution]:
        return [execution for lane in self._lanes for execution in lane.running]

    def _seen(self, now: datetime) -> WorkerSeen:
        return WorkerSeen(
            id=self.id,
            queues=[lane.queue.name for lane in self._lanes],
            slots=sum(lane.slots for lane in self._lanes),
            running=len(self._running()),
            guard="draining" if self._stopping else self._guard.reason,
            started_at=self._started_at,
            seen_at=now,
        )
