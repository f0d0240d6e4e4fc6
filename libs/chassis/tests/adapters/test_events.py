import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from photochanger_chassis.errors import Unavailable
from photochanger_chassis.nats.connection import NatsConnection, NatsUnavailable, open_nats
from photochanger_chassis.nats.events import EventConsumer, EventPublisher, ReceivedEvent
from photochanger_chassis.postgres.outbox import OutboxEvent
from photochanger_chassis.settings import NatsSettings
from pydantic import SecretStr


@dataclass
class Topic:
    """A subject and a durable name nobody else uses, on a stream that all tests share."""

    context: str = field(default_factory=lambda: uuid4().hex)

    @property
    def subjects(self) -> list[str]:
        return [f"events.{self.context}.>"]

    def event(self, number: int = 1) -> OutboxEvent:
        return OutboxEvent(
            id=f"{self.context}-{number}",
            subject=f"events.{self.context}.thing.done",
            aggregate_id=f"thing-{number}",
            data=b"\x00body",
            data_type="test.v1.Done",
            occurred_at=datetime(2026, 1, 1, 12, 30, tzinfo=UTC),
        )


@dataclass
class Inbox:
    """A handler that keeps events, and first raises what it is told to."""

    received: "asyncio.Queue[ReceivedEvent]" = field(default_factory=asyncio.Queue)
    errors: list[Exception] = field(default_factory=list)

    async def __call__(self, event: ReceivedEvent) -> None:
        self.received.put_nowait(event)
        if self.errors:
            raise self.errors.pop(0)

    async def take(self) -> ReceivedEvent:
        async with asyncio.timeout(60):
            return await self.received.get()


def _open(url: str) -> Any:
    return open_nats(NatsSettings(nats_url=SecretStr(url)), service="test")


@asynccontextmanager
async def _consuming(
    connection: NatsConnection, topic: Topic, handler: Any, **options: Any
) -> AsyncIterator[None]:
    consumer = EventConsumer(
        connection, durable=topic.context, subjects=topic.subjects, handler=handler, **options
    )
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(consumer.run())
        yield
        running.cancel()


async def _publish(connection: NatsConnection, event: OutboxEvent) -> None:
    """Publishes as a relay does: again until it worked."""
    publisher = EventPublisher(connection, service="test")
    async with asyncio.timeout(60):
        while True:
            await connection.connected.wait()
            try:
                await publisher.publish(event)
            except NatsUnavailable:
                continue
            return


async def _pending(connection: NatsConnection, topic: Topic) -> int:
    info = await connection.jetstream.consumer_info("EVENTS", topic.context)
    return (info.num_pending or 0) + (info.num_ack_pending or 0)


async def _settled(connection: NatsConnection, topic: Topic) -> None:
    async with asyncio.timeout(30):
        while await _pending(connection, topic):
            pass


async def test_an_event_arrives_whole_and_is_then_settled(nats_url: str) -> None:
    topic, inbox = Topic(), Inbox()
    async with _open(nats_url) as connection, _consuming(connection, topic, inbox):
        await _publish(connection, topic.event())
        assert await inbox.take() == ReceivedEvent(
            id=f"{topic.context}-1",
            subject=f"events.{topic.context}.thing.done",
            type="test.v1.Done",
            aggregate_id="thing-1",
            occurred_at=datetime(2026, 1, 1, 12, 30, tzinfo=UTC),
            data=b"\x00body",
            delivery=1,
        )
        await _settled(connection, topic)


async def test_an_event_published_twice_arrives_once(nats_url: str) -> None:
    topic, inbox = Topic(), Inbox()
    async with _open(nats_url) as connection, _consuming(connection, topic, inbox, concurrency=1):
        for event in (topic.event(1), topic.event(1), topic.event(2)):
            await _publish(connection, event)
        assert [(await inbox.take()).id for _ in range(2)] == [topic.event(1).id, topic.event(2).id]


@pytest.mark.parametrize("error", [Unavailable("Database down."), KeyError("bug")])
async def test_an_event_whose_handler_failed_comes_again(nats_url: str, error: Exception) -> None:
    topic, inbox = Topic(), Inbox(errors=[error])
    async with _open(nats_url) as connection, _consuming(connection, topic, inbox):
        await _publish(connection, topic.event())
        assert [(await inbox.take()).delivery for _ in range(2)] == [1, 2]
        await _settled(connection, topic)


