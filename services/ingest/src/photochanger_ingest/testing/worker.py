"""Plays the providers service's workers: moves what its queue holds, and tells ingest by event."""

from datetime import timedelta

from photochanger.providers.v1 import processing_events_pb2, processing_service_pb2
from photochanger.tasks.v1 import task_events_pb2
from photochanger_chassis.clock import Clock
from photochanger_chassis.nats.events import ReceivedEvent

from photochanger_ingest.adapters.nats.processing import SUBJECT
from photochanger_ingest.main import Ingest
from photochanger_ingest.testing.fakes import FakeProviders, a_result, an_effort


class Worker:
    """Tells one instance of ingest what becomes of jobs. Nothing is told that a test does not ask for."""

    def __init__(self, ingest: Ingest, providers: FakeProviders, clock: Clock) -> None:
        self._ingest = ingest
        self._providers = providers
        self._clock = clock

    async def starts(self, job_id: str, *, attempt: int = 1) -> None:
        """A worker begins."""
        work = self._providers.queue.work[job_id]
        work.state, work.attempts = task_events_pb2.TASK_STATE_RUNNING, attempt
        work.ClearField("queue_position")
        await self.tells("started", job_id, attempt=attempt)

    async def tells(
        self, what: str, job_id: str, *, attempt: int = 1, percent: int = 0, stage: str = ""
    ) -> None:
        """An event of the task that carries the job."""
        message = task_events_pb2.TaskEvent(
            task_id="f" * 32,
            unique_key=job_id,
            kind="photo.process.local",
            attempt=attempt,
            progress_percent=percent,
            stage=stage,
        )
        message.occurred_at.FromDatetime(self._clock.now())
        await self._ingest.asynchronous.on_task_event(
            self._event(f"events.providers.task.{what}", message.SerializeToString())
        )

    async def finishes(self, job_id: str, *, late: timedelta = timedelta()) -> None:
        """The picture is stored."""
        self._providers.queue.work[job_id].state = task_events_pb2.TASK_STATE_DONE
        await self._end(
            processing_events_pb2.ProcessingFinished(
                job_id=job_id,
                succeeded=processing_service_pb2.ProcessResponse(result=a_result(job_id), provider_calls=1),
            ),
            late,
        )

    async def fails(self, job_id: str, reason: str = "NO_IMAGE") -> None:
        """There will be no picture."""
        self._providers.queue.work[job_id].state = task_events_pb2.TASK_STATE_FAILED
        failed = processing_events_pb2.ProcessingFailure(
            reason=reason, message="It could not.", effort=an_effort()
        )
        await self._end(processing_events_pb2.ProcessingFinished(job_id=job_id, failed=failed), timedelta())

    async def _end(self, message: processing_events_pb2.ProcessingFinished, late: timedelta) -> None:
        message.finished_at.FromDatetime(self._clock.now() + late)
        await self._ingest.on_processing_finished(self._event(SUBJECT, message.SerializeToString()))

    def _event(self, subject: str, data: bytes) -> ReceivedEvent:
        return ReceivedEvent(
            id="1",
            subject=subject,
            type="",
            aggregate_id="",
            occurred_at=self._clock.now(),
            data=data,
            delivery=1,
        )
