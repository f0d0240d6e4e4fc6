"""What services call: submit tasks, cancel them, look at them, decide on dead ones."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from photochanger_chassis.clock import Clock
from photochanger_chassis.ids import Ids
from photochanger_chassis.postgres.pool import Connection, Pool, connection, transaction
from photochanger_chassis.tracing import trace_headers
from psycopg.errors import UniqueViolation

from photochanger_tasks import events
from photochanger_tasks.errors import TaskNotDead, TaskNotFound, UniqueKeyTaken
from photochanger_tasks.kinds import AnyKind, Kinds, NewTask
from photochanger_tasks.metrics import TaskMetrics
from photochanger_tasks.model import Cancelled, Reason, State, Submitted, Task
from photochanger_tasks.postgres import changes, reads, submission
from photochanger_tasks.postgres.reads import QueueDepth, WorkerSeen
from photochanger_tasks.postgres.submission import NewRow
from photochanger_tasks.transitions import Transitions

_ATTEMPTS_TO_INSERT: Final = 5
_WORKER_GONE_AFTER: Final = timedelta(seconds=30)


class Tasks:
    """The engine as a service's use cases see it."""

    def __init__(self, pool: Pool, clock: Clock, ids: Ids, kinds: Kinds, metrics: TaskMetrics) -> None:
        self._pool = pool
        self._clock = clock
        self._ids = ids
        self.kinds: Final = kinds
        self.metrics: Final = metrics
        self.transitions: Final = Transitions(kinds, clock, ids, metrics)

    async def submit(self, conn: Connection, task: NewTask) -> Submitted:
        """Submits a task in the caller's transaction; see `submit_all`."""
        return (await self.submit_all(conn, [task]))[0]

    async def submit_all(self, conn: Connection, tasks: Sequence[NewTask]) -> list[Submitted]:
        """Submits tasks in the caller's transaction: they exist, and start, if and only if it commits.

        Until then other submissions of the same tenants to the same queues wait, so submit late in the
        transaction and commit soon. Answers are in the order of `tasks`.

        Raises:
            ValueError: the service has no such kind.
        """
        rows = [self.row(task) for task in tasks]
        return await self.insert(conn, rows)

    async def cancel(self, task_id: str, *, by: str) -> Cancelled:
        """Cancels a task, with all its steps if it is a pipeline, and tells what that came to.

        Raises:
            TaskNotFound: there is none.
        """
        async with transaction(self._pool) as conn:
            found = await reads.get(conn, task_id)
            if found is None:
                raise TaskNotFound(task_id)
            if found.parent_id is not None:
                await changes.lock_parents(conn, [found.parent_id])
            task = await reads.get(conn, task_id, lock=True)
            if task is None or task.state.finished:
                return Cancelled.TOO_LATE
            if task.state is State.RUNNING and task.owner is not None:
                await changes.request_cancel(conn, [task_id], by=by)
                return Cancelled.STOPPING
            await self.transitions.end_waiting(conn, [task], State.CANCELLED, reason=Reason.CANCELLED, by=by)
            await self.transitions.cancel_steps(conn, task_id, by=by)
            return Cancelled.AT_ONCE

    async def get(self, task_id: str) -> Task:
        """Returns a task.

        Raises:
            TaskNotFound: there is none, or its time in the history is over.
        """
        async with connection(self._pool) as conn:
            task = await reads.get(conn, task_id)
        if task is None:
            raise TaskNotFound(task_id)
        return task

    async def page(
        self,
        *,
        state: State | None = None,
        queue: str | None = None,
        before: int | None = None,
        size: int = 50,
    ) -> list[Task]:
        """Returns the latest tasks; for the next page give the last one's `position` as `before`."""
        async with connection(self._pool) as conn:
            return await reads.page(conn, state=state, queue=queue, before=before, size=min(size, 200))

    async def steps(self, pipeline_id: str) -> list[Task]:
        """Returns a pipeline's tasks, by step and in order of submission."""
        async with connection(self._pool) as conn:
            return await reads.children(conn, pipeline_id)

    async def ahead(self, task: Task) -> int:
        """Returns how many tasks would be started before this queued one."""
        async with connection(self._pool) as conn:
            return await reads.ahead(conn, task)

    async def depths(self) -> list[QueueDepth]:
        """Returns what waits, runs and is dead in each queue that has any."""
        async with connection(self._pool) as conn:
            return await reads.depths(conn)

    async def workers(self) -> list[WorkerSeen]:
        """Returns the workers that are alive."""
        async with connection(self._pool) as conn:
            return await reads.workers(conn, seen_since=self._clock.now() - _WORKER_GONE_AFTER)

    async def requeue(self, task_id: str, *, by: str) -> Task:
        """Gives a dead task all its attempts anew. A deadline that has passed is lifted.

        Raises:
            TaskNotFound: there is none.
            TaskNotDead: it is something else, or belongs to a pipeline, which has failed with it.
            UniqueKeyTaken: a live task has its unique key meanwhile.
        """
        task = await self.get(task_id)
        if task.parent_id is not None:
            raise TaskNotDead(task_id, "part of a pipeline")
        try:
            async with transaction(self._pool) as conn:
                requeued = await submission.requeue(conn, task_id, now=self._clock.now(), by=by)
                if requeued is None:
                    raise TaskNotDead(task_id, task.state)
                await self.transitions.dispatch(conn, [requeued], by=by)
                return requeued[0]
        except UniqueViolation as error:
            raise UniqueKeyTaken(task_id) from error

    async def drop(self, task_id: str, *, by: str) -> Task:
        """Gives a dead task up for good: it becomes failed, reason `dropped`.

        Raises:
            TaskNotFound: there is none.
            TaskNotDead: it is something else.
        """
        task = await self.get(task_id)
        async with transaction(self._pool) as conn:
            dropped = await changes.drop_dead(
                conn,
                task_id,
                by=by,
                now=self._clock.now(),
                keep_until=self.transitions.kept_until(task, State.FAILED),
            )
            if dropped is None:
                raise TaskNotDead(task_id, task.state)
            await self.transitions.announce(conn, events.FINISHED, [dropped], by=by)
            return dropped

    def row(
        self, task: NewTask, *, parent: Task | None = None, step: int = 0, blocked: bool = False
    ) -> NewRow:
        """Decides what a submission leaves open. `parent` is the pipeline it is a step of."""
        kind = self._kind(task)
        ahead = task.run_at is not None and task.run_at > self._clock.now()
        state = State.BLOCKED if blocked else State.SCHEDULED if ahead else State.QUEUED
        ends = [at for at in (task.deadline_at, parent.deadline_at if parent else None) if at is not None]
        return NewRow(
            id=self._ids.new_id(),
            kind=kind.name,
            queue=kind.queue,
            priority=task.priority,
            tenant=task.tenant,
            payload=task.payload.SerializeToString(),
            payload_type=kind.payload.DESCRIPTOR.full_name,
            unique_key=task.unique_key,
            deadline_at=min(ends, default=None),
            run_at=task.run_at if blocked or ahead else None,
            state=state,
            max_attempts=kind.max_attempts,
            weight=task.weight,
            parent_id=None if parent is None else parent.id,
            step=step,
        )

    async def insert(self, conn: Connection, rows: Sequence[NewRow]) -> list[Submitted]:
        """Stores rows with their tickets and events, or finds the live tasks that have their unique keys."""
        now, found, left = self._clock.now(), dict[str, Submitted](), list(rows)
        for _ in range(_ATTEMPTS_TO_INSERT):
            inserted = await submission.insert(conn, left, now=now, trace=trace_headers())
            await self.transitions.announce(conn, events.CREATED, inserted, by="")
            self.metrics.submitted(inserted)
            found |= {task.id: Submitted(task, created=True) for task in inserted}
            left = [row for row in left if row.id not in found]
            if not left:
                break
            keys = [row.unique_key for row in left if row.unique_key is not None]
            live = await submission.live_with_keys(conn, keys)
            found |= {
                row.id: Submitted(live[row.unique_key], created=False)
                for row in left
                if row.unique_key is not None and row.unique_key in live
            }
            # A task that ended between the two statements has freed its key.
            left = [row for row in left if row.id not in found]
        return [found[row.id] for row in rows]

    def _kind(self, task: NewTask) -> AnyKind:
        kind = self.kinds.tasks.get(task.kind)
        if kind is None:
            raise ValueError(f"This service has no tasks of the kind {task.kind!r}.")
        return kind
