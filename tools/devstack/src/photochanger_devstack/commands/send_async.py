"""`send --async`: photos handed in as a program does, whose pictures are fetched later."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from photochanger_devstack.commands.console import err, fail, friendly_errors, layout, out
from photochanger_devstack.program.api import Access, Refused, open_api
from photochanger_devstack.program.bulk import Bulk, Delivered, Photo, Standing
from photochanger_devstack.program.key import Admin, own_key
from photochanger_devstack.program.report import Report, Spread, summarise
from photochanger_devstack.stack.plan import read_env

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Order:
    """What to send: `count` copies of a photo, in turn to the slots; `name` begins the names of the pictures' files."""

    name: str
    photo: bytes = field(repr=False)
    slots: tuple[str, ...]
    count: int
    parallel: int
    same: bool


def send_async(
    order: Order, *, url: str, key: str, timeout: float, retries: int, folder: Path | None
) -> None:
    """Sends, follows, fetches and tells. Ends the command with 1 unless each photo has its one picture."""
    known = read_env(layout())
    target = url or known.get("GATEWAY_URL", "")
    if not target:
        fail("Where to? Start the stack with `photochanger up`, or give --url and --key.")
    if url and not key:
        fail("Another gateway wants a key of its own: give --key, or set PHOTOCHANGER_API_KEY.")
    files = _Files(order, folder)
    with friendly_errors():
        try:
            key = key or own_key(
                Admin(target, known["ADMIN_USERNAME"], known["ADMIN_PASSWORD"]), layout().api_key
            )
            access = Access(target, key, timeout_seconds=timeout, retries=retries)
            report = _delivered(access, order, files.keep)
        except Refused as error:
            fail(str(error))
    files.tell(report)
    _show(report)
    if report.strangers:
        err.print(
            f"The key has got {report.strangers} other jobs meanwhile: doubled, or of another program that uses it.",
            style="red",
            soft_wrap=True,
        )
    if not report.complete:
        fail(f"{report.photos - report.pictures} of {report.photos} photos got no picture.")


def _delivered(access: Access, order: Order, keep: Callable[[Photo, str, bytes], None]) -> Report:
    photos = [
        Photo(number, order.slots[(number - 1) % len(order.slots)]) for number in range(1, order.count + 1)
    ]
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[standing]}"),
    )
    begin = time.perf_counter()
    with Progress(*columns, console=err, transient=True) as progress:
        bar = progress.add_task("pictures", total=order.count, standing="")

        def tell(now: Standing) -> None:
            words = (
                f"{now.accepted} accepted  {now.waiting} waiting  {now.running} running  {now.failed} failed"
            )
            progress.update(bar, completed=now.done + now.failed, standing=words)

        async def run() -> Delivered:
            # One more connection than photos under way: for looking how the jobs are.
            async with open_api(access, connections=order.parallel + 1) as api:
                bulk = Bulk(
                    api,
                    order.photo,
                    parallel=order.parallel,
                    keep=keep,
                    tell=tell,
                    same=order.same or order.count == 1,
                )
                return await bulk.deliver(photos)

        delivered = asyncio.run(run())
    return summarise(delivered, wall_seconds=time.perf_counter() - begin)


class _Files:
    """Where the pictures go; nowhere without a folder."""

    def __init__(self, order: Order, folder: Path | None) -> None:
        self._order = order
        self._folder = folder
        self._last: Path | None = None

    def keep(self, photo: Photo, extension: str, picture: bytes) -> None:
        """Writes a picture. Raises `OSError`."""
        if self._folder is None:
            return
        number = f"-{photo.number:04d}" if self._order.count > 1 else ""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._last = self._folder / f"{self._order.name}-{photo.slot}{number}.{extension}"
        self._last.write_bytes(picture)

    def tell(self, report: Report) -> None:
        """Says where they are."""
        if self._last is not None and self._order.count == 1:
            out.print(f"picture {os.path.relpath(self._last)}", markup=False, soft_wrap=True)
        elif self._last is not None:
            out.print(f"{report.pictures} pictures in {self._folder}", markup=False, soft_wrap=True)


def _show(report: Report) -> None:
    table = Table(box=None, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    rate = report.pictures / report.wall_seconds if report.wall_seconds else 0.0
    table.add_row("photos", f"{report.photos} sent, {report.accepted} accepted, {report.pictures} pictures")
    table.add_row("jobs", "  ".join(f"{state}: {number}" for state, number in report.states.items()))
    table.add_row(
        "attempts",
        "  ".join(f"{attempts}: {number}" for attempts, number in report.attempts.items()),
    )
    table.add_row("requests repeated", f"{report.repeats}")
    table.add_row("time", f"{report.wall_seconds:.2f} s, {rate:.1f} pictures a second")
    table.add_row("to start", _words(report.to_start))
    table.add_row("to end", _words(report.to_end))
    for failure, number in report.failures.items():
        table.add_row("[red]failed[/]", f"{number} x {failure}")
    out.print(table)


def _words(spread: Spread | None) -> str:
    if spread is None:
        return "nothing got so far"
    return f"p50 {spread.p50:.2f} s  p95 {spread.p95:.2f} s  max {spread.longest:.2f} s  after submission"
