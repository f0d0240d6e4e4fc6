"""Kinds of tasks: what they are called, where they run, how often they are tried, who does them."""

import random
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeAlias, TypeVar

from google.protobuf.message import Message
from photochanger_chassis.postgres.pool import Connection

from photochanger_tasks.attempt import Attempt
from photochanger_tasks.model import DEFAULT_PRIORITY, LEAST_URGENT, MAX_PAYLOAD_BYTES, State, Task

P = TypeVar("P", bound=Message)

Handler: TypeAlias = Callable[[Attempt[P]], Awaitable[Message | None]]
OnEnd: TypeAlias = Callable[[Connection, Task], Awaitable[None]]
"""Called inside the transaction that ends a task, wherever that happens. What it raises undoes that end."""

_NAME: Final = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_QUEUE: Final = re.compile(r"[a-z0-9_-]+")
_NO_LIMIT: Final = 1000


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between attempts: exponential with full jitter.

    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """

    base: timedelta = timedelta(seconds=1)
    cap: timedelta = timedelta(minutes=5)

    def pause(self, failures: int, chance: Callable[[], float] = random.random) -> timedelta:
        """Returns the pause after that many failures (from 1): up to base, 2 base, 4 base… at most cap."""
        doublings = min(failures - 1, 40)  # a timedelta cannot be longer than some 3 million years
        return min(self.cap, self.base * float(2**doublings)) * chance()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task to submit; made by `TaskKind.task`."""

    kind: str
    payload: Message
    tenant: str
    priority: int
    unique_key: str | None
    deadline_at: datetime | None
    run_at: datetime | None
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskKind(Generic[P]):
    """A kind of task. Declare it beside its payload; give it its handler where workers are wired.

    Args:
        name: e.g. `webhook.deliver`; it is stored with each task, so it never changes its meaning.
        queue: whose workers do it.
        payload: its protobuf message. Ids only, no photos, at most 64 KiB.
        max_attempts: how many attempts may fail until the task is dead.
        backoff: pauses between attempts.
        timeout: how long one attempt may take; then it is stopped and counts as failed.
        priority: 0 (urgent) to 9, unless the submission says otherwise.
        retention: how long finished tasks stay in the history.
        dead_retention: the same for dead ones, which wait for an admin.
        announce: whether its changes become events.
        on_done: stores the effect, in the transaction that makes the task done.
        on_end: is told of any other end (failed, dead, cancelled), in its transaction.
        handler: does the work; None where tasks are only submitted.
    """

    name: str
    queue: str
    payload: type[P]
    max_attempts: int = 5
    backoff: Backoff = Backoff()
    timeout: timedelta = timedelta(minutes=10)
    priority: int = DEFAULT_PRIORITY
    retention: timedelta = timedelta(days=7)
    dead_retention: timedelta = timedelta(days=30)
    announce: bool = True
    on_done: OnEnd | None = None
    on_end: OnEnd | None = None
    handler: Handler[P] | None = None

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.name) is None or _QUEUE.fullmatch(self.queue) is None:
            raise ValueError(f"{self.name!r} in {self.queue!r}: names are lower-case, kinds may have dots.")
        if self.max_attempts < 1 or not 0 <= self.priority <= LEAST_URGENT:
            raise ValueError(f"{self.name}: at least one attempt, and a priority of 0 to {LEAST_URGENT}.")

    def handled_by(self, handler: Handler[P]) -> "TaskKind[P]":
        """Returns this kind with its handler."""
        return replace(self, handler=handler)

    def task(
        self,
        payload: P,
        *,
        tenant: str,
        priority: int | None = None,
        unique_key: str | None = None,
        deadline_at: datetime | None = None,
        run_at: datetime | None = None,
        weight: float = 1.0,
    ) -> NewTask:
        """Returns a task of this kind, to be submitted.

        Args:
            payload: what to do.
            tenant: whose work it is; tenants of a queue get equal shares, times `weight`.
            priority: 0 (urgent) to 9; a more urgent task always goes first.
            unique_key: while a task with this key lives, submitting another returns that one.
            deadline_at: after this nobody wants the result.
            run_at: not before this.
            weight: the tenant's share beside others, above 0.

        Raises:
            ValueError: something is out of bounds.
        """
        chosen = self.priority if priority is None else priority
        if not 0 <= chosen <= LEAST_URGENT or weight <= 0:
            raise ValueError(f"Priority is 0 to {LEAST_URGENT}, weight above 0.")
        if payload.ByteSize() > MAX_PAYLOAD_BYTES:
            raise ValueError(
                f"A payload has at most {MAX_PAYLOAD_BYTES} bytes; store more elsewhere, send an id."
            )
        return NewTask(
            kind=self.name,
            payload=payload,
            tenant=tenant,
            priority=chosen,
            unique_key=unique_key,
            deadline_at=deadline_at,
            run_at=run_at,
            weight=weight,
        )

    def keeps(self, state: State) -> timedelta:
        """Returns how long a task that ended so stays in the history."""
        return self.dead_retention if state is State.DEAD else self.retention


AnyKind: TypeAlias = TaskKind[Any]
"""A kind in a collection of several, each with its own payload: no type can say more than that."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue. `limit` is how many of its tasks run at once in the whole fleet."""

    name: str
    limit: int = _NO_LIMIT


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineKind:
    """A kind of pipeline: it has no handler, its steps are tasks. Other arguments as in `TaskKind`."""

    name: str
    retention: timedelta = timedelta(days=7)
    announce: bool = True
    on_done: OnEnd | None = None
    on_end: OnEnd | None = None

    def keeps(self, _state: State) -> timedelta:
        """Returns how long an ended one stays in the history."""
        return self.retention


@dataclass(frozen=True, slots=True)
class Kinds:
    """All kinds of a service. `context` is the service's name in the subjects of events."""

    context: str
    tasks: Mapping[str, AnyKind]
    pipelines: Mapping[str, PipelineKind] = field(default_factory=dict)
    queues: Mapping[str, Queue] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        context: str,
        *kinds: AnyKind,
        pipelines: Iterable[PipelineKind] = (),
        queues: Iterable[Queue] = (),
    ) -> "Kinds":
        """Collects kinds.

        Raises:
            ValueError: a name is there twice.
        """
        steps = tuple(pipelines)
        names = [kind.name for kind in kinds] + [pipeline.name for pipeline in steps]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"Several kinds are called {', '.join(sorted(twice))}.")
        given = {queue.name: queue for queue in queues}
        return cls(
            context,
            {kind.name: kind for kind in kinds},
            {pipeline.name: pipeline for pipeline in steps},
            {kind.queue: given.get(kind.queue, Queue(kind.queue)) for kind in kinds},
        )

    def named(self, name: str) -> AnyKind | PipelineKind | None:
        """Returns the kind or pipeline of that name; None for one that a newer or older version knows."""
        return self.tasks.get(name) or self.pipelines.get(name)

    def handled_in(self, queue: str) -> list[str]:
        """Returns the names of this queue's kinds that have a handler here."""
        return sorted(
            kind.name for kind in self.tasks.values() if kind.queue == queue and kind.handler is not None
        )
