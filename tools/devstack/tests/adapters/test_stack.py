"""The stack of a checkout, with dummy services in place of ours: real servers, real processes, a real supervisor."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest
from photochanger_devstack import stack
from photochanger_devstack.embedded.ports import free_port, is_free
from photochanger_devstack.probes import http_ok
from photochanger_devstack.stack.control import Control, StackError
from photochanger_devstack.stack.layout import Layout
from photochanger_devstack.stack.plan import PREFERRED_PORTS, read_env
from photochanger_devstack.stack.state import ProcessState, StackState
from photochanger_devstack.testing import dummy_stack
from photochanger_devstack.testing.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from photochanger_devstack.stack.state import ProcessStatus


@dataclass(frozen=True, slots=True)
class Checkout:
    """A checkout of its own with dummy services."""

    layout: Layout
    environ: dict[str, str]

    @property
    def control(self) -> Control:
        return Control(
            self.layout,
            environ=self.environ,
            services=dummy_stack.SERVICES,
            supervisor=(sys.executable, "-m", dummy_stack.MODULE),
        )

    def process(self, name: str) -> ProcessStatus:
        state = self.control.state()
        assert state is not None
        return next(item for item in state.processes if item.name == name)

    def env(self) -> dict[str, str]:
        return read_env(self.layout)


def _a_checkout(root: Path) -> Checkout:
    root.mkdir()
    sources = str(Path(stack.__file__).parents[2])
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    layout = Layout(root)
    layout.make()
    # Ports of its own, as if used before: tests run beside each other, and beside a stack of this machine.
    layout.ports.write_text(json.dumps({name: free_port() for name in PREFERRED_PORTS}))
    return Checkout(layout, kept | {"PYTHONPATH": sources})


@pytest.fixture
def new_checkout(tmp_path: Path) -> Iterator[Callable[[str], Checkout]]:
    made: list[Checkout] = []

    def make(name: str) -> Checkout:
        made.append(_a_checkout(tmp_path / name))
        return made[-1]

    yield make
    for checkout in made:
        checkout.control.clean()


@pytest.fixture
def checkout(new_checkout: Callable[[str], Checkout]) -> Checkout:
    return new_checkout("photo changer")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A stack that is up, for tests that leave it up."""
    checkout = _a_checkout(tmp_path_factory.mktemp("stack") / "photo changer")
    try:
        checkout.control.up()
        yield checkout
    finally:
        checkout.control.clean()


def _gone(pid: int) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def _killed_and_back(checkout: Checkout, name: str) -> ProcessStatus:
    before = checkout.process(name)
    assert before.pid is not None
    os.kill(before.pid, signal.SIGKILL)
    eventually(lambda: checkout.process(name).restarts > before.restarts)
    eventually(lambda: checkout.process(name).state is ProcessState.READY)
    after = checkout.process(name)
    assert after.pid != before.pid
    return after


def test_up_answers_from_a_path_with_spaces_and_down_ends_every_process(checkout: Checkout) -> None:
    result = checkout.control.up()
    assert [item.name for item in result.state.processes] == [
        "postgres",
        "nats",
        "s3",
        "media",
        "gateway",
        "worker-1",
    ]
    assert http_ok(f"{result.state.gateway_url}/readyz")
    pids = [item.pid for item in result.state.processes if item.pid is not None]
    assert checkout.control.down() == ("postgres", "nats", "s3", "media", "gateway", "worker-1")
    assert all(_gone(pid) for pid in pids)
    assert checkout.control.state() is None
    assert checkout.control.down() == ()


def test_a_second_up_finds_the_stack_running_and_starts_nothing(running: Checkout) -> None:
    first = running.control.up()
    second = running.control.up()
    assert second.was_running
    assert [item.pid for item in second.state.processes] == [item.pid for item in first.state.processes]


def test_data_addresses_and_passwords_outlive_down(checkout: Checkout) -> None:
    checkout.control.up()
    before = checkout.env()
    with psycopg.connect(before["DATABASE_URL_MEDIA"]) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    checkout.control.down()
    checkout.control.up()
    assert checkout.env() == before
    with psycopg.connect(before["DATABASE_URL_MEDIA"]) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_dev_env_has_what_scripts_need_and_only_its_owner_reads_it(running: Checkout) -> None:
    env = running.env()
    assert {"GATEWAY_URL", "INGEST_PASSWORD", "ADMIN_USERNAME", "ADMIN_PASSWORD"} <= env.keys()
    assert env["ADMIN_URL"] == f"{env['GATEWAY_URL']}/admin"
    assert len(env["INGEST_PASSWORD"]) >= 12
    for path in (running.layout.dev_env, running.layout.stack_secrets, running.layout.credentials):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    stored = json.loads(running.layout.credentials.read_text())
    assert stored["users"][env["ADMIN_USERNAME"]]["password_hash"].startswith("$argon2id$")


