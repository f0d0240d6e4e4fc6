"""Takes the progress of asynchronous jobs from the events of the providers service's tasks.

Their end comes by `processing.finished`, with the picture or the failure.
"""

from typing import Final

from photochanger.tasks.v1 import task_events_pb2
from photochanger_chassis.nats.events import ReceivedEvent

from photochanger_ingest.adapters.messages import instant
from photochanger_ingest.application.follow_up import TakeProgress
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import Progress

DURABLE: Final = "ingest-tasks"
_POSTPONED: Final = "events.providers.task.postponed"
SUBJECTS: Final = ("events.providers.task.started", "events.providers.task.progressed", _POSTPONED)
_WAITS: Final = "waits for another attempt"


class TaskEventHandler:
    """Tells a job how far the task that carries it is; deliveries may repeat and overtake each other."""

    def __init__(self, take_progress: TakeProgress) -> None:
        self._take_progress = take_progress

    async def __call__(self, event: ReceivedEvent) -> None:
        """Handles one delivery. Tasks that carry no job are none of our business.

        Raises:
            Unavailable: the database cannot be reached; the event comes again.
        """
        message = task_events_pb2.TaskEvent.FromString(event.data)
        if not message.unique_key:
            return
        postponed = event.subject == _POSTPONED
        progress = Progress.told(
            attempt=message.attempt,
            percent=0 if postponed else message.progress_percent,
            stage=_WAITS if postponed else message.stage,
        )
        await self._take_progress(JobId(message.unique_key), progress, at=instant(message.occurred_at))
