"""Keeps one unit running: starts it, waits until it answers, starts it again when it ends."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from photochanger_devstack.embedded.ports import is_free
from photochanger_devstack.processes import ProcessIdentity, listening_ports
from photochanger_devstack.stack.state import ProcessState, ProcessStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from photochanger_devstack.embedded import Launch
    from photochanger_devstack.stack.unit import Unit

_log = logging.getLogger("photochanger.supervisor")

_FIRST_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 30.0
# A process that answered this long had recovered: its next end starts from the shortest pause again.
_SETTLED_SECONDS = 60.0
_PROBE_SECONDS = 0.1


class PortTakenError(Exception):
    """Somebody else listens on a port planned for us: the plan must be made anew."""


class _StoppingError(Exception):
    """`stop` was called before the process was started."""


class Keeper:
    """Runs `unit` until it is stopped. `changed` is called after every change of `status`."""

    def __init__(self, unit: Unit, *, log: Path, changed: Callable[[], None]) -> None:
        self.unit = unit
        self.status = ProcessStatus(name=unit.name, port=unit.port)
        self.answered = asyncio.Event()
        self.prepared = asyncio.Event()
        """Its migration, if it has one, has succeeded."""
        self._log_path = log
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._prepared_once = False
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()

    async def run(self) -> None:
        """Keeps the process running until `stop`. Raises `PortTakenError` unless it has answered once."""
        self._insist_on_ports()
        self._ended.clear()
        try:
            await self._keep()
        finally:
            self._ended.set()

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            started = loop.time()
            reason = await self._live()
            if self._stopping.is_set():
                return
            if not self.answered.is_set():
                self._insist_on_ports()
            if self.status.ready_at is not None and loop.time() - started > _SETTLED_SECONDS:
                pause = _FIRST_PAUSE_SECONDS
            self._update(
                state=ProcessState.RESTARTING,
                pid=None,
                pid_started_at=None,
                ready_at=None,
                restarts=self.status.restarts + 1,
                last_reason=reason,
                last_restart_at=datetime.now(UTC),
            )
            _log.warning("%s: %s; starting it again in %.2f s", self.unit.name, reason, pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)

    async def stop(self) -> None:
        """Stops the process in order, after its grace by force. `run` then returns."""
        self._stopping.set()
        self._update(state=ProcessState.STOPPING)
        self._signal(self.unit.launch().stop_signal)
        try:
            async with asyncio.timeout(self.unit.stop_seconds):
                await self._ended.wait()
        except TimeoutError:
            _log.warning("%s did not stop in %g s: killed", self.unit.name, self.unit.stop_seconds)
            self._signal(signal.SIGKILL)
            await self._ended.wait()
        self._update(state=ProcessState.STOPPED, pid=None, pid_started_at=None, ready_at=None)

    def refuse(self, reason: str) -> None:
        """Says why it will not run at all."""
        self._update(state=ProcessState.STOPPED, last_reason=reason)

    async def _live(self) -> str:
        """One life of the process, from its preparation to its end; returns why it ended."""
        try:
            return await self._prepare_and_serve()
        except _StoppingError:
            return "stopped"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is shown, and tried again
            self._signal(signal.SIGKILL)
            return f"could not be started: {error}"

    async def _prepare_and_serve(self) -> str:
        await asyncio.to_thread(self.unit.prepare)
        if self.unit.first is not None and not self._prepared_once:
            ended = await self._to_end(self.unit.first, ProcessState.MIGRATING)
            if ended != 0:
                return f"migration {_how(ended)}, see its log"
        self._prepared_once = True
        self.prepared.set()
        process = await self._spawn(self.unit.launch(), ProcessState.STARTING)
        if not await self._wait_for_answer(process):
            if process.returncode is None:
                process.kill()
                await process.wait()
                return f"did not answer in {self.unit.start_seconds:g} s"
            return f"{_how(process.returncode)} before it answered, see its log"
        if not self.answered.is_set():
            await asyncio.to_thread(self.unit.provision)
        self._update(state=ProcessState.READY, ready_at=datetime.now(UTC))
        _log.info("%s answers on port %d", self.unit.name, self.unit.port)
        self.answered.set()
        return _how(await process.wait())

    async def _to_end(self, launch: Launch, state: ProcessState) -> int:
        return await (await self._spawn(launch, state)).wait()

    async def _spawn(self, launch: Launch, state: ProcessState) -> asyncio.subprocess.Process:
        if self._stopping.is_set():
            raise _StoppingError
        user = launch.user
        with self._log_path.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *launch.argv,
                env=dict(launch.env),
                cwd=launch.cwd,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                user=user.uid if user else None,
                group=user.gid if user else None,
                extra_groups=[] if user else None,
            )
        self._process = process
        if self._stopping.is_set():
            self._signal(launch.stop_signal)
        identity = ProcessIdentity.of(process.pid)
        self._update(
            state=state,
            pid=identity.pid,
            pid_started_at=identity.started_at,
            stop_signal=int(launch.stop_signal),
        )
        return process

    async def _wait_for_answer(self, process: asyncio.subprocess.Process) -> bool:
        ended = asyncio.create_task(process.wait())
        try:
            async with asyncio.timeout(self.unit.start_seconds):
                while not ended.done():
                    if await asyncio.to_thread(self._answers, process.pid):
                        return True
                    await asyncio.wait({ended}, timeout=_PROBE_SECONDS)
        except TimeoutError:
            return False
        finally:
            ended.cancel()
        return False

    def _answers(self, pid: int) -> bool:
        """Whether it is our process that answers, not somebody else's on the same port."""
        return self.unit.answers() and self.unit.port in listening_ports(pid)

    def _insist_on_ports(self) -> None:
        for port in self.unit.ports:
            if not is_free(port):
                raise PortTakenError(f"{self.unit.name}: port {port} is taken")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _update(self, **changes: object) -> None:
        self.status = self.status.model_copy(update=changes)
        self._changed()


def _how(returncode: int) -> str:
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"ended with exit code {returncode}"
