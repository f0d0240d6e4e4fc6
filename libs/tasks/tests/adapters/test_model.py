"""The engine on PostgreSQL beside a model of a few lines, through random histories.

The model says what each call may do; after each step every task is compared. Time is the model's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from photochanger_chassis.postgres.pool import connection, transaction
from photochanger_chassis.testing import ManualClock
from photochanger_tasks import Cancelled, Kinds, State, TaskKind, TaskNotDead, UniqueKeyTaken
from photochanger_tasks.postgres import claims
from photochanger_tasks.postgres.changes import AttemptEnd
from photochanger_tasks.testing import Engine, engine

LEASE = timedelta(seconds=15)
MAX_ATTEMPTS = 3
KIND = TaskKind(name="say", queue="model", payload=StringValue, max_attempts=MAX_ATTEMPTS)
LIVE = {State.SCHEDULED, State.QUEUED, State.RUNNING}
AttemptOf = tuple[str, str, int]
"""Task, owner, number."""
T = TypeVar("T")


@dataclass
class Expected:
    """What the model knows of a task."""

    key: str | None
    deadline: datetime | None
    run_at: datetime | None
    state: State
    attempt: int = 0
    failures: int = 0
    owner: str | None = None
    lease: datetime | None = None
    cancel: bool = False
    reason: str = ""
    ends: int = 0
    requeues: int = 0

    def end(self, state: State, reason: str) -> None:
        assert not self.state.finished
        self.state, self.reason = state, reason
        self.owner, self.lease, self.run_at = None, None, None
        self.ends += 1


class Machine(RuleBasedStateMachine):
    """Submits, claims, ends, cancels and lets time pass, on both sides."""

    tasks = Bundle("tasks")
    attempts = Bundle("attempts")

    def __init__(self, run: Callable[[Awaitable[Any]], Any], opened: Engine, clock: ManualClock) -> None:
        super().__init__()
        self.run, self.engine, self.clock = run, opened, clock
        self.known: dict[str, Expected] = {}
        self.run(self._clear())

    async def _clear(self) -> None:
        async with connection(self.engine.pool) as conn:
            await conn.execute("TRUNCATE tasks, task_tenants, task_steps, outbox")

    @initialize(target=attempts)
    def begin(self) -> MultipleResults[AttemptOf]:
        """Starts in the middle of things, or most histories would end before they get there."""
        for number in range(3):
            self.submit(key=None, due=None, later=None, tenant="ab"[number % 2])
        return self.claim(owner="w1", number=2)

    @rule(
        target=tasks,
        key=st.sampled_from([None, None, "k1", "k2"]),
        due=st.sampled_from([None, None, 5, 40]),
        later=st.sampled_from([None, None, 10]),
        tenant=st.sampled_from("ab"),
    )
    def submit(self, key: str | None, due: int | None, later: int | None, tenant: str) -> str:
        now = self.clock.now()
        deadline = now + timedelta(seconds=due) if due else None
        run_at = now + timedelta(seconds=later) if later else None
        new = KIND.task(StringValue(), tenant=tenant, unique_key=key, deadline_at=deadline, run_at=run_at)
        (answer,) = self.run(self.engine.submit(new))
        first = next((i for i, t in self.known.items() if key and t.key == key and t.state in LIVE), None)
        assert answer.created == (first is None)
        if first is not None:
            assert answer.task.id == first
        else:
            state = State.SCHEDULED if run_at else State.QUEUED
            self.known[answer.task.id] = Expected(key, deadline, run_at, state)
        return str(answer.task.id)

    @rule(target=attempts, owner=st.sampled_from(["w1", "w2"]), number=st.integers(1, 3))
    def claim(self, owner: str, number: int) -> MultipleResults[AttemptOf]:
        now = self.clock.now()

        async def claimed() -> list[Any]:
            async with transaction(self.engine.pool) as conn:
                return await claims.claim(
                    conn,
                    queue="model",
                    kinds=["say"],
                    number=number,
                    owner=owner,
                    now=now,
                    lease_until=now + LEASE,
                )

        found = self.run(claimed())
        able = [t for t in self.known.values() if t.state is State.QUEUED and not self._late(t)]
        assert len(found) == min(number, len(able))
        for task in found:
            expected = self.known[task.id]
            assert expected in able
            assert not expected.cancel, "a cancelled task was started"
            expected.state, expected.owner, expected.lease = State.RUNNING, owner, now + LEASE
            expected.attempt += 1
            expected.reason = ""
            assert task.attempt == expected.attempt
        return multiple(*((task.id, owner, task.attempt) for task in found))

    @rule(target=attempts)
    def lose_the_worker_and_start_again(self) -> MultipleResults[AttemptOf]:
        """What fencing is about: the same owner has a newer attempt of the same task."""
        self.time_passes(seconds=16)
        self.sweep()
        return self.claim(owner="w1", number=3)

    @rule(target=attempts)
    def start_what_is_left_when_a_deadline_has_passed(self) -> MultipleResults[AttemptOf]:
        """Before any sweep has ended it."""
        self.submit(key=None, due=5, later=None, tenant="a")
        self.time_passes(seconds=6)
        return self.claim(owner="w2", number=3)

    @rule(which=attempts, end=st.sampled_from(["done", "failed", "retry", "defer", "back"]))
    def end_attempt(self, which: AttemptOf, end: str) -> None:
        """Any attempt that ever was says how it ended; only a current one's word counts."""
        task_id, owner, attempt = which
        expected = self.known[task_id]
        now = self.clock.now()
        counts = expected.state is State.RUNNING and (expected.owner, expected.attempt) == (owner, attempt)
        last = end == "retry" and expected.failures + 1 >= MAX_ATTEMPTS
        state = {
            "done": State.DONE,
            "failed": State.FAILED,
            "retry": State.DEAD if last else State.SCHEDULED,
            "defer": State.SCHEDULED,
            "back": State.QUEUED,
        }[end]
        run_at = now + timedelta(seconds=7) if state is State.SCHEDULED else None
        said = AttemptEnd(
            task_id=task_id,
            attempt=attempt,
            state=state,
            keep_until=now + timedelta(days=1),
            counted=end == "retry",
            run_at=run_at,
            reason=end,
        )

        async def stored() -> list[Any]:
            async with transaction(self.engine.pool) as conn:
                return await self.engine.tasks.transitions.end_attempts(conn, [said], owner=owner)

        assert len(self.run(stored())) == int(counts)
        if not counts:
            return
        if expected.cancel:
            expected.end(State.CANCELLED, "cancelled")
            return
        expected.failures += int(end == "retry")
        if state.finished:
            expected.end(state, end)
        else:
            expected.state, expected.owner, expected.lease = state, None, None
            expected.run_at, expected.reason = run_at, end

    @rule(owner=st.sampled_from(["w1", "w2"]))
    def renew(self, owner: str) -> None:
        until = self.clock.now() + LEASE

        async def renewed() -> list[Any]:
            async with connection(self.engine.pool) as conn:
                return await claims.renew(conn, owner=owner, lease_until=until)

        held = {each.id: each.cancel_requested for each in self.run(renewed())}
        mine = {i: t for i, t in self.known.items() if t.state is State.RUNNING and t.owner == owner}
        assert held == {i: t.cancel for i, t in mine.items()}
        for expected in mine.values():
            expected.lease = until

    @rule(task_id=tasks)
    def cancel(self, task_id: str) -> None:
        expected = self.known[task_id]
        answer = self.run(self.engine.tasks.cancel(task_id, by="model"))
        if expected.state.finished:
            assert answer is Cancelled.TOO_LATE
        elif expected.state is State.RUNNING:
            assert answer is Cancelled.STOPPING
            expected.cancel = True
        else:
            assert answer is Cancelled.AT_ONCE
            expected.end(State.CANCELLED, "cancelled")

    @rule(task_id=tasks)
    def requeue(self, task_id: str) -> None:
        expected = self.known[task_id]
        taken = any(
            t.key == expected.key and t.state in LIVE
            for i, t in self.known.items()
            if expected.key and i != task_id
        )
        if expected.state is not State.DEAD:
            with pytest.raises(TaskNotDead):
                self.run(self.engine.tasks.requeue(task_id, by="model"))
        elif taken:
            with pytest.raises(UniqueKeyTaken):
                self.run(self.engine.tasks.requeue(task_id, by="model"))
        else:
            self.run(self.engine.tasks.requeue(task_id, by="model"))
            if self._late(expected):
                expected.deadline = None
            expected.state, expected.failures, expected.cancel, expected.reason = State.QUEUED, 0, False, ""
            expected.requeues += 1

    @rule(seconds=st.sampled_from([1, 6, 16]))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @rule()
    def sweep(self) -> None:
        now = self.clock.now()
        self.run(self.engine.keeper.sweep())
        for expected in self.known.values():
            if expected.state is State.SCHEDULED and expected.run_at and expected.run_at <= now:
                expected.state, expected.run_at = State.QUEUED, None
            if expected.state in {State.SCHEDULED, State.QUEUED} and self._late(expected):
                expected.end(State.FAILED, "deadline")
            if expected.state is State.RUNNING and expected.lease is not None and expected.lease < now:
                self._lost(expected)

    def _lost(self, expected: Expected) -> None:
        if expected.cancel:
            expected.end(State.CANCELLED, "cancelled")
            return
        expected.failures += 1
        if self._late(expected):
            expected.end(State.FAILED, "deadline")
        elif expected.failures >= MAX_ATTEMPTS:
            expected.end(State.DEAD, "worker_lost")
        else:
            expected.state, expected.owner, expected.lease = State.QUEUED, None, None
            expected.reason = "worker_lost"

    def _late(self, expected: Expected) -> bool:
        return expected.deadline is not None and expected.deadline <= self.clock.now()

    @invariant()
    def both_agree(self) -> None:
        found = {task.id: task for task in self.run(self.engine.tasks.page(size=200))}
        assert found.keys() == self.known.keys()
        for task_id, expected in self.known.items():
            task = found[task_id]
            assert (task.state, task.attempt, task.failures, task.owner, task.run_at, task.reason) == (
                *(expected.state, expected.attempt, expected.failures, expected.owner),
                *(expected.run_at, expected.reason),
            )
            assert task.deadline_at == expected.deadline
            assert expected.ends == expected.requeues + int(expected.state.finished), (
                "it ended more than once"
            )


@pytest.mark.timeout(400)  # 2,400 steps: 17 s, and a machine with ten times more to do than it has cores
def test_the_engine_does_what_the_model_does(postgres_url: str, nats_url: str) -> None:
    clock = ManualClock()
    kinds = Kinds.of("test", KIND)
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def enter() -> Engine:
            return await stack.enter_async_context(
                engine(kinds, postgres_url=postgres_url, nats_url=nats_url, clock=clock)
            )

        async def awaited(work: Awaitable[T]) -> T:
            return await work

        opened = runner.run(enter())
        try:
            run_state_machine_as_test(
                partial(Machine, lambda work: runner.run(awaited(work)), opened, clock),  # type: ignore[arg-type] # called like a class
                settings=settings(
                    max_examples=80,
                    stateful_step_count=30,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(stack.aclose())
