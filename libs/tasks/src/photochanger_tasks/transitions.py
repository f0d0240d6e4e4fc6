"""What belongs to a change of a task's state, in the same transaction: events, tickets, hooks, its pipeline."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from photochanger_chassis.clock import Clock
from photochanger_chassis.ids import Ids
from photochanger_chassis.postgres import outbox
from photochanger_chassis.postgres.pool import Connection

from photochanger_tasks import events
from photochanger_tasks.kinds import Kinds
from photochanger_tasks.metrics import TaskMetrics
from photochanger_tasks.model import FINISHED, WAITING, Reason, State, Task
from photochanger_tasks.postgres import changes, reads, sweeps
from photochanger_tasks.postgres.changes import AttemptEnd
from photochanger_tasks.postgres.reads import StepCount, StepRule

_KEEPER: Final = "keeper"
_KEPT_IF_UNKNOWN: Final = timedelta(days=7)  # of a kind that only a newer or older version has


class Transitions:
    """Changes tasks, with all that follows from it. Every method runs in the caller's transaction."""

    def __init__(self, kinds: Kinds, clock: Clock, ids: Ids, metrics: TaskMetrics) -> None:
        self._kinds = kinds
        self._clock = clock
        self._metrics = metrics
        self._announcer = events.Announcer(kinds, ids)

    def is_simple(self, task: Task) -> bool:
        """Whether nothing but events follows from the task's end, so that it can share a transaction."""
        kind = self._kinds.tasks.get(task.kind)
        return task.parent_id is None and (kind is None or (kind.on_done is None and kind.on_end is None))

    def kept_until(self, task: Task, state: State) -> datetime:
        """Returns until when a task that ends so stays in the history."""
        kind = self._kinds.named(task.kind)
        return self._clock.now() + (kind.keeps(state) if kind is not None else _KEPT_IF_UNKNOWN)

    async def announce(
        self, conn: Connection, what: str, tasks: Sequence[Task], *, by: str, wake: bool = True
    ) -> None:
        """Adds the events of a change; about `wake` see `outbox.add_all`."""
        at = self._clock.now()
        rows = self._announcer.changed(what, tasks, at=at, by=by)
        if rows:
            await outbox.add_all(conn, rows, wake=wake)

    async def dispatch(self, conn: Connection, dispatched: Sequence[tuple[Task, int]], *, by: str) -> None:
        """Adds the tickets and events of tasks that became queued."""
        at = self._clock.now()
        queued = [(task, number) for task, number in dispatched if task.state is State.QUEUED]
        rows = [events.ticket(task, number, at=at) for task, number in queued]
        rows += self._announcer.changed(events.QUEUED, [task for task, _ in dispatched], at=at, by=by)
        await outbox.add_all(conn, rows)

    async def tickets(self, conn: Connection, dispatched: Sequence[tuple[Task, int]]) -> None:
        """Adds tickets of tasks that are queued as before."""
        at = self._clock.now()
        await outbox.add_all(conn, [events.ticket(task, number, at=at) for task, number in dispatched])

    async def end_attempts(
        self,
        conn: Connection,
        ends: Sequence[AttemptEnd],
        *,
        owner: str,
        parents: Sequence[str] = (),
        wake: bool = True,
    ) -> list[Task]:
        """Ends those attempts whose word still counts; returns their tasks. About `wake` see `outbox.add_all`."""
        await changes.lock_parents(conn, parents)
        changed = await changes.end_attempts(conn, ends, owner=owner, now=self._clock.now())
        waiting = [task for task in changed if not task.state.finished]
        for state, what in ((State.SCHEDULED, events.POSTPONED), (State.QUEUED, events.QUEUED)):
            there = [task for task in waiting if task.state is state]
            await self.announce(conn, what, there, by=owner, wake=wake)
        await self.ended(conn, [task for task in changed if task.state.finished], by=owner, wake=wake)
        return changed

    async def ended(self, conn: Connection, tasks: Sequence[Task], *, by: str, wake: bool = True) -> None:
        """Adds what follows from the end of tasks. Their pipelines must be locked."""
        if not tasks:
            return
        for task in tasks:
            await self._call_hook(conn, task)
        await self.announce(conn, events.FINISHED, tasks, by=by, wake=wake)
        self._metrics.finished(tasks, self._clock.now())
        for parent_id in sorted({task.parent_id for task in tasks if task.parent_id is not None}):
            await self._advance(conn, parent_id)

    async def end_waiting(
        self,
        conn: Connection,
        tasks: Sequence[Task],
        state: State,
        *,
        reason: str,
        message: str = "",
        by: str,
    ) -> list[Task]:
        """Ends tasks that no worker has; returns those it ended. Their pipelines must be locked."""
        ended: list[Task] = []
        for task in tasks:
            ended += await changes.end_waiting(
                conn,
                [task.id],
                state,
                reason=reason,
                message=message,
                by=by,
                now=self._clock.now(),
                keep_until=self.kept_until(task, state),
            )
        await self.ended(conn, ended, by=by)
        return ended

    async def cancel_steps(self, conn: Connection, parent_id: str, *, by: str) -> None:
        """Cancels what is left of a pipeline that has ended."""
        left = await reads.children(conn, parent_id)
        await self.end_waiting(
            conn,
            [task for task in left if task.state in WAITING],
            State.CANCELLED,
            reason=Reason.CANCELLED,
            by=by,
        )
        # Read again: a task may have been started since.
        left = await reads.children(conn, parent_id)
        await changes.request_cancel(conn, [task.id for task in left if task.state is State.RUNNING], by=by)

    async def _call_hook(self, conn: Connection, task: Task) -> None:
        kind = self._kinds.named(task.kind)
        if kind is None:
            return
        hook = kind.on_done if task.state is State.DONE else kind.on_end
        if hook is not None:
            await hook(conn, task)

    async def _advance(self, conn: Connection, parent_id: str) -> None:
        parent = await reads.get(conn, parent_id)
        if parent is None or parent.state is not State.RUNNING:
            return
        rules = await reads.step_rules(conn, parent_id)
        counts = await reads.step_counts(conn, parent_id)
        broken = next((rule.step for rule in rules if _broken(rule, counts)), None)
        if broken is not None:
            await self.end_waiting(
                conn,
                [parent],
                State.FAILED,
                reason=Reason.STEP_FAILED,
                message=f"Step {broken} could not be done.",
                by=_KEEPER,
            )
            await self.cancel_steps(conn, parent_id, by=_KEEPER)
            return
        current = parent.step
        while current < len(rules) and not _number(counts, current, live=True):
            current += 1
        await conn.execute(
            "UPDATE tasks SET step = %s, progress = %s WHERE id = %s",
            (current, _progress(rules, counts, current), parent_id),
        )
        if current == len(rules):
            await self.end_waiting(conn, [parent], State.DONE, reason="", by=_KEEPER)
            return
        if current != parent.step:
            await self.dispatch(
                conn, await sweeps.unblock(conn, parent_id, current, now=self._clock.now()), by=_KEEPER
            )
        moved = await reads.get(conn, parent_id)
        if moved is not None:
            await self.announce(conn, events.PROGRESSED, [moved], by=_KEEPER)


def _number(counts: Sequence[StepCount], step: int, *, live: bool) -> int:
    return sum(
        each.number for each in counts if each.step == step and (State(each.state) not in FINISHED) == live
    )


def _broken(rule: StepRule, counts: Sequence[StepCount]) -> bool:
    """Whether a step can no longer succeed."""
    ended = _number(counts, rule.step, live=False)
    done = sum(each.number for each in counts if each.step == rule.step and each.state == State.DONE)
    if not rule.allow_partial:
        return ended > done
    return ended > 0 and done == 0 and not _number(counts, rule.step, live=True)


def _progress(rules: Sequence[StepRule], counts: Sequence[StepCount], current: int) -> int:
    """A pipeline's progress: of each step the share of its tasks that have ended, by the steps' weights."""
    reached = 0.0
    for rule in rules:
        ended, live = (_number(counts, rule.step, live=live) for live in (False, True))
        if rule.step < current:
            reached += rule.weight
        elif ended + live:
            reached += rule.weight * ended / (ended + live)
    return int(100 * reached / sum(rule.weight for rule in rules))
