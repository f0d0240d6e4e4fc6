"""What it takes to launch one process, as a value; and what every embedded server offers."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class OsUser:
    """An operating-system account a process runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Launch:
    """One process to start. `env` is its whole environment; `user` is None for our own account."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    cwd: Path
    stop_signal: signal.Signals = signal.SIGTERM
    user: OsUser | None = None


class EmbeddedServer(Protocol):
    """A server that can be launched from this machine's Python environment."""

    @property
    def name(self) -> str:
        """Short name, used for log files and messages."""

    def prepare(self) -> None:
        """Makes the data folder ready and clears what a crash left. Safe to repeat while it is stopped."""

    def launch(self) -> Launch:
        """How to start it."""

    def answers(self) -> bool:
        """Whether it serves requests now. Takes at most a second or two, never raises."""


def bare_environment() -> dict[str, str]:
    """The few variables a server binary needs; nothing else of ours leaks into it."""
    kept = ("PATH", "HOME", "TMPDIR", "TZ", "LD_LIBRARY_PATH")
    return {"LC_ALL": "C"} | {name: os.environ[name] for name in kept if name in os.environ}
