"""A competitor's processes: one that submits, and workers that tell when each task starts."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_START_SECONDS = 120.0
_DONE_SECONDS = 180.0
_LOOK_SECONDS = 0.05
_PIPE_BYTES = 1 << 20


@dataclass(frozen=True)
class Competitor:
    """One of those measured. `done` is what selects its done tasks: `FROM … WHERE …`."""

    name: str
    python: str
    script: Path
    done: str
    environ: Mapping[str, str]


class Session:
    """A competitor's workers and submitter. A worker writes a line into a pipe as each task starts."""

    def __init__(self, who: Competitor, folder: Path) -> None:
        self.who = who
        self._pipe = folder / "starts"
        os.mkfifo(self._pipe)
        # Open for both, so that it never ends; roomy, so that no worker ever waits for this reader.
        self._starts = os.open(self._pipe, os.O_RDWR | os.O_NONBLOCK)
        fcntl.fcntl(self._starts, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._rest = b""
        self._started: dict[int, int] = {}
        self._submitter = self._start("submit")
        self._workers: list[subprocess.Popen[str]] = []
        self._next = 0

    def work(self) -> None:
        """Starts a worker."""
        self._workers.append(self._start("worker", str(self._pipe)))

    def submit(self, command: str, number: int, *rest: int) -> tuple[range, int]:
        """Submits tasks; returns their numbers, and when that began, in ns."""
        numbers = range(self._next, self._next + number)
        self._next += number
        assert self._submitter.stdin is not None
        assert self._submitter.stdout is not None
        print(command, numbers.start, number, *rest, file=self._submitter.stdin, flush=True)
        while not (line := self._submitter.stdout.readline()).startswith("["):
            pass  # a log line
        return numbers, json.loads(line)[0]

    def started(self, numbers: range) -> list[int]:
        """Waits until these tasks have started; returns when, in ns."""
        give_up = time.monotonic() + _START_SECONDS
        while not all(number in self._started for number in numbers):
            readable, _, _ = select.select([self._starts], [], [], max(give_up - time.monotonic(), 0))
            if not readable:
                raise SystemExit(f"{self.who.name}: tasks did not start")
            *lines, self._rest = (self._rest + os.read(self._starts, _PIPE_BYTES)).split(b"\n")
            # The first start counts, should a task be tried again.
            self._started = {
                int(name): int(at) for name, at in (line.split() for line in lines)
            } | self._started
        return [self._started[number] for number in numbers]

    def all_done(self) -> int:
        """Waits until all that was submitted is done; returns when the last end was committed, in ns.

        The time is PostgreSQL's, so it does not matter how often one looks.
        """
        give_up = time.monotonic() + _DONE_SECONDS
        with psycopg.connect(self.who.environ["DATABASE_URL"], autocommit=True) as conn:
            while time.monotonic() < give_up:
                row = conn.execute(f"SELECT count(*) {self.who.done}").fetchone()
                if row is not None and row[0] >= self._next:
                    last = conn.execute(
                        f"SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin))) * 1e9 {self.who.done}"
                    ).fetchone()
                    assert last is not None
                    return int(last[0])
                time.sleep(_LOOK_SECONDS)
        raise SystemExit(f"{self.who.name}: tasks were not done")

    def close(self) -> None:
        """Ends all processes."""
        for child in (self._submitter, *self._workers):
            child.terminate()
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        os.close(self._starts)

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
