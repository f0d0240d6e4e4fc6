"""`python -m bench.tasks [--quick]`: tasks a second and latency, ours and the peer's, in turns."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import psycopg
from photochanger_devstack.embedded import NatsServer, PostgresServer, Runner
from photochanger_devstack.embedded.ports import free_port
from photochanger_tasks.testing import create_tables

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PEER_VENV = ROOT / ".local" / "bench-peers"
PEER_LOCK = HERE.parent / "peers.lock"
DONE = {
    "procrastinate": "SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'",
    "ours": "SELECT count(*) FROM tasks WHERE state = 'done'",
}


@dataclass(frozen=True)
class Competitor:
    """One of those measured."""

    name: str
    python: str
    script: Path
    done: str
    environ: dict[str, str]


@dataclass(frozen=True)
class Figures:
    """What one competitor did. Times in ms, rates in tasks a second; `others` is the machine's other CPU."""

    name: str
    end_to_end: float
    drained: float
    latency_p50: dict[int, float]
    latency_p95: dict[int, float]
    others: float


class Session:
    """A competitor's worker and submitter."""

    def __init__(self, who: Competitor, folder: Path) -> None:
        self.who = who
        self.notes = folder / f"{who.name}.txt"
        self.notes.touch()
        self.submitter = self._start("submit")
        self.worker: subprocess.Popen[str] | None = None
        self._next = 0

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [self.who.python, str(self.who.script), *arguments],
            env=self.who.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if not os.environ.get("BENCH_DEBUG") else None,
            text=True,
        )
        assert child.stdout is not None
        while (line := child.stdout.readline().strip()) != "ready":
            if not line and child.poll() is not None:
                raise SystemExit(f"{self.who.name} {arguments[0]} did not start")
        return child

    def work(self) -> None:
        """Starts the worker."""
        self.worker = self._start("worker", str(self.notes))

    def submit(self, command: str, number: int, *rest: int) -> tuple[int, int, int]:
        """Submits tasks; returns the first one's number, when that began and when it ended, in ns."""
        first, self._next = self._next, self._next + number
        assert self.submitter.stdin is not None
        assert self.submitter.stdout is not None
        print(command, first, number, *rest, file=self.submitter.stdin, flush=True)
        while not (line := self.submitter.stdout.readline()).startswith("["):
            pass  # a log line
        began, ended = json.loads(line)
        return first, began, ended

    def started(self, first: int, number: int) -> list[int]:
        """Waits until these tasks have started; returns when, in ns."""
        give_up = time.monotonic() + 120
        while time.monotonic() < give_up:
            pairs = (line.split() for line in self.notes.read_text().splitlines()[first:])
            found = {int(pair[0]): int(pair[1]) for pair in pairs if len(pair) == 2}
            if len(found) >= number:
                return [found[n] for n in range(first, first + number)]
            time.sleep(0.02)
        raise SystemExit(f"{self.who.name}: tasks did not start")

    def wait_done(self, conn: psycopg.Connection[tuple[int]], total: int) -> int:
        """Waits until so many are done; returns when, in ns."""
        give_up = time.monotonic() + 180
        while time.monotonic() < give_up:
            row = conn.execute(self.who.done).fetchone()
            if row is not None and row[0] >= total:
                return time.time_ns()
            time.sleep(0.1)
        raise SystemExit(f"{self.who.name}: tasks were not done")

    def close(self) -> None:
        """Ends both processes."""
        for child in (self.submitter, self.worker):
            if child is not None:
                child.terminate()
                try:
                    child.wait(10)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()


