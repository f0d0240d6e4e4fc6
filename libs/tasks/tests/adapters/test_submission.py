import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import TypeAlias

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from photochanger_chassis.postgres import outbox
from photochanger_chassis.postgres.pool import connection, transaction
from photochanger_chassis.testing import ManualClock
from photochanger_tasks import Cancelled, NewTask, State, TaskKind, TaskNotFound
from photochanger_tasks.postgres import claims
from photochanger_tasks.testing import Engine

Open = Callable[..., AbstractAsyncContextManager[Engine]]
Say: TypeAlias = TaskKind[StringValue]


async def claimed(engine: Engine, queue: str, number: int = 1, owner: str = "w") -> list[str]:
    now = engine.clock.now()
    async with connection(engine.pool) as conn:
        tasks = await claims.claim(
            conn,
            queue=queue,
            kinds=["say", "shout"],
            number=number,
            owner=owner,
            now=now,
            lease_until=now + timedelta(seconds=15),
        )
    return [f"{task.tenant}{StringValue.FromString(task.payload).value}" for task in tasks]


def words(kind: Say, tenant: str, number: int, **options: float) -> list[NewTask]:
    return [
        kind.task(StringValue(value=str(place)), tenant=tenant, **options)  # type: ignore[arg-type] # numbers
        for place in range(number)
    ]


async def test_a_task_of_a_transaction_that_fails_never_was(open_engine: Open, kind: Say) -> None:
    async with open_engine(kind) as engine:
        with pytest.raises(KeyError):
            async with transaction(engine.pool) as conn:
                submitted = await engine.tasks.submit(conn, kind.task(StringValue(), tenant="a"))
                raise KeyError
        with pytest.raises(TaskNotFound):
            await engine.tasks.get(submitted.task.id)
        assert await outbox.backlog(engine.pool) == 0


async def test_a_task_is_stored_with_one_ticket_and_one_event(
    open_engine: Open, kind: Say, queue: str
) -> None:
    async with open_engine(kind) as engine:
        (one,) = await engine.submit(kind.task(StringValue(), tenant="a"))
        async with connection(engine.pool) as conn:
            rows = await (await conn.execute("SELECT subject, id FROM outbox ORDER BY position")).fetchall()
    assert rows[0] == (f"tasks.{queue}.say", f"{one.task.id}:0")
    assert [row[0] for row in rows[1:]] == ["events.test.task.created"]


async def test_a_second_task_with_a_live_unique_key_is_answered_with_the_first(
    open_engine: Open, kind: Say
) -> None:
    async with open_engine(kind) as engine:
        (first,) = await engine.submit(kind.task(StringValue(value="1"), tenant="a", unique_key="k"))
        (second,) = await engine.submit(kind.task(StringValue(value="2"), tenant="b", unique_key="k"))
        assert (first.created, second.created) == (True, False)
        assert second.task.id == first.task.id
        assert await engine.tasks.cancel(first.task.id, by="admin") is Cancelled.AT_ONCE
        (third,) = await engine.submit(kind.task(StringValue(value="3"), tenant="a", unique_key="k"))
    assert third.created


async def test_of_many_submissions_at_once_with_one_unique_key_one_wins(open_engine: Open, kind: Say) -> None:
    async with open_engine(kind) as engine:
        answers = await asyncio.gather(
            *(engine.submit(kind.task(StringValue(), tenant=f"t{n}", unique_key="k")) for n in range(12))
        )
    assert sum(answer[0].created for answer in answers) == 1
    assert len({answer[0].task.id for answer in answers}) == 1


async def test_a_kind_the_service_does_not_have_is_refused(open_engine: Open, kind: Say, queue: str) -> None:
    other = TaskKind(name="other", queue=queue, payload=StringValue)
    async with open_engine(kind) as engine:
        with pytest.raises(ValueError, match="other"):
            await engine.submit(other.task(StringValue(), tenant="a"))


async def test_a_bulk_sender_does_not_starve_the_others(open_engine: Open, kind: Say, queue: str) -> None:
    async with open_engine(kind) as engine:
        await engine.submit(*words(kind, "bulk", 50))
        await engine.submit(*words(kind, "b", 2))
        await engine.submit(*words(kind, "c", 1))
        order = [(await claimed(engine, queue))[0] for _ in range(6)]
    assert sorted(order[:3]) == ["b0", "bulk0", "c0"]
    assert sorted(order[3:5]) == ["b1", "bulk1"]
    assert order[5] == "bulk2"