def test_a_killed_service_is_started_again_and_status_says_so(running: Checkout) -> None:
    before = running.process("gateway")
    after = _killed_and_back(running, "gateway")
    assert (after.port, after.restarts) == (before.port, before.restarts + 1)
    assert after.last_reason == "was ended by SIGKILL"
    assert after.last_restart_at is not None
    assert http_ok(f"{running.env()['GATEWAY_URL']}/readyz")


def test_a_killed_database_comes_back_at_its_address_with_its_data(running: Checkout) -> None:
    url = running.env()["DATABASE_URL_MEDIA"]
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    _killed_and_back(running, "postgres")
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_migrations_run_once_a_start_and_not_when_a_service_is_restarted(running: Checkout) -> None:
    _killed_and_back(running, "media")
    assert (running.layout.root / "migrations.txt").read_text() == "media\n"


def test_what_a_killed_supervisor_left_is_ended_by_the_next_up(checkout: Checkout) -> None:
    left = checkout.control.up().state
    os.kill(left.supervisor_pid, signal.SIGKILL)
    eventually(lambda: not left.supervisor.alive)
    result = checkout.control.up()
    assert set(result.cleaned) == {"postgres", "nats", "s3", "media", "gateway", "worker-1"}
    assert all(_gone(item.pid) for item in left.processes if item.pid is not None)
    assert http_ok(f"{result.state.gateway_url}/readyz")


def test_what_a_killed_supervisor_left_is_ended_by_down(checkout: Checkout) -> None:
    left = checkout.control.up().state
    os.kill(left.supervisor_pid, signal.SIGKILL)
    eventually(lambda: not left.supervisor.alive)
    assert set(checkout.control.down()) == {"postgres", "nats", "s3", "media", "gateway", "worker-1"}
    assert all(_gone(item.pid) for item in left.processes if item.pid is not None)


def test_a_stale_state_never_ends_a_stranger_that_got_the_number_of_our_process(checkout: Checkout) -> None:
    state = checkout.control.up().state
    checkout.control.down()
    # This test's own process stands for the stranger: the number is alive, the start is not ours.
    strangers = [
        item.model_copy(update={"pid": os.getpid(), "pid_started_at": 1.0}) for item in state.processes
    ]
    stale = state.model_copy(
        update={"supervisor_pid": os.getpid(), "supervisor_started_at": 1.0, "processes": strangers}
    )
    stale.write(checkout.layout)
    assert checkout.control.state() is None
    assert checkout.control.up().cleaned == ()


def test_a_lock_file_of_a_server_that_is_gone_does_not_keep_postgres_down(checkout: Checkout) -> None:
    checkout.control.up()
    checkout.control.down()
    lock = checkout.layout.data / "postgres" / "postmaster.pid"
    # As after a crash, with the number taken by somebody else since.
    lock.write_text(f"{os.getpid()}\n{lock.parent}\n0\n5432\n\n127.0.0.1\n")
    os.chown(lock, lock.parent.stat().st_uid, lock.parent.stat().st_gid)
    assert checkout.control.up().state.healthy


def test_a_damaged_state_file_is_as_good_as_none(checkout: Checkout) -> None:
    checkout.layout.make()
    checkout.layout.state.write_text("{")
    assert StackState.read(checkout.layout) is None
    assert checkout.control.down() == ()


def test_a_taken_port_is_stepped_around(checkout: Checkout) -> None:
    before = json.loads(checkout.layout.ports.read_text())
    with socket.create_server(("127.0.0.1", before["gateway"])):
        state = checkout.control.up().state
        after = json.loads(checkout.layout.ports.read_text())
        assert after["gateway"] != before["gateway"]
        assert {name: after[name] for name in before if name != "gateway"}.items() <= before.items()
        assert checkout.env()["GATEWAY_URL"] == f"http://127.0.0.1:{after['gateway']}"
        assert http_ok(f"{state.gateway_url}/readyz")


def test_two_checkouts_run_side_by_side_and_stop_apart(new_checkout: Callable[[str], Checkout]) -> None:
    one, other = new_checkout("one"), new_checkout("the other")
    other.layout.ports.write_text(one.layout.ports.read_text())
    first, second = one.control.up().state, other.control.up().state
    assert not {item.port for item in first.processes} & {item.port for item in second.processes}
    assert one.env()["INGEST_PASSWORD"] != other.env()["INGEST_PASSWORD"]
    one.control.down()
    assert is_free(first.processes[-1].port)
    assert http_ok(f"{second.gateway_url}/readyz")


