"""The submitter: puts tasks in, cancels some, and writes down what it was told."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

from google.protobuf.wrappers_pb2 import StringValue
from photochanger_chassis.errors import Unavailable
from photochanger_tasks import TaskNotFound

from chaos.history import Cancel, Submission
from chaos.work import Label, Wish, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from photochanger_tasks import NewTask
    from photochanger_tasks.testing import Engine

    from chaos.watch import Watch

_WISHES: Final = {
    Wish.SUCCEED: 70,
    Wish.FLAKY: 10,
    Wish.DEFER: 5,
    Wish.REFUSE: 7,
    Wish.DOOMED: 4,
    Wish.WAIT: 4,
}
_TENANTS: Final = ("anna", "boris", "clara", "dmitri")
_BACKLOG: Final = 120
_MOST_AT_ONCE: Final = 8
_PAIRED, _CANCELLED_AT_ONCE, _CANCELLED_RUNNING = 0.15, 0.05, 0.05
"""Shares: of submissions with a unique key sent twice; of tasks cancelled after submission, or seen running."""


class Submitter:
    """Submits tasks. What it was told is in `submissions` and `cancels`."""

    def __init__(self, engine: Engine, watch: Watch, chance: random.Random) -> None:
        self._engine = engine
        self._watch = watch
        self._chance = chance
        self._number = 0
        self._to_cancel: set[str] = set()
        self.submissions: Final[list[Submission]] = []
        self.cancels: Final[list[Cancel]] = []

    @property
    def acknowledged(self) -> int:
        """How many tasks it knows to be there."""
        return sum(each.task_id is not None and each.created for each in self.submissions)

    async def run(self, go_on: Callable[[], bool]) -> None:
        """Submits while it may, some more as soon as others have ended."""
        while go_on():
            if self._chance.random() < _PAIRED:
                await self._pair()
            else:
                labels = [self._label() for _ in range(self._chance.randint(1, _MOST_AT_ONCE))]
                await self._send(*labels)
            await self._watch.until(lambda seen: self.acknowledged - seen.finished < _BACKLOG)

    async def cancel_running(self) -> None:
        """Cancels, until cancelled itself, the tasks chosen for it as soon as they run."""
        while True:
            await self._watch.until(lambda seen: not self._to_cancel.isdisjoint(seen.running))
            for task_id in self._to_cancel & self._watch.seen.running.keys():
                if await self._cancel(task_id):
                    self._to_cancel.discard(task_id)

    async def _pair(self) -> None:
        key = f"key-{self._number}"
        first, second = self._label(), self._label()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send(first, unique_key=key))
            group.create_task(self._send(second, unique_key=key))

    def _label(self) -> Label:
        self._number += 1
        (wish,) = self._chance.choices(tuple(_WISHES), tuple(_WISHES.values()))
        return Label(self._number, wish)

    async def _send(self, *labels: Label, unique_key: str | None = None) -> None:
        new = [self._task(label, unique_key) for label in labels]
        try:
            answers = await self._engine.submit(*new)
        except Unavailable:
            self.submissions.extend(Submission(label=label, unique_key=unique_key) for label in labels)
            await self._watch.next()
            return
        self.submissions.extend(
            Submission(label=label, task_id=answer.task.id, created=answer.created, unique_key=unique_key)
            for label, answer in zip(labels, answers, strict=True)
        )
        for label, answer in zip(labels, answers, strict=True):
            if not answer.created:
                continue
            fate = self._chance.random()
            if fate < _CANCELLED_AT_ONCE:
                if not await self._cancel(answer.task.id):
                    self._to_cancel.add(answer.task.id)
            elif label.wish is Wish.WAIT or fate < _CANCELLED_AT_ONCE + _CANCELLED_RUNNING:
                self._to_cancel.add(answer.task.id)

    def _task(self, label: Label, unique_key: str | None) -> NewTask:
        return kind_of(label).task(
            StringValue(value=str(label)),
            tenant=self._chance.choice(_TENANTS),
            priority=self._chance.randint(3, 6),
            unique_key=unique_key,
        )

    async def _cancel(self, task_id: str) -> bool:
        try:
            answer = await self._engine.tasks.cancel(task_id, by="chaos")
        except TaskNotFound:
            return True  # the checker will miss it, too
        except Unavailable:
            self.cancels.append(Cancel(task_id=task_id))
            return False
        self.cancels.append(Cancel(task_id=task_id, answer=answer))
        return True
