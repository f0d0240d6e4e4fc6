"""Limits of containers, read from files as the kernel lays them out."""

from pathlib import Path

import pytest
from photochanger_tasks.cgroups import Cgroups, CpuUse, MemoryUse
from photochanger_tasks.machine import Load, Machine, node_load

MIB = 1 << 20
NONE_V1 = 9223372036854771712
UNIFIED = "/sys/fs/cgroup"
NODE = Load(memory=0.5, cpu=0.4, free_bytes=3 * MIB)


class Kernel:
    """What /proc and /sys/fs/cgroup say, below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._mounts: list[str] = ["23 1 254:0 / / rw,relatime - ext4 /dev/vda rw"]
        (root / "proc/self").mkdir(parents=True)

    def groups(self, *lines: str) -> None:
        (self.root / "proc/self/cgroup").write_text("\n".join(lines) + "\n")

    def mount(self, point: str, kind: str, options: str, *, top: str = "/") -> None:
        number = len(self._mounts) + 30
        self._mounts.append(
            f"{number} 23 0:{number} {top} {point} ro,nosuid shared:9 - {kind} {kind} {options}"
        )
        (self.root / "proc/self/mountinfo").write_text("\n".join(self._mounts) + "\n")

    def files(self, folder: str, **texts: object) -> None:
        place = self.root / folder.lstrip("/")
        place.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (place / name.replace("__", ".")).write_text(f"{text}\n")

    def read(self) -> Cgroups:
        return Cgroups(self.root)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


@pytest.fixture
def pod(kernel: Kernel) -> Kernel:
    """A container of version 2 with a namespace of its own, as containerd makes it."""
    kernel.groups("0::/")
    kernel.mount(UNIFIED, "cgroup2", "rw,nsdelegate")
    return kernel


def test_what_a_container_uses_is_without_the_cache_that_the_kernel_gives_up_first(pod: Kernel) -> None:
    pod.files(
        UNIFIED,
        memory__max=1024 * MIB,
        memory__current=900 * MIB,
        memory__stat=f"anon {500 * MIB}\nfile {400 * MIB}\ninactive_file {300 * MIB}\nactive_file {100 * MIB}",
    )
    assert pod.read().memory() == [MemoryUse(1024 * MIB, 600 * MIB)]


def test_a_share_of_the_cpu_is_a_number_of_cores(pod: Kernel) -> None:
    pod.files(UNIFIED, cpu__max="150000 100000", cpu__stat="usage_usec 2500000\nuser_usec 2000000")
    assert pod.read().cpu() == [CpuUse(pod.root / UNIFIED[1:], cores=1.5, used_seconds=2.5)]


def test_max_is_no_limit(pod: Kernel) -> None:
    pod.files(UNIFIED, memory__max="max", memory__current=MIB, memory__stat="inactive_file 0")
    pod.files(UNIFIED, cpu__max="max 100000", cpu__stat="usage_usec 1")
    assert (pod.read().memory(), pod.read().cpu()) == ([], [])


def test_limits_of_all_groups_around_the_process_hold(kernel: Kernel) -> None:
    kernel.groups("0::/kubepods.slice/pod7.slice/worker.scope")
    kernel.mount(UNIFIED, "cgroup2", "rw")
    # The root group has neither file, the pod's slice has no limit of its own.
    kernel.files(UNIFIED, cgroup__procs="1")
    kernel.files(f"{UNIFIED}/kubepods.slice", memory__max=8 * MIB, memory__current=7 * MIB)
    kernel.files(f"{UNIFIED}/kubepods.slice/pod7.slice", memory__max="max", memory__current=3 * MIB)
    kernel.files(
        f"{UNIFIED}/kubepods.slice/pod7.slice/worker.scope",
        memory__max=4 * MIB,
        memory__current=2 * MIB,
        memory__stat=f"inactive_file {MIB}",
    )
    kernel.files(f"{UNIFIED}/kubepods.slice/pod8.slice", memory__max=MIB, memory__current=MIB)
    assert kernel.read().memory() == [MemoryUse(8 * MIB, 7 * MIB), MemoryUse(4 * MIB, MIB)]


@pytest.mark.parametrize("group", ["/docker/abc", "/docker/abc/inner"])
def test_a_container_that_sees_only_its_own_group_finds_it_whatever_it_is_called_outside(
    kernel: Kernel, group: str
) -> None:
    kernel.groups(f"4:memory:{group}", f"3:cpu,cpuacct:{group}", "0::/elsewhere")
    kernel.mount("/sys/fs/cgroup/memory", "cgroup", "rw,memory", top="/docker/abc")
    kernel.mount("/sys/fs/cgroup/cpu,cpuacct", "cgroup", "rw,cpu,cpuacct", top="/docker/abc")
    inner = group.removeprefix("/docker/abc")
    kernel.files(
        f"/sys/fs/cgroup/memory{inner}",
        memory__limit_in_bytes=512 * MIB,
        memory__usage_in_bytes=500 * MIB,
        memory__stat=f"inactive_file 7\ntotal_inactive_file {100 * MIB}",
    )
    cpu = f"/sys/fs/cgroup/cpu,cpuacct{inner}"
    kernel.files(cpu, cpu__cfs_quota_us=50_000, cpu__cfs_period_us=100_000, cpuacct__usage=3_000_000_000)
    assert kernel.read().memory() == [MemoryUse(512 * MIB, 400 * MIB)]
    assert kernel.read().cpu() == [CpuUse(kernel.root / cpu[1:], cores=0.5, used_seconds=3.0)]


def test_version_1_says_no_limit_with_numbers(kernel: Kernel) -> None:
    kernel.groups("4:memory:/", "2:cpuacct:/", "1:cpu:/")
    for controller in ("memory", "cpu", "cpuacct"):
        kernel.mount(f"/sys/fs/cgroup/{controller}", "cgroup", f"rw,{controller}")
    kernel.files("/sys/fs/cgroup/memory", memory__limit_in_bytes=NONE_V1, memory__usage_in_bytes=MIB)
    kernel.files("/sys/fs/cgroup/cpu", cpu__cfs_quota_us=-1, cpu__cfs_period_us=100_000)
    kernel.files("/sys/fs/cgroup/cpuacct", cpuacct__usage=5)
    assert (kernel.read().memory(), kernel.read().cpu()) == ([], [])


def test_version_1_counts_the_cpu_in_a_tree_of_its_own(kernel: Kernel) -> None:
    kernel.groups("2:cpuacct:/a", "1:cpu:/a")
    kernel.mount("/sys/fs/cgroup/cpu", "cgroup", "rw,cpu")
    kernel.mount("/sys/fs/cgroup/cpuacct", "cgroup", "rw,cpuacct")
    kernel.files("/sys/fs/cgroup/cpu/a", cpu__cfs_quota_us=200_000, cpu__cfs_period_us=100_000)
    kernel.files("/sys/fs/cgroup/cpuacct/a", cpuacct__usage=1_500_000_000)
    assert kernel.read().cpu() == [CpuUse(kernel.root / "sys/fs/cgroup/cpu/a", cores=2.0, used_seconds=1.5)]


def test_with_both_versions_at_once_each_controller_is_where_it_is(kernel: Kernel) -> None:
    kernel.groups("4:memory:/", "0::/")
    kernel.mount("/sys/fs/cgroup/memory", "cgroup", "rw,memory")
    kernel.mount("/sys/fs/cgroup/unified", "cgroup2", "rw")
    kernel.files("/sys/fs/cgroup/memory", memory__limit_in_bytes=4 * MIB, memory__usage_in_bytes=MIB)
    kernel.files("/sys/fs/cgroup/unified", cgroup__procs="1")
    assert kernel.read().memory() == [MemoryUse(4 * MIB, MIB)]


def test_a_group_outside_of_the_namespace_is_taken_for_what_is_mounted(kernel: Kernel) -> None:
    kernel.groups("0::/../other")
    kernel.mount(UNIFIED, "cgroup2", "rw")
    kernel.files(UNIFIED, memory__max=2 * MIB, memory__current=MIB)
    kernel.files("/sys/fs/other", memory__max=MIB, memory__current=MIB)
    assert kernel.read().memory() == [MemoryUse(2 * MIB, MIB)]


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"memory__max": MIB},
        {"memory__current": MIB},
        {"memory__max": "", "memory__current": MIB},
        {"cpu__max": "100000 100000"},
        {"cpu__max": "100000 100000", "cpu__stat": "nr_periods 1"},
        {"cpu__max": "100000 0", "cpu__stat": "usage_usec 1"},
    ],
    ids=lambda files: "+".join(files) or "nothing",
)
def test_what_is_missing_or_odd_is_no_limit(pod: Kernel, files: dict[str, object]) -> None:
    pod.files(UNIFIED, **files)
    assert (pod.read().memory(), pod.read().cpu()) == ([], [])


def test_without_control_groups_there_are_no_limits(tmp_path: Path, kernel: Kernel) -> None:
    assert (kernel.read().memory(), Cgroups(tmp_path / "nowhere").cpu()) == ([], [])
    kernel.groups("0::/")
    assert kernel.read().memory() == []


def test_this_machines_own_groups_can_be_read() -> None:
    groups = Cgroups()
    assert all(each.limit_bytes > each.used_bytes > 0 for each in groups.memory())
    assert all(each.cores > 0 and each.used_seconds > 0 for each in groups.cpu())


def test_a_load_is_that_of_the_container_when_it_is_nearer_to_its_limit_than_the_node(pod: Kernel) -> None:
    now = 0.0
    pod.files(UNIFIED, memory__max=1000, memory__current=999)
    pod.files(UNIFIED, cpu__max="200000 100000", cpu__stat="usage_usec 7000000")
    machine = Machine(pod.read(), node=lambda: NODE, now=lambda: now)
    machine.look()
    pod.files(UNIFIED, cpu__stat="usage_usec 10996000")
    now = 2.0
    load = machine.look()
    assert load.memory == 0.999
    assert load.cpu == pytest.approx(0.999)


def test_a_load_is_that_of_the_node_when_the_container_has_room(pod: Kernel) -> None:
    now = 0.0
    pod.files(UNIFIED, memory__max=1000, memory__current=499)
    pod.files(UNIFIED, cpu__max="200000 100000", cpu__stat="usage_usec 0")
    machine = Machine(pod.read(), node=lambda: NODE, now=lambda: now)
    machine.look()
    pod.files(UNIFIED, cpu__stat="usage_usec 700000")
    now = 1.0
    assert machine.look() == NODE


def test_without_limits_a_load_is_that_of_the_node(tmp_path: Path) -> None:
    machine = Machine(Cgroups(tmp_path), node=lambda: NODE)
    assert [machine.look(), machine.look()] == [NODE, NODE]


def test_a_node_can_be_looked_at() -> None:
    load = node_load()
    assert 0 < load.memory < 1
    assert 0 <= load.cpu <= 1
    assert load.free_bytes > 0


def test_a_load_is_never_more_than_everything(pod: Kernel) -> None:
    now = 0.0
    pod.files(UNIFIED, memory__max=0, memory__current=5, cpu__max="100000 100000", cpu__stat="usage_usec 0")
    machine = Machine(pod.read(), node=lambda: NODE, now=lambda: now)
    machine.look()
    pod.files(UNIFIED, cpu__stat="usage_usec 1100000")
    now = 1.0
    load = machine.look()
    assert (load.memory, load.cpu) == (1.0, 1.0)