def test_outside_servers_given_by_url_are_used_in_place_of_embedded_ones(
    new_checkout: Callable[[str], Checkout], postgres_url: str, nats_url: str
) -> None:
    checkout = new_checkout("outside")
    urls = {f"DATABASE_URL_{name}": postgres_url for name in ("INGEST", "PROVIDERS", "MEDIA")}
    checkout.environ.update(urls, NATS_URL=nats_url)
    state = checkout.control.up().state
    assert [item.name for item in state.processes] == ["s3", "media", "gateway", "worker-1"]
    assert checkout.env()["DATABASE_URL_MEDIA"] == postgres_url
    assert (checkout.layout.root / "migrations.txt").read_text().strip() == postgres_url.rpartition("/")[2]


def test_a_shell_that_has_loaded_dev_env_still_means_the_embedded_servers(checkout: Checkout) -> None:
    checkout.control.up()
    checkout.control.down()
    checkout.environ.update(checkout.env())
    state = checkout.control.up().state
    assert [item.name for item in state.processes][:3] == ["postgres", "nats", "s3"]
    assert state.outside_servers == []


def test_a_service_that_cannot_start_is_named_with_the_end_of_its_log(checkout: Checkout) -> None:
    checkout.environ["DUMMY_FAILS"] = "no licence for this moon"
    with pytest.raises(StackError, match="gateway does not get ready") as failure:
        checkout.control.up()
    assert "no licence for this moon" in str(failure.value)
    assert "photochanger down" in str(failure.value)


def test_clean_deletes_everything_but_the_models(checkout: Checkout) -> None:
    checkout.control.up()
    checkout.layout.models.mkdir()
    (checkout.layout.models / "model.tflite").write_bytes(b"x")
    checkout.control.clean()
    assert [path.name for path in checkout.layout.local.iterdir()] == ["models"]


def test_workers_are_scaled_while_the_stack_runs_and_the_number_outlives_down(checkout: Checkout) -> None:
    control = checkout.control
    before = control.up().state
    control.scale("worker", 3)
    more = control.state()
    assert more is not None
    assert [item.name for item in more.processes][3:] == [
        "media",
        "gateway",
        "worker-1",
        "worker-2",
        "worker-3",
    ]
    assert more.healthy
    assert [item.pid for item in more.processes][:6] == [item.pid for item in before.processes]
    pids = [item.pid for item in more.processes if item.pid is not None]
    control.down()
    assert all(_gone(pid) for pid in pids)
    again = control.up().state
    assert [item.name for item in again.processes][5:] == ["worker-1", "worker-2", "worker-3"]
    control.scale("worker", 0)
    none = control.state()
    assert none is not None
    assert [item.name for item in none.processes] == ["postgres", "nats", "s3", "media", "gateway"]
    assert none.healthy
    assert all(_gone(item.pid) for item in again.processes[5:] if item.pid is not None)


def test_a_killed_worker_is_started_again_after_scaling(checkout: Checkout) -> None:
    checkout.control.up()
    checkout.control.scale("worker", 2)
    assert _killed_and_back(checkout, "worker-2").last_reason == "was ended by SIGKILL"


def test_the_number_of_workers_can_be_set_while_nothing_runs(checkout: Checkout) -> None:
    assert checkout.control.scale("worker", 2) is None
    assert checkout.control.counts() == {"worker": 2}
    assert [item.name for item in checkout.control.up().state.processes][5:] == ["worker-1", "worker-2"]


@pytest.mark.parametrize(
    ("group", "count", "message"),
    [("gateway", 2, "cannot be scaled"), ("worker", 4, "0 to 3"), ("worker", -1, "0 to 3")],
)
def test_what_cannot_be_scaled_is_refused(checkout: Checkout, group: str, count: int, message: str) -> None:
    with pytest.raises(StackError, match=message):
        checkout.control.scale(group, count)


def test_a_worker_whose_port_somebody_took_is_refused_and_the_others_go_on(checkout: Checkout) -> None:
    checkout.control.up()
    port = json.loads(checkout.layout.ports.read_text())["worker-2"]
    with socket.create_server(("127.0.0.1", port)), pytest.raises(StackError, match=f"port {port} is taken"):
        checkout.control.scale("worker", 2)
    state = checkout.control.scale("worker", 1)
    assert state is not None
    assert state.healthy
