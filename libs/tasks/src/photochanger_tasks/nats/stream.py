"""The stream of tickets, its consumers, and how tickets get into it."""

from datetime import timedelta
from typing import Final, Protocol

import nats.js.errors
from nats.js import api
from photochanger_chassis.nats.connection import REQUEST_SECONDS, NatsConnection, nats_errors
from photochanger_chassis.nats.streams import ensure
from photochanger_chassis.postgres.outbox import OutboxEvent

from photochanger_tasks.kinds import Queue

STREAM: Final = "TASKS"
_SUBJECT: Final = "tasks"
_DUPLICATES_SECONDS: Final = 120.0


class QueueOwnedElsewhere(Exception):
    """Another service has a queue of this name. Tickets of two services must not mix; choose another name."""


class Publisher(Protocol):
    """Publishes events, as `photochanger_chassis.nats.events.EventPublisher` does."""

    async def publish(self, event: OutboxEvent) -> None:
        """Returns once it is stored."""
        ...


async def ensure_stream(connection: NatsConnection) -> None:
    """Creates the stream of tickets, or brings it to the configuration wanted here.

    Raises:
        NatsUnavailable: JetStream did not do it.
    """
    await ensure(
        connection,
        api.StreamConfig(
            name=STREAM,
            description="One ticket for each task that is queued or running; the tasks are in PostgreSQL.",
            subjects=[f"{_SUBJECT}.>"],
            retention=api.RetentionPolicy.WORK_QUEUE,
            storage=api.StorageType.FILE,
            duplicate_window=_DUPLICATES_SECONDS,
            num_replicas=connection.replicas,
        ),
    )


async def ensure_consumer(
    connection: NatsConnection, queue: Queue, *, context: str, ack_wait: timedelta
) -> None:
    """Creates the durable consumer of a queue, or brings it to what is wanted here.

    Args:
        connection: to NATS.
        queue: the queue and its limit.
        context: the service whose queue it is.
        ack_wait: after so long without a word from its worker, a ticket goes to another.

    Raises:
        QueueOwnedElsewhere: another service's workers consume it.
        NatsUnavailable: JetStream did not do it.
    """
    with nats_errors():
        jetstream = connection.jetstream
        try:
            known = await jetstream.consumer_info(STREAM, queue.name)
        except nats.js.errors.NotFoundError:
            pass
        else:
            owner = (known.config.metadata or {}).get("context", context)
            if owner != context:
                raise QueueOwnedElsewhere(f"The queue {queue.name!r} belongs to the service {owner!r}.")
        await jetstream.add_consumer(
            STREAM,
            api.ConsumerConfig(
                durable_name=queue.name,
                filter_subject=f"{_SUBJECT}.{queue.name}.>",
                deliver_policy=api.DeliverPolicy.ALL,
                ack_policy=api.AckPolicy.EXPLICIT,
                ack_wait=ack_wait.total_seconds(),
                # A ticket that the server gave up would stay in the stream, seen by nobody.
                max_deliver=-1,
                # How many of the queue's tasks run at once in the whole fleet.
                max_ack_pending=queue.limit,
                metadata={"context": context},
            ),
        )


async def tickets_there(connection: NatsConnection, queue: str) -> int:
    """Counts a queue's tickets, waiting and in workers' hands: what KEDA calls the lag.

    Raises:
        NatsUnavailable: JetStream did not answer.
    """
    with nats_errors():
        try:
            info = await connection.jetstream.consumer_info(STREAM, queue)
        except nats.js.errors.NotFoundError:
            return await _waiting_without_consumer(connection, queue)
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def _waiting_without_consumer(connection: NatsConnection, queue: str) -> int:
    with nats_errors():
        try:
            info = await connection.jetstream.stream_info(STREAM, subjects_filter=f"{_SUBJECT}.{queue}.>")
        except nats.js.errors.NotFoundError:
            return 0
    return sum((info.state.subjects or {}).values())


class TicketPublisher:
    """Publishes tickets to their stream, and leaves all else in the outbox to the publisher of events."""

    def __init__(self, connection: NatsConnection, events: Publisher) -> None:
        self._connection = connection
        self._events = events

    async def publish(self, event: OutboxEvent) -> None:
        """Returns once JetStream has stored it. A second time is harmless.

        Raises:
            NatsUnavailable: it was not, or perhaps not, stored.
        """
        if not event.subject.startswith(f"{_SUBJECT}."):
            await self._events.publish(event)
            return
        with nats_errors():
            try:
                await self._send(event)
            except nats.js.errors.NoStreamResponseError:
                # The stream was never made, or NATS lost its store.
                await ensure_stream(self._connection)
                await self._send(event)

    async def _send(self, event: OutboxEvent) -> None:
        await self._connection.jetstream.publish(
            event.subject, event.data, timeout=REQUEST_SECONDS, headers={"Nats-Msg-Id": event.id}
        )
