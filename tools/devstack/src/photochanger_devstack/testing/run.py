"""One pytest run's folder: what its processes share, and what ends with it.

The controller makes the folder and holds the write end of the FIFO in it. The first server started brings up
a keeper process that reads the FIFO: the read ends when the controller is gone, however it went, and the
keeper then ends every server of the run and removes the folder.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from photochanger_devstack.embedded.runner import disown
from photochanger_devstack.processes import ProcessIdentity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from photochanger_devstack.embedded import EmbeddedServer

_KEEPER_SECONDS = 30.0


class Run:
    """The shared folder of one pytest run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def _fifo(self) -> Path:
        return self.folder / "controller"

    @property
    def _processes(self) -> Path:
        return self.folder / "processes"

    @classmethod
    def begin(cls) -> tuple[Run, int]:
        """Makes the folder; the second item is a file descriptor to hand to `finish`."""
        # Not in pytest's own base folder: it is closed to other accounts, and root's PostgreSQL runs as one.
        folder = Path(tempfile.mkdtemp(prefix="photochanger-test-"))
        folder.chmod(0o711)
        run = cls(folder)
        run._processes.mkdir()
        os.mkfifo(run._fifo, 0o600)
        return run, os.open(run._fifo, os.O_RDWR)

    def finish(self, controller: int) -> None:
        """Ends every server of the run and removes the folder. `controller` comes from `begin`."""
        os.close(controller)
        give_up = time.monotonic() + _KEEPER_SECONDS
        while self._keeper_runs() and time.monotonic() < give_up:
            time.sleep(0.02)
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Holds a lock between the run's processes; it is freed when its holder dies."""
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def keep(self, server: EmbeddedServer, pid: int) -> None:
        """Has the process `pid` of `server` ended with the run, if it lives so long."""
        with self.lock("keeper"):
            if not self._keeper_runs():
                self._start_keeper()
        identity = ProcessIdentity.of(pid)
        self._record(f"{server.name}-{pid}", identity, server.launch().stop_signal)

    def watch(self) -> None:
        """The keeper's life: waits for the controller's end, then ends the servers and removes the folder."""
        # Opened without waiting for a writer: the controller may be gone already.
        fifo = os.open(self._fifo, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(fifo, True)
        os.read(fifo, 1)
        for path in sorted(self._processes.iterdir()):
            recorded = json.loads(path.read_text())
            identity = ProcessIdentity(recorded["pid"], recorded["started_at"])
            identity.end(signal.Signals(recorded["stop_signal"]), grace_seconds=5)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _record(self, name: str, identity: ProcessIdentity, stop_signal: signal.Signals) -> None:
        text = json.dumps(
            {"pid": identity.pid, "started_at": identity.started_at, "stop_signal": int(stop_signal)}
        )
        temporary = self.folder / f"{name}.tmp"
        temporary.write_text(text)
        temporary.replace(self._processes / f"{name}.json")

    def _start_keeper(self) -> None:
        log = (self.folder / "keeper.log").open("ab")
        with log:
            keeper = subprocess.Popen(
                [sys.executable, "-m", __name__, str(self.folder)],
                # It imports what we import, also when pytest alone was told where that is.
                env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        identity = ProcessIdentity.of(keeper.pid)
        (self.folder / "keeper.json").write_text(json.dumps([identity.pid, identity.started_at]))
        disown(keeper)

    def _keeper_runs(self) -> bool:
        try:
            pid, started_at = json.loads((self.folder / "keeper.json").read_text())
        except (FileNotFoundError, ValueError):
            return False
        return ProcessIdentity(pid, started_at).alive


if __name__ == "__main__":
    Run(Path(sys.argv[1])).watch()
