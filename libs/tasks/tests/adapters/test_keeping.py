"""Dead letters, history, events, the cache."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from photochanger.tasks.v1.task_events_pb2 import TaskEvent, TaskState
from photochanger_chassis.postgres.pool import connection
from photochanger_chassis.testing import ManualClock
from photochanger_tasks import (
    Attempt,
    Failed,
    Reason,
    ResultCache,
    State,
    TaskKind,
    TaskNotDead,
    TaskNotFound,
    UniqueKeyTaken,
)
from photochanger_tasks.testing import Engine

Open = Callable[..., AbstractAsyncContextManager[Engine]]
Say: TypeAlias = TaskKind[StringValue]


async def fail(_: Attempt[StringValue]) -> None:
    raise KeyError


async def dead_task(
    engine: Engine,
    kind: Say,
    queue: str,
    *,
    unique_key: str | None = None,
    deadline_at: datetime | None = None,
) -> str:
    async with engine.working(engine.worker({queue: 1})):
        (one,) = await engine.submit(
            kind.task(StringValue(), tenant="a", unique_key=unique_key, deadline_at=deadline_at)
        )
        (task,) = await engine.ended(one.task.id)
    assert task.state is State.DEAD
    return task.id


async def test_a_dead_task_is_listed_and_requeued_with_all_its_attempts(
    open_engine: Open, kind: Say, queue: str
) -> None:
    broken = [True]

    async def work(_: Attempt[StringValue]) -> None:
        if broken[0]:
            raise KeyError

    once = replace(kind, max_attempts=1).handled_by(work)
    async with open_engine(once) as engine:
        task_id = await dead_task(engine, once, queue)
        assert [task.id for task in await engine.tasks.page(state=State.DEAD)] == [task_id]
        broken[0] = False
        again = await engine.tasks.requeue(task_id, by="anna")
        assert (again.state, again.failures, again.decided_by) == (State.QUEUED, 0, "anna")
        async with engine.working(engine.worker({queue: 1})):
            (done,) = await engine.ended(task_id)
        assert (done.state, done.attempt) == (State.DONE, 2)
        with pytest.raises(TaskNotDead):
            await engine.tasks.requeue(task_id, by="anna")


async def test_a_requeued_task_is_not_held_to_a_deadline_that_has_passed(
    open_engine: Open, kind: Say, queue: str
) -> None:
    clock = ManualClock()
    once = replace(kind, max_attempts=1).handled_by(fail)
    async with open_engine(once, clock=clock) as engine:
        ends = clock.now() + timedelta(minutes=1)
        early = await dead_task(engine, once, queue, deadline_at=ends)
        late = await dead_task(engine, once, queue, deadline_at=ends)
        assert (await engine.tasks.requeue(early, by="anna")).deadline_at == ends
        clock.advance(timedelta(minutes=1))
        again = await engine.tasks.requeue(late, by="anna")
        await engine.keeper.sweep()
        assert again.deadline_at is None
        assert (await engine.tasks.get(late)).state is State.QUEUED


async def test_a_dropped_task_is_failed_for_good(open_engine: Open, kind: Say, queue: str) -> None:
    once = replace(kind, max_attempts=1).handled_by(fail)
    async with open_engine(once) as engine:
        task_id = await dead_task(engine, once, queue)
        dropped = await engine.tasks.drop(task_id, by="anna")
        assert (dropped.state, dropped.reason, dropped.decided_by) == (State.FAILED, Reason.DROPPED, "anna")
        with pytest.raises(TaskNotDead):
            await engine.tasks.drop(task_id, by="anna")


async def test_a_dead_task_stays_dead_while_a_live_one_has_its_unique_key(
    open_engine: Open, kind: Say, queue: str
) -> None:
    once = replace(kind, max_attempts=1).handled_by(fail)
    async with open_engine(once) as engine:
        task_id = await dead_task(engine, once, queue, unique_key="k")
        (second,) = await engine.submit(once.task(StringValue(), tenant="a", unique_key="k"))
        assert second.created
        with pytest.raises(UniqueKeyTaken):
            await engine.tasks.requeue(task_id, by="anna")
        assert (await engine.tasks.get(task_id)).state is State.DEAD


async def test_the_history_is_bounded(open_engine: Open, kind: Say, queue: str) -> None:
    async def work(attempt: Attempt[StringValue]) -> None:
        if attempt.payload.value == "dies":
            raise KeyError

    clock = ManualClock()
    kept = replace(
        kind, max_attempts=1, retention=timedelta(days=1), dead_retention=timedelta(days=3)
    ).handled_by(work)
    async with open_engine(kept, clock=clock) as engine:
        async with engine.working(engine.worker({queue: 1})):
            done, dead, live = await engine.submit(
                kept.task(StringValue(), tenant="a"),
                kept.task(StringValue(value="dies"), tenant="b"),
                kept.task(StringValue(), tenant="c", run_at=clock.now() + timedelta(days=99)),
            )
            await engine.ended(done.task.id, dead.task.id)
        assert await engine.keeper.prune() == 0
        clock.advance(timedelta(days=1))
        assert await engine.keeper.prune() == 1
        with pytest.raises(TaskNotFound):
            await engine.tasks.get(done.task.id)
        clock.advance(timedelta(days=2))
        assert await engine.keeper.prune() == 1
        clock.advance(timedelta(days=90))
        assert await engine.keeper.prune() == 0
        assert (await engine.tasks.get(live.task.id)).state is State.SCHEDULED
        assert await engine.tasks.workers() == []


async def events_of(engine: Engine, task_id: str) -> list[tuple[str, TaskEvent]]:
    async with connection(engine.pool) as conn:
        rows = await (
            await conn.execute(
                "SELECT subject, data FROM outbox WHERE aggregate_id = %s ORDER BY position", (task_id,)
            )
        ).fetchall()
    return [(str(row[0]).rsplit(".", 1)[1], TaskEvent.FromString(row[1])) for row in rows]


async def test_events_are_the_whole_history_of_a_task_in_order(
    open_engine: Open, kind: Say, queue: str
) -> None:
    told = asyncio.Event()

    async def work(attempt: Attempt[StringValue]) -> None:
        if attempt.number == 1:
            raise ValueError
        await attempt.status("waiting_for_provider")
        await attempt.progress(40, "page 2 of 5")
        told.set()
        await asyncio.Event().wait()

    clock = ManualClock()
    handled = kind.handled_by(work)
    async with open_engine(handled, clock=clock) as engine:
        # No relay: the outbox keeps everything, and the ticket is published by hand.
        worker = engine.worker({queue: 1}, worker_id="w")
        async with engine.working(worker, relay=False):
            (one,) = await engine.submit(kind.task(StringValue(), tenant="a"))
            await ticket(engine, queue)
            await engine.until(lambda task: task.state is State.SCHEDULED, one.task.id)
            clock.advance(timedelta(minutes=10))
            await engine.keeper.sweep()
            await ticket(engine, queue)
            await told.wait()
            await worker.tick()
            await worker.tick()
            assert (await engine.tasks.get(one.task.id)).stage == "page 2 of 5"
            await engine.tasks.cancel(one.task.id, by="anna")
            await engine.ended(one.task.id)
        history = await events_of(engine, one.task.id)
    assert [what for what, _ in history] == [
        *("created", "started", "postponed", "queued", "started", "progressed", "progressed", "finished")
    ]
    assert [event.state for _, event in history] == [
        TaskState.TASK_STATE_QUEUED,
        TaskState.TASK_STATE_RUNNING,
        TaskState.TASK_STATE_SCHEDULED,
        TaskState.TASK_STATE_QUEUED,
        TaskState.TASK_STATE_RUNNING,
        TaskState.TASK_STATE_RUNNING,
        TaskState.TASK_STATE_RUNNING,
        TaskState.TASK_STATE_CANCELLED,
    ]
    assert [event.attempt for _, event in history] == [0, 1, 1, 1, 2, 2, 2, 2]
    assert (history[5][1].status, history[6][1].progress_percent) == ("waiting_for_provider", 40)
    assert [event.by for _, event in history] == ["", "w", "w", "keeper", "w", "w", "w", "anna"]


async def ticket(engine: Engine, queue: str) -> None:
    from photochanger_tasks.nats.stream import ensure_stream

    await ensure_stream(engine.nats)
    await engine.nats.jetstream.publish(f"tasks.{queue}.say", b"")


async def test_a_kind_that_is_not_announced_makes_no_events(open_engine: Open, kind: Say, queue: str) -> None:
    async def work(_: Attempt[StringValue]) -> None:
        raise Failed("no", "No.")

    quiet = replace(kind, announce=False).handled_by(work)
    async with open_engine(quiet) as engine, engine.working(engine.worker({queue: 1}), relay=False):
        (one,) = await engine.submit(quiet.task(StringValue(), tenant="a"))
        await ticket(engine, queue)
        await engine.ended(one.task.id)
        assert await events_of(engine, one.task.id) == []


async def test_a_cached_result_is_computed_once_and_for_a_while(open_engine: Open, kind: Say) -> None:
    computed: list[int] = []
    clock = ManualClock()

    async def compute() -> bytes:
        computed.append(1)
        await asyncio.sleep(0.01)
        return b"value"

    async with open_engine(kind, clock=clock) as engine:
        cache, hour = ResultCache(engine.pool, clock), timedelta(hours=1)
        found = await asyncio.gather(*(cache.get_or_compute("key", compute, hour) for _ in range(6)))
        assert (set(found), len(computed)) == ({b"value"}, 1)
        assert await cache.get("key") == b"value"
        clock.advance(hour)
        assert await cache.get("key") is None
        await engine.keeper.prune()
        await cache.put("key", b"other", hour)
        assert await cache.get_or_compute("key", compute, hour) == b"other"
        assert len(computed) == 1


async def test_a_computation_that_fails_leaves_nothing_behind(open_engine: Open, kind: Say) -> None:
    async def broken() -> bytes:
        raise KeyError

    async def sound() -> bytes:
        return b"value"

    async with open_engine(kind) as engine:
        cache, hour = ResultCache(engine.pool, engine.clock), timedelta(hours=1)
        with pytest.raises(KeyError):
            await cache.get_or_compute("key", broken, hour)
        assert await cache.get_or_compute("key", sound, hour) == b"value"
