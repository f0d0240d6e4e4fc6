"""`webhook.deliver`: the tasks that carry deliveries, which end in the transactions that end their tasks."""

from datetime import datetime, timedelta
from typing import Final

from photochanger.ingest.v1.webhook_tasks_pb2 import DeliverWebhook
from photochanger_chassis.postgres.pool import Connection
from photochanger_tasks import Backoff, NewTask, Queue, Task, TaskKind

from photochanger_ingest.domain.webhook import Delivery, DeliveryState, GivenUp

QUEUE: Final = Queue("light", limit=20)
# Failures of receivers end by the schedule, failures of ours (a bug, a lost worker) by the task's deadline: dead
# tasks would only repeat what the log of deliveries says.
_NO_END: Final = 1_000_000


async def _delivered(conn: Connection, task: Task) -> None:
    await _end(conn, task, DeliveryState.DELIVERED, "")


async def _failed(conn: Connection, task: Task) -> None:
    known = GivenUp.__members__.get(task.reason.upper(), GivenUp.ATTEMPTS_EXHAUSTED)
    await _end(conn, task, DeliveryState.FAILED, known)


async def _end(conn: Connection, task: Task, state: DeliveryState, failure: str) -> None:
    await conn.execute(
        """
        UPDATE webhook_deliveries
        SET state = %s, failure_reason = %s, next_attempt_at = NULL, ended_at = coalesce(%s, now())
        WHERE id = %s AND state = 'pending'
        """,
        (state, failure, task.finished_at, DeliverWebhook.FromString(task.payload).delivery_id),
    )


DELIVER_WEBHOOK: Final = TaskKind(
    name="webhook.deliver",
    queue=QUEUE.name,
    payload=DeliverWebhook,
    max_attempts=_NO_END,
    # For failures of ours; receivers get the pauses of their schedule.
    backoff=Backoff(base=timedelta(seconds=0.5), cap=timedelta(seconds=30)),
    timeout=timedelta(minutes=2),
    on_done=_delivered,
    on_end=_failed,
)


def delivery_task(delivery: Delivery, *, deadline_at: datetime) -> NewTask:
    """Returns the task that carries a delivery."""
    return DELIVER_WEBHOOK.task(
        DeliverWebhook(delivery_id=delivery.id),
        tenant=delivery.client_id,
        unique_key=delivery.id,
        deadline_at=deadline_at,
    )
