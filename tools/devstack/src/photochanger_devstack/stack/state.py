"""What runs now: written by the supervisor, read by every command."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from photochanger_devstack.processes import ProcessIdentity
from photochanger_devstack.stack.layout import write_atomically

if TYPE_CHECKING:
    from photochanger_devstack.stack.layout import Layout


class ProcessState(StrEnum):
    """Where one process is in its life."""

    WAITING = "waiting"  # for what it needs
    MIGRATING = "migrating"
    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"  # it ended; the next try comes after a pause
    STOPPING = "stopping"
    STOPPED = "stopped"


class ProcessStatus(BaseModel):
    """One process as `status` shows it. `ready_at` is None until it first answered in its present life."""

    model_config = ConfigDict(frozen=True)

    name: str
    state: ProcessState = ProcessState.WAITING
    port: int
    pid: int | None = None
    pid_started_at: float | None = None
    stop_signal: int = 15
    ready_at: datetime | None = None
    restarts: int = 0
    last_reason: str | None = None
    last_restart_at: datetime | None = None

    @property
    def identity(self) -> ProcessIdentity | None:
        """The operating system's process, None before the first start."""
        if self.pid is None or self.pid_started_at is None:
            return None
        return ProcessIdentity(self.pid, self.pid_started_at)


class StackState(BaseModel):
    """The whole stack. `processes` are in the order of their start."""

    model_config = ConfigDict(frozen=True)

    supervisor_pid: int
    supervisor_started_at: float
    stopping: bool = False
    ports_taken: bool = False
    gateway_url: str = ""
    outside_servers: list[str] = []
    processes: list[ProcessStatus] = []

    @classmethod
    def read(cls, layout: Layout) -> Self | None:
        """The last state written, None where there is none or it cannot be read."""
        try:
            return cls.model_validate_json(layout.state.read_text())
        except (FileNotFoundError, ValidationError):
            return None

    def write(self, layout: Layout) -> None:
        """Replaces the state file."""
        write_atomically(layout.state, self.model_dump_json(indent=2))

    @property
    def supervisor(self) -> ProcessIdentity:
        """The process that wrote it."""
        return ProcessIdentity(self.supervisor_pid, self.supervisor_started_at)

    @property
    def healthy(self) -> bool:
        """Whether every process answers."""
        return bool(self.processes) and all(item.state is ProcessState.READY for item in self.processes)
