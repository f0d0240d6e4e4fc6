import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeAlias

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from photochanger_chassis.postgres.pool import Connection, transaction
from photochanger_chassis.testing import ManualClock
from photochanger_tasks import (
    Attempt,
    Cancelled,
    Failed,
    NewTask,
    PipelineEnded,
    PipelineKind,
    Pipelines,
    Reason,
    State,
    Step,
    Task,
    TaskKind,
)
from photochanger_tasks.testing import Engine

Open = Callable[..., AbstractAsyncContextManager[Engine]]
Say: TypeAlias = TaskKind[StringValue]
BOOK = PipelineKind(name="book")


def say(kind: Say, *words: str) -> list[NewTask]:
    return [kind.task(StringValue(value=word), tenant="a") for word in words]


def has_progress(wanted: int, task: Task) -> bool:
    return task.progress == wanted


async def submit(engine: Engine, *steps: Step, kind: PipelineKind = BOOK) -> Task:
    async with transaction(engine.pool) as conn:
        return (await engine.pipelines.submit(conn, kind, steps, tenant="a")).task


async def test_steps_run_one_after_another_and_a_joining_step_sees_the_results(
    open_engine: Open, kind: Say, queue: str
) -> None:
    order: list[str] = []

    async def work(attempt: Attempt[StringValue]) -> StringValue:
        word = attempt.payload.value
        order.append(word)
        if word == "join":
            pages = await attempt.results(1, StringValue)
            return StringValue(value="+".join(page.value for page in pages))
        return StringValue(value=word.upper())

    ended: list[str] = []

    async def on_done(_: Connection, task: Task) -> None:
        ended.append(task.id)

    book = replace(BOOK, on_done=on_done)
    async with (
        open_engine(kind.handled_by(work), pipelines=(book,)) as engine,
        engine.working(engine.worker({queue: 4})),
    ):
        parent = await submit(
            engine,
            Step(tasks=say(kind, "plan")),
            Step(tasks=say(kind, "p1", "p2", "p3")),
            Step(tasks=say(kind, "join")),
            kind=book,
        )
        (done,) = await engine.ended(parent.id)
        steps = await engine.tasks.steps(parent.id)
    assert order[0] == "plan"
    assert sorted(order[1:4]) == ["p1", "p2", "p3"]
    assert order[4:] == ["join"]
    assert (done.state, done.progress) == (State.DONE, 100)
    assert StringValue.FromString(steps[-1].result or b"").value == "P1+P2+P3"
    assert ended == [parent.id]


async def test_a_task_that_ends_may_add_tasks_to_a_later_step(
    open_engine: Open, kind: Say, queue: str
) -> None:
    pipelines: list[Pipelines] = []
    ran: list[str] = []

    async def work(attempt: Attempt[StringValue]) -> None:
        ran.append(attempt.payload.value)

    async def on_done(conn: Connection, task: Task) -> None:
        if StringValue.FromString(task.payload).value == "plan" and task.parent_id is not None:
            await pipelines[0].add(conn, task.parent_id, 1, say(kind, "p1", "p2"))

    planned = replace(kind, on_done=on_done).handled_by(work)
    async with open_engine(planned, pipelines=(BOOK,)) as engine:
        pipelines.append(engine.pipelines)
        async with engine.working(engine.worker({queue: 1})):
            parent = await submit(engine, Step(tasks=say(kind, "plan")), Step(), Step(tasks=say(kind, "end")))
            (done,) = await engine.ended(parent.id)
        with pytest.raises(PipelineEnded):
            async with transaction(engine.pool) as conn:
                await engine.pipelines.add(conn, parent.id, 2, say(kind, "late"))
    assert (done.state, ran) == (State.DONE, ["plan", "p1", "p2", "end"])


async def test_progress_counts_the_tasks_that_have_ended_by_the_weight_of_their_step(
    open_engine: Open, kind: Say, queue: str
) -> None:
    gates = {word: asyncio.Event() for word in ("a", "b", "c", "d")}

    async def work(attempt: Attempt[StringValue]) -> None:
        await gates[attempt.payload.value].wait()

    async with (
        open_engine(kind.handled_by(work), pipelines=(BOOK,)) as engine,
        engine.working(engine.worker({queue: 4})),
    ):
        parent = await submit(
            engine, Step(tasks=say(kind, "a", "b"), weight=1), Step(tasks=say(kind, "c", "d"), weight=3)
        )
        for word, progress in (("a", 12), ("b", 25), ("c", 62), ("d", 100)):
            gates[word].set()
            await engine.until(partial(has_progress, progress), parent.id)