async def test_a_poisonous_event_is_given_up_and_does_not_stop_the_next(nats_url: str) -> None:
    topic, inbox = Topic(), Inbox(errors=[KeyError("bug")])
    async with (
        _open(nats_url) as connection,
        _consuming(connection, topic, inbox, concurrency=1, max_deliveries=1),
    ):
        await _publish(connection, topic.event(1))
        await _publish(connection, topic.event(2))
        assert [(await inbox.take()).aggregate_id for _ in range(2)] == ["thing-1", "thing-2"]
        await _settled(connection, topic)
    assert inbox.received.empty()


async def test_a_message_that_is_no_event_is_thrown_away(nats_url: str) -> None:
    topic, inbox = Topic(), Inbox()
    async with _open(nats_url) as connection, _consuming(connection, topic, inbox, concurrency=1):
        await _publish(connection, topic.event(1))
        await inbox.take()
        await connection.jetstream.publish(f"events.{topic.context}.thing.done", b"?")
        await _publish(connection, topic.event(2))
        assert (await inbox.take()).aggregate_id == "thing-2"
        await _settled(connection, topic)


async def test_an_event_in_hand_is_given_back_when_the_consumer_stops(nats_url: str) -> None:
    topic, inbox = Topic(), Inbox()
    begun = asyncio.Event()

    async def hang(_: ReceivedEvent) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with _open(nats_url) as connection:
        async with _consuming(connection, topic, hang):
            await _publish(connection, topic.event())
            await begun.wait()
        async with _consuming(connection, topic, inbox), asyncio.timeout(20):  # the ack wait is longer
            assert (await inbox.take()).delivery == 2


async def test_events_flow_again_after_nats_was_killed(own_nats: Any) -> None:
    server = await asyncio.to_thread(own_nats)
    topic, inbox = Topic(), Inbox()
    async with _open(server.url) as connection, _consuming(connection, topic, inbox):
        await _publish(connection, topic.event(1))
        assert (await inbox.take()).aggregate_id == "thing-1"
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await _publish(connection, topic.event(2))
        # The first may come again: its acknowledgement may have died with the server.
        while (event := await inbox.take()).aggregate_id == "thing-1":
            pass
        assert event.aggregate_id == "thing-2"


async def test_events_flow_again_after_nats_lost_its_whole_store(own_nats: Any) -> None:
    server = await asyncio.to_thread(own_nats)
    topic, inbox = Topic(), Inbox()
    async with _open(server.url) as connection, _consuming(connection, topic, inbox):
        await _publish(connection, topic.event(1))
        await inbox.take()
        await asyncio.to_thread(server.wipe)
        await asyncio.to_thread(server.start)
        await _publish(connection, topic.event(2))
        assert (await inbox.take()).aggregate_id == "thing-2"


async def test_a_publisher_makes_the_stream_on_an_empty_server(own_nats: Any) -> None:
    server = await asyncio.to_thread(own_nats)
    async with _open(server.url) as connection:
        await connection.connected.wait()
        await EventPublisher(connection, service="test").publish(Topic().event())
        assert (await connection.jetstream.stream_info("EVENTS")).state.messages == 1


async def test_a_consumer_deleted_at_the_server_is_made_anew(nats_url: str) -> None:
    topic, inbox = Topic(), Inbox()
    async with _open(nats_url) as connection, _consuming(connection, topic, inbox):
        await _publish(connection, topic.event(1))
        await inbox.take()
        await _settled(connection, topic)
        await connection.jetstream.delete_consumer("EVENTS", topic.context)
        # The new consumer starts from the beginning: repeats are what handlers are idempotent for.
        assert (await inbox.take()).aggregate_id == "thing-1"


async def test_a_service_starts_without_nats_and_uses_it_when_it_comes(own_nats: Any) -> None:
    server = await asyncio.to_thread(own_nats)
    await asyncio.to_thread(server.stop)
    topic, inbox = Topic(), Inbox()
    async with _open(server.url) as connection, _consuming(connection, topic, inbox):
        with pytest.raises(NatsUnavailable):
            await EventPublisher(connection, service="test").publish(topic.event(1))
        with pytest.raises(NatsUnavailable):
            await connection.probe()
        await asyncio.to_thread(server.start)
        await _publish(connection, topic.event(1))
        assert (await inbox.take()).aggregate_id == "thing-1"


@pytest.mark.parametrize("steps", range(12))
async def test_a_service_that_stops_while_it_cannot_connect_does_not_hang(steps: int) -> None:
    async with asyncio.timeout(10) as window, _open("nats://127.0.0.1:1"):
        for _ in range(steps):
            await asyncio.sleep(0)  # each step leaves the client in another place
    assert not window.expired()
