"""Looks at the tasks again and again while servers come and go, and lets others wait for what it sees."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from photochanger_chassis.errors import Unavailable
from photochanger_chassis.postgres.pool import connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from photochanger_chassis.postgres.pool import Pool

_LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look. `running` has the owner of each running task, `unpublished` counts the outbox."""

    finished: int = 0
    live: int = 0
    unpublished: int = 0
    position: int = 0
    running: dict[str, str]


class Watch:
    """The latest look, and waiting for a look that shows something."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._looked = asyncio.Condition()
        self.seen = Seen(running={})
        self.closing = False

    async def run(self) -> None:
        """Looks until cancelled; a look that fails is no look."""
        while True:
            try:
                self.seen = await self._look()
            except Unavailable:
                pass  # PostgreSQL is down
            else:
                async with self._looked:
                    self._looked.notify_all()
            await asyncio.sleep(_LOOK_SECONDS)

    async def until(self, condition: Callable[[Seen], bool]) -> None:
        """Returns after a look that shows it, now or later."""
        async with self._looked:
            await self._looked.wait_for(lambda: condition(self.seen))

    async def next(self) -> None:
        """Returns after the next look: PostgreSQL answers."""
        async with self._looked:
            await self._looked.wait()

    async def _look(self) -> Seen:
        async with connection(self._pool) as conn:
            counts = await (
                await conn.execute(
                    """
                    SELECT count(*) FILTER (WHERE finished_at IS NOT NULL),
                        count(*) FILTER (WHERE finished_at IS NULL),
                        (SELECT count(*) FROM outbox),
                        (SELECT last_value FROM pg_sequences
                            WHERE sequencename = 'outbox_position_seq')
                    FROM tasks
                    """
                )
            ).fetchone()
            running = await (
                await conn.execute("SELECT id, owner FROM tasks WHERE state = 'running'")
            ).fetchall()
        finished, live, unpublished, position = counts or (0, 0, 0, 0)
        return Seen(
            finished=finished,
            live=live,
            unpublished=unpublished,
            position=position or 0,
            running={str(row[0]): str(row[1]) for row in running},
        )
