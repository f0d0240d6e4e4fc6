"""Submitted photos: what is to be done with each, in the table `photo_tasks`, beside its task."""

from datetime import datetime, timedelta
from typing import Final

from photochanger.providers.v1.processing_service_pb2 import ProcessingEffort, ProcessRequest
from photochanger.providers.v1.processing_tasks_pb2 import ProcessPhoto
from photochanger_chassis.clock import Clock
from photochanger_chassis.postgres.pool import Connection, Pool, connection, transaction
from photochanger_tasks import Cancelled, State, Task, TaskNotFound, Tasks

from photochanger_providers.adapters.order_codec import order_of
from photochanger_providers.adapters.outcome_codec import effort_message, effort_of
from photochanger_providers.adapters.tasks.names import kind_of
from photochanger_providers.application.submitted import Turn
from photochanger_providers.domain.catalogue import ProviderId
from photochanger_providers.domain.order import Effort, JobId, Order

_SAMPLE: Final = 20
_BY: Final = "client"


class PostgresPhotoTaskStore:
    """Stores submitted photos and their tasks together."""

    def __init__(self, pool: Pool, tasks: Tasks, clock: Clock) -> None:
        self._pool = pool
        self._tasks = tasks
        self._clock = clock

    async def submit(
        self, order: Order, request: bytes, *, client_id: str, priority: int | None
    ) -> tuple[Task, bool]:
        """Stores the work, unless the job has some; returns its task and whether it is new."""
        kind = self._tasks.kinds.tasks[kind_of(order.provider_id)]
        async with transaction(self._pool) as conn:
            # Whoever submits the same job at this moment waits here until the first one has committed.
            cursor = await conn.execute(
                """
                INSERT INTO photo_tasks (job_id, provider_id, request, created_at) VALUES (%s, %s, %s, %s)
                ON CONFLICT (job_id) DO NOTHING RETURNING job_id
                """,
                (order.job_id, order.provider_id, request, self._clock.now()),
            )
            if await cursor.fetchone() is not None:
                submitted = await self._tasks.submit(
                    conn,
                    kind.task(
                        ProcessPhoto(job_id=order.job_id),
                        tenant=client_id,
                        priority=priority,
                        unique_key=order.job_id,
                        deadline_at=order.deadline.at,
                    ),
                )
                await conn.execute(
                    "UPDATE photo_tasks SET task_id = %s WHERE job_id = %s",
                    (submitted.task.id, order.job_id),
                )
                return submitted.task, True
        task = await self.find(order.job_id)
        if task is None:
            raise TaskNotFound(order.job_id)
        return task, False

    async def find(self, job_id: JobId) -> Task | None:
        """Returns the job's task, if there is one."""
        async with connection(self._pool) as conn:
            row = await (
                await conn.execute("SELECT task_id FROM photo_tasks WHERE job_id = %s", (job_id,))
            ).fetchone()
        if row is None or row[0] is None:
            return None
        try:
            return await self._tasks.get(row[0])
        except TaskNotFound:
            return None

    async def effort(self, job_id: JobId) -> Effort:
        """Returns what the last attempt that failed had done."""
        async with connection(self._pool) as conn:
            row = await (
                await conn.execute("SELECT effort FROM photo_tasks WHERE job_id = %s", (job_id,))
            ).fetchone()
        return _effort(None if row is None else row[0])

    async def turn(self, task: Task) -> Turn:
        """Tells where a queued task stands."""
        ahead = await self._tasks.ahead(task)
        running = sum(each.running for each in await self._tasks.depths() if each.queue == task.queue)
        slots = sum(each.slots for each in await self._tasks.workers() if task.queue in each.queues)
        async with connection(self._pool) as conn:
            row = await (
                await conn.execute(
                    """
                    SELECT avg(work_seconds) FROM (
                        SELECT work_seconds FROM photo_tasks
                        WHERE provider_id = %s AND work_seconds IS NOT NULL ORDER BY ended_at DESC LIMIT %s
                    ) AS lately
                    """,
                    (task.queue, _SAMPLE),
                )
            ).fetchone()
        mean = None if row is None or row[0] is None else timedelta(seconds=row[0])
        return Turn(ahead, running, min(slots, self._tasks.kinds.queues[task.queue].limit), mean)

    async def cancel(self, job_id: JobId) -> bool | None:
        """Cancels the job's task. False: it has ended; None: there is none."""
        task = await self.find(job_id)
        if task is None:
            return None
        return await self._tasks.cancel(task.id, by=_BY) is not Cancelled.TOO_LATE

    async def forget(self, *, ended_before: datetime) -> int:
        """Deletes what the engine's history no longer has either."""
        async with connection(self._pool) as conn:
            cursor = await conn.execute(
                """
                DELETE FROM photo_tasks WHERE ended_at < %s
                    AND NOT EXISTS (SELECT 1 FROM tasks WHERE tasks.id = photo_tasks.task_id)
                """,
                (ended_before,),
            )
            return cursor.rowcount


class PostgresOrders:
    """What is to be done with the photos of jobs, for those who do it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def order(self, job_id: JobId) -> Order | None:
        """Returns what is to be done with a job's photo; None once it has been done, or cannot be any more."""
        async with connection(self._pool) as conn:
            row = await (
                await conn.execute("SELECT request FROM photo_tasks WHERE job_id = %s", (job_id,))
            ).fetchone()
        return None if row is None or row[0] is None else order_of(ProcessRequest.FromString(row[0]))

    async def note_effort(self, job_id: JobId, effort: Effort) -> None:
        """Notes what an attempt without a picture has done."""
        async with connection(self._pool) as conn:
            await conn.execute(
                "UPDATE photo_tasks SET effort = %s WHERE job_id = %s",
                (effort_message(effort).SerializeToString(), job_id),
            )


async def note_end(conn: Connection, job_id: str, task: Task) -> tuple[ProviderId | None, Effort]:
    """Notes, in the transaction that ends a task, that it ended; returns the job's provider and what was done in vain.

    Guests' words go with it, unless the task is a dead one that may be tried again.
    """
    worked = (
        (task.finished_at - task.started_at).total_seconds()
        if task.state is State.DONE and task.started_at is not None and task.finished_at is not None
        else None
    )
    cursor = await conn.execute(
        """
        UPDATE photo_tasks SET ended_at = %(at)s, work_seconds = %(worked)s,
            request = CASE WHEN %(dead)s THEN request END
        WHERE job_id = %(job)s RETURNING provider_id, effort
        """,
        {"job": job_id, "at": task.finished_at, "worked": worked, "dead": task.state is State.DEAD},
    )
    row = await cursor.fetchone()
    return (None, Effort()) if row is None else (ProviderId(row[0]), _effort(row[1]))


def _effort(stored: bytes | None) -> Effort:
    return effort_of(ProcessingEffort.FromString(stored or b""))
