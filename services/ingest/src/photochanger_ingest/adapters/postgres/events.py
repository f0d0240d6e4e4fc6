"""What is told once a transaction commits: events in the outbox, wake-ups by NOTIFY."""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final

from google.protobuf.message import Message
from photochanger.ingest.v1 import configuration_events_pb2, job_events_pb2
from photochanger_chassis.ids import Ids
from photochanger_chassis.postgres.notify import Notifications, Subscription
from photochanger_chassis.postgres.outbox import OutboxEvent, add
from photochanger_chassis.postgres.pool import Connection

from photochanger_ingest.adapters.messages import job_message, settings_message, slot_message
from photochanger_ingest.adapters.postgres.job_webhooks import JobWebhooks
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import Job
from photochanger_ingest.domain.settings import Settings
from photochanger_ingest.domain.slot import Slot

JOB_CHANNEL: Final = "job_changed"
_SETTINGS_AGGREGATE: Final = "settings"


class PostgresJobEvents:
    """Events of jobs, in the order of their transactions."""

    def __init__(self, conn: Connection, ids: Ids, webhooks: JobWebhooks) -> None:
        self._conn = conn
        self._ids = ids
        self._webhooks = webhooks

    async def created(self, job: Job) -> None:
        """A job has been admitted."""
        event = job_events_pb2.JobCreated(job=job_message(job))
        await self._add(job, "events.ingest.job.created", event, job.created_at)

    async def started(self, job: Job) -> None:
        """A job's turn with the provider has begun."""
        event = job_events_pb2.JobStarted(job=job_message(job))
        await self._add(job, "events.ingest.job.started", event, job.started_at or job.created_at)

    async def progressed(self, job: Job, *, at: datetime) -> None:
        """An asynchronous job has come further, has been begun anew, or waits again."""
        event = job_events_pb2.JobProgressed(job=job_message(job))
        await self._add(job, "events.ingest.job.progressed", event, at)

    async def finished(self, job: Job) -> None:
        """A job has reached its final state. Whatever ends a job says so here, so here its client is told, too."""
        event = job_events_pb2.JobFinished(job=job_message(job))
        await self._add(job, "events.ingest.job.finished", event, job.finished_at or job.created_at)
        await self._webhooks.finished(self._conn, job)

    async def result_kept(self, job: Job) -> None:
        """A picture came after a job's final state, and is kept."""
        kept_at = job.result.picture.created_at if job.result is not None else job.created_at
        event = job_events_pb2.JobResultKept(job=job_message(job))
        await self._add(job, "events.ingest.job.result-kept", event, kept_at)

    async def changed(self, job: Job) -> None:
        """Wakes those who wait for a job, on every replica, and tells nobody else."""
        await self._conn.execute("SELECT pg_notify(%s, %s)", (JOB_CHANNEL, job.id))

    async def _add(self, job: Job, subject: str, event: Message, occurred_at: datetime) -> None:
        await add(self._conn, _outbox_event(self._ids.new_id(), job.id, subject, event, occurred_at))


class PostgresConfigurationEvents:
    """Events of slots and settings, in the order of their transactions."""

    def __init__(self, conn: Connection, ids: Ids) -> None:
        self._conn = conn
        self._ids = ids

    async def slot_changed(self, slot: Slot) -> None:
        """An admin has changed a slot."""
        event = configuration_events_pb2.SlotChanged(slot=slot_message(slot))
        await self._add(slot.id, "events.ingest.slot.changed", event, slot.updated_at)

    async def settings_changed(self, settings: Settings, *, at: datetime) -> None:
        """An admin has changed the platform's settings."""
        event = configuration_events_pb2.SettingsChanged(settings=settings_message(settings))
        await self._add(_SETTINGS_AGGREGATE, "events.ingest.settings.changed", event, at)

    async def _add(self, aggregate_id: str, subject: str, event: Message, occurred_at: datetime) -> None:
        await add(self._conn, _outbox_event(self._ids.new_id(), aggregate_id, subject, event, occurred_at))


def _outbox_event(
    event_id: str, aggregate_id: str, subject: str, event: Message, occurred_at: datetime
) -> OutboxEvent:
    return OutboxEvent(
        id=event_id,
        subject=subject,
        aggregate_id=aggregate_id,
        data=event.SerializeToString(),
        data_type=event.DESCRIPTOR.full_name,
        occurred_at=occurred_at,
    )


class PostgresWakeups:
    """Wakes those who wait for a job in this process."""

    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications

    def subscribe(self, job_id: JobId) -> AbstractContextManager[Subscription]:
        """Wakes at each change of a job."""
        return self._notifications.subscribe(JOB_CHANNEL, job_id)
