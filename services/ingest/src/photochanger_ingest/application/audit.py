"""Keeps the record of what admins did."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from photochanger_chassis.clock import Clock

from photochanger_ingest.domain.audit import AuditEntry, AuditId, AuditOutcome, visible
from photochanger_ingest.domain.errors import AuditEntryNotFound


@dataclass(frozen=True, slots=True)
class AuditCursor:
    """Where a page ended."""

    occurred_at: datetime
    id: AuditId


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which entries to list, newest first; empty text: any. `after` is where the page before ended."""

    actor: str
    action_prefix: str
    target: str
    limit: int
    after: AuditCursor | None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some of the entries. `next` is where to go on, None at the end."""

    entries: tuple[AuditEntry, ...]
    next: AuditCursor | None


class AuditLog(Protocol):
    """The entries. They are added and closed, never changed otherwise."""

    async def add(self, entry: AuditEntry) -> None:
        """Stores an entry, unless its id is known."""
        ...

    async def change(self, entry_id: AuditId, change: Callable[[AuditEntry], AuditEntry]) -> bool:
        """Stores what `change` makes of an entry, while nobody else closes it. False: there is none."""
        ...

    async def list(self, query: AuditQuery) -> AuditPage:
        """Returns entries, newest first."""
        ...


class Audit:
    """Opens, closes and lists entries."""

    def __init__(self, log: AuditLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def open(self, entry: AuditEntry) -> None:
        """Stores an entry. Repeating it changes nothing. Raises `InvalidArgument`."""
        await self._log.add(entry.opened(self._clock.now()))

    async def close(
        self, entry_id: AuditId, outcome: AuditOutcome, *, refusal: str, facts: Mapping[str, str]
    ) -> None:
        """Says how it ended. The first outcome counts.

        Raises:
            AuditEntryNotFound: see there.
            InvalidArgument: see `AuditEntry.closed`.
        """
        found = await self._log.change(
            entry_id, lambda entry: entry.closed(outcome, refusal=refusal, facts=facts)
        )
        if not found:
            raise AuditEntryNotFound

    async def list(self, query: AuditQuery) -> AuditPage:
        """Returns a page of entries, newest first."""
        # Entries hold text as it is shown.
        return await self._log.list(replace(query, actor=visible(query.actor), target=visible(query.target)))
