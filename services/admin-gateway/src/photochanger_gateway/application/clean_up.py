"""Clean-ups that admins ask for, in the background."""

import asyncio
from typing import Final, Protocol

import structlog
from photochanger_chassis.errors import ServiceError

from photochanger_gateway.application.ports_admin import Cleaned

_log: Final = structlog.stdlib.get_logger(__name__)


class Store(Protocol):
    """What can be cleaned."""

    async def clean_up(self, slot_id: str) -> Cleaned:
        """Removes what has expired: one slot's, or (empty) everything, orphans included. May take minutes."""
        ...


class CleanUps:
    """Runs what was asked for, one after another. What is asked for twice while it waits runs once.

    A clean-up that is lost with this process is no loss: media sweeps by itself, too.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[str, None] = {}
        self._asked = asyncio.Event()

    def ask(self, slot_id: str = "") -> None:
        """Asks for one slot's clean-up; empty: for everything's. There are never more waiting than slots."""
        self._waiting[slot_id] = None
        self._asked.set()

    async def run(self) -> None:
        """Runs clean-ups until cancelled."""
        while True:
            await self._asked.wait()
            self._asked.clear()
            while self._waiting:
                slot_id = next(iter(self._waiting))
                del self._waiting[slot_id]
                await self._one(slot_id)

    async def _one(self, slot_id: str) -> None:
        try:
            cleaned = await self._store.clean_up(slot_id)
        except ServiceError as error:
            _log.warning("cleanup.failed", slot_id=slot_id, reason=error.reason)
            return
        _log.info(
            "cleanup.done",
            slot_id=slot_id,
            expired=cleaned.expired,
            orphans=cleaned.orphans,
            freed_bytes=cleaned.freed_bytes,
        )
