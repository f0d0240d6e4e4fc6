"""Figures of a run, worked out from what was measured."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.client import Shot

_TIMING = re.compile(r'([\w-]+)(?:;desc="[^"]*")?;dur=([0-9.]+)')


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run to one target came to. Times in milliseconds, memory in MiB, CPU in milliseconds a photo.

    `overhead` is the total less the provider's own time (from the last byte of its request to the first of its
    answer), photo by photo: sending the photo to the provider and reading its answer count as ours. `others` is
    the share of the machine that processes outside this benchmark took.
    """

    case: str
    target: str
    size: str
    parallel: int
    provider_seconds: float
    photos: int
    statuses: dict[str, int]
    provider_calls: int
    photos_per_second: float
    others: float
    total_p50: float
    overhead_p50: float
    overhead_p95: float
    stages_p50: dict[str, float] = field(default_factory=dict)
    cpu_ms: dict[str, float] = field(default_factory=dict)
    peak_mib: dict[str, float] = field(default_factory=dict)


def figures(
    *,
    case: str,
    target: str,
    size: str,
    parallel: int,
    provider_seconds: float,
    shots: Sequence[Shot],
    calls: Mapping[str, Sequence[float]],
    wall_seconds: float,
    others: float,
    cpu_seconds: Mapping[str, float],
    peak_mib: Mapping[str, float],
) -> Figures:
    """The figures of `shots`; `calls` are the provider's own times by token. Only answers 200 are timed."""
    answered = [shot for shot in shots if shot["status"] == 200]
    totals = sorted(shot["seconds"] * 1000 for shot in answered)
    overheads = sorted((shot["seconds"] - sum(calls.get(shot["token"], ()))) * 1000 for shot in answered)
    return Figures(
        case=case,
        target=target,
        size=size,
        parallel=parallel,
        provider_seconds=provider_seconds,
        photos=len(shots),
        statuses=dict(Counter(str(shot["status"] or shot["server_timing"]) for shot in shots)),
        provider_calls=sum(len(calls.get(shot["token"], ())) for shot in shots),
        photos_per_second=len(answered) / wall_seconds,
        others=others,
        total_p50=percentile(totals, 50),
        overhead_p50=percentile(overheads, 50),
        overhead_p95=percentile(overheads, 95),
        stages_p50=_stages(answered, calls),
        cpu_ms={name: seconds * 1000 / len(shots) for name, seconds in cpu_seconds.items()},
        peak_mib=dict(peak_mib),
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Nearest rank: a value that was measured; NaN of nothing."""
    if not ordered:
        return math.nan
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def _stages(shots: Sequence[Shot], calls: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each stage the gateway names, the provider's own time taken out of its call.

    `answer` is what comes after the gateway's own count: the picture on its way to the camera.
    """
    found: dict[str, list[float]] = {}
    for shot in shots:
        stages = {name: float(value) for name, value in _TIMING.findall(shot["server_timing"])}
        if not stages:
            continue
        own = sum(calls.get(shot["token"], ())) * 1000
        for name in ("provider", "run", "total"):
            if name in stages:
                stages[name] -= own
        stages["answer"] = shot["seconds"] * 1000 - own - stages.pop("total", 0.0)
        for name, value in stages.items():
            found.setdefault(name, []).append(value)
    return {name: percentile(sorted(values), 50) for name, values in found.items()}
