import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from photochanger_chassis.postgres.pool import Connection, connection, transaction
from photochanger_tasks import Attempt, Cancelled, State, Task, TaskKind, TaskNotFound
from photochanger_tasks.postgres import claims
from photochanger_tasks.testing import Engine

Open = Callable[..., AbstractAsyncContextManager[Engine]]
Say: TypeAlias = TaskKind[StringValue]


async def test_a_task_cancelled_before_its_start_never_runs(open_engine: Open, kind: Say, queue: str) -> None:
    ran: list[str] = []

    async def work(attempt: Attempt[StringValue]) -> None:
        ran.append(attempt.task_id)

    async with open_engine(kind.handled_by(work)) as engine:
        queued, later, other = await engine.submit(
            kind.task(StringValue(), tenant="a"),
            kind.task(StringValue(), tenant="a", run_at=engine.clock.now() + timedelta(hours=1)),
            kind.task(StringValue(), tenant="a"),
        )
        for each in (queued, later):
            assert await engine.tasks.cancel(each.task.id, by="admin") is Cancelled.AT_ONCE
        async with engine.working(engine.worker({queue: 1})):
            await engine.ended(other.task.id)
        tasks = [await engine.tasks.get(each.task.id) for each in (queued, later)]
    assert [(task.state, task.decided_by) for task in tasks] == [(State.CANCELLED, "admin")] * 2
    assert ran == [other.task.id]


async def test_a_running_task_is_stopped_and_its_provider_is_told(
    open_engine: Open, kind: Say, queue: str
) -> None:
    begun, told = asyncio.Event(), list[str]()
    ended: list[State] = []

    async def work(attempt: Attempt[StringValue]) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # as a call to the provider would
            told.append(attempt.task_id)

    async def on_end(_: Connection, task: Task) -> None:
        ended.append(task.state)

    hooked = replace(kind, on_end=on_end).handled_by(work)
    async with open_engine(hooked) as engine, engine.working(engine.worker({queue: 1})):
        task_id = (await engine.submit(hooked.task(StringValue(), tenant="a")))[0].task.id
        await begun.wait()
        assert await engine.tasks.cancel(task_id, by="admin") is Cancelled.STOPPING
        (task,) = await engine.ended(task_id)
    assert (task.state, task.failures) == (State.CANCELLED, 0)
    assert told == [task_id]
    assert ended == [State.CANCELLED]


async def test_a_task_that_finishes_while_it_is_being_cancelled_ends_cancelled(
    open_engine: Open, kind: Say, queue: str
) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def work(_: Attempt[StringValue]) -> StringValue:
        begun.set()
        with suppress(asyncio.CancelledError):  # a handler that does not listen
            await release.wait()
        return StringValue(value="done after all")

    async with open_engine(kind.handled_by(work)) as engine, engine.working(engine.worker({queue: 1})):
        task_id = (await engine.submit(kind.task(StringValue(), tenant="a")))[0].task.id
        await begun.wait()
        await engine.tasks.cancel(task_id, by="admin")
        release.set()
        (task,) = await engine.ended(task_id)
    assert (task.state, task.result) == (State.CANCELLED, None)


async def test_a_handler_that_does_not_stop_holds_up_neither_the_cancellation_nor_the_others(
    open_engine: Open, kind: Say, queue: str
) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def work(attempt: Attempt[StringValue]) -> None:
        if attempt.payload.value != "deaf":
            return
        begun.set()
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    async with open_engine(kind.handled_by(work)) as engine, engine.working(engine.worker({queue: 2})):
        task_id = (await engine.submit(kind.task(StringValue(value="deaf"), tenant="a")))[0].task.id
        await begun.wait()
        await engine.tasks.cancel(task_id, by="admin")
        (task,) = await engine.ended(task_id, within=timedelta(seconds=10))
        (other,) = await engine.submit(kind.task(StringValue(), tenant="a"))
        await engine.ended(other.task.id)
        release.set()
    assert task.state is State.CANCELLED


async def test_after_its_end_a_task_cannot_be_cancelled(open_engine: Open, kind: Say, queue: str) -> None:
    async def work(_: Attempt[StringValue]) -> None:
        return None

    async with open_engine(kind.handled_by(work)) as engine, engine.working(engine.worker({queue: 1})):
        task_id = (await engine.submit(kind.task(StringValue(), tenant="a")))[0].task.id
        await engine.ended(task_id)
        assert await engine.tasks.cancel(task_id, by="admin") is Cancelled.TOO_LATE
        assert (await engine.tasks.get(task_id)).state is State.DONE
        with pytest.raises(TaskNotFound):
            await engine.tasks.cancel("0" * 32, by="admin")


async def test_a_cancellation_that_meets_a_claim_under_way_stops_what_was_started(
    open_engine: Open, kind: Say, queue: str
) -> None:
    async with open_engine(kind) as engine:
        task_id = (await engine.submit(kind.task(StringValue(), tenant="a")))[0].task.id
        async with asyncio.TaskGroup() as group, transaction(engine.pool) as conn:
            now = engine.clock.now()
            assert await claims.claim(
                conn,
                queue=queue,
                kinds=["say"],
                number=1,
                owner="w",
                now=now,
                lease_until=now + timedelta(seconds=15),
            )
            cancelling = group.create_task(engine.tasks.cancel(task_id, by="admin"))
            await until_somebody_waits_for_a_lock(engine)
        task = await engine.tasks.get(task_id)
    assert cancelling.result() is Cancelled.STOPPING
    assert (task.state, task.cancel_requested) == (State.RUNNING, True)


async def until_somebody_waits_for_a_lock(engine: Engine) -> None:
    query = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(30), connection(engine.pool) as conn:
        while await (await conn.execute(query)).fetchone() is None:
            pass


async def test_many_cancellations_race_with_many_starts(open_engine: Open, kind: Say, queue: str) -> None:
    running: set[str] = set()
    ran: list[str] = []

    async def work(attempt: Attempt[StringValue]) -> None:
        running.add(attempt.task_id)
        ran.append(attempt.task_id)
        try:
            await asyncio.sleep(0.001)
        finally:
            running.discard(attempt.task_id)

    async with open_engine(kind.handled_by(work)) as engine, engine.working(engine.worker({queue: 8})):
        submitted = await engine.submit(*(kind.task(StringValue(), tenant="a") for _ in range(80)))
        ids = [each.task.id for each in submitted]
        answers = dict(
            zip(ids, await asyncio.gather(*(engine.tasks.cancel(i, by="x") for i in ids)), strict=True)
        )
        tasks = {task.id: task.state for task in await engine.ended(*ids)}
    for task_id, answer in answers.items():
        match answer:
            case Cancelled.AT_ONCE:
                assert tasks[task_id] is State.CANCELLED
                assert task_id not in ran
            case Cancelled.STOPPING:
                assert tasks[task_id] is State.CANCELLED
            case Cancelled.TOO_LATE:
                assert tasks[task_id] is State.DONE
    assert not running
