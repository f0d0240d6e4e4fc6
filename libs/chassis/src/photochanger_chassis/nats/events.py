"""Events on JetStream: published from the outbox, consumed at least once.

Attributes are those of CloudEvents 1.0, as headers
(https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/nats-protocol-binding.md).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import nats.js.errors
import structlog
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from opentelemetry import trace

from photochanger_chassis.concurrency import collapse_group
from photochanger_chassis.errors import Unavailable
from photochanger_chassis.nats.connection import REQUEST_SECONDS, NatsConnection, NatsUnavailable, nats_errors
from photochanger_chassis.nats.streams import ensure
from photochanger_chassis.postgres.outbox import OutboxEvent
from photochanger_chassis.tracing import continued_trace

_log = structlog.stdlib.get_logger(__name__)
_tracer = trace.get_tracer(__name__)

STREAM: Final = "EVENTS"
_SUBJECTS: Final = ("events.>",)
_KEPT_SECONDS: Final = 3 * 24 * 3600.0
# A relay that died after publishing is replaced within seconds; an hour covers an operator's break, too.
_DUPLICATES_SECONDS: Final = 3600.0
_CONTENT_TYPE: Final = "application/protobuf"

_FETCH_SECONDS: Final = 5.0
_ACK_WAIT_SECONDS: Final = 30.0
_BEAT_SECONDS: Final = 10.0
_GIVE_BACK_SECONDS: Final = 0.5
_PAUSES: Final = (timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=15), timedelta(seconds=60))


async def ensure_stream(connection: NatsConnection) -> None:
    """Creates the stream of events, or brings it to the configuration wanted here.

    Raises:
        NatsUnavailable: JetStream did not do it.
    """
    config = api.StreamConfig(
        name=STREAM,
        description="What has happened, by context; bodies are described in protos/.",
        subjects=list(_SUBJECTS),
        retention=api.RetentionPolicy.LIMITS,
        storage=api.StorageType.FILE,
        max_age=_KEPT_SECONDS,
        duplicate_window=_DUPLICATES_SECONDS,
        num_replicas=connection.replicas,
    )
    await ensure(connection, config)


class EventPublisher:
    """Publishes events of one service to the stream, which it creates when it is missing."""

    def __init__(self, connection: NatsConnection, *, service: str) -> None:
        self._connection = connection
        self._source: Final = f"/photochanger/{service}"

    async def publish(self, event: OutboxEvent) -> None:
        """Returns once JetStream has stored the event. A second time within an hour changes nothing.

        Raises:
            NatsUnavailable: it was not, or perhaps not, stored.
        """
        with nats_errors():
            try:
                await self._send(event)
            except nats.js.errors.NoStreamResponseError:
                # Nobody listens: the stream was never made, or NATS lost its store.
                await ensure_stream(self._connection)
                await self._send(event)

    async def _send(self, event: OutboxEvent) -> None:
        headers = {
            "Nats-Msg-Id": event.id,
            "ce-specversion": "1.0",
            "ce-id": event.id,
            "ce-source": self._source,
            "ce-type": event.data_type,
            "ce-subject": event.aggregate_id,
            "ce-time": event.occurred_at.isoformat(),
            "content-type": _CONTENT_TYPE,
            **event.trace,
        }
        await self._connection.jetstream.publish(
            event.subject, event.data, timeout=REQUEST_SECONDS, headers=headers
        )


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """An event as a handler gets it.

    Args:
        id: the same in every delivery; what idempotency hangs on.
        subject: `events.<context>.<aggregate>.<what>`.
        type: full name of the proto message in `data`.
        aggregate_id: what it happened to.
        occurred_at: when it happened.
        data: the encoded body.
        delivery: 1 for the first delivery.
    """

    id: str
    subject: str
    type: str
    aggregate_id: str
    occurred_at: datetime
    data: bytes
    delivery: int


Handler = Callable[[ReceivedEvent], Awaitable[None]]


class EventConsumer:
    """Hands events to a handler until it has returned without an error for each.

    Every replica runs one under the same `durable` name; each event goes to one of them. Deliveries repeat, so
    the handler is idempotent; and with `concurrency` above 1, or after a failure, order is not kept.

    An `Unavailable` from the handler is retried for ever, with pauses up to a minute. Any other error is a bug
    or a poisonous event: retried up to `max_deliveries`, then logged and given up. So is an event that ended
    the process each time. A lost stream or consumer is made anew.
    """

    def __init__(
        self,
        connection: NatsConnection,
        *,
        durable: str,
        subjects: Sequence[str],
        handler: Handler,
        concurrency: int = 4,
        max_deliveries: int = 8,
    ) -> None:
        self._connection = connection
        self._durable: Final = durable
        self._subjects: Final = tuple(subjects)
        self._handler = handler
        self._concurrency: Final = concurrency
        self._max_deliveries: Final = max_deliveries
        self._cut_off = False

    async def run(self) -> None:
        """Consumes until cancelled; events in hand are then given back."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(self._concurrency):
                tasks.create_task(self._work(), name=f"{self._durable}-{number}")

    async def _work(self) -> None:
        subscription: JetStreamContext.PullSubscription | None = None
        try:
            while True:
                try:
                    await self._connection.connected.wait()
                    if subscription is None:
                        subscription = await self._bind()
                    message = await self._next(subscription)
                except NatsUnavailable as error:
                    if not self._cut_off:
                        cause = str(error.__cause__ or error)
                        _log.warning("events.cut_off", durable=self._durable, error=cause)
                    self._cut_off = True
                    await _drop(subscription)
                    subscription = None
                    await asyncio.sleep(_PAUSES[0].total_seconds())
                    continue
                self._cut_off = False
                if message is not None:
                    await self._handle(message)
        finally:
            # A pull that is still open at the server would take an event with nobody there to handle it.
            await _drop(subscription)

    async def _bind(self) -> JetStreamContext.PullSubscription:
        await ensure_stream(self._connection)
        config = api.ConsumerConfig(
            durable_name=self._durable,
            filter_subjects=list(self._subjects),
            deliver_policy=api.DeliverPolicy.ALL,
            ack_policy=api.AckPolicy.EXPLICIT,
            ack_wait=_ACK_WAIT_SECONDS,
            # Given up here, not by the server: that would keep quiet about it.
            max_deliver=-1,
        )
        with nats_errors():
            jetstream = self._connection.jetstream
            await jetstream.add_consumer(STREAM, config)
            return await jetstream.pull_subscribe_bind(consumer=self._durable, stream=STREAM)

    async def _next(self, subscription: JetStreamContext.PullSubscription) -> Msg | None:
        with nats_errors():
            try:
                messages = await subscription.fetch(1, timeout=_FETCH_SECONDS)
            except TimeoutError:
                return None  # nothing came; a pull for a consumer that is gone fails in another way
        return messages[0]

    async def _handle(self, message: Msg) -> None:
        delivery = message.metadata.num_delivered
        log = _log.bind(durable=self._durable, subject=message.subject, delivery=delivery)
        event = _parsed(message, delivery)
        if event is None:
            log.error("events.not_a_cloudevent")
            await self._settle(message.term)
            return
        log = log.bind(event_id=event.id)
        if delivery > self._max_deliveries:
            log.error("events.given_up")
            await self._settle(message.term)
            return
        pause = _PAUSES[min(delivery, len(_PAUSES)) - 1].total_seconds()
        try:
            with (
                continued_trace(message.headers or {}),
                _tracer.start_as_current_span(f"process {message.subject}", kind=trace.SpanKind.CONSUMER),
            ):
                await self._call(event, message)
        except asyncio.CancelledError:
            # Not at once: pulls of our own workers, which are being cancelled too, may still be open.
            await self._settle(lambda: message.nak(delay=_GIVE_BACK_SECONDS))
            raise
        except Unavailable as error:
            log.warning("events.postponed", error=error.message, pause_seconds=pause)
            await self._settle(lambda: message.nak(delay=pause))
        except Exception:
            log.exception("events.handler_failed")
            await self._settle(lambda: message.nak(delay=pause))
        else:
            await self._settle(message.ack)

    async def _call(self, event: ReceivedEvent, message: Msg) -> None:
        with collapse_group():
            async with asyncio.TaskGroup() as tasks:
                beat = tasks.create_task(_keep(message))
                try:
                    await self._handler(event)
                finally:
                    beat.cancel()

    async def _settle(self, verdict: Callable[[], Awaitable[None]]) -> None:
        # Without a connection the verdict is lost, and the event comes again after the ack wait.
        with suppress(NatsUnavailable), nats_errors():
            await verdict()


async def _drop(subscription: JetStreamContext.PullSubscription | None) -> None:
    if subscription is not None:
        with suppress(NatsUnavailable), nats_errors():
            await subscription.unsubscribe()


async def _keep(message: Msg) -> None:
    while True:
        await asyncio.sleep(_BEAT_SECONDS)
        with suppress(NatsUnavailable), nats_errors():
            await message.in_progress()


def _parsed(message: Msg, delivery: int) -> ReceivedEvent | None:
    headers = message.headers or {}
    try:
        return ReceivedEvent(
            id=headers["ce-id"],
            subject=message.subject,
            type=headers["ce-type"],
            aggregate_id=headers["ce-subject"],
            occurred_at=datetime.fromisoformat(headers["ce-time"]),
            data=message.data,
            delivery=delivery,
        )
    except (KeyError, ValueError):
        return None
