"""What the kernel's control groups allow this process, and how much of it is used: in a container, its limits.

Version 2 and version 1, also both at once, and all groups from the process's own up to the one that is mounted: a limit
of any of them holds.

Source: https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/admin-guide/cgroup-v1/memory.html,
https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

_UNIFIED: Final = ""  # version 2 has one tree for all controllers, which /proc/self/cgroup gives no name
_NO_LIMIT_BYTES: Final = 1 << 60  # version 1 says "none" by a number of pages that no machine has
# No such file: the root group, or another version has the controller. No number: "max". And what no kernel writes.
_NO_LIMIT: Final = (OSError, ValueError, ArithmeticError, KeyError)
_NANOSECONDS: Final = 1e9
_MICROSECONDS: Final = 1e6


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """A group with a limit. `used_bytes` is without the file cache that the kernel would give up first."""

    limit_bytes: int
    used_bytes: int


@dataclass(frozen=True, slots=True)
class CpuUse:
    """A group with a limit: how many cores it may use, and how many seconds of one it has used so far."""

    group: Path
    cores: float
    used_seconds: float


class Cgroups:
    """The groups that this process is in. Where they are is read once: a process is hardly ever moved."""

    def __init__(self, root: Path = Path("/")) -> None:
        """`root` has `proc/` and what is mounted, e.g. `sys/fs/cgroup/`."""
        paths, mounts = _paths(root), list(_mounts(root))
        self._unified = _folders(paths, mounts, _UNIFIED)
        self._memory = _folders(paths, mounts, "memory")
        self._cpu = _folders(paths, mounts, "cpu")
        self._cpuacct = _folders(paths, mounts, "cpuacct")

    def memory(self) -> list[MemoryUse]:
        """Returns the groups whose memory is limited."""
        found: list[MemoryUse] = []
        for folder in self._unified.values():
            with suppress(*_NO_LIMIT):
                limit, used = (int(_text(folder / name)) for name in ("memory.max", "memory.current"))
                found.append(MemoryUse(limit, used - _cache(folder, "inactive_file")))
        for folder in self._memory.values():
            with suppress(*_NO_LIMIT):
                names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
                limit, used = (int(_text(folder / name)) for name in names)
                if limit < _NO_LIMIT_BYTES:
                    found.append(MemoryUse(limit, used - _cache(folder, "total_inactive_file")))
        return found

    def cpu(self) -> list[CpuUse]:
        """Returns the groups whose CPU is limited."""
        found: list[CpuUse] = []
        for folder in self._unified.values():
            with suppress(*_NO_LIMIT):
                quota, period = _text(folder / "cpu.max").split()
                seconds = _field(folder / "cpu.stat", "usage_usec") / _MICROSECONDS
                found.append(CpuUse(folder, int(quota) / int(period), seconds))
        for name, folder in self._cpu.items():
            with suppress(*_NO_LIMIT):
                cores = int(_text(folder / "cpu.cfs_quota_us")) / int(_text(folder / "cpu.cfs_period_us"))
                seconds = int(_text(self._cpuacct[name] / "cpuacct.usage")) / _NANOSECONDS
                if cores > 0:  # -1: no limit
                    found.append(CpuUse(folder, cores, seconds))
        return found


@dataclass(frozen=True, slots=True)
class _Mount:
    """A tree of groups: from which group on it is mounted, where, and which controllers it has."""

    root: PurePosixPath
    point: Path
    controllers: frozenset[str]


def _mounts(root: Path) -> Iterator[_Mount]:
    with suppress(OSError):
        for line in (root / "proc/self/mountinfo").read_text().splitlines():
            fields, _, more = line.partition(" - ")
            kind, _, options = more.split(" ", 2)
            if kind in {"cgroup", "cgroup2"}:
                _, _, _, top, point, *_ = fields.split(" ")
                controllers = frozenset([_UNIFIED] if kind == "cgroup2" else options.split(","))
                yield _Mount(PurePosixPath(top), root / point.lstrip("/"), controllers)


def _paths(root: Path) -> dict[str, PurePosixPath]:
    """Returns by controller the process's own group, as the process's namespace sees it."""
    found: dict[str, PurePosixPath] = {}
    with suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            found |= dict.fromkeys(controllers.split(","), PurePosixPath(path))
    return found


def _folders(
    paths: dict[str, PurePosixPath], mounts: list[_Mount], controller: str
) -> dict[PurePosixPath, Path]:
    """Returns the folders of the groups with this controller, from what is mounted down to the process's own."""
    path = paths.get(controller)
    mount = next((mount for mount in mounts if controller in mount.controllers), None)
    if path is None or mount is None:
        return {}
    # A container that does not see the whole tree has its own group mounted, whatever it is called outside.
    below = path.relative_to(mount.root) if path.is_relative_to(mount.root) else PurePosixPath()
    names = [] if ".." in below.parts else [below, *below.parents]
    return {name: mount.point / name for name in reversed(names or [PurePosixPath()])}


def _cache(folder: Path, name: str) -> int:
    try:
        return _field(folder / "memory.stat", name)
    except (OSError, ValueError):
        return 0


def _text(file: Path) -> str:
    return file.read_text().strip()


def _field(file: Path, name: str) -> int:
    """Reads one line `name number`."""
    for line in file.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    raise ValueError(f"{file} has no {name}.")
