"""The product as it runs: its services and servers as processes of a test, which may kill any of them."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from photochanger_devstack.credentials import CredentialsFile
from photochanger_devstack.embedded import Runner
from photochanger_devstack.embedded.ports import free_port
from photochanger_devstack.embedded.runner import spawn
from photochanger_devstack.stack.layout import Layout, this_checkout
from photochanger_devstack.stack.plan import ADMIN, BUCKET, DATABASES, PREFERRED_PORTS, Outside, Plan, Secrets
from photochanger_devstack.stack.services import ALL_SERVICES, SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from photochanger_devstack.embedded import EmbeddedServer, Launch
    from photochanger_devstack.stack.services import Service
    from photochanger_devstack.testing.run import Run

SERVERS = ("postgres", "nats", "s3")
_MIGRATION_SECONDS = 60.0


@dataclass
class ServiceServer:
    """One of our services, seen as a server that can be launched; `crash_at` names the point it will die at."""

    name: str
    service: Service
    plan: Plan
    environ: Mapping[str, str]
    crash_at: str = ""

    def prepare(self) -> None:
        """Nothing: migrations ran when the stack was started."""

    def launch(self) -> Launch:
        """The same command line and environment as in `photochanger up`."""
        return self.service.launch(self.plan, "serve", {**self.environ, "CRASH_AT": self.crash_at})

    def answers(self) -> bool:
        """Whether it is ready."""
        return self.service.ready(self.plan)


class Stack:
    """PostgreSQL, NATS, S3 and the four services, all its own. Use it as a context manager.

    `environ` is what the services read beside what `photochanger up` gives them. Every method blocks: in a test
    with a loop call it through `asyncio.to_thread`. A process keeps its name, ports and log when it is started
    again; replicas are named `ingest-2`, `gateway-2`. Logs are copied to the folder `KEEP_STACK_LOGS`, if it is set.
    """

    def __init__(self, run: Run, environ: Mapping[str, str]) -> None:
        self._run = run
        self._folder = run.folder / f"stack-{uuid4().hex[:8]}"
        self._folder.mkdir()
        self._folder.chmod(0o711)  # root's PostgreSQL runs as another account
        layout = Layout(self._folder)
        layout.make()
        layout.models.symlink_to(Layout(this_checkout()).models)
        self._environ = {"PATH": os.environ["PATH"], **environ}
        ports = {name: free_port() for name in PREFERRED_PORTS}
        self.plan = Plan(layout, ports=ports, secrets=Secrets.load(layout), outside=Outside.of({}, ours={}))
        self._runners: dict[str, Runner] = {}
        self._services: dict[str, ServiceServer] = {}
        self.gateways = [self.plan.gateway_url]
        self.ingests = [self.plan.listen("ingest")]
        for server in (self.plan.postgres, self.plan.nats, self.plan.s3):
            self._runners[server.name] = self._runner(server)
        for service in SERVICES:
            self._add(ServiceServer(service.name, service, self.plan, self._environ))

    def __enter__(self) -> Self:
        try:
            self._start_all(SERVERS)
            for name in DATABASES:
                self.plan.postgres.create_database(name)
            self.plan.s3.create_bucket(BUCKET)
            admin = CredentialsFile(self.plan.layout.credentials)
            admin.add_missing(ADMIN, self.plan.secrets.admin_password)
            self._migrate()
            self._start_all([service.name for service in SERVICES])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for runner in reversed(self._runners.values()):
            runner.kill()
        if keep := os.environ.get("KEEP_STACK_LOGS"):
            shutil.copytree(self.plan.layout.logs, Path(keep) / self._folder.name)
        shutil.rmtree(self._folder, ignore_errors=True)

    def add_replicas(self) -> None:
        """Starts a second ingest, and a second gateway that speaks to it."""
        ports = {**self.plan.ports}
        for name in ("ingest", "gateway", "ingest-metrics", "gateway-metrics"):
            ports[name] = free_port()
        second = Plan(self.plan.layout, ports=ports, secrets=self.plan.secrets, outside=self.plan.outside)
        # What both need is where the first plan has it.
        names = []
        for service in SERVICES:
            if service.name in {"ingest", "gateway"}:
                name = f"{service.name}-2"
                self._add(ServiceServer(name, service, second, self._environ))
                names.append(name)
        self._start_all(names)
        self.gateways.append(second.gateway_url)
        self.ingests.append(second.listen("ingest"))

    def add_worker(self, number: int, **environ: str) -> str:
        """Starts one more worker, whose environment may differ; returns its name."""
        name = f"worker-{number}"
        ports = {**self.plan.ports, name: free_port(), f"{name}-metrics": free_port()}
        plan = Plan(self.plan.layout, ports=ports, secrets=self.plan.secrets, outside=self.plan.outside)
        service = next(service for service in ALL_SERVICES if service.name == name)
        self._add(ServiceServer(name, service, plan, {**self._environ, **environ}))
        self.start(name)
        return name

    def remove(self, name: str) -> None:
        """Stops a process in order, for good, if there is one."""
        if (runner := self._runners.pop(name, None)) is not None:
            runner.stop()
            del self._services[name]

    def kill(self, name: str) -> None:
        """SIGKILL, as a crash or the kernel's memory guard would."""
        self._runners[name].kill()

    def stop(self, name: str) -> None:
        """Stops a process in order."""
        self._runners[name].stop()

    def start(self, name: str, *, crash_at: str = "") -> None:
        """Starts a process that does not run; returns when it is ready. A service may be told where to die."""
        if name in self._services:
            self._services[name].crash_at = crash_at
        self._runners[name].start()

    def running(self, name: str) -> bool:
        """Whether a process lives."""
        return self._runners[name].running

    def crash(self, name: str) -> None:
        """Kills a process and starts it again at once, as a supervisor would; returns when it is ready."""
        self.kill(name)
        self.start(name)

    def wipe_nats(self) -> None:
        """Kills NATS, deletes all of its streams and starts it empty."""
        self.kill("nats")
        shutil.rmtree(self.plan.nats.store)
        self.start("nats")

    def heal(self) -> None:
        """Starts whatever does not run, and anew what was told to die and did not."""
        for name, service in self._services.items():
            if service.crash_at:
                self.kill(name)
                service.crash_at = ""
        self._start_all([name for name in SERVERS if not self._runners[name].running])
        self._start_all([name for name, runner in self._runners.items() if not runner.running])

    def logs(self) -> dict[str, str]:
        """What every process of ours has written so far."""
        ours = [name for name in self._runners if name not in SERVERS]
        return {name: self._log(name).read_text(errors="replace") for name in ours}

    def _start_all(self, names: Sequence[str]) -> None:
        with ThreadPoolExecutor(max(1, len(names))) as threads:
            list(threads.map(self.start, names))

    def _migrate(self) -> None:
        launches = [
            (service.name, service.launch(self.plan, "migrate", self._environ))
            for service in SERVICES
            if service.migrates
        ]
        running = [(name, spawn(launch, log=self._log(name))) for name, launch in launches]
        failed = [name for name, process in running if process.wait(_MIGRATION_SECONDS) != 0]
        if failed:
            raise RuntimeError(f"migration failed: {_ends([self._log(name) for name in failed])}")

    def _add(self, server: ServiceServer) -> None:
        self._services[server.name] = server
        self._runners[server.name] = self._runner(server)

    def _runner(self, server: EmbeddedServer) -> Runner:
        return Runner(server, log=self._log(server.name), on_spawn=lambda pid: self._run.keep(server, pid))

    def _log(self, name: str) -> Path:
        return self.plan.layout.log_of(name)


def _ends(logs: Iterable[Path]) -> str:
    return "\n".join(log.read_text(errors="replace")[-2000:] for log in logs)
