"""A task's changes as events and tickets in the outbox."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp
from photochanger.tasks.v1.task_events_pb2 import TaskEvent, TaskState
from photochanger_chassis.ids import Ids
from photochanger_chassis.postgres.outbox import OutboxEvent

from photochanger_tasks.kinds import Kinds
from photochanger_tasks.model import State, Task

CREATED: Final = "created"
QUEUED: Final = "queued"
STARTED: Final = "started"
PROGRESSED: Final = "progressed"
POSTPONED: Final = "postponed"
FINISHED: Final = "finished"

_TYPE: Final = TaskEvent.DESCRIPTOR.full_name
TICKET_TYPE: Final = "photochanger.tasks.v1.Ticket"  # has no body
_STATES: Final = {state: TaskState.Value(f"TASK_STATE_{state.name}") for state in State}


class Announcer:
    """Makes outbox rows of a task's changes."""

    def __init__(self, kinds: Kinds, ids: Ids) -> None:
        self._kinds = kinds
        self._ids = ids

    def changed(self, what: str, tasks: Iterable[Task], *, at: datetime, by: str) -> list[OutboxEvent]:
        """Returns an event for each task whose kind announces its changes."""
        return [
            OutboxEvent(
                id=self._ids.new_id(),
                subject=f"events.{self._kinds.context}.task.{what}",
                aggregate_id=task.id,
                data=_body(task, at, by),
                data_type=_TYPE,
                occurred_at=at,
                trace=task.trace,
            )
            for task in tasks
            if (kind := self._kinds.named(task.kind)) is None or kind.announce
        ]


def ticket(task: Task, dispatch: int, *, at: datetime) -> OutboxEvent:
    """Returns the message that lets a worker claim one task of the queue.

    Its id is new for each dispatch: JetStream would swallow a repeated one.
    """
    name = f"{task.id}:{dispatch}"
    return OutboxEvent(
        id=name,
        subject=f"tasks.{task.queue}.{task.kind}",
        aggregate_id=name,  # its own, so that no event of the task can hold it back
        data=b"",
        data_type=TICKET_TYPE,
        occurred_at=at,
        trace={},
    )


def _body(task: Task, at: datetime, by: str) -> bytes:
    return TaskEvent(
        task_id=task.id,
        kind=task.kind,
        queue=task.queue,
        tenant=task.tenant,
        parent_id=task.parent_id or "",
        unique_key=task.unique_key or "",
        state=_STATES[task.state],
        attempt=task.attempt,
        failures=task.failures,
        progress_percent=task.progress,
        stage=task.stage,
        status=task.status,
        reason=task.reason,
        run_at=_timestamp(task.run_at) if task.run_at and task.state is State.SCHEDULED else None,
        occurred_at=_timestamp(at),
        # A worker only carries out what somebody wished.
        by=task.decided_by if task.state is State.CANCELLED and task.decided_by else by,
    ).SerializeToString()


def _timestamp(at: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(at)
    return stamp
