"""Tickets in JetStream: enough of them, whatever NATS loses; never more tasks at once than the limit."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from photochanger_tasks import Attempt, QueueOwnedElsewhere, State, TaskKind
from photochanger_tasks.kinds import Queue
from photochanger_tasks.nats.stream import STREAM, ensure_consumer, ensure_stream, tickets_there
from photochanger_tasks.testing import Engine

Open = Callable[..., AbstractAsyncContextManager[Engine]]
Say: TypeAlias = TaskKind[StringValue]


def some(kind: Say, number: int) -> list[Any]:
    return [kind.task(StringValue(), tenant="a") for _ in range(number)]


async def test_tickets_are_the_tasks_accepted_minus_those_finished(
    open_engine: Open, kind: Say, queue: str
) -> None:
    gates = [asyncio.Event() for _ in range(6)]
    begun: asyncio.Queue[int] = asyncio.Queue()

    async def work(attempt: Attempt[StringValue]) -> None:
        number = int(attempt.payload.value)
        begun.put_nowait(number)
        await gates[number].wait()

    async with open_engine(kind.handled_by(work)) as engine, engine.working(engine.worker({queue: 2})):
        new = [kind.task(StringValue(value=str(number)), tenant="a") for number in range(6)]
        submitted = await engine.submit(*new)
        for number in range(6):
            await begun.get()
            await engine.until_tickets(queue, 6 - number)
            gates[number].set()
            await engine.ended(submitted[number].task.id)
        await engine.until_tickets(queue, 0)


async def test_when_nats_loses_its_whole_store_all_tasks_are_done(
    open_engine: Open, kind: Say, queue: str, own_nats: Any
) -> None:
    server = await asyncio.to_thread(own_nats)
    begun, release = asyncio.Event(), asyncio.Event()

    async def work(_: Attempt[StringValue]) -> None:
        begun.set()
        await release.wait()

    async with (
        open_engine(kind.handled_by(work), nats=server.url, reconcile=timedelta(seconds=1)) as engine,
        engine.working(engine.worker({queue: 3}), keeper=True),
    ):
        submitted = await engine.submit(*some(kind, 100))
        await begun.wait()
        await engine.until_tickets(queue, 100)
        await asyncio.to_thread(server.wipe)
        await asyncio.to_thread(server.start)
        release.set()
        ended = await engine.ended(*(each.task.id for each in submitted), within=timedelta(seconds=60))
    assert {(task.state, task.attempt) for task in ended} == {(State.DONE, 1)}


async def test_a_missing_ticket_is_published_at_the_second_look(
    open_engine: Open, kind: Say, queue: str
) -> None:
    async with open_engine(kind) as engine:
        await ensure_stream(engine.nats)
        await engine.submit(*some(kind, 3))
        await engine.relay.relay_batch()
        assert await tickets_there(engine.nats, queue) == 3
        assert await engine.keeper.reconcile() == 0
        await engine.nats.jetstream.purge_stream(STREAM, subject=f"tasks.{queue}.>")
        assert [await engine.keeper.reconcile() for _ in range(3)] == [0, 3, 0]
        await engine.relay.relay_batch()
        assert await tickets_there(engine.nats, queue) == 3
        assert [await engine.keeper.reconcile() for _ in range(2)] == [0, 0]


async def test_a_ticket_still_in_the_outbox_is_not_missing(open_engine: Open, kind: Say, queue: str) -> None:
    async with open_engine(kind) as engine:
        await engine.submit(*some(kind, 3))
        assert [await engine.keeper.reconcile() for _ in range(3)] == [0, 0, 0]
        assert await tickets_there(engine.nats, queue) == 0


async def test_a_surplus_ticket_finds_nothing_and_is_used_up(
    open_engine: Open, kind: Say, queue: str
) -> None:
    ran: list[int] = []

    async def work(attempt: Attempt[StringValue]) -> None:
        ran.append(attempt.number)

    async with open_engine(kind.handled_by(work)) as engine:
        await ensure_stream(engine.nats)
        for _ in range(5):
            await engine.nats.jetstream.publish(f"tasks.{queue}.say", b"")
        async with engine.working(engine.worker({queue: 2})):
            (one,) = await engine.submit(*some(kind, 1))
            await engine.ended(one.task.id)
            await engine.until_tickets(queue, 0)
    assert ran == [1]


async def test_the_limit_of_a_queue_holds_for_all_its_workers(
    open_engine: Open, kind: Say, queue: str
) -> None:
    at_once = most = 0

    async def work(_: Attempt[StringValue]) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.002)
        at_once -= 1

    async with open_engine(kind.handled_by(work), limit=3) as engine:
        workers = [engine.worker({queue: 4}, worker_id=f"w{number}") for number in range(3)]
        async with engine.working(*workers):
            submitted = await engine.submit(*some(kind, 60))
            ended = await engine.ended(*(each.task.id for each in submitted))
    assert {task.state for task in ended} == {State.DONE}
    assert 2 <= most <= 3


async def test_a_task_of_a_kind_that_only_a_newer_worker_has_waits_for_one(
    open_engine: Open, kind: Say, queue: str
) -> None:
    async def work(_: Attempt[StringValue]) -> None:
        return None

    newer = TaskKind(name="shout", queue=queue, payload=StringValue)
    async with open_engine(kind.handled_by(work), newer) as engine, engine.working(engine.worker({queue: 1})):
        strange, known = await engine.submit(
            newer.task(StringValue(), tenant="a"), kind.task(StringValue(), tenant="a")
        )
        await engine.ended(known.task.id)
        assert (await engine.tasks.get(strange.task.id)).state is State.QUEUED
        assert await tickets_there(engine.nats, queue) >= 1


async def test_a_queue_of_another_service_is_refused(open_engine: Open, kind: Say, queue: str) -> None:
    async with open_engine(kind) as engine:
        await ensure_stream(engine.nats)
        half_a_minute = timedelta(seconds=30)
        await ensure_consumer(engine.nats, Queue(queue), context="one", ack_wait=half_a_minute)
        await ensure_consumer(engine.nats, Queue(queue, 5), context="one", ack_wait=half_a_minute)
        with pytest.raises(QueueOwnedElsewhere, match="one"):
            await ensure_consumer(engine.nats, Queue(queue), context="two", ack_wait=half_a_minute)


async def test_a_deleted_consumer_is_made_anew(open_engine: Open, kind: Say, queue: str) -> None:
    async def work(_: Attempt[StringValue]) -> None:
        return None

    async with open_engine(kind.handled_by(work)) as engine, engine.working(engine.worker({queue: 2})):
        (first,) = await engine.submit(*some(kind, 1))
        await engine.ended(first.task.id)
        await engine.nats.jetstream.delete_consumer(STREAM, queue)
        (second,) = await engine.submit(*some(kind, 1))
        (task,) = await engine.ended(second.task.id)
    assert task.state is State.DONE


async def test_three_workers_share_the_work_and_each_task_runs_once(
    open_engine: Open, kind: Say, queue: str
) -> None:
    ran: list[str] = []

    async def work(attempt: Attempt[StringValue]) -> None:
        ran.append(attempt.task_id)
        await asyncio.sleep(0)

    async with open_engine(kind.handled_by(work)) as engine:
        workers = [engine.worker({queue: 4}, worker_id=f"w{number}") for number in range(3)]
        async with engine.working(*workers):
            submitted = await engine.submit(*some(kind, 200))
            ids = [each.task.id for each in submitted]
            await engine.ended(*ids)
            assert {each.id for each in await engine.tasks.workers()} == {"w0", "w1", "w2"}
    assert sorted(ran) == sorted(ids)
