import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_chassis.concurrency import ByteBudget, Workers, collapse_group, gathered, run_every

_TOTAL = 10
_STEPS = st.one_of(
    st.tuples(st.just("enter"), st.integers(0, 2 * _TOTAL)),
    st.tuples(st.sampled_from(["leave", "cancel", "settle"]), st.integers(0, 50)),
)


class _Holder:
    def __init__(self, budget: ByteBudget, size: int, number: int, order: list[int]) -> None:
        self.size = min(size, budget.total)
        self.inside = False
        self.done = asyncio.Event()
        self.task = asyncio.create_task(self._hold(budget, size, number, order))

    async def _hold(self, budget: ByteBudget, size: int, number: int, order: list[int]) -> None:
        async with budget.hold(size):
            self.inside = True
            order.append(number)
            try:
                await self.done.wait()
            finally:
                self.inside = False


async def _settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def _play(steps: list[tuple[str, int]]) -> None:
    budget = ByteBudget(_TOTAL)
    holders: list[_Holder] = []
    order: list[int] = []
    for step, number in steps:
        if step == "enter":
            holders.append(_Holder(budget, number, len(holders), order))
        elif step == "settle":
            await _settle()
        elif holders:
            holder = holders[number % len(holders)]
            if step == "leave":
                holder.done.set()
            else:
                holder.task.cancel()
        held = sum(holder.size for holder in holders if holder.inside)
        assert held <= _TOTAL
        assert budget.free <= _TOTAL - held
    await _settle()
    assert sum(holder.size for holder in holders if holder.inside) == _TOTAL - budget.free
    assert order == sorted(order), "somebody was overtaken"
    for holder in holders:
        holder.done.set()
    await asyncio.gather(*(holder.task for holder in holders), return_exceptions=True)
    assert budget.free == _TOTAL
    assert budget.waiting == 0


@given(st.lists(_STEPS, max_size=60))
def test_a_budget_is_never_exceeded_never_leaks_and_keeps_the_order(steps: list[tuple[str, int]]) -> None:
    asyncio.run(_play(steps))


async def test_a_hold_larger_than_the_budget_waits_for_all_of_it_and_runs_alone() -> None:
    budget = ByteBudget(_TOTAL)
    async with budget.hold(1000):
        assert budget.free == 0
    assert budget.free == _TOTAL


async def test_a_lone_error_leaves_a_group_as_itself() -> None:
    async def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError), collapse_group():
        async with asyncio.TaskGroup() as outer:
            async with asyncio.TaskGroup() as inner:
                inner.create_task(fail())
            outer.create_task(fail())


async def test_two_errors_stay_a_group() -> None:
    with pytest.raises(ExceptionGroup), collapse_group():
        raise ExceptionGroup("both", [KeyError("x"), ValueError("y")])


async def test_workers_run_no_more_calls_at_once_than_they_have_threads() -> None:
    gate = threading.Semaphore(2)
    release = threading.Event()

    def call() -> bool:
        if not gate.acquire(blocking=False):
            return False
        release.wait()
        gate.release()
        return True

    async with Workers(2) as workers:
        calls = [asyncio.create_task(workers.run(call)) for _ in range(6)]
        await _settle()
        release.set()
        assert await asyncio.gather(*calls) == [True] * 6


async def test_a_call_that_takes_too_long_frees_its_caller_and_not_its_thread() -> None:
    release = threading.Event()
    async with Workers(1) as workers:
        with pytest.raises(TimeoutError):
            await workers.run(release.wait, timeout=timedelta(milliseconds=10))
        with pytest.raises(TimeoutError):  # the only thread is still taken
            await workers.run(threading.get_ident, timeout=timedelta(milliseconds=10))
        release.set()
        assert await workers.run(threading.get_ident) != threading.get_ident()


async def test_a_failed_round_does_not_end_periodic_work() -> None:
    rounds = asyncio.Queue[int]()

    async def fail_once() -> None:
        rounds.put_nowait(rounds.qsize())
        if rounds.qsize() == 1:
            raise KeyError("x")

    task = asyncio.create_task(run_every(timedelta(), fail_once, name="test"))
    async with asyncio.timeout(5):
        for _ in range(3):
            await rounds.get()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@given(st.lists(st.binary(max_size=20)), st.integers(1, 40))
async def test_gathered_chunks_keep_their_order_and_come_in_groups_of_the_size(
    chunks: list[bytes], size: int
) -> None:
    async def source() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    groups = [group async for group in gathered(source(), size)]

    assert [chunk for group in groups for chunk in group] == chunks
    assert all(groups)
    for group in groups[:-1]:
        assert sum(map(len, group)) >= size > sum(map(len, group[:-1]))


def _niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


async def test_workers_that_give_way_leave_the_other_threads_alone() -> None:
    before = _niceness()
    async with Workers(1, niceness=5) as patient, Workers(1) as plain:
        assert await patient.run(_niceness) == 5
        assert await plain.run(_niceness) == before
    assert _niceness() == before
