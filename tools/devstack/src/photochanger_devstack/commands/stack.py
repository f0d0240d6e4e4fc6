"""`up`, `down`, `status`, `logs`, `scale`, `clean`: the stack of this checkout."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from photochanger_devstack.commands.console import control, err, fail, friendly_errors, layout, out
from photochanger_devstack.stack.state import ProcessState, StackState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from photochanger_devstack.stack.control import UpResult
    from photochanger_devstack.stack.state import ProcessStatus

_STYLES = {ProcessState.READY: "green", ProcessState.RESTARTING: "red", ProcessState.STOPPED: "red"}
_NOT_HEALTHY = 3
_LAST_LINES = 20
_FOLLOW_SECONDS = 0.3


def up() -> None:
    """Start the stack and return when everything answers."""
    with friendly_errors():
        bring_up()
    out.print(f"gateway  {control_state().gateway_url}\nlogs     {layout().logs}", soft_wrap=True)
    out.print("Stop it with: photochanger down")


def down() -> None:
    """Stop the stack in order. Data stays."""
    with friendly_errors():
        stopped = control().down()
    out.print(f"Stopped: {', '.join(stopped)}" if stopped else "The stack is not running.")


def status(*, as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False) -> None:
    """Show what runs, since when, and what was restarted and why. Exit code 3 unless all is well."""
    with friendly_errors():
        state = control().state()
    if as_json:
        body = state.model_dump(mode="json") if state else {"processes": []}
        out.print_json(
            json.dumps({"running": state is not None, "healthy": bool(state and state.healthy)} | body)
        )
    elif state is None:
        out.print("The stack is not running. Start it with: photochanger up")
    else:
        out.print(_table(state))
        if state.outside_servers:
            out.print(f"Outside servers: {', '.join(state.outside_servers)}")
        out.print(f"gateway {state.gateway_url}", soft_wrap=True)
    if state is None or not state.healthy:
        raise typer.Exit(_NOT_HEALTHY)


def logs(
    name: Annotated[str | None, typer.Argument(help="A process; all of them when left out.")] = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
) -> None:
    """Show the ends of the logs."""
    folder = layout().logs
    known = {path.stem: path for path in sorted(folder.glob("*.log"))} if folder.exists() else {}
    if not known:
        fail("There are no logs yet. Start the stack with: photochanger up")
    if name is not None and name not in known:
        fail(f"There is no log of {name!r}. There are: {', '.join(known)}.")
    chosen = known if name is None else {name: known[name]}
    tails = [_Tail(path, prefix=f"{stem} | " if len(chosen) > 1 else "") for stem, path in chosen.items()]
    for tail in tails:
        tail.print_end()
    try:
        while follow:
            for tail in tails:
                tail.print_new()
            time.sleep(_FOLLOW_SECONDS)
    except KeyboardInterrupt:
        return


def scale(
    wish: Annotated[
        str | None, typer.Argument(metavar="NAME=COUNT", help="e.g. worker=3; left out: how many there are.")
    ] = None,
) -> None:
    """Run more or fewer processes of a kind, now and after the next `up`. What stops finishes its work first."""
    with friendly_errors():
        if wish is not None:
            _scale(wish)
        for name, count in control().counts().items():
            out.print(f"{name}={count}")


def _scale(wish: str) -> None:
    name, separator, count = wish.partition("=")
    if not separator or not count.isascii() or not count.isdecimal():
        fail(f"{wish!r} is not NAME=COUNT, e.g. worker=3.")
    with err.status(f"Scaling {name}…") as waiting:

        def show(state: StackState) -> None:
            waiting.update("  ".join(f"{item.name} {item.state}" for item in state.processes))

        if control().scale(name, int(count), progress=show) is None:
            out.print("The stack is not running; this holds from the next: photochanger up")


def clean(*, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Stop the stack and delete its data, logs and passwords."""
    local = layout().local
    if not local.exists():
        out.print("There is nothing to delete.")
        return
    question = f"Delete all jobs, photos, logs and passwords in {local}? Models stay."
    try:
        if not yes and not typer.confirm(question):
            out.print("Nothing was deleted.")
            return
    except typer.Abort:
        fail("Nothing was deleted. Answer the question, or run: photochanger clean --yes")
    with friendly_errors():
        control().clean()
    out.print("Deleted.")


def bring_up() -> UpResult:
    """Starts the stack with a line that tells what it waits for."""
    begin = time.monotonic()
    with err.status("Starting…") as waiting:

        def show(state: StackState) -> None:
            waiting.update("  ".join(f"{item.name} {item.state}" for item in state.processes))

        result = control().up(progress=show)
    if result.cleaned:
        out.print(f"Ended leftovers of a crash: {', '.join(result.cleaned)}")
    if result.was_running:
        out.print("The stack is running.")
    else:
        out.print(f"The stack is up, {time.monotonic() - begin:.1f} s.")
    return result


def control_state() -> StackState:
    """The running stack's state; ends the command when it does not run."""
    state = control().state()
    return state if state is not None else fail("The stack is not running. Start it with: photochanger up")


def _table(state: StackState) -> Table:
    table = Table(box=None, header_style="bold")
    columns: dict[str, Callable[[ProcessStatus], str]] = {
        "name": lambda item: item.name,
        "state": lambda item: f"[{_STYLES.get(item.state, 'yellow')}]{item.state}[/]",
        "pid": lambda item: str(item.pid or ""),
        "port": lambda item: str(item.port),
        "uptime": _uptime,
        "restarts": lambda item: str(item.restarts),
        "last restart": _last_restart,
    }
    for title in columns:
        table.add_column(title, overflow="fold")
    for process in state.processes:
        table.add_row(*(show(process) for show in columns.values()))
    return table


def _uptime(item: ProcessStatus) -> str:
    if item.ready_at is None:
        return ""
    seconds = int((datetime.now(UTC) - item.ready_at).total_seconds())
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"


def _last_restart(item: ProcessStatus) -> str:
    if item.last_restart_at is None:
        return ""
    return f"{item.last_restart_at.astimezone():%H:%M:%S}  {item.last_reason}"


class _Tail:
    """Reads a log that grows, and that the supervisor empties when it gets large."""

    def __init__(self, path: Path, *, prefix: str) -> None:
        self._path = path
        self._prefix = prefix
        self._position = 0

    def print_end(self) -> None:
        lines = self._read()
        self._print(lines[-_LAST_LINES:])

    def print_new(self) -> None:
        self._print(self._read())

    def _read(self) -> list[str]:
        with self._path.open("rb") as file:
            if self._path.stat().st_size < self._position:
                self._position = 0
            file.seek(self._position)
            text = file.read()
            self._position = file.tell()
        return text.decode(errors="replace").splitlines()

    def _print(self, lines: list[str]) -> None:
        for line in lines:
            out.print(f"{self._prefix}{line}", markup=False, soft_wrap=True)