async def test_a_late_comer_has_its_turn_at_once_however_long_the_others_have_worked(
    open_engine: Open, kind: Say, queue: str
) -> None:
    async with open_engine(kind) as engine:
        await engine.submit(*words(kind, "bulk", 50))
        await claimed(engine, queue, 20)
        await engine.submit(*words(kind, "late", 3))
        order = [(await claimed(engine, queue))[0] for _ in range(6)]
    assert [name for name in order if name.startswith("late")] == ["late0", "late1", "late2"]
    assert "late0" in order[:2]


async def test_a_tenant_gains_nothing_by_having_been_idle(open_engine: Open, kind: Say, queue: str) -> None:
    async with open_engine(kind) as engine:
        await engine.submit(*words(kind, "a", 1))
        await engine.submit(*words(kind, "b", 30))
        await claimed(engine, queue, 25)
        await engine.submit(*words(kind, "a", 10))
        order = [(await claimed(engine, queue))[0][0] for _ in range(8)]
    assert order.count("a") in {4, 5}


async def test_weights_share_a_queue_in_their_proportion(open_engine: Open, kind: Say, queue: str) -> None:
    async with open_engine(kind) as engine:
        await engine.submit(*words(kind, "a", 40, weight=3.0), *words(kind, "b", 40))
        order = [(await claimed(engine, queue))[0][0] for _ in range(20)]
    assert 14 <= order.count("a") <= 16


async def test_a_more_urgent_task_goes_first(open_engine: Open, kind: Say, queue: str) -> None:
    async with open_engine(kind) as engine:
        await engine.submit(*words(kind, "a", 3, priority=9), *words(kind, "b", 3))
        await engine.submit(*words(kind, "c", 1, priority=0))
        assert [(await claimed(engine, queue))[0] for _ in range(7)] == [
            "c0",
            "b0",
            "b1",
            "b2",
            "a0",
            "a1",
            "a2",
        ]


async def test_claims_at_once_give_each_task_to_one_worker(open_engine: Open, kind: Say, queue: str) -> None:
    async with open_engine(kind) as engine:
        await engine.submit(*words(kind, "a", 60))
        found = await asyncio.gather(*(claimed(engine, queue, 7, f"w{n}") for n in range(8)))
        rest = await claimed(engine, queue, 60, "last")
    everything = [name for each in (*found, rest) for name in each]
    assert len(everything) == len(set(everything)) == 60


async def test_a_task_is_not_started_after_its_deadline_though_no_sweep_has_ended_it(
    open_engine: Open, kind: Say, queue: str
) -> None:
    clock = ManualClock()
    async with open_engine(kind, clock=clock) as engine:
        ends = clock.now() + timedelta(seconds=5)
        await engine.submit(kind.task(StringValue(value="late"), tenant="a", deadline_at=ends))
        await engine.submit(kind.task(StringValue(value="early"), tenant="b"))
        clock.advance(timedelta(seconds=5))
        assert await claimed(engine, queue, 2) == ["bearly"]


async def test_a_unique_key_is_held_while_the_task_is_running(
    open_engine: Open, kind: Say, queue: str
) -> None:
    async with open_engine(kind) as engine:
        (first,) = await engine.submit(kind.task(StringValue(), tenant="a", unique_key="k"))
        await claimed(engine, queue)
        (second,) = await engine.submit(kind.task(StringValue(), tenant="a", unique_key="k"))
    assert (second.task.id, second.created) == (first.task.id, False)


async def test_a_task_tells_how_many_are_ahead(open_engine: Open, kind: Say) -> None:
    async with open_engine(kind) as engine:
        submitted = await engine.submit(*words(kind, "a", 4))
        assert [await engine.tasks.ahead(each.task) for each in submitted] == [0, 1, 2, 3]


async def test_the_newest_tasks_are_listed_page_by_page(open_engine: Open, kind: Say, queue: str) -> None:
    async with open_engine(kind, clock=ManualClock()) as engine:
        submitted = await engine.submit(*words(kind, "a", 5))
        first = await engine.tasks.page(state=State.QUEUED, queue=queue, size=3)
        second = await engine.tasks.page(state=State.QUEUED, queue=queue, size=3, before=first[-1].position)
        (depth,) = await engine.tasks.depths()
    assert [task.id for task in (*first, *second)] == [each.task.id for each in reversed(submitted)]
    assert (depth.queue, depth.queued, depth.running) == (queue, 5, 0)
