"""Takes the outcomes of processing from the providers service's events.

They complete what a call could not: jobs of an ingest process that died, and pictures after the deadline.
"""

from typing import Final

import structlog
from photochanger.providers.v1 import processing_events_pb2
from photochanger_chassis.nats.events import ReceivedEvent

from photochanger_ingest.adapters.messages import failed, instant, succeeded
from photochanger_ingest.application.start_waiting import StartWaiting
from photochanger_ingest.application.take_outcome import TakeOutcome
from photochanger_ingest.domain.errors import WrongJobState
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import Outcome

_log = structlog.stdlib.get_logger(__name__)

DURABLE: Final = "ingest-processing"
SUBJECT: Final = "events.providers.processing.finished"
_NOTHING_CALLED: Final = frozenset({"PROVIDER_BUSY"})


class ProcessingFinishedHandler:
    """Completes the job an event is about; deliveries may repeat."""

    def __init__(self, take_outcome: TakeOutcome, start_waiting: StartWaiting) -> None:
        self._take_outcome = take_outcome
        self._start_waiting = start_waiting

    async def __call__(self, event: ReceivedEvent) -> None:
        """Handles one delivery.

        Raises:
            Unavailable: the database or the media service cannot be reached; the event comes again.
        """
        message = processing_events_pb2.ProcessingFinished.FromString(event.data)
        match message.WhichOneof("outcome"):
            case "succeeded":
                outcome: Outcome = succeeded(message.succeeded)
            case "failed" if message.failed.reason not in _NOTHING_CALLED:
                outcome = failed(message.failed.reason, message.failed.message, message.failed.effort)
            case _:
                return  # the driver asks again
        try:
            await self._take_outcome(JobId(message.job_id), outcome, ended_at=instant(message.finished_at))
        except WrongJobState as error:
            _log.warning("job.outcome_refused", job_id=message.job_id, state=error.metadata.get("state"))
            return
        await self._start_waiting()
