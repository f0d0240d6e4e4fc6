"""Whether this machine can take more work."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psutil
import structlog

_log = structlog.stdlib.get_logger(__name__)
_MEGABYTE: Final = 1 << 20
_HYSTERESIS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Load:
    """How busy the machine is. Shares are 0 to 1; `cpu` is the average since the last look."""

    memory: float
    cpu: float
    free_bytes: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Above these a worker takes nothing new."""

    memory: float = 0.85
    cpu: float = 0.90
    free_bytes: int = 500 * _MEGABYTE


def machine_load() -> Load:
    """Looks at the machine. The first look's `cpu` is 0; call it once a second."""
    memory = psutil.virtual_memory()
    return Load(memory.percent / 100, psutil.cpu_percent() / 100, memory.available)


class Guard:
    """Closed while the machine is short of something; opens again a little below the limit."""

    def __init__(self, limits: Limits, look: Callable[[], Load] = machine_load) -> None:
        self._limits = limits
        self._look = look
        self.reason = ""

    @property
    def open(self) -> bool:
        """Whether work may be taken, as of the last look."""
        return not self.reason

    def check(self) -> bool:
        """Looks at the machine; tells whether work may be taken."""
        load, limits = self._look(), self._limits
        # Once closed it wants a little more room, or it would flutter.
        margin = 0.0 if self.open else _HYSTERESIS
        if load.memory > limits.memory - margin:
            reason = "memory"
        elif load.cpu > limits.cpu - margin:
            reason = "cpu"
        elif load.free_bytes < limits.free_bytes * (1 + margin):
            reason = "free_memory"
        else:
            reason = ""
        if bool(reason) != bool(self.reason):
            _log.info(
                "tasks.guard_closed" if reason else "tasks.guard_opened",
                reason=reason or self.reason,
                memory=round(load.memory, 2),
                cpu=round(load.cpu, 2),
                free_megabytes=load.free_bytes // _MEGABYTE,
            )
        self.reason = reason
        return self.open
