"""A worker: takes tickets while it has free slots, claims tasks, runs their handlers, stores their ends."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from photochanger_chassis import crashpoints
from photochanger_chassis.clock import Clock
from photochanger_chassis.concurrency import collapse_group
from photochanger_chassis.errors import Unavailable
from photochanger_chassis.lifecycle import cancel_until_done
from photochanger_chassis.nats.connection import NatsConnection
from photochanger_chassis.postgres import outbox
from photochanger_chassis.postgres.notify import Notifications
from photochanger_chassis.postgres.pool import Pool, connection, transaction

from photochanger_tasks import events
from photochanger_tasks.ending import Endings
from photochanger_tasks.errors import AttemptOvertaken
from photochanger_tasks.execution import Execution, Stop
from photochanger_tasks.guards import Guard, Limits
from photochanger_tasks.model import Reason, State, Task
from photochanger_tasks.nats.source import Ticket, TicketSource
from photochanger_tasks.postgres import claims, reads
from photochanger_tasks.postgres.changes import AttemptEnd
from photochanger_tasks.postgres.claims import Held, Progress
from photochanger_tasks.postgres.reads import WorkerSeen
from photochanger_tasks.tasks import Tasks

CANCEL_CHANNEL: Final = "task_cancel"
"""The channel of PostgreSQL that the process's `Notifications` must listen to."""

_log = structlog.stdlib.get_logger(__name__)
_LOOK_AGAIN: Final = timedelta(seconds=5)
_TICK: Final = timedelta(seconds=1)
_PAUSE_SECONDS: Final = 1.0
_UNKNOWN_KIND_SECONDS: Final = 5.0
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


