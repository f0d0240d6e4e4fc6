import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

import pytest
from google.protobuf.message import Message
from google.protobuf.wrappers_pb2 import StringValue
from photochanger_chassis.errors import Unavailable
from photochanger_chassis.testing import ManualClock
from photochanger_tasks import Attempt, Backoff, Deferred, Failed, Reason, State, TaskKind
from photochanger_tasks.testing import Engine

Open = Callable[..., AbstractAsyncContextManager[Engine]]
Say: TypeAlias = TaskKind[StringValue]
SOON = timedelta(minutes=10)


async def test_a_submitted_task_is_run_and_its_result_is_stored(
    open_engine: Open, kind: Say, queue: str
) -> None:
    async def say(attempt: Attempt[StringValue]) -> StringValue:
        return StringValue(value=attempt.payload.value.upper())

    async with open_engine(kind.handled_by(say)) as engine, engine.working(engine.worker({queue: 2})):
        submitted = await engine.submit(
            *(kind.task(StringValue(value=f"t{n}"), tenant="a") for n in range(5))
        )
        ended = await engine.ended(*(each.task.id for each in submitted))
    assert [task.state for task in ended] == [State.DONE] * 5
    assert [StringValue.FromString(task.result or b"").value for task in ended] == [
        "T0",
        "T1",
        "T2",
        "T3",
        "T4",
    ]
    assert {(task.attempt, task.failures, task.progress) for task in ended} == {(1, 0, 100)}


@pytest.mark.parametrize(
    ("error", "reason"),
    [(Unavailable("Down."), "unavailable"), (ValueError("secret"), Reason.BUG)],
)
async def test_a_failing_task_is_tried_again_until_its_attempts_are_used_up(
    open_engine: Open, kind: Say, queue: str, error: Exception, reason: str
) -> None:
    numbers: list[int] = []

    async def fail(attempt: Attempt[StringValue]) -> None:
        numbers.append(attempt.number)
        raise error

    clock = ManualClock()
    three = replace(kind, max_attempts=3).handled_by(fail)
    async with open_engine(three, clock=clock) as engine, engine.working(engine.worker({queue: 1})):
        task_id = (await engine.submit(three.task(StringValue(), tenant="a")))[0].task.id
        for _ in range(2):
            (waiting,) = await engine.until(lambda task: task.state is State.SCHEDULED, task_id)
            assert waiting.reason == reason
            clock.advance(SOON)
            await engine.keeper.sweep()
        (dead,) = await engine.ended(task_id)
    assert (dead.state, dead.reason, dead.failures, dead.attempt) == (State.DEAD, reason, 3, 3)
    assert numbers == [1, 2, 3]
    assert "secret" not in dead.message


async def test_a_pause_is_at_least_what_the_failing_part_asks_for(
    open_engine: Open, kind: Say, queue: str
) -> None:
    async def fail(_: Attempt[StringValue]) -> None:
        raise Unavailable("Down.", retry_after=timedelta(minutes=3))

    clock = ManualClock()
    quick = replace(kind, backoff=Backoff(timedelta(seconds=1), timedelta(seconds=1))).handled_by(fail)
    async with open_engine(quick, clock=clock) as engine, engine.working(engine.worker({queue: 1})):
        task_id = (await engine.submit(quick.task(StringValue(), tenant="a")))[0].task.id
        (waiting,) = await engine.until(lambda task: task.state is State.SCHEDULED, task_id)
    assert waiting.run_at == clock.now() + timedelta(minutes=3)


async def test_what_cannot_succeed_is_not_tried_again(open_engine: Open, kind: Say, queue: str) -> None:
    async def fail(_: Attempt[StringValue]) -> None:
        raise Failed("no_such_photo", "The photo is gone.")

    async with open_engine(kind.handled_by(fail)) as engine, engine.working(engine.worker({queue: 1})):
        (one,) = await engine.submit(kind.task(StringValue(), tenant="a"))
        (task,) = await engine.ended(one.task.id)
    assert (task.state, task.reason, task.message) == (State.FAILED, "no_such_photo", "The photo is gone.")
    assert task.attempt == 1


