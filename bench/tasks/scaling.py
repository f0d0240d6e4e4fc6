"""Our engine with one, two and three workers and a provider that takes two seconds.

The provider is a handler that sleeps: a mock over HTTP would take CPU on the same cores, and the engine does the same
for either.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.tasks.session import Session
from bench.tasks.speed import late

if TYPE_CHECKING:
    from pathlib import Path

    from bench.tasks.session import Competitor

PROVIDER_SECONDS = 2
SLOTS = 8
TASKS = 48  # fills the slots of one, two and three workers without a remainder
ENVIRON = {"BENCH_PROVIDER_SECONDS": str(PROVIDER_SECONDS), "BENCH_SLOTS": str(SLOTS)}


@dataclass(frozen=True)
class Scaled:
    """What some workers did: tasks a second beside what their slots allow; waits from submission to start.

    `free_slot_ms` is the median wait of the tasks that found a slot free, in ms.
    """

    workers: int
    rate: float
    most: float
    wait_p50_seconds: float
    wait_p95_seconds: float
    free_slot_ms: float


def measure_scaling(who: Competitor, folder: Path, workers: int) -> Scaled:
    """Submits tasks at once to that many workers."""
    session = Session(who, folder)
    try:
        for _ in range(workers):
            session.work()
        session.submit("burst", workers)
        session.all_done()
        numbers, began = session.submit("burst", TASKS)
        waits = sorted((at - began) / 1e9 for at in session.started(numbers))
        rate = TASKS / ((session.all_done() - began) / 1e9)
    finally:
        session.close()
    at_once = workers * SLOTS
    return Scaled(
        workers=workers,
        rate=rate,
        most=at_once / PROVIDER_SECONDS,
        wait_p50_seconds=statistics.median(waits),
        wait_p95_seconds=late(waits),
        free_slot_ms=statistics.median(waits[:at_once]) * 1000,
    )
