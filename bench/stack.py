"""The competitors as processes: a platform as `photochanger up` runs it, in a folder of its own; the bare one."""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from photochanger_devstack.credentials import CredentialsFile
from photochanger_devstack.embedded import Runner
from photochanger_devstack.embedded.launch import Launch
from photochanger_devstack.embedded.ports import LOOPBACK, free_port
from photochanger_devstack.embedded.runner import spawn
from photochanger_devstack.probes import http_ok
from photochanger_devstack.stack.layout import Layout, this_checkout
from photochanger_devstack.stack.plan import ADMIN, BUCKET, DATABASES, PREFERRED_PORTS, Outside, Plan, Secrets
from photochanger_devstack.stack.services import SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from photochanger_devstack.embedded import EmbeddedServer
    from photochanger_devstack.stack.services import Service
    from photochanger_devstack.testing.run import Run

SERVERS = ("postgres", "nats", "s3")
SERVICE_NAMES = tuple(service.name for service in SERVICES)
_MIGRATION_SECONDS = 60.0


@dataclass(frozen=True)
class _ServiceServer:
    name: str
    service: Service
    plan: Plan
    environ: Mapping[str, str]

    def prepare(self) -> None:
        """Migrations have run."""

    def launch(self) -> Launch:
        return self.service.launch(self.plan, "serve", self.environ)

    def answers(self) -> bool:
        return self.service.ready(self.plan)


class PrivateStack:
    """PostgreSQL, NATS, S3 and the four services on free ports. A context manager; `run` ends what it leaves."""

    def __init__(self, run: Run, environ: Mapping[str, str]) -> None:
        layout = Layout(run.folder)
        layout.make()
        self._environ = {"PATH": os.environ["PATH"], **environ}
        ports = {name: free_port() for name in PREFERRED_PORTS}
        self.plan = Plan(layout, ports=ports, secrets=Secrets.load(layout), outside=Outside.of({}, ours={}))
        servers: list[EmbeddedServer] = [self.plan.postgres, self.plan.nats, self.plan.s3]
        servers += [_ServiceServer(service.name, service, self.plan, self._environ) for service in SERVICES]
        self._runners = {server.name: self._runner(run, server) for server in servers}

    def __enter__(self) -> Self:
        try:
            self._start(SERVERS)
            for name in DATABASES:
                self.plan.postgres.create_database(name)
            self.plan.s3.create_bucket(BUCKET)
            CredentialsFile(self.plan.layout.credentials).add_missing(ADMIN, self.plan.secrets.admin_password)
            self._migrate()
            self._start(SERVICE_NAMES)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for runner in reversed(self._runners.values()):
            runner.kill()
        shutil.rmtree(self.plan.layout.local, ignore_errors=True)

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of everything that runs."""
        return {name: runner.pid for name, runner in self._runners.items() if runner.pid is not None}

    def renew_services(self) -> None:
        """Starts the four services anew: their peaks of memory begin again."""
        for name in SERVICE_NAMES:
            self._runners[name].kill()
        self._start(SERVICE_NAMES)

    def _start(self, names: Iterable[str]) -> None:
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda name: self._runners[name].start(), names))

    def _migrate(self) -> None:
        running = [
            (name, spawn(service.launch(self.plan, "migrate", self._environ), log=self._log(name)))
            for name, service in zip(SERVICE_NAMES, SERVICES, strict=True)
            if service.migrates
        ]
        failed = [name for name, process in running if process.wait(_MIGRATION_SECONDS) != 0]
        if failed:
            raise RuntimeError(
                f"migration failed: {[self._log(name).read_text()[-2000:] for name in failed]}"
            )

    def _runner(self, run: Run, server: EmbeddedServer) -> Runner:
        return Runner(server, log=self._log(server.name), on_spawn=lambda pid: run.keep(server, pid))

    def _log(self, name: str) -> Path:
        return self.plan.layout.log_of(name)


class BareServer:
    """The competitor, as a server that a `Runner` runs."""

    name = "bare"

    def __init__(self, folder: Path, *, provider_url: str, password: str) -> None:
        self._folder = folder
        self._provider_url = provider_url
        self._password = password
        self._port = free_port()

    @property
    def url(self) -> str:
        """Where its photos go."""
        return f"http://{LOOPBACK}:{self._port}"

    def prepare(self) -> None:
        """Makes the folder for its results."""
        self._folder.mkdir(exist_ok=True)

    def launch(self) -> Launch:
        """One process, from the root of the checkout."""
        return Launch(
            argv=(
                *(sys.executable, "-m", "bench.baseline"),
                *(str(self._port), self._provider_url, str(self._folder)),
            ),
            env={"PATH": os.environ["PATH"], "INGEST_PASSWORD": self._password},
            cwd=this_checkout(),
        )

    def answers(self) -> bool:
        """Whether it serves."""
        return http_ok(f"{self.url}/healthz")
