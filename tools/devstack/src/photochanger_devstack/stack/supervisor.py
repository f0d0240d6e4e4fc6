"""The detached process that keeps the stack running. One per checkout: it holds a lock while it lives."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from photochanger_devstack.processes import ProcessIdentity
from photochanger_devstack.stack.keeper import Keeper, PortTakenError
from photochanger_devstack.stack.layout import Layout
from photochanger_devstack.stack.plan import Plan
from photochanger_devstack.stack.scale import read_scale, wanted
from photochanger_devstack.stack.services import ALL_SERVICES
from photochanger_devstack.stack.state import StackState
from photochanger_devstack.stack.unit import Unit, servers, service_units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from photochanger_devstack.stack.services import Service

_log = logging.getLogger("photochanger.supervisor")

_LOG_BYTES = 16 << 20
_LOG_CHECK_SECONDS = 15.0


class Supervisor:
    """Starts the servers, then the services; keeps them running; stops them in reverse order.

    Of `services`, which may be scaled, it runs those that are wanted now, and looks again after a SIGHUP.
    """

    def __init__(self, plan: Plan, services: Sequence[Service], environ: Mapping[str, str]) -> None:
        self._plan = plan
        self._layout = plan.layout
        self._stop = asyncio.Event()
        self._started = asyncio.Event()
        self._ports_taken = False
        self._me = ProcessIdentity.of(os.getpid())
        self._scale_again = asyncio.Event()
        self._possible = services
        self._environ = environ
        self._servers = [self._keeper(unit) for unit in servers(plan)]
        self._services = [self._keeper(unit) for unit in self._wanted()]

    async def run(self) -> None:
        """Runs until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._scale_again.set)
        self._write_state()
        async with asyncio.TaskGroup() as tasks:
            bounding = tasks.create_task(self._bound_logs())
            starting = tasks.create_task(self._start(tasks))
            scaling = tasks.create_task(self._scale(tasks))
            try:
                await self._stop.wait()
            finally:
                _log.info("stopping")
                starting.cancel()
                scaling.cancel()
                bounding.cancel()
                # Nobody waits for those that came after another one; they may drain side by side.
                last = [keeper for keeper in self._services if keeper.unit.after]
                await asyncio.gather(*(keeper.stop() for keeper in last))
                for keeper in reversed([*self._servers, *self._services]):
                    if keeper not in last:
                        await keeper.stop()
        _log.info("stopped")

    async def _start(self, tasks: asyncio.TaskGroup) -> None:
        for keeper in self._servers:
            tasks.create_task(self._keep(keeper))
        for keeper in self._servers:
            await keeper.answered.wait()
        for keeper in self._services:
            tasks.create_task(self._keep(keeper))
        self._started.set()

    async def _scale(self, tasks: asyncio.TaskGroup) -> None:
        """Starts and stops services whenever other ones are wanted."""
        await self._started.wait()
        while True:
            await self._scale_again.wait()
            self._scale_again.clear()
            units = {unit.name: unit for unit in self._wanted()}
            running = {keeper.unit.name for keeper in self._services}
            leaving = [keeper for keeper in self._services if keeper.unit.name not in units]
            for name in units.keys() - running:
                keeper = self._keeper(units[name])
                self._services.append(keeper)
                tasks.create_task(self._keep_one_more(keeper))
            await asyncio.gather(*(keeper.stop() for keeper in leaving))
            self._services = [keeper for keeper in self._services if keeper not in leaving]
            self._services.sort(key=lambda keeper: list(units).index(keeper.unit.name))
            self._write_state()

    async def _keep_one_more(self, keeper: Keeper) -> None:
        try:
            await keeper.run()
        except PortTakenError as error:
            # The others go on; `scale` says what happened.
            keeper.refuse(str(error))

    async def _keep(self, keeper: Keeper) -> None:
        try:
            if await self._others_prepared(keeper):
                await keeper.run()
        except PortTakenError as error:
            _log.warning("%s: stopping, to be started on other ports", error)
            self._ports_taken = True
            self._stop.set()

    async def _others_prepared(self, keeper: Keeper) -> bool:
        """Waits for the service whose migration it needs. False: the stack is stopping."""
        first = next((other for other in self._services if other.unit.name == keeper.unit.after), None)
        if first is not None:
            either = [asyncio.create_task(first.prepared.wait()), asyncio.create_task(self._stop.wait())]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            for waiting in either:
                waiting.cancel()
        return not self._stop.is_set()

    def _wanted(self) -> list[Unit]:
        return service_units(self._plan, wanted(self._possible, read_scale(self._layout)), self._environ)

    def _keeper(self, unit: Unit) -> Keeper:
        return Keeper(unit, log=self._layout.log_of(unit.name), changed=self._write_state)

    def _write_state(self) -> None:
        StackState(
            supervisor_pid=self._me.pid,
            supervisor_started_at=self._me.started_at,
            stopping=self._stop.is_set(),
            ports_taken=self._ports_taken,
            gateway_url=self._plan.gateway_url,
            outside_servers=self._plan.outside.names,
            processes=[keeper.status for keeper in (*self._servers, *self._services)],
        ).write(self._layout)

    async def _bound_logs(self) -> None:
        """Keeps each log under a size: the older part goes to `<name>.log.1`.

        The processes write to their files themselves, in append mode; a file is copied and emptied in place.
        """
        while True:
            await asyncio.sleep(_LOG_CHECK_SECONDS)
            for path in self._layout.logs.glob("*.log"):
                with suppress(FileNotFoundError):
                    if path.stat().st_size > _LOG_BYTES:
                        await asyncio.to_thread(shutil.copyfile, path, path.with_suffix(".log.1"))
                        os.truncate(path, 0)


def main(root: Path, services: Sequence[Service] = ALL_SERVICES) -> int:
    """The supervisor's life. Its output is its log. Returns 1 where another one holds the checkout."""
    layout = Layout(root)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    # Postgres is started by fork, as another account; gRPC would complain about its threads.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    with layout.supervisor_lock.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _log.error("another supervisor runs in %s", root)
            return 1
        environ = {name: value for name, value in os.environ.items() if name != "GRPC_ENABLE_FORK_SUPPORT"}
        asyncio.run(Supervisor(Plan.load(layout), services, environ).run())
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
