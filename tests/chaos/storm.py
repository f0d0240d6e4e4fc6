"""One storm from the first task to the verdict."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final

from photochanger_chassis.lifecycle import cancel_until_done
from photochanger_tasks.testing import engine

from chaos.disasters import Disaster, Disasters
from chaos.fleet import Fleet
from chaos.history import History
from chaos.reading import read_database, read_stream
from chaos.rules import Violation, violations
from chaos.submitting import Submitter
from chaos.watch import Watch
from chaos.work import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from photochanger_devstack.testing.run import Run

_CALM: Final = timedelta(minutes=3)
"""How long the rest may take once nothing is killed any more. Leases lapse and tickets come back in half a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How a storm shall be: `tasks` tasks, or fewer when so many seconds are over.

    But not fewer than `at_least`, nor before each disaster has happened.
    """

    seed: int
    tasks: int
    at_least: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a storm was like, and which rules it broke."""

    weather: Weather
    seconds: float
    disasters: Mapping[Disaster, int]
    history: History
    violations: list[Violation]

    def __str__(self) -> str:
        history = self.history
        states = Counter(row.state for row in history.rows)
        unknown = sum(each.task_id is None for each in history.submissions)
        found = sum(not each.created for each in history.submissions)
        answers = Counter(each.answer or "unknown" for each in history.cancels)
        again = {(run.task_id, run.attempt) for run in history.runs}
        number = len(history.rows)
        lines = [
            f"seed {self.weather.seed}: {number} tasks in {self.seconds:.0f} s, {number / self.seconds:.0f} a second",
            f"ended: {_listed(states)}",
            f"attempts: {sum(row.attempt for row in history.rows)} begun, {len(again)} handlers called, "
            f"{_taken_over(history)} taken over from lost workers",
            f"submissions: {len(history.submissions)}, {found} answered with a live task, {unknown} without an answer",
            f"cancels: {_listed(answers)}",
            f"events: {len(history.told)}, {len(history.streamed)} on the stream; "
            f"effects: {len(history.effects)}",
            f"disasters: {_listed(Counter({str(kind): n for kind, n in self.disasters.items()}))}",
            f"violations: {len(self.violations)}",
            *(f"  {each.rule}: {each.what}" for each in self.violations),
        ]
        return "\n".join(lines)


async def storm(weather: Weather, run: Run) -> Verdict:
    """Lets a storm rage over a fleet of its own, waits until all is calm, and checks the history."""
    fleet = Fleet(run)
    try:
        await asyncio.to_thread(fleet.start)
        return await _raged(weather, fleet)
    finally:
        await asyncio.to_thread(fleet.end)


async def _raged(weather: Weather, fleet: Fleet) -> Verdict:
    began = monotonic()
    # Each has a source of its own, so that how they interleave does not change what either does.
    seeds = random.Random(weather.seed)
    submits, strikes = random.Random(seeds.random()), random.Random(seeds.random())
    async with engine(kinds(), postgres_url=fleet.postgres.url, nats_url=fleet.nats.url) as opened:
        watch = Watch(opened.pool)
        submitter = Submitter(opened, watch, submits)
        disasters = Disasters(fleet, watch, strikes)

        def go_on() -> bool:
            number = submitter.acknowledged
            in_time = monotonic() - began < weather.seconds
            enough = number >= weather.at_least and len(disasters.happened) == len(Disaster)
            return number < weather.tasks and (in_time or not enough)

        async with asyncio.TaskGroup() as group:
            helpers = [group.create_task(watch.run()), group.create_task(submitter.cancel_running())]
            striking = group.create_task(disasters.run())
            await submitter.run(go_on)
            watch.closing = True
            await striking
            await asyncio.to_thread(fleet.heal)
            # What is left then, the rules name.
            with suppress(TimeoutError):
                async with asyncio.timeout(_CALM.total_seconds()):
                    await watch.until(lambda seen: not seen.live and not seen.unpublished)
            await cancel_until_done(*helpers)
        seconds = monotonic() - began
    kept = await read_database(fleet.postgres.url)
    history = History(
        submissions=tuple(submitter.submissions),
        cancels=tuple(submitter.cancels),
        rows=kept.rows,
        told=kept.told,
        runs=kept.runs,
        effects=kept.effects,
        unpublished=kept.unpublished,
        streamed=await read_stream(fleet.nats.url),
        stream_since=disasters.stream_since,
    )
    return Verdict(
        weather=weather,
        seconds=seconds,
        disasters=dict(disasters.happened),
        history=history,
        violations=violations(history),
    )


def _taken_over(history: History) -> int:
    """Attempts after which the task was queued again at once: their lease had lapsed, or their worker drained."""
    last: dict[str, str] = {}
    number = 0
    for told in sorted(history.told, key=lambda each: each.position):
        number += told.what == "queued" and last.get(told.task_id) in {"started", "progressed"}
        last[told.task_id] = told.what
    return number


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