async def test_back_pressure_delays_and_uses_up_no_attempt(open_engine: Open, kind: Say, queue: str) -> None:
    async def wait(attempt: Attempt[StringValue]) -> None:
        if attempt.number <= 7:
            raise Deferred(timedelta(seconds=30), "rate_limited")

    clock = ManualClock()
    async with (
        open_engine(kind.handled_by(wait), clock=clock) as engine,
        engine.working(engine.worker({queue: 1})),
    ):
        task_id = (await engine.submit(kind.task(StringValue(), tenant="a")))[0].task.id
        for _ in range(7):
            (waiting,) = await engine.until(lambda task: task.state is State.SCHEDULED, task_id)
            assert (waiting.reason, waiting.failures) == ("rate_limited", 0)
            assert waiting.run_at == clock.now() + timedelta(seconds=30)
            clock.advance(timedelta(seconds=30))
            await engine.keeper.sweep()
        (done,) = await engine.ended(task_id)
    assert (done.state, done.attempt, done.failures) == (State.DONE, 8, 0)


async def test_a_task_waits_for_its_time(open_engine: Open, kind: Say, queue: str) -> None:
    async def say(_: Attempt[StringValue]) -> None:
        return None

    clock = ManualClock()
    later = clock.now() + timedelta(hours=1)
    async with (
        open_engine(kind.handled_by(say), clock=clock) as engine,
        engine.working(engine.worker({queue: 1})),
    ):
        first, second = await engine.submit(
            kind.task(StringValue(), tenant="a", run_at=later), kind.task(StringValue(), tenant="a")
        )
        await engine.ended(second.task.id)
        clock.advance(timedelta(minutes=59))
        await engine.keeper.sweep()
        assert (await engine.tasks.get(first.task.id)).state is State.SCHEDULED
        clock.advance(timedelta(minutes=1))
        await engine.keeper.sweep()
        (done,) = await engine.ended(first.task.id)
    assert done.started_at == later


