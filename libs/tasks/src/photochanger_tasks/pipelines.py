"""Pipelines: a task whose work is other tasks, in steps.

Tasks of one step run at the same time; the next step begins when all of it have ended. A task that ends may add
tasks to later steps, when only then it is known how many there are. A pipeline is done when its last step is, and
failed when a step cannot be done; what is left of it is then cancelled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from google.protobuf.message import Message
from photochanger_chassis.clock import Clock
from photochanger_chassis.ids import Ids
from photochanger_chassis.postgres.pool import Connection

from photochanger_tasks.errors import PipelineEnded
from photochanger_tasks.kinds import NewTask, PipelineKind
from photochanger_tasks.model import DEFAULT_PRIORITY, State, Submitted, Task
from photochanger_tasks.postgres import changes, reads
from photochanger_tasks.postgres.submission import NewRow
from photochanger_tasks.tasks import Tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a new pipeline.

    Args:
        tasks: what runs in it; empty when a task of an earlier step adds them.
        weight: its share of the pipeline's progress, beside the other steps' weights.
        allow_partial: the pipeline goes on when some of its tasks fail, as long as one is done.
    """

    tasks: Sequence[NewTask] = ()
    weight: float = 1.0
    allow_partial: bool = False


class Pipelines:
    """Submits pipelines."""

    def __init__(self, tasks: Tasks, clock: Clock, ids: Ids) -> None:
        self._tasks = tasks
        self._clock = clock
        self._ids = ids

    async def submit(
        self,
        conn: Connection,
        kind: PipelineKind,
        steps: Sequence[Step],
        *,
        tenant: str,
        payload: Message | None = None,
        unique_key: str | None = None,
        deadline_at: datetime | None = None,
    ) -> Submitted:
        """Submits a pipeline in the caller's transaction. Its deadline holds for all its tasks.

        Raises:
            ValueError: the first step has no tasks, or the service does not know the pipeline.
        """
        if not steps or not steps[0].tasks:
            raise ValueError("A pipeline's first step needs tasks.")
        if kind.name not in self._tasks.kinds.pipelines:
            raise ValueError(f"This service has no pipelines of the kind {kind.name!r}.")
        row = self._row(kind, tenant, payload, unique_key, deadline_at)
        submitted = (await self._tasks.insert(conn, [row]))[0]
        if not submitted.created:
            return submitted
        for number, step in enumerate(steps):
            await conn.execute(
                "INSERT INTO task_steps (parent_id, step, weight, allow_partial) VALUES (%s, %s, %s, %s)",
                (submitted.task.id, number, step.weight, step.allow_partial),
            )
        for number, step in enumerate(steps):
            await self._insert(conn, submitted.task, number, step.tasks)
        return submitted

    async def add(
        self, conn: Connection, pipeline_id: str, step: int, tasks: Sequence[NewTask]
    ) -> list[Task]:
        """Adds tasks to a later step, in the transaction of a task's end (`on_done`) or in one of its own.

        Raises:
            PipelineEnded: it has ended, or has begun the step.
        """
        await changes.lock_parents(conn, [pipeline_id])
        parent = await reads.get(conn, pipeline_id)
        if parent is None or parent.state is not State.RUNNING or step <= parent.step:
            raise PipelineEnded(pipeline_id)
        if step >= len(await reads.step_rules(conn, pipeline_id)):
            raise ValueError(f"Pipeline {pipeline_id} has no step {step}.")
        return await self._insert(conn, parent, step, tasks)

    async def _insert(
        self, conn: Connection, parent: Task, step: int, tasks: Sequence[NewTask]
    ) -> list[Task]:
        if any(task.unique_key is not None for task in tasks):
            raise ValueError("A step's tasks have no unique keys: the pipeline may have one.")
        rows = [self._tasks.row(task, parent=parent, step=step, blocked=step > parent.step) for task in tasks]
        return [each.task for each in await self._tasks.insert(conn, rows)]

    def _row(
        self,
        kind: PipelineKind,
        tenant: str,
        payload: Message | None,
        unique_key: str | None,
        deadline_at: datetime | None,
    ) -> NewRow:
        return NewRow(
            id=self._ids.new_id(),
            kind=kind.name,
            queue="",
            priority=DEFAULT_PRIORITY,
            tenant=tenant,
            payload=b"" if payload is None else payload.SerializeToString(),
            payload_type="" if payload is None else payload.DESCRIPTOR.full_name,
            unique_key=unique_key,
            deadline_at=deadline_at,
            run_at=None,
            state=State.RUNNING,
            max_attempts=1,
            weight=1.0,
        )