@dataclass(slots=True)
class _Lane:
    """One queue in this process."""

    queue: str
    slots: int
    kinds: list[str]
    announced: bool
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    running: dict[Execution, tuple[asyncio.Task[None], Ticket]] = field(default_factory=dict)

    @property
    def free(self) -> int:
        return self.slots - len(self.running)


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
        self._nats = nats
        self._notifications = notifications
        self._tasks = tasks
        self._clock = clock
        self._options = options
        self._guard = guard or Guard(options.limits)
        self._started_at: datetime = clock.now()
        self._committed = asyncio.Event()
        self._endings = Endings(pool, tasks.transitions, owner=worker_id, stored=self._committed.set)
        self._stopping = False
        self._claims = 0
        self._claiming = 0
        self._lanes = [self._lane(queue, slots) for queue, slots in options.slots.items()]

    async def run(self, stop: asyncio.Event) -> None:
        """Works until `stop` is set, then finishes what it can within the grace and gives back the rest.

        Raises:
            QueueOwnedElsewhere: one of the queues is another service's.
        """
        try:
            with collapse_group():
                async with asyncio.TaskGroup() as group:
                    helpers = [
                        group.create_task(self._beats(), name="task-beats"),
                        group.create_task(self._ticks(), name="task-ticks"),
                        group.create_task(self._cancels(), name="task-cancels"),
                        group.create_task(self._wakes(), name="task-wakes"),
                    ]
                    feeders = [group.create_task(self._feed(lane), name=lane.queue) for lane in self._lanes]
                    await stop.wait()
                    await self._stop_feeding(feeders)
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
        running, claims_before = self._running(), self._claims
        now = self._clock.now()
        async with connection(self._pool) as conn:
            held = {
                (each.id, each.attempt): each
                for each in await claims.renew(conn, owner=self.id, lease_until=now + self._options.lease)
            }
            await reads.note_worker(conn, self._seen(now))
        for execution in running:
            found = held.get((execution.task.id, execution.task.attempt))
            if found is None:
                execution.stop(Stop.OVERTAKEN)
            elif found.cancel_requested:
                execution.stop(Stop.CANCELLED)
            execution.check_time()
        if claims_before == self._claims and not self._claiming:
            known = {(each.task.id, each.task.attempt) for each in (*running, *self._running())}
            await self._put_back([each for key, each in held.items() if key not in known])
        for lane in self._lanes:
            for _, ticket in list(lane.running.values()):
                await ticket.keep()

    async def tick(self) -> None:
        """Stores progress, and looks whether the machine can take more.

        Raises:
            PostgresUnavailable: progress was not stored; it is the next time.
        """
        was_open = self._guard.open
        is_open = self._guard.check()
        self._tasks.metrics.guard_closed.set(not is_open)
        if is_open != was_open:
            for lane in self._lanes:
                lane.stirred.set()
        noted = [(execution, execution.note) for execution in self._running() if execution.note is not None]
        if not noted:
            return
        notes = [Progress(each.task.id, each.task.attempt, *note) for each, note in noted]
        async with transaction(self._pool) as conn:
            changed = await claims.note_progress(conn, notes, owner=self.id)
            await self._tasks.transitions.announce(conn, events.PROGRESSED, changed, by=self.id)
        for execution, note in noted:
            if execution.note == note:
                execution.note = None

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
            await self._tasks.transitions.end_attempts(conn, ends, owner=self.id)

    def _lane(self, queue: str, slots: int) -> _Lane:
        kinds = self._tasks.kinds.handled_in(queue)
        if not kinds or slots < 1:
            raise ValueError(f"A worker for {queue!r} needs slots, and a kind with a handler in that queue.")
        announced = any(self._tasks.kinds.tasks[kind].announce for kind in kinds)
        return _Lane(queue, slots, kinds, announced)

    async def _feed(self, lane: _Lane) -> None:
        queue = self._tasks.kinds.queues[lane.queue]
        source = TicketSource(self._nats, queue, context=self._tasks.kinds.context, arrived=lane.stirred.set)
        cut_off = False
        try:
            while not self._stopping:
                lane.stirred.clear()
                try:
                    await self._take(lane, source)
                    cut_off = False
                except Unavailable as error:
                    if not cut_off:
                        _log.warning("tasks.cut_off", queue=lane.queue, error=str(error.__cause__ or error))
                    cut_off = True
                    await asyncio.sleep(_PAUSE_SECONDS)
                    continue
                # The limit is for what nobody tells: a lost pull, a reconnect.
                await _wait(lane.stirred, _LOOK_AGAIN)
        finally:
            await source.close()

    async def _take(self, lane: _Lane, source: TicketSource) -> None:
        if not self._guard.open:
            await source.close()
            return
        if lane.free > 0:
            await source.want(lane.free)
        while tickets := source.take(lane.free):
            await self._claim(lane, tickets)
            if lane.free > 0:
                await source.want(lane.free)

    async def _claim(self, lane: _Lane, tickets: list[Ticket]) -> None:
        known = [ticket for ticket in tickets if ticket.kind in lane.kinds]
        claimed: list[Task] = []
        given = False
        try:
            if known:
                claimed = await self._claimed(lane, len(known))
                crashpoints.reach("tasks.after_claim")
            for task, ticket in zip(claimed, known, strict=False):
                self._start(lane, task, ticket)
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

    async def _claimed(self, lane: _Lane, number: int) -> list[Task]:
        now = self._clock.now()
        self._claims += 1
        self._claiming += 1
        try:
            # Without events the claim is one statement and needs no transaction around it.
            async with (transaction if lane.announced else connection)(self._pool) as conn:
                claimed = await claims.claim(
                    conn,
                    queue=lane.queue,
                    kinds=lane.kinds,
                    number=number,
                    owner=self.id,
                    now=now,
                    lease_until=now + self._options.lease,
                )
                await self._tasks.transitions.announce(conn, events.STARTED, claimed, by=self.id, wake=False)
        finally:
            self._claiming -= 1
        if lane.announced:
            self._committed.set()
        self._tasks.metrics.started(claimed, now)
        return claimed

    def _start(self, lane: _Lane, task: Task, ticket: Ticket) -> None:
        execution = Execution(
            task,
            self._tasks.kinds.tasks[task.kind],
            clock=self._clock,
            channel=self._channel,
            kept_until=self._tasks.transitions.kept_until,
        )
        running = asyncio.create_task(self._execute(lane, execution, ticket), name=f"attempt:{task.id}")
        lane.running[execution] = (running, ticket)
        self._tasks.metrics.running.labels(lane.queue).set(len(lane.running))

    async def _execute(self, lane: _Lane, execution: Execution, ticket: Ticket) -> None:
        try:
            end = await execution.run()
            crashpoints.reach("tasks.before_end")
            stored: Task | None = None
            if end is not None:
                if end.counted:
                    self._tasks.metrics.failed_attempt(execution.task)
                try:
                    stored = await self._endings.store(execution.task, end)
                except Unavailable:
                    raise
                except Exception:  # noqa: BLE001 - logged with its trace, and it must not end the worker
                    # A hook of the kind: nothing is stored, so the attempt has failed.
                    _log.exception("tasks.hook_failed", kind=execution.task.kind, task_id=execution.task.id)
                    failed = execution.failed(Reason.BUG, "A hook of the kind failed; see the log.")
                    stored = await self._endings.store(execution.task, failed)
            crashpoints.reach("tasks.after_end")
            if stored is None:
                _log.info(
                    "tasks.attempt_overtaken", task_id=execution.task.id, attempt=execution.task.attempt
                )
            if stored is not None and stored.state is State.QUEUED:
                await ticket.give_back()
            else:
                await ticket.done()
            await execution.stubborn()
        except Unavailable as error:
            _log.warning("tasks.end_lost", task_id=execution.task.id, reason=error.reason)
        except Exception:  # noqa: BLE001 - logged with its trace; the task's lease lapses, others go on
            _log.exception("tasks.attempt_not_ended", task_id=execution.task.id)
        finally:
            lane.running.pop(execution, None)
            self._tasks.metrics.running.labels(lane.queue).set(len(lane.running))
            lane.stirred.set()

    async def _stop_feeding(self, feeders: list[asyncio.Task[None]]) -> None:
        self._stopping = True
        for lane in self._lanes:
            lane.stirred.set()
        # Not cancelled at once: it could be in the middle of a claim.
        _, left = await asyncio.wait(feeders, timeout=_FEEDERS_SECONDS)
        await cancel_until_done(*left)

    async def _drain(self) -> None:
        tasks = {task for lane in self._lanes for task, _ in lane.running.values()}
        if not tasks:
            return
        _log.info("tasks.draining", running=len(tasks))
        _, left = await asyncio.wait(tasks, timeout=self._options.grace.total_seconds())
        for execution in self._running():
            execution.stop(Stop.DRAINING)
        if left:
            await asyncio.wait(left)

    async def _beats(self) -> None:
        cut_off = False
        while True:
            try:
                await self.beat()
                cut_off = False
            except Unavailable as error:
                if not cut_off:
                    _log.warning("tasks.leases_not_renewed", reason=error.reason)
                cut_off = True
            await asyncio.sleep(self._options.lease.total_seconds() / (15 if cut_off else 3))

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

    async def _cancels(self) -> None:
        with self._notifications.subscribe(CANCEL_CHANNEL) as wanted:
            while True:
                if await wanted.wait(_LOOK_AGAIN) and self._running():
                    try:
                        await self.beat()
                    except Unavailable as error:
                        _log.info("tasks.leases_not_renewed", reason=error.reason)

    def _running(self) -> list[Execution]:
        return [execution for lane in self._lanes for execution in lane.running]

    def _seen(self, now: datetime) -> WorkerSeen:
        return WorkerSeen(
            id=self.id,
            queues=[lane.queue for lane in self._lanes],
            slots=sum(lane.slots for lane in self._lanes),
            running=len(self._running()),
            guard="draining" if self._stopping else self._guard.reason,
            started_at=self._started_at,
            seen_at=now,
        )

    def _channel(self, execution: Execution) -> "_Channel":
        return _Channel(self._pool, self._tasks, execution, owner=self.id)


class _Channel:
    """What an attempt says and asks, on the worker's pool."""

    def __init__(self, pool: Pool, tasks: Tasks, execution: Execution, *, owner: str) -> None:
        self._pool = pool
        self._tasks = tasks
        self._execution = execution
        self._owner = owner

    def progress(self, percent: int, stage: str) -> None:
        self._execution.note = (percent, stage)

    async def status(self, status: str) -> None:
        task = self._execution.task
        async with transaction(self._pool) as conn:
            changed = await claims.note_status(conn, task.id, task.attempt, status, owner=self._owner)
            if changed is None:
                raise AttemptOvertaken(task.id, task.attempt)
            await self._tasks.transitions.announce(conn, events.PROGRESSED, [changed], by=self._owner)

    async def results(self, step: int) -> list[bytes]:
        parent = self._execution.task.parent_id
        if parent is None:
            return []
        async with connection(self._pool) as conn:
            steps = await reads.children(conn, parent, step=step)
        return [task.result or b"" for task in steps if task.state is State.DONE]


async def _wait(event: asyncio.Event, at_most: timedelta) -> None:
    try:
        async with asyncio.timeout(at_most.total_seconds()):
            await event.wait()
    except TimeoutError:
        return
