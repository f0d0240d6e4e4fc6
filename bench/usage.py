"""What processes use, as the kernel counts it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU time in seconds since their start, and the peak of memory in bytes, of a process and its children.

    Of several processes (PostgreSQL's) the peaks are those of the largest: what they share would count again
    for each.
    """

    cpu_seconds: float
    peak_bytes: int


def usage_of(pid: int) -> Usage:
    """The usage of the process `pid` and the children it has now."""
    process = psutil.Process(pid)
    cpu, peak = 0.0, 0
    for member in (process, *process.children(recursive=True)):
        try:
            times = member.cpu_times()
            cpu += times.user + times.system
            peak = max(peak, _high_water_mark(member.pid))
        except (psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
            continue
    return Usage(cpu, peak)


def busy_seconds() -> float:
    """CPU time the whole machine has spent on anything, all cores together."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))


def _high_water_mark(pid: int) -> int:
    """`VmHWM`: the most memory the process ever had resident."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0
