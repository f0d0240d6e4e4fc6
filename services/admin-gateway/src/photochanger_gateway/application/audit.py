"""The record of what admins do: opened before a change, closed after it.

No change is without an entry. One that was cut off, or ended in a way that leaves open whether anything changed, stays
open: its outcome is unknown.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ErrorKind, ServiceError
from photochanger_chassis.ids import Ids

from photochanger_gateway.domain.admins import Admin

_log: Final = structlog.stdlib.get_logger(__name__)

_LONGEST_FACT: Final = 500
_LONGEST_ACTOR: Final = 64
_NOTE_SECONDS: Final = 2.0
MAY_HAVE_HAPPENED: Final = frozenset(
    {
        ErrorKind.CANCELLED,
        ErrorKind.UNKNOWN,
        ErrorKind.DEADLINE_EXCEEDED,
        ErrorKind.INTERNAL,
        ErrorKind.UNAVAILABLE,
        ErrorKind.DATA_LOSS,
    }
)
"""After these nobody knows whether the change was made."""


class Outcome(StrEnum):
    """How what an admin did ended."""

    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What is about to be done, by whom, from where. `facts` never hold a secret."""

    id: str
    occurred_at: datetime
    actor: str
    address: str
    action: str
    target: str
    facts: Mapping[str, str]


class AuditLog(Protocol):
    """Where entries are kept. Both calls are keyed by the entry's id: repeating them changes nothing."""

    async def open(self, entry: AuditEntry) -> None:
        """Stores an entry. Raises `ServiceError` when it is not stored, or perhaps not."""
        ...

    async def close(
        self, entry_id: str, outcome: Outcome, *, refusal: str = "", facts: Mapping[str, str] | None = None
    ) -> None:
        """Says how it ended."""
        ...


@dataclass(slots=True)
class OpenEntry:
    """An entry under way."""

    id: str
    facts: dict[str, str] = field(default_factory=dict)

    def add(self, **facts: str) -> None:
        """Adds facts that are known only after the change (`version`)."""
        self.facts |= facts


class Audit:
    """Writes the record.

    `async with audit.entry(admin, "slot.update", target=slot_id, facts={"fields": "…"}) as entry:` around the change.
    Leaving the block closes the entry: done; refused, by a `ServiceError` that says nothing changed; or, after any
    other error, not at all.
    """

    def __init__(self, log: AuditLog, clock: Clock, ids: Ids) -> None:
        self._entries = log
        self._clock = clock
        self._ids = ids

    @asynccontextmanager
    async def entry(
        self, admin: Admin, action: str, *, target: str = "", facts: Mapping[str, str] | None = None
    ) -> AsyncIterator[OpenEntry]:
        """Opens an entry for the block.

        Raises:
            ServiceError: the entry could not be stored. The block was not entered.
        """
        entry = await self._open(admin.username, admin.address, action, target, facts or {})
        try:
            yield entry
        except ServiceError as error:
            if error.kind not in MAY_HAVE_HAPPENED:
                await self._close(entry, Outcome.REFUSED, refusal=error.reason.lower())
            raise
        await self._close(entry, Outcome.DONE)

    async def note(
        self, actor: str, address: str, action: str, outcome: Outcome, *, refusal: str = ""
    ) -> None:
        """Writes down a sign-in or sign-out, which is not held up by a record that cannot be kept: the log says so."""
        try:
            async with asyncio.timeout(_NOTE_SECONDS):
                entry = await self._open(actor, address, action, "", {})
                await self._close(entry, outcome, refusal=refusal)
        except (ServiceError, TimeoutError) as error:
            _log.warning("audit.not_written", action=action, error=type(error).__name__)

    async def _open(
        self, actor: str, address: str, action: str, target: str, facts: Mapping[str, str]
    ) -> OpenEntry:
        entry_id, now = self._ids.new_id(), self._clock.now()
        await self._entries.open(
            AuditEntry(entry_id, now, actor[:_LONGEST_ACTOR], address, action, target, _bounded(facts))
        )
        return OpenEntry(entry_id)

    async def _close(self, entry: OpenEntry, outcome: Outcome, *, refusal: str = "") -> None:
        # Never fails: what it tells of has happened, whether or not the record says so.
        try:
            await self._entries.close(entry.id, outcome, refusal=refusal, facts=_bounded(entry.facts))
        except ServiceError as error:
            _log.warning("audit.not_closed", entry_id=entry.id, outcome=outcome.value, reason=error.reason)


def _bounded(facts: Mapping[str, str]) -> dict[str, str]:
    return {name: value[:_LONGEST_FACT] for name, value in facts.items()}
