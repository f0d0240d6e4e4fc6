"""Whether this machine can take more work."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog

from photochanger_tasks.cgroups import Cgroups
from photochanger_tasks.machine import Load, Machine

_log = structlog.stdlib.get_logger(__name__)
_MEGABYTE: Final = 1 << 20
_HYSTERESIS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Limits:
    """Above these a worker takes nothing new; with busy CPUs alone, one task at a time in each queue."""

    memory: float = 0.85
    cpu: float = 0.90
    free_bytes: int = 500 * _MEGABYTE


class Guard:
    """Closed while the machine is short of something; opens again a little below the limit."""

    def __init__(self, limits: Limits, look: Callable[[], Load] | None = None) -> None:
        """`look` tells the load; unset, that of this machine and container."""
        self._limits = limits
        self._look = look or Machine(Cgroups()).look
        self.reason = ""

    @property
    def open(self) -> bool:
        """Whether work may be taken, as of the last look."""
        return not self.reason

    @property
    def only_busy(self) -> bool:
        """Whether it is closed for nothing but busy CPUs."""
        return self.reason == "cpu"

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
