"""How fast one competitor is: tasks a second, and the time from submission to start."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil

from bench.tasks.session import Session

if TYPE_CHECKING:
    from pathlib import Path

    from bench.tasks.session import Competitor

SENDERS = 16


@dataclass(frozen=True)
class Figures:
    """What one competitor did. Times in ms, rates in tasks a second; `others` is the machine's other CPU."""

    name: str
    end_to_end: float
    drained: float
    latency_p50: dict[int, float]
    latency_p95: dict[int, float]
    others: float


def measure(who: Competitor, folder: Path, size: int, repeats: int) -> Figures:
    """Measures one competitor alone."""
    before = _cpu_of_all(), _cpu_of_children()
    session = Session(who, folder)
    try:
        queued, _ = session.submit("each", size, SENDERS)
        session.work()
        begun = session.started(queued)
        drained = size / ((session.all_done() - min(begun)) / 1e9)
        p50, p95 = {}, {}
        for burst, times in ((1, 10 * repeats), (10, 2 * repeats), (100, max(repeats // 2, 2))):
            waits = []
            for _ in range(times):
                numbers, began = session.submit("burst", burst)
                waits += [(at - began) / 1e6 for at in session.started(numbers)]
                session.all_done()
            p50[burst], p95[burst] = statistics.median(waits), late(waits)
        _, began = session.submit("each", size, SENDERS)
        rate = size / ((session.all_done() - began) / 1e9)
    finally:
        session.close()
    after = _cpu_of_all(), _cpu_of_children()
    spent = after[0][0] - before[0][0]
    others = max(spent - (after[1] - before[1]), 0) / max(after[0][1] - before[0][1], 0.001)
    return Figures(who.name, rate, drained, p50, p95, others)


def late(waits: list[float]) -> float:
    """The 95th percentile."""
    return sorted(waits)[int(len(waits) * 0.95)]


def _cpu_of_all() -> tuple[float, float]:
    times = psutil.cpu_times()
    busy = times.user + times.system + times.nice
    return busy, busy + times.idle + times.iowait


def _cpu_of_children() -> float:
    """CPU seconds of this process and all it has started, ended ones included."""
    own = psutil.Process()
    spent = own.cpu_times()
    total = spent.user + spent.system + spent.children_user + spent.children_system
    for child in own.children(recursive=True):
        try:
            each = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += each.user + each.system + each.children_user + each.children_system
    return total
