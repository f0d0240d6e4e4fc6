"""`python -m bench.tasks [--quick]`: tasks a second and latency, ours and the peer's, in turns; then ours scaled."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from photochanger_devstack.embedded import NatsServer, PostgresServer, Runner
from photochanger_devstack.embedded.ports import free_port
from photochanger_tasks.testing import create_tables

from bench.tasks import scaling
from bench.tasks.scaling import Scaled, measure_scaling
from bench.tasks.session import Competitor
from bench.tasks.speed import Figures, measure

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PEER_VENV = ROOT / ".local" / "bench-peers"
PEER_LOCK = HERE.parent / "peers.lock"
DONE = {
    "procrastinate": "FROM procrastinate_jobs WHERE status = 'succeeded'",
    "ours": "FROM tasks WHERE state = 'done'",
}


def main() -> None:
    """Runs everything and prints a table."""
    parser = argparse.ArgumentParser("bench.tasks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few tasks, for a look")
    parser.add_argument("--rounds", type=int, default=2, help="turns each competitor gets")
    options = parser.parse_args()
    size, repeats = (400, 3) if options.quick else (2000, 10)
    peer = _peer_python()
    found: list[Figures] = []
    scaled: list[Scaled] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-tasks-")))
        postgres = PostgresServer(folder / "postgres", port=free_port(), password="bench")
        nats = NatsServer(folder / "nats", port=free_port(), monitoring_port=free_port(), password="bench")
        runner = stack.enter_context(Runner(postgres, log=folder / "postgres.log"))
        with psycopg.connect(postgres.url(), autocommit=True) as conn:
            conn.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        runner.restart()
        stack.enter_context(Runner(nats, log=folder / "nats.log"))
        for turn in range(options.rounds):
            for name in ("ours", "ours, with events", "procrastinate"):
                url = postgres.create_database(f"{name.split(',')[0]}{turn}{len(name)}")
                who = _competitor(name, peer, url, nats.url)
                work = folder / f"{turn}-{name}"
                work.mkdir()
                found.append(measure(who, work, size, repeats))
                print(_row(found[-1]), file=sys.stderr)
        for workers in (1, 2, 3):
            url = postgres.create_database(f"scaled{workers}")
            who = _competitor("ours", peer, url, nats.url, **scaling.ENVIRON)
            work = folder / f"scaled-{workers}"
            work.mkdir()
            scaled.append(measure_scaling(who, work, workers))
    facts = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "cores": os.cpu_count(), "tasks": size}
    print(facts)
    print("| | end to end, tasks/s | backlog, tasks/s | p50 / p95 ms at 1 | at 10 | at 100 | others |")
    print("|---|---|---|---|---|---|---|")
    for each in found:
        print(_row(each))
    print(
        f"\n{scaling.TASKS} tasks at once, {scaling.SLOTS} slots a worker, {scaling.PROVIDER_SECONDS} s a task:\n"
    )
    print("| workers | tasks/s | most that the slots allow | wait p50 / p95 s | into a free slot, p50 ms |")
    print("|---|---|---|---|---|")
    for line in scaled:
        waits = f"{line.wait_p50_seconds:.2f} / {line.wait_p95_seconds:.2f}"
        print(f"| {line.workers} | {line.rate:.2f} | {line.most:.0f} | {waits} | {line.free_slot_ms:.0f} |")
    results = HERE.parent / "results"
    results.mkdir(exist_ok=True)
    document = {
        "machine": facts,
        "figures": [asdict(each) for each in found],
        "scaling": [asdict(each) for each in scaled],
    }
    (results / f"tasks-{datetime.now(UTC):%Y%m%d-%H%M%S}.json").write_text(
        json.dumps(document, indent=2) + "\n"
    )


def _row(each: Figures) -> str:
    waits = [f"{each.latency_p50[n]:.1f} / {each.latency_p95[n]:.1f}" for n in (1, 10, 100)]
    cells = [each.name, f"{each.end_to_end:.0f}", f"{each.drained:.0f}", *waits, f"{each.others:.0%}"]
    return f"| {' | '.join(cells)} |"


def _competitor(name: str, peer: str, url: str, nats_url: str, **environment: str) -> Competitor:
    environ = {"PATH": os.environ["PATH"], "DATABASE_URL": url, "NATS_URL": nats_url}
    if name == "procrastinate":
        subprocess.run([peer, str(HERE / "peer.py"), "schema"], env=environ, check=True)
        return Competitor(name, peer, HERE / "peer.py", DONE["procrastinate"], environ)
    create_tables(url)
    # The stream is one for all turns; what an earlier one left finds nothing and is used up.
    events = "yes" if "events" in name else "no"
    environ |= {"BENCH_EVENTS": events, **environment}
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


if __name__ == "__main__":
    main()
