"""Runs one embedded server as a child of this process."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from photochanger_devstack.embedded.launch import EmbeddedServer, Launch

_POLL_SECONDS = 0.02


class ServerDidNotStart(Exception):
    """A server ended or stayed silent; the message carries the end of its log."""


class Runner:
    """Starts, stops, kills and restarts `server`; a context manager that stops it. Output goes to `log`.

    `on_spawn` is told the process id of every start, before the server answers.
    """

    def __init__(
        self,
        server: EmbeddedServer,
        *,
        log: Path,
        on_spawn: Callable[[int], None] = lambda _: None,
        start_seconds: float = 60,
        stop_seconds: float = 10,
    ) -> None:
        self._server = server
        self._log = log
        self._on_spawn = on_spawn
        self._start_seconds = start_seconds
        self._stop_seconds = stop_seconds
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The running child's process id, else None."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def running(self) -> bool:
        """Whether the child is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts the server if it does not run; returns when it answers. Raises `ServerDidNotStart`."""
        if self.running:
            return
        self._server.prepare()
        self._process = spawn(self._server.launch(), log=self._log)
        self._on_spawn(self._process.pid)
        give_up = time.monotonic() + self._start_seconds
        while not self._server.answers():
            if not self.running or time.monotonic() > give_up:
                self.kill()
                tail = self._log.read_text(errors="replace")[-2000:]
                raise ServerDidNotStart(f"{self._server.name} did not start; the end of {self._log}:\n{tail}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stops the server in order, or kills it when it does not obey; nothing if it does not run."""
        if self._process is None or not self.running:
            return
        self._process.send_signal(self._server.launch().stop_signal)
        try:
            self._process.wait(self._stop_seconds)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash would be; nothing if it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """Stops it in order and starts it on the same data and ports."""
        self.stop()
        self.start()

    def release(self) -> None:
        """Leaves the server to whoever else ends it: this runner neither stops it nor complains."""
        if self._process is not None:
            disown(self._process)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def disown(process: subprocess.Popen[bytes]) -> None:
    """Marks a child as not ours to wait for: Popen warns about any other that outlives its object."""
    process.returncode = 0


def spawn(launch: Launch, *, log: Path) -> subprocess.Popen[bytes]:
    """Starts a process in its own session: Ctrl-C in our terminal is not for it. Its output goes to `log`."""
    user = launch.user
    with log.open("ab") as output:
        return subprocess.Popen(
            launch.argv,
            env=dict(launch.env),
            cwd=launch.cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
