import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from photochanger_chassis.errors import Unavailable
from photochanger_chassis.nats.connection import open_nats
from photochanger_chassis.nats.events import EventPublisher
from photochanger_chassis.postgres import outbox
from photochanger_chassis.postgres.notify import Notifications, open_notifications
from photochanger_chassis.postgres.outbox import OutboxEvent, OutboxRelay
from photochanger_chassis.postgres.pool import Pool, connection, open_pool, transaction
from photochanger_chassis.settings import NatsSettings, PostgresSettings
from pydantic import SecretStr

_numbers = count(1)


def an_event(
    aggregate_id: str = "a", *, data: bytes = b"body", subject: str = "events.test.thing.done"
) -> OutboxEvent:
    return OutboxEvent(
        id=f"event-{next(_numbers)}",
        subject=subject,
        aggregate_id=aggregate_id,
        data=data,
        data_type="test.v1.Done",
        occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@dataclass
class Recorder:
    """A publisher that keeps what it is given, or fails while `down` is set, or for the events refused."""

    events: list[OutboxEvent] = field(default_factory=list)
    arrived: "asyncio.Queue[OutboxEvent]" = field(default_factory=asyncio.Queue)
    down: bool = False
    refused: set[str] = field(default_factory=set)
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, event: OutboxEvent) -> None:
        self.asked.set()
        await asyncio.sleep(0)
        if self.down:
            raise Unavailable("Down.")
        if event.id in self.refused:
            raise ValueError("This one never.")
        self.events.append(event)
        self.arrived.put_nowait(event)

    async def take(self, number: int) -> list[str]:
        async with asyncio.timeout(30):
            return [(await self.arrived.get()).id for _ in range(number)]


@dataclass(frozen=True)
class Outbox:
    pool: Pool
    notifications: Notifications

    async def add(self, *events: OutboxEvent) -> None:
        for event in events:
            async with transaction(self.pool) as conn:
                await outbox.add(conn, event)

    @asynccontextmanager
    async def relays(self, number: int, publisher: Recorder) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(OutboxRelay(self.pool, publisher, self.notifications).run())
                for _ in range(number)
            ]
            yield
            for relay in running:
                relay.cancel()

    async def emptied(self) -> None:
        async with asyncio.timeout(30):
            while await outbox.backlog(self.pool):
                pass


@pytest.fixture
async def box(postgres_url: str) -> AsyncIterator[Outbox]:
    settings = PostgresSettings(database_url=SecretStr(postgres_url))
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings, application="test"))
        async with connection(pool) as conn:
            await conn.execute(outbox.create_outbox_table())
        notifications = await stack.enter_async_context(
            open_notifications(settings, application="test", channels=[outbox.CHANNEL])
        )
        await notifications.listening()
        yield Outbox(pool, notifications)


async def test_an_event_is_published_whole_and_then_gone_from_the_outbox(box: Outbox) -> None:
    publisher, event = Recorder(), an_event(data=b"\x00\xff")
    async with box.relays(1, publisher):
        await box.add(event)
        await publisher.take(1)
        await box.emptied()
    assert publisher.events == [event]


async def test_several_events_are_added_at_once_and_published_whole_and_in_order(box: Outbox) -> None:
    publisher = Recorder()
    events = [an_event("same", data=bytes([number])) for number in range(20)]
    async with box.relays(1, publisher):
        async with transaction(box.pool) as conn:
            await outbox.add_all(conn, events)
            await outbox.add_all(conn, [])
        await publisher.take(len(events))
    assert publisher.events == events


async def test_events_added_without_waking_leave_when_the_relays_are_woken(box: Outbox) -> None:
    publisher, event = Recorder(), an_event()
    async with box.relays(1, publisher):
        async with transaction(box.pool) as conn:
            await outbox.add_all(conn, [event], wake=False)
        await outbox.wake_relays(box.pool)
        assert await publisher.take(1) == [event.id]


async def test_several_events_cannot_be_added_outside_a_transaction(box: Outbox) -> None:
    async with connection(box.pool) as conn:
        with pytest.raises(RuntimeError, match="transaction"):
            await outbox.add_all(conn, [an_event()])


async def test_a_transaction_that_fails_publishes_nothing(box: Outbox) -> None:
    publisher, after = Recorder(), an_event()
    async with box.relays(1, publisher):
        with pytest.raises(KeyError):
            async with transaction(box.pool) as conn:
                await outbox.add(conn, an_event())
                raise KeyError
        await box.add(after)
        assert await publisher.take(1) == [after.id]


async def test_an_event_cannot_be_added_outside_a_transaction(box: Outbox) -> None:
    async with connection(box.pool) as conn:
        with pytest.raises(RuntimeError, match="transaction"):
            await outbox.add(conn, an_event())


