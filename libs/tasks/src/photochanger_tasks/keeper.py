"""What must happen without anybody asking: due tasks, lapsed leases, deadlines, lost tickets, old rows."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ServiceError, Unavailable
from photochanger_chassis.lifecycle import cancel_until_done
from photochanger_chassis.nats.connection import NatsConnection
from photochanger_chassis.postgres.pool import Connection, Pool, connection, transaction

from photochanger_tasks.model import Reason, State
from photochanger_tasks.nats.stream import tickets_there
from photochanger_tasks.postgres import changes, reads, sweeps
from photochanger_tasks.postgres.sweeps import Candidate
from photochanger_tasks.tasks import Tasks

_log = structlog.stdlib.get_logger(__name__)
_LOCK: Final = 0x7461736B73  # "tasks"; advisory locks are per database
_SWEEP: Final = timedelta(seconds=1)
_PRUNE: Final = timedelta(minutes=1)
_WORKERS_KEPT: Final = timedelta(minutes=10)
_BY: Final = "keeper"


class Keeper:
    """Keeps the tasks of one database going. Run one in every replica; they take turns."""

    def __init__(
        self,
        pool: Pool,
        nats: NatsConnection,
        tasks: Tasks,
        clock: Clock,
        *,
        lease: timedelta = timedelta(seconds=15),
        reconcile: timedelta = timedelta(seconds=5),
    ) -> None:
        """`lease` is that of the workers; `reconcile` is how often tickets are counted."""
        self._pool = pool
        self._nats = nats
        self._tasks = tasks
        self._clock = clock
        self._lease = lease
        self._reconcile = reconcile
        self._missing: dict[str, int] = defaultdict(int)
        self._trusted_from = clock.now()

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as group:
            loops = [
                group.create_task(self._repeat(_SWEEP, self.sweep), name="task-sweeps"),
                group.create_task(self._repeat(self._reconcile, self.reconcile), name="task-reconciler"),
                group.create_task(self._repeat(_PRUNE, self.prune), name="task-pruning"),
            ]
            try:
                await asyncio.wait(loops, return_when=asyncio.FIRST_EXCEPTION)
            finally:
                # The group itself would cancel each only once, which is not always enough.
                await cancel_until_done(*loops)

    async def sweep(self) -> None:
        """Queues what is due, takes tasks from lost workers, ends what is past its deadline.

        Raises:
            PostgresUnavailable: the database cannot be reached.
        """
        now = self._clock.now()
        async with connection(self._pool) as conn:
            pending = await sweeps.look(conn, now=now)
        if pending.due:
            async with transaction(self._pool) as conn:
                if await _my_turn(conn):
                    due = await sweeps.queue_due(conn, now=now)
                    await self._tasks.transitions.dispatch(conn, due, by=_BY)
        if pending.overdue:
            await self.sweep_deadlines()
        # After an outage of the database nobody's lease is fresh; their owners may renew them first.
        if pending.lapsed and now >= self._trusted_from:
            await self.sweep_leases()

    async def sweep_leases(self) -> None:
        """Takes tasks from workers that did not renew their lease."""
        now = self._clock.now()
        async with connection(self._pool) as conn:
            candidates = await sweeps.lapsed(conn, now=now)
        await self._one_by_one(candidates, self._take_from_lost)

    async def sweep_deadlines(self) -> None:
        """Fails waiting tasks, and pipelines, whose deadline has passed."""
        now = self._clock.now()
        async with connection(self._pool) as conn:
            candidates = await sweeps.overdue(conn, now=now)
        await self._one_by_one(candidates, self._end_overdue)

    async def reconcile(self) -> int:
        """Compares tasks with tickets and publishes those missing twice in a row. Returns how many.

        Two looks, because a ticket on its way is for a moment in neither place. What is missing is made good by any
        queued tasks' tickets: a ticket is a right to claim one task of the queue, whichever.

        Raises:
            Unavailable: PostgreSQL or NATS cannot be reached.
        """
        queues = list(self._tasks.kinds.queues)
        async with connection(self._pool) as conn:
            expected = await reads.expected_tickets(conn, queues)
            self._tasks.metrics.depths(await reads.depths(conn), self._clock.now())
        published = 0
        for queue in queues:
            missing = max(expected[queue] - await tickets_there(self._nats, queue), 0)
            twice = min(missing, self._missing[queue])
            self._missing[queue] = missing - twice
            if twice:
                published += await self._publish_again(queue, twice)
        return published

    async def prune(self) -> int:
        """Deletes what nobody asks for any more. Returns how many tasks."""
        now = self._clock.now()
        async with transaction(self._pool) as conn:
            if not await _my_turn(conn):
                return 0
            return await sweeps.prune(conn, now=now, workers_seen_before=now - _WORKERS_KEPT)

    async def _one_by_one(
        self, candidates: Sequence[Candidate], change: Callable[[Connection, Candidate], Awaitable[None]]
    ) -> None:
        """Changes each in a transaction of its own: a hook that fails must not hold back the others."""
        for each in candidates:
            try:
                async with transaction(self._pool) as conn:
                    await change(conn, each)
            except Unavailable:
                raise
            except Exception:  # noqa: BLE001 - a hook's fault, logged with its trace, tried again
                _log.exception("tasks.sweep_failed", task_id=each.id)

    async def _take_from_lost(self, conn: Connection, candidate: Candidate) -> None:
        now = self._clock.now()
        if candidate.parent_id is not None:
            await changes.lock_parents(conn, [candidate.parent_id])
        task = await reads.get(conn, candidate.id)
        if task is None:
            return
        taken = await sweeps.take_from_lost(
            conn,
            [task.id],
            now=now,
            keep_until=self._tasks.transitions.kept_until(task, State.FAILED),
            keep_dead_until=self._tasks.transitions.kept_until(task, State.DEAD),
        )
        for lost, dispatch in taken:
            _log.warning(
                "tasks.worker_lost", task_id=lost.id, kind=lost.kind, owner=task.owner, state=lost.state
            )
            if lost.state.finished:
                await self._tasks.transitions.ended(conn, [lost], by=_BY)
            else:
                await self._tasks.transitions.dispatch(conn, [(lost, dispatch)], by=_BY)

    async def _end_overdue(self, conn: Connection, candidate: Candidate) -> None:
        await changes.lock_parents(conn, [candidate.parent_id or candidate.id])
        task = await reads.get(conn, candidate.id)
        if task is None or task.state.finished:
            return
        await self._tasks.transitions.end_waiting(
            conn, [task], State.FAILED, reason=Reason.DEADLINE, message="The deadline has passed.", by=_BY
        )
        await self._tasks.transitions.cancel_steps(conn, task.id, by=_BY)

    async def _publish_again(self, queue: str, number: int) -> int:
        async with transaction(self._pool) as conn:
            if not await _my_turn(conn):
                return 0
            again = await sweeps.dispatch_again(conn, queue, number)
            await self._tasks.transitions.tickets(conn, again)
        if again:
            _log.warning("tasks.tickets_missing", queue=queue, number=len(again))
            self._tasks.metrics.missing_tickets.labels(queue).inc(len(again))
        return len(again)

    async def _repeat(self, interval: timedelta, action: Callable[[], Awaitable[object]]) -> None:
        cut_off = False
        while True:
            try:
                await action()
                cut_off = False
            except ServiceError as error:
                self._trusted_from = self._clock.now() + self._lease
                if not cut_off:
                    _log.warning("tasks.keeper_cut_off", reason=error.reason)
                cut_off = True
            except Exception:  # noqa: BLE001 - one failed round must not end the loop; logged with its trace
                _log.exception("tasks.keeper_failed")
            await asyncio.sleep(interval.total_seconds())


async def _my_turn(conn: Connection) -> bool:
    row = await (await conn.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,))).fetchone()
    return bool(row and row[0])
