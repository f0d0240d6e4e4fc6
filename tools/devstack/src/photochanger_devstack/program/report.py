"""Numbers over a whole run of jobs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photochanger_devstack.camera.report import percentile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from photochanger_devstack.program.bulk import Delivered


@dataclass(frozen=True, slots=True)
class Spread:
    """How long something took, in seconds."""

    p50: float
    p95: float
    longest: float


@dataclass(frozen=True, slots=True)
class Report:
    """A summary. Times count from each job's submission; None where nothing got so far."""

    photos: int
    accepted: int
    pictures: int
    strangers: int
    repeats: int
    wall_seconds: float
    to_start: Spread | None
    to_end: Spread | None
    states: dict[str, int]
    attempts: dict[int, int]
    failures: dict[str, int]

    @property
    def complete(self) -> bool:
        """Whether each photo has its one picture."""
        return self.pictures == self.photos and not self.strangers


def summarise(delivered: Delivered, *, wall_seconds: float) -> Report:
    """The report over a run that took `wall_seconds` altogether."""
    all_of_them = delivered.deliveries
    jobs = [delivery for delivery in all_of_them if delivery.job_id]
    failures = Counter(delivery.failure for delivery in all_of_them if delivery.failure)
    return Report(
        photos=len(all_of_them),
        accepted=len(jobs),
        pictures=len(all_of_them) - failures.total(),
        strangers=len(delivered.strangers),
        repeats=delivered.repeats,
        wall_seconds=wall_seconds,
        to_start=_spread(delivery.until_start for delivery in jobs),
        to_end=_spread(delivery.until_end for delivery in jobs),
        states=dict(Counter(delivery.status or "not known" for delivery in jobs).most_common()),
        attempts=dict(sorted(Counter(delivery.attempts for delivery in jobs).items())),
        failures=dict(failures.most_common()),
    )


def _spread(values: Iterable[float | None]) -> Spread | None:
    ordered: Sequence[float] = sorted(value for value in values if value is not None)
    p50, p95, longest = (percentile(ordered, percent) for percent in (50, 95, 100))
    return None if p50 is None or p95 is None or longest is None else Spread(p50, p95, longest)
