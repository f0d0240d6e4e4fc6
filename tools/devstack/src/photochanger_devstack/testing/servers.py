"""The servers tests talk to: shared ones that live as long as the run, and private ones a test may break."""

from __future__ import annotations

import json
import secrets
import shutil
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, TypeVar
from uuid import uuid4

from photochanger_devstack.embedded import NatsServer, PostgresServer, Runner, S3Server
from photochanger_devstack.embedded.ports import free_port
from photochanger_devstack.embedded.s3 import S3Keys, create_bucket

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from photochanger_devstack.embedded import EmbeddedServer
    from photochanger_devstack.testing.run import Run

_Server = TypeVar("_Server", bound="EmbeddedServer")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is and how to get in: enough to build the same server object in another process."""

    port: int
    monitoring_port: int = 0
    password: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)


class OwnServer:
    """A private server of one test: `start`, `stop`, `kill`, `restart` (same data, same port) and `wipe`.

    All block until done. In an `async` test call them through `asyncio.to_thread`, or the loop stands still.
    """

    def __init__(self, run: Run, server: EmbeddedServer, data: Path) -> None:
        self._data = data
        self._runner = Runner(
            server,
            log=data.with_suffix(".log"),
            on_spawn=lambda pid: run.keep(server, pid),
        )

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._runner.pid

    def start(self) -> None:
        """Starts it and returns when it answers."""
        self._runner.start()

    def stop(self) -> None:
        """Stops it in order."""
        self._runner.stop()

    def kill(self) -> None:
        """Kills it as a crash would (SIGKILL)."""
        self._runner.kill()

    def restart(self) -> None:
        """Stops it if it runs and starts it on the same data and port."""
        self._runner.restart()

    def wipe(self) -> None:
        """Stops it and deletes all its data; `start` then begins empty, on the same port."""
        self._runner.stop()
        shutil.rmtree(self._data, ignore_errors=True)


class OwnPostgres(OwnServer):
    """A private PostgreSQL, with fsync as in production."""

    def __init__(self, run: Run, data: Path, address: Address) -> None:
        self.server = PostgresServer(data, port=address.port, password=address.password)
        super().__init__(run, self.server, data)

    @property
    def url(self) -> str:
        """The URL of its default database."""
        return self.server.url()

    def create_database(self, name: str) -> str:
        """Creates a database; returns its URL."""
        return self.server.create_database(name)


class OwnNats(OwnServer):
    """A private nats-server with JetStream."""

    def __init__(self, run: Run, data: Path, address: Address) -> None:
        self.server = NatsServer(
            data, port=address.port, monitoring_port=address.monitoring_port, password=address.password
        )
        super().__init__(run, self.server, data)

    @property
    def url(self) -> str:
        """The URL clients connect to."""
        return self.server.url


class OwnS3(OwnServer):
    """A private S3 server."""

    def __init__(self, run: Run, data: Path, address: Address) -> None:
        self.server = S3Server(data, port=address.port, keys=S3Keys("test", address.password))
        super().__init__(run, self.server, data)

    @property
    def store(self) -> S3Store:
        """How to reach it."""
        return S3Store.of(self.server)


@dataclass(frozen=True, slots=True)
class S3Store:
    """How to reach an S3 server, and new buckets on it."""

    endpoint_url: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str

    @classmethod
    def of(cls, server: S3Server) -> S3Store:
        """The address of an embedded server."""
        return cls(server.endpoint_url, server.keys.access_key, server.keys.secret_key, server.region)

    @classmethod
    def given(cls, environ: Mapping[str, str]) -> S3Store | None:
        """The outside server of `TEST_S3_*` (`make test-minio` sets them), None where there is none."""
        if not environ.get("TEST_S3_ENDPOINT_URL"):
            return None
        return cls(
            environ["TEST_S3_ENDPOINT_URL"],
            environ["TEST_S3_ACCESS_KEY"],
            environ["TEST_S3_SECRET_KEY"],
            environ.get("TEST_S3_REGION", "us-east-1"),
        )

    def new_bucket(self) -> str:
        """Creates an empty bucket with a name nobody else uses."""
        name = f"test-{uuid4().hex}"
        keys = S3Keys(self.access_key, self.secret_key)
        create_bucket(self.endpoint_url, keys, name, region=self.region)
        return name


class SharedServers:
    """The run's shared servers; the first to ask, in whichever process, starts one."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def postgres(self) -> PostgresServer:
        """The shared PostgreSQL: no fsync, one database per test."""
        address = self._address("postgres")
        server = PostgresServer(
            self._run.folder / "postgres", port=address.port, password=address.password, durable=False
        )
        return self._started(server)

    def template(self, name: str, fill: Callable[[str], object]) -> str:
        """Makes a database to copy: `fill` gets its URL once in the run. Returns its name."""
        server = self.postgres()
        with self._run.lock(f"template-{name}"):
            if not server.has_database(name):
                # Filled under another name: when that fails, the next one to ask must not find the half of it.
                started = f"{name}.{uuid4().hex[:8]}"
                fill(server.create_database(started))
                server.create_database(name, template=started)
        return name

    def nats(self) -> NatsServer:
        """The shared NATS: use names of your own for streams, subjects and buckets."""
        address = self._address("nats")
        server = NatsServer(
            self._run.folder / "nats",
            port=address.port,
            monitoring_port=address.monitoring_port,
            password=address.password,
        )
        return self._started(server)

    def s3(self) -> S3Server:
        """The shared S3 server: one bucket per test."""
        address = self._address("s3")
        return self._started(
            S3Server(self._run.folder / "s3", port=address.port, keys=S3Keys("test", address.password))
        )

    def _address(self, name: str) -> Address:
        path = self._run.folder / f"{name}.json"
        with self._run.lock(name):
            if not path.exists():
                address = new_address()
                path.touch(mode=0o600)
                path.write_text(json.dumps(asdict(address)))
            return Address(**json.loads(path.read_text()))

    def _started(self, server: _Server) -> _Server:
        with self._run.lock(server.name):
            if not server.answers():
                log = self._run.folder / f"{server.name}.log"
                runner = Runner(server, log=log, on_spawn=lambda pid: self._run.keep(server, pid))
                runner.start()
                runner.release()  # it serves the whole run; the keeper ends it
        return server


def new_address() -> Address:
    """Free ports and a random password."""
    return Address(port=free_port(), monitoring_port=free_port())
