"""What is told once a transaction commits: events in the outbox, wake-ups by NOTIFY."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final

from google.protobuf.message import Message
from photochanger.ingest.v1 import job_events_pb2
from photochanger_chassis.ids import Ids
from photochanger_chassis.postgres.notify import Notifications, Subscription
from photochanger_chassis.postgres.outbox import OutboxEvent, add
from photochanger_chassis.postgres.pool import Connection

from photochanger_ingest.adapters.messages import job_message
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import Job

JOB_CHANNEL: Final = "job_changed"


class PostgresJobEvents:
    """Events of jobs, in the order of their transactions."""

    def __init__(self, conn: Connection, ids: Ids) -> None:
        self._conn = conn
        self._ids = ids

    async def created(self, job: Job) -> None:
        """A job has been admitted."""
        event = job_events_pb2.JobCreated(job=job_message(job))
        await self._add(job, "events.ingest.job.created", event, job.created_at)

    async def started(self, job: Job) -> None:
        """A job's turn with the provider has begun."""
        event = job_events_pb2.JobStarted(job=job_message(job))
        await self._add(job, "events.ingest.job.started", event, job.started_at or job.created_at)

    async def finished(self, job: Job) -> None:
        """A job has reached its final state."""
        event = job_events_pb2.JobFinished(job=job_message(job))
        await self._add(job, "events.ingest.job.finished", event, job.finished_at or job.created_at)

    async def result_kept(self, job: Job) -> None:
        """A picture came after a job's final state, and is kept."""
        kept_at = job.result.picture.created_at if job.result is not None else job.created_at
        event = job_events_pb2.JobResultKept(job=job_message(job))
        await self._add(job, "events.ingest.job.result-kept", event, kept_at)

    async def changed(self, job: Job) -> None:
        """Wakes those who wait for a job, on every replica, and tells nobody else."""
        await self._conn.execute("SELECT pg_notify(%s, %s)", (JOB_CHANNEL, job.id))

    async def _add(self, job: Job, subject: str, event: Message, occurred_at: datetime) -> None:
        await add(
            self._conn,
            OutboxEvent(
                id=self._ids.new_id(),
                subject=subject,
                aggregate_id=job.id,
                data=event.SerializeToString(),
                data_type=event.DESCRIPTOR.full_name,
                occurred_at=occurred_at,
            ),
        )


class PostgresWakeups:
    """Wakes those who wait for a job in this process."""

    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications

    def subscribe(self, job_id: JobId) -> AbstractContextManager[Subscription]:
        """Wakes at each change of a job."""
        return self._notifications.subscribe(JOB_CHANNEL, job_id)
