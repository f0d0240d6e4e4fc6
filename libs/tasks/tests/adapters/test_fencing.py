"""An attempt whose lease has lapsed is overtaken: whatever it still does is as if it had never been."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

from google.protobuf.wrappers_pb2 import StringValue
from photochanger_chassis.postgres.pool import Connection, connection, transaction
from photochanger_chassis.testing import ManualClock
from photochanger_tasks import Attempt, AttemptOvertaken, Reason, State, Task, TaskKind
from photochanger_tasks.postgres import changes, claims
from photochanger_tasks.postgres.changes import AttemptEnd
from photochanger_tasks.testing import Engine

Open = Callable[..., AbstractAsyncContextManager[Engine]]
Say: TypeAlias = TaskKind[StringValue]
LEASE = timedelta(seconds=15)


async def store_effect(conn: Connection, task: Task) -> None:
    await conn.execute("INSERT INTO effects VALUES (%s, %s)", (task.id, task.attempt))


async def effects(engine: Engine) -> list[tuple[object, ...]]:
    async with connection(engine.pool) as conn:
        return await (await conn.execute("SELECT * FROM effects")).fetchall()


async def make_effects(engine: Engine) -> None:
    async with connection(engine.pool) as conn:
        await conn.execute("CREATE TABLE effects (task_id text, attempt integer)")


async def test_the_effect_of_an_overtaken_attempt_is_never_visible(
    open_engine: Open, kind: Say, queue: str
) -> None:
    begun, release, told = asyncio.Event(), asyncio.Event(), list[str]()

    async def work(attempt: Attempt[StringValue]) -> StringValue:
        if attempt.number == 1:
            begun.set()
            await release.wait()
            try:
                await attempt.status("late")
            except AttemptOvertaken as error:
                told.append(error.reason)
        return StringValue(value=f"attempt {attempt.number}")

    clock = ManualClock()
    stored = replace(kind, on_done=store_effect).handled_by(work)
    async with open_engine(stored, clock=clock) as engine:
        await make_effects(engine)
        slow, next_one = (
            engine.worker({queue: 1}, worker_id="slow"),
            engine.worker({queue: 1}, worker_id="next"),
        )
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            relay = group.create_task(engine.relay.run())
            group.create_task(slow.run(stop))
            task_id = (await engine.submit(stored.task(StringValue(), tenant="a")))[0].task.id
            await begun.wait()
            clock.advance(LEASE + timedelta(seconds=1))
            await engine.keeper.sweep_leases()
            (lost,) = await engine.until(lambda task: task.state is State.QUEUED, task_id)
            assert (lost.reason, lost.failures) == (Reason.WORKER_LOST, 1)
            group.create_task(next_one.run(stop))
            (done,) = await engine.ended(task_id)
            release.set()
            stop.set()
            relay.cancel()
        assert StringValue.FromString((await engine.tasks.get(task_id)).result or b"").value == "attempt 2"
        assert (done.state, done.attempt) == (State.DONE, 2)
        assert await effects(engine) == [(task_id, 2)]
    assert told == ["ATTEMPT_OVERTAKEN"]


async def test_an_overtaken_attempt_is_stopped_with_the_next_heartbeat(
    open_engine: Open, kind: Say, queue: str
) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def work(_: Attempt[StringValue]) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    clock = ManualClock()
    handled = kind.handled_by(work)
    async with open_engine(handled, clock=clock) as engine:
        worker = engine.worker({queue: 1}, grace=timedelta())
        async with engine.working(worker):
            await engine.submit(kind.task(StringValue(), tenant="a"))
            await begun.wait()
            clock.advance(LEASE + timedelta(seconds=1))
            # By hand, so that no ticket brings the task back to this very worker.
            async with transaction(engine.pool) as conn:
                await conn.execute("UPDATE tasks SET owner = 'somebody else', attempt = 2")
            await worker.beat()
            async with asyncio.timeout(10):
                await stopped.wait()


async def test_a_lease_is_renewed_as_long_as_the_worker_lives(
    open_engine: Open, kind: Say, queue: str
) -> None:
    begun, release = asyncio.Event(), asyncio.Event()

    async def work(_: Attempt[StringValue]) -> None:
        begun.set()
        await release.wait()

    clock = ManualClock()
    async with open_engine(kind.handled_by(work), clock=clock) as engine:
        worker = engine.worker({queue: 1})
        async with engine.working(worker):
            task_id = (await engine.submit(kind.task(StringValue(), tenant="a")))[0].task.id
            await begun.wait()
            for _ in range(6):
                clock.advance(timedelta(seconds=10))
                await worker.beat()
                await engine.keeper.sweep_leases()
            release.set()
            (done,) = await engine.ended(task_id)
    assert (done.state, done.attempt) == (State.DONE, 1)


async def test_a_task_that_kills_each_worker_ends_dead(open_engine: Open, kind: Say, queue: str) -> None:
    clock = ManualClock()
    async with open_engine(replace(kind, max_attempts=2), clock=clock) as engine:
        task_id = (await engine.submit(kind.task(StringValue(), tenant="a")))[0].task.id
        for number in range(2):
            now = clock.now()
            async with connection(engine.pool) as conn:
                assert await claims.claim(
                    conn,
                    queue=queue,
                    kinds=["say"],
                    number=1,
                    owner=f"w{number}",
                    now=now,
                    lease_until=now + LEASE,
                )
            clock.advance(LEASE + timedelta(seconds=1))
            await engine.keeper.sweep_leases()
        task = await engine.tasks.get(task_id)
    assert (task.state, task.reason, task.failures, task.attempt) == (State.DEAD, Reason.WORKER_LOST, 2, 2)


async def test_an_end_counts_only_for_the_owner_of_the_current_attempt(
    open_engine: Open, kind: Say, queue: str
) -> None:
    async with open_engine(kind) as engine:
        task_id = (await engine.submit(kind.task(StringValue(), tenant="a")))[0].task.id
        now = engine.clock.now()
        async with transaction(engine.pool) as conn:
            await claims.claim(
                conn, queue=queue, kinds=["say"], number=1, owner="right", now=now, lease_until=now + LEASE
            )
        for owner, attempt, counts in (
            ("wrong", 1, 0),
            ("right", 2, 0),
            ("right", 0, 0),
            ("right", 1, 1),
            ("right", 1, 0),
        ):
            end = AttemptEnd(task_id=task_id, attempt=attempt, state=State.DONE, keep_until=now)
            async with transaction(engine.pool) as conn:
                assert len(await changes.end_attempts(conn, [end], owner=owner, now=now)) == counts


async def test_what_is_said_of_progress_counts_only_for_the_owner_of_the_current_attempt(
    open_engine: Open, kind: Say, queue: str
) -> None:
    clock = ManualClock()
    async with open_engine(kind, clock=clock) as engine:
        task_id = (await engine.submit(kind.task(StringValue(), tenant="a")))[0].task.id
        for lost in (True, False):  # the same worker loses the task and gets it again
            now = clock.now()
            async with transaction(engine.pool) as conn:
                await claims.claim(
                    conn,
                    queue=queue,
                    kinds=["say"],
                    number=1,
                    owner="right",
                    now=now,
                    lease_until=now + LEASE,
                )
            if lost:
                clock.advance(LEASE + timedelta(seconds=1))
                await engine.keeper.sweep_leases()
        for owner, attempt, counts in (("right", 1, 0), ("wrong", 2, 0), ("right", 2, 1)):
            async with transaction(engine.pool) as conn:
                note = claims.Progress(task_id, attempt, 40, "page 2")
                noted = await claims.note_progress(conn, [note], owner=owner)
                status = await claims.note_status(conn, task_id, attempt, "waiting", owner=owner)
            assert (len(noted), status is not None) == (counts, bool(counts))


async def test_a_hook_that_fails_undoes_the_end_and_the_attempt_has_failed(
    open_engine: Open, kind: Say, queue: str
) -> None:
    async def work(_: Attempt[StringValue]) -> None:
        return None

    async def once_broken(conn: Connection, task: Task) -> None:
        await store_effect(conn, task)
        if task.attempt == 1:
            raise KeyError("a bug")

    clock = ManualClock()
    hooked = replace(kind, on_done=once_broken).handled_by(work)
    async with open_engine(hooked, clock=clock) as engine:
        await make_effects(engine)
        async with engine.working(engine.worker({queue: 1})):
            task_id = (await engine.submit(hooked.task(StringValue(), tenant="a")))[0].task.id
            (waiting,) = await engine.until(lambda task: task.state is State.SCHEDULED, task_id)
            assert (waiting.reason, waiting.failures, await effects(engine)) == (Reason.BUG, 1, [])
            clock.advance(timedelta(minutes=10))
            await engine.keeper.sweep()
            await engine.ended(task_id)
        assert await effects(engine) == [(task_id, 2)]


async def test_a_claim_whose_answer_was_lost_is_put_back(open_engine: Open, kind: Say, queue: str) -> None:
    async def work(_: Attempt[StringValue]) -> None:
        return None

    async with open_engine(kind.handled_by(work)) as engine:
        worker = engine.worker({queue: 1}, worker_id="w")
        task_id = (await engine.submit(kind.task(StringValue(), tenant="a")))[0].task.id
        now = engine.clock.now()
        async with transaction(engine.pool) as conn:
            await claims.claim(
                conn, queue=queue, kinds=["say"], number=1, owner="w", now=now, lease_until=now + LEASE
            )
        await worker.beat()
        task = await engine.tasks.get(task_id)
    assert (task.state, task.failures, task.owner) == (State.QUEUED, 0, None)
