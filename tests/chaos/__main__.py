"""`make chaos`: one storm, its figures, and status 1 if a rule was broken.

CHAOS_SEED (random), CHAOS_TASKS (2000) and CHAOS_SECONDS (420) say how it shall be; what is left after that
time has up to three minutes to end.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random

import structlog
from photochanger_devstack.testing.run import Run

from chaos.storm import Weather, storm


def main() -> int:
    """Runs it; returns the exit status."""
    tasks = int(os.environ.get("CHAOS_TASKS") or 2000)
    weather = Weather(
        seed=int(os.environ.get("CHAOS_SEED") or random.randrange(1_000_000)),
        tasks=tasks,
        at_least=min(tasks, 500),
        seconds=float(os.environ.get("CHAOS_SECONDS") or 420),
    )
    print(f"seed {weather.seed}", flush=True)
    # What our own connections say about killed servers is no news.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    run, controller = Run.begin()
    try:
        verdict = asyncio.run(storm(weather, run))
    finally:
        run.finish(controller)
    print(verdict)
    return 1 if verdict.violations else 0


if __name__ == "__main__":
    raise SystemExit(main())
