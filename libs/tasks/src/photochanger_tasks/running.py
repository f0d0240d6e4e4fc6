"""Runs claimed tasks, from their start to their stored end."""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from photochanger_chassis import crashpoints
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import Unavailable
from photochanger_chassis.postgres.pool import Pool, connection, transaction

from photochanger_tasks import events
from photochanger_tasks.ending import Endings
from photochanger_tasks.errors import AttemptOvertaken
from photochanger_tasks.execution import Execution
from photochanger_tasks.lane import Lane
from photochanger_tasks.model import Reason, State, Task
from photochanger_tasks.nats.source import Ticket
from photochanger_tasks.postgres import claims, reads
from photochanger_tasks.postgres.claims import Progress
from photochanger_tasks.tasks import Tasks

_log = structlog.stdlib.get_logger(__name__)


class Runner:
    """Runs the attempts of a worker."""

    def __init__(
        self, *, pool: Pool, tasks: Tasks, clock: Clock, owner: str, committed: Callable[[], None]
    ) -> None:
        """`committed` is called after each end that was stored, to have its events sent."""
        self._pool = pool
        self._tasks = tasks
        self._clock = clock
        self._owner = owner
        self._endings = Endings(pool, tasks.transitions, owner=owner, stored=committed)

    def start(self, lane: Lane, task: Task, ticket: Ticket) -> None:
        """Starts an attempt in a slot of the lane, which it leaves when its end is stored."""
        execution = Execution(
            task,
            self._tasks.kinds.tasks[task.kind],
            clock=self._clock,
            channel=self._channel,
            kept_until=self._tasks.transitions.kept_until,
        )
        running = asyncio.create_task(self._run(lane, execution, ticket), name=f"attempt:{task.id}")
        lane.running[execution] = (running, ticket)
        self._tasks.metrics.running.labels(lane.queue.name).set(len(lane.running))

    async def store_progress(self, executions: Sequence[Execution]) -> None:
        """Stores what these attempts have said since the last time about how far they are.

        Raises:
            PostgresUnavailable: it was not stored; it is the next time.
        """
        noted = [(execution, execution.note) for execution in executions if execution.note is not None]
        if not noted:
            return
        notes = [Progress(each.task.id, each.task.attempt, *note) for each, note in noted]
        async with transaction(self._pool) as conn:
            changed = await claims.note_progress(conn, notes, owner=self._owner)
            await self._tasks.transitions.announce(conn, events.PROGRESSED, changed, by=self._owner)
        for execution, note in noted:
            if execution.note == note:
                execution.note = None

    async def _run(self, lane: Lane, execution: Execution, ticket: Ticket) -> None:
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
            self._tasks.metrics.running.labels(lane.queue.name).set(len(lane.running))
            lane.stirred.set()

    def _channel(self, execution: Execution) -> "_Channel":
        return _Channel(self._pool, self._tasks, execution, owner=self._owner)


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
