"""Steers the stack of one checkout: up, down, clean, and what its state is."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photochanger_devstack.credentials import CredentialsFile
from photochanger_devstack.embedded.runner import disown
from photochanger_devstack.stack.plan import ADMIN, Plan, Secrets
from photochanger_devstack.stack.scale import read_scale, wanted, write_scale
from photochanger_devstack.stack.services import ALL_SERVICES
from photochanger_devstack.stack.state import ProcessState, StackState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from photochanger_devstack.stack.layout import Layout
    from photochanger_devstack.stack.services import Service
    from photochanger_devstack.stack.state import ProcessStatus

_POLL_SECONDS = 0.05
_UP_SECONDS = 120.0
# The longest drain of one service and some more: they stop one after the other, but only one drains for long.
_DOWN_SECONDS = 200.0
_PLANS = 5
_HOPELESS_RESTARTS = 4
_LOG_LINES = 15


class StackError(Exception):
    """The stack cannot do what was asked; the message says what happened and what to do."""


@dataclass(frozen=True, slots=True)
class UpResult:
    """How `up` ended well. `was_running`: nothing was to do. `cleaned`: names of a crash's leftovers."""

    state: StackState
    was_running: bool
    cleaned: tuple[str, ...] = ()


class Control:
    """Commands over the stack in `layout`.

    `supervisor` is the command line of its supervisor, to which the checkout's root is appended; `services`
    is what that runs.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        environ: Mapping[str, str] = os.environ,
        services: Sequence[Service] = ALL_SERVICES,
        supervisor: Sequence[str] = (sys.executable, "-m", "photochanger_devstack.stack.supervisor"),
    ) -> None:
        self._layout = layout
        self._environ = environ
        self._services = services
        self._supervisor = tuple(supervisor)

    def state(self) -> StackState | None:
        """The running stack's state, None when its supervisor does not run."""
        state = StackState.read(self._layout)
        return state if state is not None and state.supervisor.alive else None

    def up(self, *, progress: Callable[[StackState], None] = lambda _: None) -> UpResult:
        """Starts what does not run; returns when everything answers. Raises `StackError`, `PlanError`."""
        try:
            self._layout.make()
        except OSError as error:
            raise StackError(
                f"{self._layout.local} cannot be written ({error.strerror}). If it was made by another account "
                f"(root, say), start as that account, or delete it."
            ) from error
        with self._command():
            running = self.state()
            if running is not None and not running.stopping:
                was_healthy = running.healthy
                return UpResult(self._wait_until_healthy(progress), was_running=was_healthy)
            cleaned = self._end_leftovers()
            for _ in range(_PLANS):
                self._spawn_supervisor()
                state = self._wait_until_healthy(progress)
                if not state.ports_taken:
                    return UpResult(state, was_running=False, cleaned=cleaned)
                self._wait_for_end(state)
        raise StackError("Other programs keep taking the ports chosen for the stack. Try again.")

    def down(self) -> tuple[str, ...]:
        """Stops everything in reverse order; returns the names of what was running."""
        if not self._layout.local.exists():
            return ()
        with self._command():
            state = self.state()
            stopped: tuple[str, ...] = ()
            if state is not None:
                stopped = tuple(item.name for item in state.processes if item.identity is not None)
                process = state.supervisor.find()
                if process is not None:
                    process.send_signal(signal.SIGTERM)
                    self._wait_for_end(state)
            leftovers = self._end_leftovers()
            self._layout.state.unlink(missing_ok=True)
        return stopped or leftovers

    def counts(self) -> dict[str, int]:
        """How many processes there are to be of what can be scaled, by name."""
        return {group: len(each) for group, each in self._groups(read_scale(self._layout)).items()}

    def scale(
        self, group: str, count: int, *, progress: Callable[[StackState], None] = lambda _: None
    ) -> StackState | None:
        """Sees to it that so many processes of a group run, now and after the next `up`.

        Returns the state when they do, None where the stack does not run. Raises `StackError`.
        """
        most = {item.group: item.number for item in self._services if item.group}
        if group not in most:
            raise StackError(f"{group!r} cannot be scaled. What can: {', '.join(sorted(most))}.")
        if not 0 <= count <= most[group]:
            raise StackError(f"There can be 0 to {most[group]} of {group!r}.")
        self._layout.make()
        with self._command():
            counts = read_scale(self._layout) | {group: count}
            write_scale(self._layout, counts)
            state = self.state()
            process = state.supervisor.find() if state is not None and not state.stopping else None
            if process is None:
                return None
            process.send_signal(signal.SIGHUP)
            return self._wait_until_scaled({item.name for item in wanted(self._services, counts)}, progress)

    def clean(self) -> None:
        """Stops everything and deletes its data, logs and secrets. Models fetched at set-up stay."""
        self.down()
        kept = self._layout.models.name
        for path in self._layout.local.iterdir() if self._layout.local.exists() else ():
            if path.is_dir() and path.name != kept:
                shutil.rmtree(path)
            elif not path.is_dir():
                path.unlink()

    def _spawn_supervisor(self) -> None:
        metrics = [f"{item.name}-metrics" for item in self._services if item.group]
        ports = [*(item.port for item in self._services), *metrics]
        plan = Plan.make(self._layout, self._environ, extra_ports=ports)
        CredentialsFile(self._layout.credentials).add_missing(ADMIN, plan.secrets.admin_password)
        plan.write_env()
        self._layout.state.unlink(missing_ok=True)
        with self._layout.log_of("supervisor").open("ab") as log:
            process = subprocess.Popen(
                (*self._supervisor, str(self._layout.root)),
                env=dict(self._environ),
                cwd=self._layout.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        give_up = time.monotonic() + _UP_SECONDS
        while self.state() is None:
            if process.poll() is not None or time.monotonic() > give_up:
                raise StackError(f"The supervisor did not start.\n{self._end_of_log('supervisor')}")
            time.sleep(_POLL_SECONDS)
        disown(process)

    def _wait_until_healthy(self, progress: Callable[[StackState], None]) -> StackState:
        give_up = time.monotonic() + _UP_SECONDS
        while True:
            state = StackState.read(self._layout)
            if state is not None:
                progress(state)
                if state.healthy or state.ports_taken:
                    return state
                if not state.supervisor.alive:
                    raise StackError(f"The supervisor ended.\n{self._end_of_log('supervisor')}")
                failing = [item for item in state.processes if item.restarts >= _HOPELESS_RESTARTS]
                if failing or time.monotonic() > give_up:
                    raise StackError(self._why_not(failing or _unready(state)))
            time.sleep(_POLL_SECONDS)

    def _wait_until_scaled(self, names: set[str], progress: Callable[[StackState], None]) -> StackState:
        give_up = time.monotonic() + _UP_SECONDS
        ours = {item.name for item in self._services}
        while True:
            state = StackState.read(self._layout)
            if state is None or not state.supervisor.alive:
                raise StackError(f"The supervisor ended.\n{self._end_of_log('supervisor')}")
            progress(state)
            running = [item for item in state.processes if item.name in ours]
            if {item.name for item in running} == names:
                if state.healthy:
                    return state
                refused = [item for item in running if item.state is ProcessState.STOPPED]
                if refused or time.monotonic() > give_up:
                    raise StackError(self._why_not(refused or _unready(state)))
            elif time.monotonic() > give_up:
                raise StackError(self._why_not(_unready(state)))
            time.sleep(_POLL_SECONDS)

    def _groups(self, counts: dict[str, int]) -> dict[str, list[Service]]:
        running = wanted(self._services, counts)
        groups = {item.group for item in self._services if item.group}
        return {group: [item for item in running if item.group == group] for group in sorted(groups)}

    def _why_not(self, processes: Sequence[ProcessStatus]) -> str:
        parts = [
            f"{item.name} does not get ready: {item.last_reason or item.state}.\n{self._end_of_log(item.name)}"
            for item in processes
            if item.state is not ProcessState.WAITING
        ]
        return "\n".join([*parts, "What runs keeps running; stop it with `photochanger down`."])

    def _end_of_log(self, name: str) -> str:
        path = self._layout.log_of(name)
        lines = path.read_text(errors="replace").splitlines()[-_LOG_LINES:] if path.exists() else []
        return "\n".join([f"The end of {path}:", *(f"  {line}" for line in lines)])

    def _wait_for_end(self, state: StackState) -> None:
        give_up = time.monotonic() + _DOWN_SECONDS
        while state.supervisor.alive:
            if time.monotonic() > give_up:
                state.supervisor.end(signal.SIGKILL)
            time.sleep(_POLL_SECONDS)

    def _end_leftovers(self) -> tuple[str, ...]:
        """Ends what a killed supervisor left running, last started first."""
        state = StackState.read(self._layout)
        return tuple(
            item.name
            for item in reversed(state.processes if state else [])
            if item.identity and item.identity.end(signal.Signals(item.stop_signal), grace_seconds=10)
        )

    @contextmanager
    def _command(self) -> Iterator[None]:
        """One command at a time: a second `up` waits for the first and finds the stack running."""
        with self._layout.command_lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def ingest_password(layout: Layout) -> str:
    """The ingest password drawn at the first start."""
    return Secrets.load(layout).ingest_password


def _unready(state: StackState) -> list[ProcessStatus]:
    return [item for item in state.processes if item.state is not ProcessState.READY]
