"""Numbers over many outcomes."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from photochanger_devstack.camera.client import Outcome


@dataclass(frozen=True, slots=True)
class Report:
    """A summary. Latencies are those of shots that got a picture, in seconds; None where none did."""

    sent: int
    pictures: int
    repeats: int
    wall_seconds: float
    fastest: float | None
    p50: float | None
    p95: float | None
    slowest: float | None
    statuses: dict[str, int]
    failures: dict[str, int]


def summarise(outcomes: Sequence[Outcome], *, wall_seconds: float) -> Report:
    """The report over `outcomes`, sent in `wall_seconds` altogether."""
    times = sorted(outcome.seconds for outcome in outcomes if outcome.failure is None)
    return Report(
        sent=len(outcomes),
        pictures=len(times),
        repeats=sum(outcome.repeats for outcome in outcomes),
        wall_seconds=wall_seconds,
        fastest=percentile(times, 0),
        p50=percentile(times, 50),
        p95=percentile(times, 95),
        slowest=percentile(times, 100),
        statuses=dict(Counter(str(outcome.status or "none") for outcome in outcomes).most_common()),
        failures=dict(Counter(outcome.failure for outcome in outcomes if outcome.failure).most_common()),
    )


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """Nearest rank: a value that was measured, never one in between."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
