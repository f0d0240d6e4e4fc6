"""Everything a storm kills: PostgreSQL, NATS, the process of relay and keeper, three workers."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
from photochanger_devstack.embedded.launch import Launch
from photochanger_devstack.testing.servers import OwnNats, OwnPostgres, OwnServer, new_address
from photochanger_tasks.testing import create_tables, worker_process

from chaos.work import QUEUE, TABLES

if TYPE_CHECKING:
    from photochanger_devstack.testing.run import Run

WORKERS: Final = 3
_SLOTS: Final = 6
_LEASE: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class EngineProcess:
    """A process that runs parts of the engine, launched as the servers are."""

    name: str
    parts: tuple[str, ...]
    postgres_url: str
    nats_url: str

    def prepare(self) -> None:
        """Nothing is left by a crash but in the servers."""

    def launch(self) -> Launch:
        """The command line, as `photochanger_tasks.testing` has it."""
        argv, environment = worker_process(
            "chaos.work:kinds",
            postgres_url=self.postgres_url,
            nats_url=self.nats_url,
            slots={QUEUE: _SLOTS} if "worker" in self.parts else {},
            parts=self.parts,
            worker_id=self.name,
            lease=_LEASE,
        )
        return Launch(argv=tuple(argv), env=environment, cwd=Path.cwd())

    def answers(self) -> bool:
        """Nobody asks it anything, so it need not be waited for."""
        return True


class Worker(OwnServer):
    """A worker process, which may also be frozen and thawed."""

    def __init__(self, run: Run, process: EngineProcess, data: Path) -> None:
        super().__init__(run, process, data)
        self._name = process.name

    @property
    def id(self) -> str:
        """How it signs its leases."""
        return f"{self._name}-{self.pid}"

    def freeze(self) -> None:
        """Stops it in the midst of whatever it does: it is silent, but not dead."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Lets it go on, as if nothing had happened."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            os.kill(self.pid, number)


class Fleet:
    """The processes of one storm. All methods block."""

    def __init__(self, run: Run) -> None:
        folder = run.folder / "chaos"
        folder.mkdir(mode=0o711)
        self.postgres: Final = OwnPostgres(run, folder / "postgres", new_address())
        self.nats: Final = OwnNats(run, folder / "nats", new_address())
        self.relay: Final = OwnServer(run, self._process("relay", "relay", "keeper"), folder / "relay")
        self.workers: Final = [
            Worker(run, self._process(f"worker-{number}", "worker"), folder / f"worker-{number}")
            for number in range(WORKERS)
        ]

    def start(self) -> None:
        """Starts everything on empty stores."""
        self.postgres.start()
        create_tables(self.postgres.url)
        with psycopg.connect(self.postgres.url) as conn:
            conn.execute(TABLES)
        self.heal()

    def heal(self) -> None:
        """Starts and thaws what does not run."""
        for each in (self.postgres, self.nats, self.relay, *self.workers):
            each.start()
        for worker in self.workers:
            worker.thaw()

    def end(self) -> None:
        """Ends everything."""
        for worker in self.workers:
            worker.thaw()
        for each in (*self.workers, self.relay, self.nats, self.postgres):
            each.wipe()

    def _process(self, name: str, *parts: str) -> EngineProcess:
        return EngineProcess(name, parts, self.postgres.url, self.nats.url)