async def test_a_step_that_fails_ends_the_pipeline_and_cancels_the_rest(
    open_engine: Open, kind: Say, queue: str
) -> None:
    hanging, stopped = asyncio.Event(), asyncio.Event()

    async def work(attempt: Attempt[StringValue]) -> None:
        if attempt.payload.value == "bad":
            await hanging.wait()
            raise Failed("no_good", "No good.")
        hanging.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    async with (
        open_engine(kind.handled_by(work), pipelines=(BOOK,)) as engine,
        engine.working(engine.worker({queue: 2})),
    ):
        parent = await submit(engine, Step(tasks=say(kind, "hangs", "bad")), Step(tasks=say(kind, "next")))
        (failed,) = await engine.ended(parent.id)
        children = await engine.tasks.steps(parent.id)
        ended = await engine.ended(*(child.id for child in children))
    assert (failed.state, failed.reason) == (State.FAILED, Reason.STEP_FAILED)
    assert [task.state for task in ended] == [State.CANCELLED, State.FAILED, State.CANCELLED]
    assert stopped.is_set()


async def test_a_step_that_allows_it_goes_on_with_what_is_done(
    open_engine: Open, kind: Say, queue: str
) -> None:
    async def work(attempt: Attempt[StringValue]) -> None:
        if attempt.payload.value == "bad":
            raise Failed("no_good", "No good.")

    async with (
        open_engine(kind.handled_by(work), pipelines=(BOOK,)) as engine,
        engine.working(engine.worker({queue: 2})),
    ):
        some = await submit(
            engine,
            Step(tasks=say(kind, "good", "bad"), allow_partial=True),
            Step(tasks=say(kind, "good")),
        )
        none = await submit(
            engine, Step(tasks=say(kind, "bad", "bad"), allow_partial=True), Step(tasks=say(kind, "good"))
        )
        ended = await engine.ended(some.id, none.id)
    assert [task.state for task in ended] == [State.DONE, State.FAILED]


async def test_cancelling_a_pipeline_cancels_all_that_is_left(
    open_engine: Open, kind: Say, queue: str
) -> None:
    begun = asyncio.Event()

    async def work(_: Attempt[StringValue]) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with (
        open_engine(kind.handled_by(work), pipelines=(BOOK,)) as engine,
        engine.working(engine.worker({queue: 1})),
    ):
        parent = await submit(engine, Step(tasks=say(kind, "a", "b")), Step(tasks=say(kind, "c")))
        await begun.wait()
        assert await engine.tasks.cancel(parent.id, by="admin") is Cancelled.AT_ONCE
        children = await engine.tasks.steps(parent.id)
        ended = await engine.ended(parent.id, *(child.id for child in children))
    assert {task.state for task in ended} == {State.CANCELLED}


async def test_a_pipelines_deadline_holds_for_its_tasks(open_engine: Open, kind: Say) -> None:
    clock = ManualClock()
    async with open_engine(kind, pipelines=(BOOK,), clock=clock) as engine:
        async with transaction(engine.pool) as conn:
            parent = (
                await engine.pipelines.submit(
                    conn,
                    BOOK,
                    [Step(tasks=say(kind, "a")), Step(tasks=say(kind, "b"))],
                    tenant="a",
                    deadline_at=clock.now() + timedelta(minutes=1),
                )
            ).task
        clock.advance(timedelta(minutes=1))
        await engine.keeper.sweep()
        tasks = [await engine.tasks.get(parent.id), *await engine.tasks.steps(parent.id)]
    assert all(task.state in {State.FAILED, State.CANCELLED} for task in tasks)
    assert tasks[0].state is State.FAILED


async def test_many_tasks_of_a_step_that_end_at_once_start_the_next_step_once(
    open_engine: Open, kind: Say, queue: str
) -> None:
    ran: list[str] = []

    async def work(attempt: Attempt[StringValue]) -> None:
        ran.append(attempt.payload.value)

    async with open_engine(kind.handled_by(work), pipelines=(BOOK,)) as engine:
        workers = [engine.worker({queue: 8}, worker_id=f"w{number}") for number in range(2)]
        async with engine.working(*workers):
            parent = await submit(
                engine, Step(tasks=say(kind, *(f"p{n}" for n in range(40)))), Step(tasks=say(kind, "join"))
            )
            (done,) = await engine.ended(parent.id)
    assert done.state is State.DONE
    assert len(ran) == 41
    assert ran[-1] == "join"


async def test_a_pipeline_needs_a_first_step(open_engine: Open, kind: Say) -> None:
    async with open_engine(kind, pipelines=(BOOK,)) as engine:
        with pytest.raises(ValueError, match="first step"):
            await submit(engine, Step(), Step(tasks=say(kind, "a")))
