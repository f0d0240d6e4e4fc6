"""Processes we started, told apart from strangers that got the same number later."""

from __future__ import annotations

import contextlib
import signal
import time
from dataclasses import dataclass
from typing import Self

import psutil

_POLL_SECONDS = 0.02
# psutil derives a process's start from the kernel's clock ticks and the boot time, which a clock step moves.
_SAME_START_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process by its id and when it started (seconds since the epoch): ids are reused, the pair is not."""

    pid: int
    started_at: float

    @classmethod
    def of(cls, pid: int) -> Self:
        """The identity of a live process. Raises `psutil.NoSuchProcess`."""
        return cls(pid, psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """The process if it still runs; a zombie does not."""
        try:
            process = psutil.Process(self.pid)
            alive = (
                abs(process.create_time() - self.started_at) < _SAME_START_SECONDS
                and process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.NoSuchProcess:
            return None
        return process if alive else None

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.find() is not None

    def end(self, stop_signal: signal.Signals = signal.SIGTERM, *, grace_seconds: float = 10) -> bool:
        """Sends `stop_signal`, after the grace SIGKILL, also to children it leaves; whether it was there."""
        process = self.find()
        if process is None:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [process, *process.children(recursive=True)]
            process.send_signal(stop_signal)
            if not _wait(process, grace_seconds):
                process.kill()
                _wait(process, grace_seconds)
            for left in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    if not _wait(left, 1.0):
                        left.kill()
        return True


def listening_ports(pid: int) -> set[int]:
    """The TCP ports the process and its children listen on; empty when it is gone."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        return {
            connection.laddr.port
            for member in (process, *process.children(recursive=True))
            for connection in member.net_connections(kind="tcp")
            if connection.status == psutil.CONN_LISTEN
        }
    return set()


def _wait(process: psutil.Process, seconds: float) -> bool:
    """Whether it ended within `seconds`. Someone else's zombie has ended too, though its id stays taken."""
    give_up = time.monotonic() + seconds
    with contextlib.suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > give_up:
                return False
            time.sleep(_POLL_SECONDS)
    return True