class Hanging:
    """A handler that waits until it is cancelled, and cleans up."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.told_provider = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, _: Attempt[StringValue]) -> Message | None:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            self.told_provider.set()
        return None


async def test_an_attempt_that_takes_too_long_is_stopped_and_counts_as_failed(
    open_engine: Open, kind: Say, queue: str
) -> None:
    hanging, clock = Hanging(), ManualClock()
    brief = replace(kind, timeout=timedelta(minutes=1)).handled_by(hanging)
    worker_options = {queue: 1}
    async with open_engine(brief, clock=clock) as engine:
        worker = engine.worker(worker_options)
        async with engine.working(worker):
            task_id = (await engine.submit(brief.task(StringValue(), tenant="a")))[0].task.id
            await hanging.begun.wait()
            clock.advance(timedelta(seconds=61))
            await worker.beat()
            (waiting,) = await engine.until(lambda task: task.state is State.SCHEDULED, task_id)
    assert (waiting.reason, waiting.failures) == (Reason.TIMEOUT, 1)
    assert hanging.cancelled.is_set()


async def test_a_deadline_that_passes_during_an_attempt_stops_it_and_fails_the_task(
    open_engine: Open, kind: Say, queue: str
) -> None:
    hanging, clock = Hanging(), ManualClock()
    deadline = clock.now() + timedelta(seconds=40)
    async with open_engine(kind.handled_by(hanging), clock=clock) as engine:
        worker = engine.worker({queue: 1})
        async with engine.working(worker):
            new = kind.task(StringValue(), tenant="a", deadline_at=deadline)
            task_id = (await engine.submit(new))[0].task.id
            await hanging.begun.wait()
            clock.advance(timedelta(seconds=40))
            await worker.beat()
            (task,) = await engine.ended(task_id)
    assert (task.state, task.reason, task.failures) == (State.FAILED, Reason.DEADLINE, 0)
    assert hanging.cancelled.is_set()


async def test_a_deadline_that_passes_before_the_start_fails_the_task(
    open_engine: Open, kind: Say, queue: str
) -> None:
    async def never(_: Attempt[StringValue]) -> None:
        raise AssertionError("it was started")

    clock = ManualClock()
    async with open_engine(kind.handled_by(never), clock=clock) as engine:
        new = kind.task(StringValue(), tenant="a", deadline_at=clock.now() + timedelta(seconds=5))
        task_id = (await engine.submit(new))[0].task.id
        clock.advance(timedelta(seconds=5))
        async with engine.working(engine.worker({queue: 1})):
            await engine.keeper.sweep()
            (task,) = await engine.ended(task_id)
    assert (task.state, task.reason, task.attempt) == (State.FAILED, Reason.DEADLINE, 0)


async def test_a_stopping_worker_finishes_what_it_can_and_gives_back_the_rest(
    open_engine: Open, kind: Say, queue: str
) -> None:
    hanging, release = Hanging(), asyncio.Event()
    slow_begun = asyncio.Event()

    async def work(attempt: Attempt[StringValue]) -> Message | None:
        if attempt.number > 1:
            return None
        if attempt.payload.value == "hangs":
            return await hanging(attempt)
        slow_begun.set()
        await release.wait()
        return None

    handled = kind.handled_by(work)
    async with open_engine(handled) as engine:
        one, two = (
            each.task.id
            for each in await engine.submit(
                kind.task(StringValue(value="hangs"), tenant="a"),
                kind.task(StringValue(value="slow"), tenant="a"),
            )
        )
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            relay = group.create_task(engine.relay.run())
            leaving = group.create_task(
                engine.worker({queue: 2}, worker_id="leaving", grace=timedelta(seconds=0.5)).run(stop)
            )
            await hanging.begun.wait()
            await slow_begun.wait()
            stop.set()
            release.set()
            await leaving
            back, finished = await engine.tasks.get(one), await engine.tasks.get(two)
            relay.cancel()
        assert (finished.state, finished.attempt) == (State.DONE, 1)
        assert (back.state, back.failures, back.owner) == (State.QUEUED, 0, None)
        # Its ticket is there at once for another worker: nobody has to publish or to wait for a new one.
        async with engine.working(engine.worker({queue: 2}, worker_id="next"), relay=False):
            (done,) = await engine.ended(one, within=timedelta(seconds=10))
    assert (done.state, done.attempt, done.failures) == (State.DONE, 2, 0)


async def test_a_worker_takes_nothing_while_its_machine_is_short(
    open_engine: Open, kind: Say, queue: str
) -> None:
    from photochanger_tasks import Guard, Limits, Worker, WorkerOptions
    from photochanger_tasks.machine import Load

    load = Load(memory=0.99, cpu=0.1, free_bytes=8 << 30)
    ran = asyncio.Event()

    async def say(_: Attempt[StringValue]) -> None:
        ran.set()

    async with open_engine(kind.handled_by(say)) as engine:
        worker = Worker(
            worker_id="short",
            pool=engine.pool,
            nats=engine.nats,
            notifications=engine.notifications,
            tasks=engine.tasks,
            clock=engine.clock,
            options=WorkerOptions(slots={queue: 1}),
            guard=Guard(Limits(), lambda: load),
        )
        await worker.tick()
        async with engine.working(worker):
            (one,) = await engine.submit(kind.task(StringValue(), tenant="a"))
            await engine.relay.relay_batch()
            await worker.beat()
            assert [each.guard for each in await engine.tasks.workers()] == ["memory"]
            assert (await engine.tasks.get(one.task.id)).state is State.QUEUED
            assert not ran.is_set()
            load = Load(memory=0.5, cpu=0.1, free_bytes=8 << 30)
            await worker.tick()
            await engine.ended(one.task.id)


async def test_a_worker_on_busy_cpus_does_one_task_after_the_other(
    open_engine: Open, kind: Say, queue: str
) -> None:
    from photochanger_tasks import Guard, Limits, Worker, WorkerOptions
    from photochanger_tasks.machine import Load

    load = Load(memory=0.1, cpu=0.99, free_bytes=8 << 30)
    started: list[str] = []
    second, release = asyncio.Event(), asyncio.Event()

    async def say(attempt: Attempt[StringValue]) -> None:
        started.append(attempt.task_id)
        if len(started) == 2:
            second.set()
        if len(started) > 1:
            await release.wait()

    async with open_engine(kind.handled_by(say)) as engine:
        worker = Worker(
            worker_id="busy",
            pool=engine.pool,
            nats=engine.nats,
            notifications=engine.notifications,
            tasks=engine.tasks,
            clock=engine.clock,
            options=WorkerOptions(slots={queue: 3}),
            guard=Guard(Limits(), lambda: load),
        )
        await worker.tick()
        async with engine.working(worker), asyncio.timeout(30):
            four = await engine.submit(*[kind.task(StringValue(), tenant="a") for _ in range(4)])
            ids = [each.task.id for each in four]
            await engine.relay.relay_batch()
            await second.wait()
            states = [(await engine.tasks.get(task_id)).state for task_id in ids]
            release.set()
            assert sorted(states) == sorted([State.DONE, State.RUNNING, State.QUEUED, State.QUEUED])
            await engine.ended(*ids)