def measure(who: Competitor, folder: Path, size: int, repeats: int) -> Figures:
    """Measures one competitor alone."""
    before = _cpu_of_all(), _cpu_of_children()
    session = Session(who, folder)
    try:
        with psycopg.connect(who.environ["DATABASE_URL"], autocommit=True) as conn:
            session.submit("each", size, 16)
            session.work()
            begun = session.started(0, size)
            drained = size / ((session.wait_done(conn, size) - min(begun)) / 1e9)
            p50, p95 = {}, {}
            total = size
            for burst, times in ((1, 10 * repeats), (10, 2 * repeats), (100, max(repeats // 2, 2))):
                waits = []
                for _ in range(times):
                    first, began, _ = session.submit("burst", burst)
                    waits += [(at - began) / 1e6 for at in session.started(first, burst)]
                    total += burst
                    session.wait_done(conn, total)
                ordered = sorted(waits)
                p50[burst], p95[burst] = statistics.median(ordered), ordered[int(len(ordered) * 0.95)]
            _, began, _ = session.submit("each", size, 16)
            rate = size / ((session.wait_done(conn, total + size) - began) / 1e9)
    finally:
        session.close()
    after = _cpu_of_all(), _cpu_of_children()
    spent = after[0][0] - before[0][0]
    others = max(spent - (after[1] - before[1]), 0) / max(after[0][1] - before[0][1], 0.001)
    return Figures(who.name, rate, drained, p50, p95, others)


def main() -> None:
    """Runs everything and prints a table."""
    parser = argparse.ArgumentParser("bench.tasks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few tasks, for a look")
    parser.add_argument("--rounds", type=int, default=2, help="turns each competitor gets")
    options = parser.parse_args()
    size, repeats = (400, 3) if options.quick else (2000, 10)
    peer = _peer_python()
    found: list[Figures] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-tasks-")))
        postgres = PostgresServer(folder / "postgres", port=free_port(), password="bench")
        nats = NatsServer(folder / "nats", port=free_port(), monitoring_port=free_port(), password="bench")
        for server in (postgres, nats):
            stack.enter_context(Runner(server, log=folder / f"{server.name}.log"))
        for turn in range(options.rounds):
            for name in ("ours", "ours, with events", "procrastinate"):
                url = postgres.create_database(f"{name.split(',')[0]}{turn}{len(name)}")
                who = _competitor(name, peer, url, nats.url)
                work = folder / f"{turn}-{name}"
                work.mkdir()
                found.append(measure(who, work, size, repeats))
                print(_row(found[-1]), file=sys.stderr)
    facts = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "cores": os.cpu_count(), "tasks": size}
    print(facts)
    print("| | end to end, tasks/s | backlog, tasks/s | p50 / p95 ms at 1 | at 10 | at 100 | others |")
    print("|---|---|---|---|---|---|---|")
    for each in found:
        print(_row(each))
    results = HERE.parent / "results"
    results.mkdir(exist_ok=True)
    document = {"machine": facts, "figures": [asdict(each) for each in found]}
    (results / f"tasks-{datetime.now(UTC):%Y%m%d-%H%M%S}.json").write_text(
        json.dumps(document, indent=2) + "\n"
    )


def _row(each: Figures) -> str:
    waits = [f"{each.latency_p50[n]:.1f} / {each.latency_p95[n]:.1f}" for n in (1, 10, 100)]
    cells = [each.name, f"{each.end_to_end:.0f}", f"{each.drained:.0f}", *waits, f"{each.others:.0%}"]
    return f"| {' | '.join(cells)} |"


def _competitor(name: str, peer: str, url: str, nats_url: str) -> Competitor:
    environ = {"PATH": os.environ["PATH"], "DATABASE_URL": url, "NATS_URL": nats_url}
    if name == "procrastinate":
        subprocess.run([peer, str(HERE / "peer.py"), "schema"], env=environ, check=True)
        return Competitor(name, peer, HERE / "peer.py", DONE["procrastinate"], environ)
    create_tables(url)
    # The stream is one for all turns; what an earlier one left finds nothing and is used up.
    events = "yes" if "events" in name else "no"
    environ |= {"BENCH_EVENTS": events}
    return Competitor(name, sys.executable, HERE / "ours.py", DONE["ours"], environ)


def _peer_python() -> str:
    python = PEER_VENV / "bin" / "python"
    stamp = PEER_VENV / "lock"
    if not stamp.exists() or stamp.read_bytes() != PEER_LOCK.read_bytes():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(PEER_VENV)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "--no-deps", "-r", str(PEER_LOCK)], check=True)
        stamp.write_bytes(PEER_LOCK.read_bytes())
    return str(python)


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


if __name__ == "__main__":
    main()
