"""How busy the machine is, and the container on it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import psutil

from photochanger_tasks.cgroups import Cgroups


@dataclass(frozen=True, slots=True)
class Load:
    """How busy it is. Shares are 0 to 1.

    Args:
        memory: in use, of the node or of the container's limit, whichever is nearer to its end.
        cpu: the same, on average since the last look.
        free_bytes: what the node could still give. Not the container's: one of 512 MB never has 500 MB free, and
            how much of its limit must stay free is what a share says.
    """

    memory: float
    cpu: float
    free_bytes: int


def node_load() -> Load:
    """Looks at the node, as the kernel sees it. The first look's `cpu` is 0."""
    memory = psutil.virtual_memory()
    return Load(memory.percent / 100, psutil.cpu_percent() / 100, memory.available)


class Machine:
    """The node, and this process's container, if it is in one with limits."""

    def __init__(
        self, cgroups: Cgroups, *, node: Callable[[], Load] = node_load, now: Callable[[], float] = monotonic
    ) -> None:
        """`now` counts seconds."""
        self._cgroups = cgroups
        self._node = node
        self._now = now
        self._seen_at = now()
        self._seen: dict[Path, float] = {}

    def look(self) -> Load:
        """Looks at both. The first look's `cpu` says nothing; look once a second."""
        node = self._node()
        shares = [each.used_bytes / max(each.limit_bytes, 1) for each in self._cgroups.memory()]
        return Load(
            memory=min(max([node.memory, *shares]), 1.0),
            cpu=min(max([node.cpu, *self._cpu_shares()]), 1.0),
            free_bytes=node.free_bytes,
        )

    def _cpu_shares(self) -> list[float]:
        now, groups = self._now(), self._cgroups.cpu()
        passed, seen = now - self._seen_at, self._seen
        self._seen_at, self._seen = now, {each.group: each.used_seconds for each in groups}
        return [
            (each.used_seconds - seen[each.group]) / (passed * each.cores)
            for each in groups
            if each.group in seen and passed > 0
        ]
