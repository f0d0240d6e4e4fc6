"""One queue in a worker's process."""

import asyncio
from dataclasses import dataclass, field
from typing import Self

from photochanger_tasks.execution import Execution
from photochanger_tasks.kinds import Kinds, Queue
from photochanger_tasks.nats.source import Ticket


@dataclass(slots=True, eq=False)
class Lane:
    """A queue's slots and what runs in them.

    Args:
        queue: the queue.
        slots: how many of its tasks run here at once.
        kinds: those that can be run here.
        announced: whether any of them tells its changes as events.
        stirred: set when there may be something to do: a ticket has come, a slot is free, the guard has opened.
        running: the attempts under way, with their asyncio tasks and the tickets they came with.
        claims: how many claims were begun.
        claiming: how many of them are under way.
    """

    queue: Queue
    slots: int
    kinds: list[str]
    announced: bool
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    running: dict[Execution, tuple[asyncio.Task[None], Ticket]] = field(default_factory=dict)
    claims: int = 0
    claiming: int = 0

    @classmethod
    def of(cls, kinds: Kinds, queue: str, slots: int) -> Self:
        """Returns a lane for all of the queue's kinds that have a handler here.

        Raises:
            ValueError: there is none, or no slot.
        """
        handled = kinds.handled_in(queue)
        if not handled or slots < 1:
            raise ValueError(f"A worker for {queue!r} needs slots, and a kind with a handler in that queue.")
        announced = any(kinds.tasks[kind].announce for kind in handled)
        return cls(kinds.queues[queue], slots, handled, announced)

    @property
    def free(self) -> int:
        """How many slots are free."""
        return self.slots - len(self.running)
