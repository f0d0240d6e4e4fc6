"""Sums up how jobs ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import FieldViolation, InvalidArgument

from photochanger_ingest.domain.errors import SlotNotFound
from photochanger_ingest.domain.ids import JobId, SlotId
from photochanger_ingest.domain.job import FailureReason
from photochanger_ingest.domain.statistics import (
    LONGEST_WINDOW,
    MINUTE,
    SHORTEST_WINDOW,
    JobCounts,
    SlotStatistics,
    Step,
    Window,
    floor_length,
    total,
)


@dataclass(frozen=True, slots=True)
class RecentFailure:
    """A camera's job that did not end well."""

    job_id: JobId
    slot_id: SlotId
    finished_at: datetime
    reason: FailureReason


@dataclass(frozen=True, slots=True)
class Figures:
    """What is kept about a window, as of one instant. Slots by id, all of them; failures newest first."""

    slots: Sequence[SlotStatistics]
    finished_ever: int
    recent_failures: Sequence[RecentFailure]


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of a window, and all slots together."""

    window: Window
    total: JobCounts
    figures: Figures


@dataclass(frozen=True, slots=True)
class Series:
    """The figures of a window step by step, none left out."""

    step: timedelta
    steps: Sequence[Step]


class StatisticsStore(Protocol):
    """What is counted. Test runs are not."""

    async def figures(self, window: Window, *, failures: int) -> Figures:
        """Returns the figures of a window, with that many failures at most."""
        ...

    async def by_step(self, window: Window, slot_id: SlotId | None) -> Mapping[datetime, JobCounts] | None:
        """Returns the counts of a slot, or of all, by the step they fall in; None when there is no such slot."""
        ...


class Statistics:
    """Reads statistics; changes none."""

    def __init__(self, store: StatisticsStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def overview(self, length: timedelta, *, failures: int) -> Overview:
        """Returns the figures of the window before now. Raises `InvalidArgument` for a length out of bounds."""
        window = self._window(length)
        figures = await self._store.figures(window, failures=failures)
        return Overview(window, total([slot.counts for slot in figures.slots]), figures)

    async def series(self, length: timedelta, slot_id: SlotId | None) -> Series:
        """Returns the same step by step, of one slot or of all.

        Raises:
            InvalidArgument: a length out of bounds.
            SlotNotFound: see there.
        """
        window = self._window(length)
        counts = await self._store.by_step(window, slot_id)
        if counts is None:
            raise SlotNotFound(slot_id or "")
        nothing = JobCounts()
        return Series(window.step, [Step(start, counts.get(start, nothing)) for start in window.steps])

    def _window(self, length: timedelta) -> Window:
        if not SHORTEST_WINDOW <= floor_length(length, MINUTE) <= LONGEST_WINDOW:
            raise InvalidArgument(
                "The window is too short or too long.",
                field_violations=(FieldViolation("window", "5 min to 3 days"),),
            )
        return Window.before(self._clock.now(), length)
