"""The measurements, one after the other."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

from photochanger_devstack.embedded import Runner
from photochanger_devstack.testing.run import Run

from bench import photos
from bench.figures import Figures, figures
from bench.slots import SLOTS, configure
from bench.stack import SERVERS, SERVICE_NAMES, BareServer, PrivateStack
from bench.usage import MEBIBYTE, Usage, busy_seconds, usage_of
from bench.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.client import Shots, Target
    from bench.photos import Kind
    from bench.worker import Message

PARALLEL = 30
PLATFORM, BARE = "platform", "bare"
_API_KEY = "bench-gemini-key"


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many photos of a size each measurement takes."""

    one_at_a_time: int
    parallel: int
    at_once: int


@dataclass(frozen=True, slots=True)
class Programme:
    """What is measured. After `seconds` nothing new is begun, however slow the machine."""

    one_at_a_time: tuple[Kind, ...]
    parallel: tuple[Kind, ...]
    amounts: dict[str, Amounts]
    seconds: float
    provider_seconds: float = 2.0
    warm_up: int = 4


FULL = Programme(
    photos.KINDS,
    photos.KINDS,
    {"0.5 MB": Amounts(40, 60, 150), "5 MB": Amounts(30, 60, 90), "15 MB": Amounts(20, 60, 45)},
    seconds=310,
)
QUICK = Programme(
    photos.KINDS,
    photos.KINDS[1:2],
    {"0.5 MB": Amounts(8, 30, 30), "5 MB": Amounts(8, 30, 30), "15 MB": Amounts(6, 30, 30)},
    seconds=60,
    warm_up=2,
)


class Bench:
    """Both competitors, their provider and their cameras, as processes. A context manager that ends them."""

    def __init__(self, programme: Programme, say: Callable[[str], None]) -> None:
        self._programme = programme
        self._say = say
        self._exit = ExitStack()
        self._photos: dict[str, Path] = {}
        self._runs = 0
        self._give_up = time.monotonic() + programme.seconds

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            run, handle = Run.begin()
            stack.callback(run.finish, handle)
            self._say("Making photos")
            for kind in self._programme.one_at_a_time:
                self._photos[kind.name] = run.folder / f"{kind.size_bytes}.jpg"
                self._photos[kind.name].write_bytes(photos.photo(kind))
            picture = run.folder / "result.jpg"
            picture.write_bytes(photos.result())
            self._provider = stack.enter_context(Worker("bench.provider", str(picture)))
            self._client = stack.enter_context(Worker("bench.client"))
            provider_url = str(self._provider.ask({})["base_url"])
            self._say("Starting the platform and the bare application")
            environ = {
                "GEMINI_BASE_URL": provider_url,
                "GEMINI_API_KEY": _API_KEY,
                # All cameras have one address here; in a studio they would not send so much from one.
                "INGEST_RATE_PER_MINUTE": "1000000",
            }
            self._platform = stack.enter_context(PrivateStack(run, environ))
            plan = self._platform.plan
            configure(plan.listen("ingest"))
            password = plan.secrets.ingest_password
            bare = BareServer(run.folder / "bare", provider_url=provider_url, password=password)
            log = run.folder / "bare.log"
            self._bare = stack.enter_context(Runner(bare, log=log, on_spawn=lambda pid: run.keep(bare, pid)))
            self._targets: dict[str, Target] = {
                PLATFORM: {"name": PLATFORM, "url": plan.gateway_url, "password": password},
                BARE: {"name": BARE, "url": bare.url, "password": password},
            }
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def one_at_a_time(self) -> list[Figures]:
        """The overhead when nothing else happens; the competitors take turns, so that they share the noise."""
        found: list[Figures] = []
        for kind in self._programme.one_at_a_time:
            if self._late(kind):
                break
            self._warm_up(kind)
            count = self._programme.amounts[kind.name].one_at_a_time
            found += self._run("one at a time", kind, count, (PLATFORM, BARE))
        return found

    def parallel(self) -> list[Figures]:
        """30 at once: with a provider of 2 s, then with one that answers at once. Fresh processes for each size."""
        found: list[Figures] = []
        for kind in self._programme.parallel:
            if self._late(kind):
                break
            self._say(f"Starting the services anew for {kind.name}")
            self._platform.renew_services()
            self._bare.restart()
            self._warm_up(kind)
            amounts = self._programme.amounts[kind.name]
            for target in (PLATFORM, BARE):
                for case, count, seconds in (
                    ("30 in parallel", amounts.parallel, self._programme.provider_seconds),
                    ("provider at once", amounts.at_once, 0.0),
                ):
                    found += self._run(
                        case, kind, count, (target,), parallel=PARALLEL, provider_seconds=seconds
                    )
        return found

    def _late(self, kind: Kind) -> bool:
        late = time.monotonic() > self._give_up
        if late:
            self._say(f"Out of time: {kind.name} and what is left are not measured")
        return late

    def _warm_up(self, kind: Kind) -> None:
        self._run("warm-up", kind, self._programme.warm_up, (PLATFORM, BARE))

    def _run(
        self,
        case: str,
        kind: Kind,
        count: int,
        targets: tuple[str, ...],
        *,
        parallel: int = 1,
        provider_seconds: float = 0.0,
    ) -> list[Figures]:
        self._say(f"{kind.name}, {case}: {count} photos to {' and '.join(targets)}")
        self._provider.ask({"delay": provider_seconds})
        self._runs += 1
        before, busy, began = self._usage(), busy_seconds(), time.monotonic()
        command: Message = {
            "label": f"r{self._runs}",
            "photo": str(self._photos[kind.name]),
            "count": count,
            "parallel": parallel,
            "slots": SLOTS,
            "targets": [self._targets[name] for name in targets],
        }
        shots = cast("Shots", self._client.ask(command))
        after = self._usage()
        wall = time.monotonic() - began
        ours = sum(after[name].cpu_seconds - before[name].cpu_seconds for name in after)
        others = (busy_seconds() - busy - ours) / (wall * (os.cpu_count() or 1))
        calls = cast("dict[str, list[float]]", self._provider.ask({"calls": True})["calls"])
        found = []
        for target in targets:
            own = (BARE,) if target == BARE else (*SERVICE_NAMES, *SERVERS)
            # What both use is told of only where one was alone.
            shared = ("provider mock", "client") if len(targets) == 1 else ()
            found.append(
                figures(
                    case=case,
                    target=target,
                    size=kind.name,
                    parallel=parallel,
                    provider_seconds=provider_seconds,
                    shots=[shot for shot in shots["shots"] if shot["target"] == target],
                    calls=calls,
                    wall_seconds=shots["wall_seconds"],
                    others=max(0.0, others),
                    cpu_seconds={
                        name: after[name].cpu_seconds - before[name].cpu_seconds for name in (*own, *shared)
                    },
                    peak_mib={name: after[name].peak_bytes / MEBIBYTE for name in own},
                )
            )
        return found

    def _usage(self) -> dict[str, Usage]:
        pids = {**self._platform.pids, "provider mock": self._provider.pid, "client": self._client.pid}
        if self._bare.pid is not None:
            pids[BARE] = self._bare.pid
        return {name: usage_of(pid) for name, pid in pids.items()}
