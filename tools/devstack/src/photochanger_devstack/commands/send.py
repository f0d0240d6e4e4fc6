"""`send` and `demo`: photos posted as a camera does, or handed in as a program does."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from photochanger_devstack.camera.client import Outcome, Target, send_all, shots
from photochanger_devstack.camera.form import content_type_of
from photochanger_devstack.camera.report import Report, summarise
from photochanger_devstack.commands.console import err, fail, friendly_errors, layout, out
from photochanger_devstack.commands.send_async import Order, send_async
from photochanger_devstack.commands.stack import bring_up
from photochanger_devstack.stack.plan import read_env

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL_SLOTS = tuple(f"slot-{number:03d}" for number in range(1, 16))
_DEMO_PHOTO = "tests/photos/portrait-1536.jpg"
_DEMO_SLOT = "slot-001"


def send(
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A JPEG, PNG or WebP file.")],
    *,
    slot: Annotated[str, typer.Option(help="The slot to post to.")] = "slot-001",
    slots: Annotated[str, typer.Option(help="Several, comma separated, or `all`; photos go round.")] = "",
    count: Annotated[int, typer.Option(min=1, help="How many photos.")] = 1,
    parallel: Annotated[int, typer.Option(min=1, help="How many at a time.")] = 1,
    same: Annotated[
        bool,
        typer.Option("--same", help="Send equal bytes: the platform answers repeats with the first result."),
    ] = False,
    url: Annotated[str, typer.Option(help="The gateway; this checkout's by default.")] = "",
    password: Annotated[
        str, typer.Option(help="The ingest password; with --url $INGEST_PASSWORD, else this checkout's.")
    ] = "",
    as_program: Annotated[
        bool,
        typer.Option(
            "--async", help="Hand them in by /api/v1 as a program does, and fetch the pictures later."
        ),
    ] = False,
    key: Annotated[
        str,
        typer.Option(
            envvar="PHOTOCHANGER_API_KEY", help="With --async: the API key; this checkout's own by default."
        ),
    ] = "",
    timeout: Annotated[float, typer.Option(min=1, help="Seconds the camera waits for one answer.")] = 60,
    retries: Annotated[int, typer.Option(min=0, help="Repeats after 429, 503 or no connection.")] = 6,
    out_folder: Annotated[
        Path | None,
        typer.Option(
            "--out", file_okay=False, help="Folder for the pictures; one picture goes to the current one."
        ),
    ] = None,
) -> None:
    """Post a photo as DSLR Remote Pro does and wait for the picture.

    Several photos (--count) are made different by an invisible comment in each file, so that each is worked on.
    With --async nothing waits: workers bring the jobs to their end, whatever restarts meanwhile.
    """
    known = read_env(layout())
    chosen = ALL_SLOTS if slots == "all" else tuple(filter(None, slots.split(","))) or (slot,)
    folder = out_folder or (Path.cwd() if count == 1 else None)
    if as_program:
        send_async(
            Order(photo.stem, _read_photo(photo), chosen, count=count, parallel=parallel, same=same),
            url=url,
            key=key,
            timeout=timeout,
            retries=retries,
            folder=folder,
        )
        return
    target = Target(
        url=url or known.get("GATEWAY_URL", ""),
        password=password or (os.environ if url else known).get("INGEST_PASSWORD", ""),
        timeout_seconds=timeout,
        retries=retries,
    )
    if not target.url:
        fail("Where to? Start the stack with `photochanger up`, or give --url and --password.")
    outcomes, report = _send(target, _read_photo(photo), chosen, count=count, parallel=parallel, same=same)
    if count > 1 and not same:
        out.print(
            f"{count} photos, each made different by a comment in the file (--same sends equal ones).",
            soft_wrap=True,
        )
    with friendly_errors():
        _save(outcomes, folder, stem=photo.stem)
    _show(report)
    if report.pictures < report.sent:
        fail(f"{report.sent - report.pictures} of {report.sent} photos got no picture.")


def demo() -> None:
    """Start the stack, send a portrait as a camera does, and show where the edited picture is."""
    place = layout()
    with friendly_errors():
        result = bring_up()
    photo = place.root / _DEMO_PHOTO
    known = read_env(place)
    target = Target(url=known["GATEWAY_URL"], password=known["INGEST_PASSWORD"])
    outcomes, _ = _send(target, _read_photo(photo), (_DEMO_SLOT,), count=1, parallel=1, same=True)
    outcome = outcomes[0]
    if outcome.failure is not None:
        fail(f"The photo came back without a picture: {outcome.failure}\nLogs: {place.logs}")
    with friendly_errors():
        place.demo.mkdir(parents=True, exist_ok=True)
        path = place.demo / f"{photo.stem}-{_DEMO_SLOT}.{outcome.extension}"
        path.write_bytes(outcome.picture)
    gateway = result.state.gateway_url
    lines = {
        "photo sent": str(photo),
        "edited picture": f"{path}  ({outcome.seconds:.2f} s)",
        "gallery": f"{gateway}/public/slots/{_DEMO_SLOT}",
        "admin": f"{known['ADMIN_URL']}  (user {known['ADMIN_USERNAME']}, password in {place.dev_env})",
        "logs": str(place.logs),
    }
    for name, value in lines.items():
        out.print(f"{name:15} {value}", markup=False, soft_wrap=True)
    out.print("The stack keeps running. `make status` shows it, `make down` stops it.")


def _send(
    target: Target, photo: bytes, slots: Sequence[str], *, count: int, parallel: int, same: bool
) -> tuple[list[Outcome], Report]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    begin = time.perf_counter()
    with Progress(*columns, console=err, transient=True) as progress:
        bar = progress.add_task("sending", total=count)
        outcomes = asyncio.run(
            send_all(
                target,
                shots(photo, slots, count, same=same),
                parallel=parallel,
                done=lambda _: progress.advance(bar),
            )
        )
    return outcomes, summarise(outcomes, wall_seconds=time.perf_counter() - begin)


def _read_photo(path: Path) -> bytes:
    with friendly_errors():
        photo = path.read_bytes()
    if content_type_of(photo) is None:
        fail(f"{path} is no JPEG, PNG or WebP file.")
    return photo


def _save(outcomes: Sequence[Outcome], folder: Path | None, *, stem: str) -> None:
    pictures = [outcome for outcome in outcomes if outcome.failure is None]
    if folder is None or not pictures:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for outcome in pictures:
        number = f"-{outcome.shot.number:04d}" if len(outcomes) > 1 else ""
        path = folder / f"{stem}-{outcome.shot.slot}{number}.{outcome.extension}"
        path.write_bytes(outcome.picture)
        if len(outcomes) == 1:
            out.print(f"picture {os.path.relpath(path)}  job {outcome.job_id}", markup=False, soft_wrap=True)
    if len(outcomes) > 1:
        out.print(f"{len(pictures)} pictures in {folder}", markup=False, soft_wrap=True)


def _show(report: Report) -> None:
    table = Table(box=None, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    rate = report.pictures / report.wall_seconds if report.wall_seconds else 0.0
    rows = {
        "photos": f"{report.sent} sent, {report.pictures} pictures, {report.repeats} repeats",
        "time": f"{report.wall_seconds:.2f} s, {rate:.1f} pictures a second",
        "latency": "  ".join(
            f"{name} {value:.3f} s"
            for name, value in {
                "min": report.fastest,
                "p50": report.p50,
                "p95": report.p95,
                "max": report.slowest,
            }.items()
            if value is not None
        ),
        "statuses": "  ".join(f"{status}: {number}" for status, number in report.statuses.items()),
    }
    for name, value in rows.items():
        table.add_row(name, value)
    for failure, number in report.failures.items():
        table.add_row("[red]failed[/]", f"{number} x {failure}")
    out.print(table)
