"""Tickets out of JetStream, no more than a worker has free slots for.

The client's own `fetch` is a poor fit here: when it is cancelled its pull stays open at the server, which then
gives a ticket to nobody, and it asks again for each ticket. Here pulls go to one inbox that lives as long as the
worker takes work, and are topped up when slots become free; leaving the inbox ends them.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Final

import structlog
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from photochanger_chassis.nats.connection import NatsConnection, NatsUnavailable, nats_errors

from photochanger_tasks.kinds import Queue
from photochanger_tasks.nats.stream import STREAM, ensure_consumer, ensure_stream

_log = structlog.stdlib.get_logger(__name__)
_PULL_SECONDS: Final = 20.0
_LATE_SECONDS: Final = 2.0
_KIND_AT: Final = 2  # tasks.<queue>.<kind>
_ENDED_STATUS: Final = {"404", "408", "409"}


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to claim one task of a queue."""

    message: Msg

    @property
    def kind(self) -> str:
        """The kind of the task it was made for."""
        return self.message.subject.split(".", _KIND_AT)[_KIND_AT]

    async def done(self) -> None:
        """Says that it is used up. When the word gets lost it comes again, to find nothing."""
        with suppress(NatsUnavailable), nats_errors():
            await self.message.ack()

    async def give_back(self, *, delay_seconds: float = 0) -> None:
        """Lets another worker have it."""
        with suppress(NatsUnavailable), nats_errors():
            await self.message.nak(delay=delay_seconds or None)

    async def keep(self) -> None:
        """Says that it is still in use."""
        with suppress(NatsUnavailable), nats_errors():
            await self.message.in_progress()


@dataclass(slots=True)
class _Pull:
    left: int
    ends_at: float


class TicketSource:
    """Pulls tickets of one queue."""

    def __init__(
        self,
        connection: NatsConnection,
        queue: Queue,
        *,
        context: str,
        ack_wait: timedelta,
        arrived: Callable[[], None],
    ) -> None:
        """`arrived` is called when there may be something to take; the others as in `ensure_consumer`."""
        self._connection = connection
        self._queue = queue
        self._context = context
        self._ack_wait = ack_wait
        self._arrived = arrived
        self._subscription: Subscription | None = None
        self._inbox = ""
        self._pulls: dict[str, _Pull] = {}
        self._count = 0
        self._connects = -1
        self._tickets: list[Ticket] = []

    async def want(self, number: int) -> None:
        """Sees to it that `number` tickets are here or asked for, and no more.

        Raises:
            NatsUnavailable: NATS cannot be asked now.
            QueueOwnedElsewhere: the queue is another service's.
        """
        await self._bind()
        now = monotonic()
        self._pulls = {
            name: pull for name, pull in self._pulls.items() if pull.left > 0 and pull.ends_at > now
        }
        more = number - len(self._tickets) - sum(pull.left for pull in self._pulls.values())
        if more < 0:
            await self.close()
            await self._bind()
            more = number
        if more == 0:
            return
        self._count += 1
        name = f"{self._inbox}.{self._count}"
        self._pulls[name] = _Pull(more, now + _PULL_SECONDS + _LATE_SECONDS)
        request = {"batch": more, "expires": int(_PULL_SECONDS * 1e9)}
        with nats_errors():
            await self._connection.client.publish(
                f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{self._queue.name}", json.dumps(request).encode(), name
            )

    def take(self, at_most: int) -> list[Ticket]:
        """Returns tickets that have arrived."""
        taken, self._tickets = self._tickets[:at_most], self._tickets[at_most:]
        return taken

    async def close(self) -> None:
        """Stops asking and gives back what was not taken. `want` opens it again."""
        subscription, self._subscription = self._subscription, None
        self._pulls.clear()
        if subscription is not None:
            with suppress(NatsUnavailable), nats_errors():
                # Waits for what the server sent before it knew; that is given back on arrival.
                await subscription.drain()  # type: ignore[no-untyped-call] # the client leaves it so
        for ticket in self.take(len(self._tickets)):
            await ticket.give_back()

    async def _bind(self) -> None:
        client = self._connection.client
        if not client.is_connected:
            raise NatsUnavailable("NATS is not connected.")
        if self._subscription is not None and self._connects == client.stats["reconnects"]:
            return
        connects = client.stats["reconnects"]
        await self.close()
        await ensure_stream(self._connection)
        await ensure_consumer(self._connection, self._queue, context=self._context, ack_wait=self._ack_wait)
        self._inbox = client.new_inbox()
        with nats_errors():
            self._subscription = await client.subscribe(f"{self._inbox}.*", cb=self._on_message)
        self._connects = connects

    async def _on_message(self, message: Msg) -> None:
        status = (message.headers or {}).get("Status")
        if status is None:
            pull = next((pull for pull in self._pulls.values() if pull.left > 0), None)
            if pull is not None:
                pull.left -= 1
            if self._subscription is None:
                await Ticket(message).give_back()
                return
            self._tickets.append(Ticket(message))
        elif status in _ENDED_STATUS and "Deleted" not in (message.headers or {}).get("Description", ""):
            self._pulls.pop(message.subject, None)
        elif status != "100":
            _log.warning("tickets.consumer_lost", queue=self._queue.name, status=status)
            self._connects = -1  # the consumer is gone: made anew with the next wish
        self._arrived()
