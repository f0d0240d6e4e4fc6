"""Events for watching admins: a consumer of the event stream for each, which the server forgets by itself.

Events are pulled one by one, so a client that reads slowly holds back its own consumer and nothing else, and no
queue grows here.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import timedelta
from typing import Final

import nats.js.errors
import structlog
from google.protobuf.message import DecodeError
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from photochanger.ingest.v1 import configuration_events_pb2, job_events_pb2
from photochanger_chassis.nats.connection import NatsConnection, NatsUnavailable, nats_errors
from photochanger_chassis.nats.events import STREAM, ensure_stream

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.application.live import (
    Begun,
    Change,
    Followed,
    Happened,
    JobChange,
    JobStep,
    Missed,
    Position,
    Quiet,
    SettingsChange,
    SlotChange,
)

_log: Final = structlog.stdlib.get_logger(__name__)

_JOBS: Final = "events.ingest.job."
_SLOT_CHANGED: Final = "events.ingest.slot.changed"
_SETTINGS_CHANGED: Final = "events.ingest.settings.changed"
_SUBJECTS: Final = (f"{_JOBS}*", _SLOT_CHANGED, _SETTINGS_CHANGED)
_JobMessage = (
    job_events_pb2.JobCreated
    | job_events_pb2.JobStarted
    | job_events_pb2.JobProgressed
    | job_events_pb2.JobFinished
    | job_events_pb2.JobResultKept
)
_JOB_MESSAGES: Final[dict[JobStep, type[_JobMessage]]] = {
    JobStep.CREATED: job_events_pb2.JobCreated,
    JobStep.STARTED: job_events_pb2.JobStarted,
    JobStep.PROGRESSED: job_events_pb2.JobProgressed,
    JobStep.FINISHED: job_events_pb2.JobFinished,
    JobStep.RESULT_KEPT: job_events_pb2.JobResultKept,
}
_LONGEST_PULL: Final = timedelta(seconds=5)
"""A pull that a lost connection took with it is noticed after this long."""
_PAUSE_SECONDS: Final = 0.5
_FORGOTTEN_AFTER_SECONDS: Final = 30.0


class JetStreamEvents:
    """Keeps the promises of `application.live.Events`."""

    def __init__(self, connection: NatsConnection) -> None:
        self._connection = connection

    async def follow(self, after: Position | None, *, quiet: timedelta) -> AsyncGenerator[Followed, None]:
        """See the port."""
        position, begun = after, False
        consumer: _Consumer | None = None
        pull = min(quiet, _LONGEST_PULL)
        try:
            while True:
                try:
                    if consumer is None:
                        position, missed = await self._resume(position)
                        consumer = await self._consume(position)
                        if missed:
                            yield Missed(position)
                        elif not begun:
                            yield Begun(position)
                        begun = True
                    message = await consumer.next(pull)
                except (NatsUnavailable, _OutOfOrder):
                    await _drop(consumer)
                    consumer = None
                    yield Quiet()
                    await asyncio.sleep(_PAUSE_SECONDS)
                    continue
                if message is None:
                    yield Quiet()
                    continue
                position = Position(message.metadata.sequence.stream, consumer.stream)
                change = _change(message)
                if change is not None:
                    yield Happened(position, change)
        finally:
            await _drop(consumer)

    async def _resume(self, position: Position | None) -> tuple[Position, bool]:
        """Where to go on, and whether events before that are lost."""
        with nats_errors():
            try:
                info = await self._connection.jetstream.stream_info(STREAM)
            except nats.js.errors.NotFoundError:  # nothing has ever happened, or NATS lost its store
                await ensure_stream(self._connection)
                info = await self._connection.jetstream.stream_info(STREAM)
        stream = "" if info.created is None else f"{int(info.created.timestamp() * 1_000_000):x}"
        newest = Position(info.state.last_seq, stream)
        if position is None:
            return newest, False
        same = position.stream in ("", stream)
        # The stream may begin right after the position: that event itself is not needed any more.
        if same and info.state.first_seq - 1 <= position.sequence <= info.state.last_seq:
            return Position(position.sequence, stream), False
        return newest, True

    async def _consume(self, position: Position) -> "_Consumer":
        config = api.ConsumerConfig(
            filter_subjects=list(_SUBJECTS),
            deliver_policy=api.DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=position.sequence + 1,
            ack_policy=api.AckPolicy.NONE,
            inactive_threshold=_FORGOTTEN_AFTER_SECONDS,
            mem_storage=True,
            num_replicas=1,
        )
        with nats_errors():
            jetstream = self._connection.jetstream
            made = await jetstream.add_consumer(STREAM, config)
            bound = await jetstream.pull_subscribe_bind(consumer=made.name, stream=STREAM)
            return _Consumer(bound, position.stream)


class _OutOfOrder(Exception):
    """An event went to a pull that nobody waited for any more."""


class _Consumer:
    """A consumer of a stream whose every event is seen: the server numbers what it delivers."""

    def __init__(self, subscription: JetStreamContext.PullSubscription, stream: str) -> None:
        self.subscription: Final = subscription
        self.stream: Final = stream
        self._delivered = 0

    async def next(self, within: timedelta) -> Msg | None:
        """The next event, or None where none comes in time.

        Raises:
            NatsUnavailable, _OutOfOrder: make another consumer.
        """
        with nats_errors():
            try:
                (message,) = await self.subscription.fetch(1, timeout=within.total_seconds())
            except TimeoutError:
                return None  # a pull for a consumer that is gone fails in another way
        self._delivered += 1
        if message.metadata.sequence.consumer != self._delivered:
            raise _OutOfOrder
        return message


async def _drop(consumer: _Consumer | None) -> None:
    if consumer is not None:
        with suppress(NatsUnavailable), nats_errors():
            await consumer.subscription.unsubscribe()


def _change(message: Msg) -> Change | None:
    """What an event says; None for one we do not know, which a newer service may send."""
    try:
        if message.subject == _SLOT_CHANGED:
            slot = configuration_events_pb2.SlotChanged.FromString(message.data).slot
            return SlotChange(slot.id, slot.display_name, slot.version, slot.updated_by)
        if message.subject == _SETTINGS_CHANGED:
            changed = configuration_events_pb2.SettingsChanged.FromString(message.data)
            return SettingsChange(changed.settings.version)
        step = JobStep(message.subject.removeprefix(_JOBS))
        return JobChange(step, translate.job(_JOB_MESSAGES[step].FromString(message.data).job))
    except (ValueError, DecodeError):
        _log.warning("live.unknown_event", subject=message.subject)
        return None
