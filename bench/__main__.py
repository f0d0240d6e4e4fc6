"""`python -m bench [--quick]`: measures, prints tables and writes JSON into bench/results/."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench.measure import FULL, QUICK, Bench
from bench.report import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path(__file__).parent / "results"


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the programme and tells where its figures are."""
    parser = argparse.ArgumentParser("bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few photos, for a look: about a minute")
    parser.add_argument("--only", choices=("one", "parallel"), help="half of it")
    options = parser.parse_args(arguments)
    began = time.perf_counter()

    def say(text: str) -> None:
        print(f"[{time.perf_counter() - began:5.0f} s] {text}", file=sys.stderr)

    facts = _machine()
    with Bench(QUICK if options.quick else FULL, say) as bench:
        found = [
            *(bench.one_at_a_time() if options.only != "parallel" else ()),
            *(bench.parallel() if options.only != "one" else ()),
        ]
    facts["load_after"] = os.getloadavg()[0]
    facts["seconds"] = round(time.perf_counter() - began)
    print(tables(found, facts))
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}{'-quick' if options.quick else ''}.json"
    document = {"machine": facts, "figures": [dataclasses.asdict(each) for each in found]}
    path.write_text(json.dumps(document, indent=2) + "\n")
    print(f"All figures: {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


def _machine() -> dict[str, object]:
    """What the figures depend on beside the code."""
    models = {
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    }
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": ", ".join(sorted(models)) or platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
        "python": platform.python_version(),
        # More than about 1 means that somebody else used the machine too.
        "load_before": os.getloadavg()[0],
    }


if __name__ == "__main__":
    main()