async def test_a_late_committer_with_a_lower_position_is_not_skipped(box: Outbox) -> None:
    publisher = Recorder()
    late, early = an_event("late"), an_event("early")
    async with box.relays(2, publisher):
        async with transaction(box.pool) as slow:
            await outbox.add(slow, late)
            await box.add(early)
            assert await publisher.take(1) == [early.id]
            await box.emptied()
        assert await publisher.take(1) == [late.id]


async def test_events_of_one_aggregate_are_published_in_the_order_of_commits(box: Outbox) -> None:
    publisher = Recorder()
    first, second = an_event("same"), an_event("same")
    async with box.relays(2, publisher):
        async with asyncio.TaskGroup() as tasks, transaction(box.pool) as slow:
            await outbox.add(slow, first)
            waiting = tasks.create_task(box.add(second))
            await asyncio.wait([waiting], timeout=0.1)
            assert not waiting.done(), "the second did not wait for the first to commit"
        assert await publisher.take(2) == [first.id, second.id]


async def test_several_relays_publish_many_events_once_each_and_in_order(box: Outbox) -> None:
    publisher = Recorder()
    events = [an_event(f"aggregate-{number % 7}") for number in range(500)]
    async with box.relays(3, publisher):
        async with asyncio.TaskGroup() as tasks:
            for lane in range(7):
                tasks.create_task(box.add(*events[lane::7]))
        await publisher.take(len(events))
        await box.emptied()
    assert len(publisher.events) == len(events)
    for lane in range(7):
        published = [event.id for event in publisher.events if event.aggregate_id == f"aggregate-{lane}"]
        assert published == [event.id for event in events[lane::7]]


async def test_nothing_is_lost_while_the_publisher_is_down(box: Outbox) -> None:
    publisher = Recorder(down=True)
    events = [an_event(str(number)) for number in range(3)]
    async with box.relays(1, publisher):
        await box.add(*events)
        async with asyncio.timeout(20):
            await publisher.asked.wait()
        assert await outbox.backlog(box.pool) == 3
        publisher.down = False
        assert sorted(await publisher.take(3)) == sorted(event.id for event in events)


async def test_an_event_that_is_refused_holds_back_its_own_aggregate_only(box: Outbox) -> None:
    poison, behind, other = an_event("sick"), an_event("sick"), an_event("well")
    publisher = Recorder(refused={poison.id})
    async with transaction(box.pool) as conn:
        for event in (poison, behind, other):
            await outbox.add(conn, event)
    relay = OutboxRelay(box.pool, publisher, box.notifications)
    assert await relay.relay_batch() == (3, 1)
    assert publisher.events == [other]
    publisher.refused.clear()
    assert await relay.relay_batch() == (2, 2)
    assert publisher.events == [other, poison, behind]


async def test_only_one_relay_works_at_a_time(box: Outbox) -> None:
    entered, release = asyncio.Event(), asyncio.Event()

    class Slow(Recorder):
        async def publish(self, event: OutboxEvent) -> None:
            entered.set()
            await release.wait()
            await super().publish(event)

    publisher = Slow()
    await box.add(an_event())
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(OutboxRelay(box.pool, publisher, box.notifications).relay_batch())
        await entered.wait()
        assert await OutboxRelay(box.pool, publisher, box.notifications).relay_batch() == (0, 0)
        release.set()
        assert await working == (1, 1)


async def test_events_leave_in_order_across_a_crash_of_nats(box: Outbox, own_nats: Any) -> None:
    server = await asyncio.to_thread(own_nats)
    first, second, third = (an_event("same") for _ in range(3))
    settings = NatsSettings(nats_url=SecretStr(server.url))
    async with open_nats(settings, service="test") as nats, asyncio.TaskGroup() as tasks:
        publisher = EventPublisher(nats, service="test")
        relay = tasks.create_task(OutboxRelay(box.pool, publisher, box.notifications).run())
        await box.add(first)
        await box.emptied()
        await asyncio.to_thread(server.kill)
        await box.add(second, third)
        await asyncio.to_thread(server.start)
        await box.emptied()
        relay.cancel()
        stored = [await nats.jetstream.get_msg("EVENTS", seq=number) for number in (1, 2, 3)]
    assert [(message.headers or {})["ce-id"] for message in stored] == [first.id, second.id, third.id]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: an_event(data=bytes(outbox.MAX_EVENT_BYTES + 1)),
        lambda: an_event(subject="ingest.job.created"),
        lambda: an_event(subject="events.ingest.job.>"),
        lambda: an_event(subject="tasks.light"),
        lambda: an_event(subject="tasks.light.*"),
    ],
)
def test_an_event_that_could_never_leave_is_refused_at_once(wrong: Callable[[], OutboxEvent]) -> None:
    with pytest.raises(ValueError, match=r"published|is not events"):
        wrong()
