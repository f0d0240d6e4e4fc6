"""Looks at this machine and says what would keep the stack from running, and what to do."""

from __future__ import annotations

import locale
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING

import psutil

from photochanger_devstack.embedded import NatsServer, PostgresServer
from photochanger_devstack.embedded.nats import NatsNotInstalled
from photochanger_devstack.embedded.ports import is_free
from photochanger_devstack.embedded.postgres import PostgresNotPrepared
from photochanger_devstack.stack.plan import PREFERRED_PORTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from photochanger_devstack.stack.layout import Layout

_DISK_BYTES = 2 << 30
_MEMORY_BYTES = 1 << 30
_OPEN_FILES = 1024
_OLDEST_PYTHON = (3, 11)


class Verdict(StrEnum):
    """How one check ended. Only `FAILED` keeps the stack from running."""

    GOOD = "good"
    NOTE = "note"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was seen, and what to do about it where something is to be done."""

    name: str
    verdict: Verdict
    seen: str
    advice: str = ""


def examine(layout: Layout, *, running: bool) -> list[Finding]:
    """All checks. `running` tells that the stack is up, so its ports are taken by itself."""
    return [
        _python(),
        _environment(),
        _server("PostgreSQL", PostgresServer.version),
        _server("NATS", NatsServer.version),
        _s3(),
        _write_permission(layout),
        _disk(layout),
        _memory(),
        _ports(running=running),
        _models(layout),
        _locale(),
        _open_files(),
        _account(),
    ]


def _finding(name: str, good: bool, seen: str, advice: str, bad: Verdict = Verdict.FAILED) -> Finding:
    return Finding(name, Verdict.GOOD, seen) if good else Finding(name, bad, seen, advice)


def _python() -> Finding:
    seen = ".".join(map(str, sys.version_info[:3]))
    return _finding(
        "Python", sys.version_info >= _OLDEST_PYTHON, seen, "Install Python 3.11 or newer, then `make setup`."
    )


def _environment() -> Finding:
    return _finding(
        "environment",
        sys.prefix != sys.base_prefix,
        sys.prefix,
        "This is not the checkout's own environment. Run `make setup`, then `.venv/bin/photochanger`.",
        Verdict.NOTE,
    )


def _server(name: str, version: Callable[[], str]) -> Finding:
    try:
        return Finding(name, Verdict.GOOD, version())
    except (PostgresNotPrepared, NatsNotInstalled, OSError, subprocess.SubprocessError) as error:
        return Finding(name, Verdict.FAILED, str(error), "Run `make setup`.")


def _s3() -> Finding:
    found = find_spec("nanio") is not None
    return _finding("S3", found, "nanio" if found else "not installed", "Run `make setup`.")


def _write_permission(layout: Layout) -> Finding:
    folder = layout.local if layout.local.exists() else layout.root
    with suppress(OSError), tempfile.TemporaryFile(dir=folder):
        return Finding("write permission", Verdict.GOOD, str(folder))
    return Finding(
        "write permission",
        Verdict.FAILED,
        f"{folder} cannot be written",
        "Run as the account that owns the checkout, or delete a .local made by another account.",
    )


def _disk(layout: Layout) -> Finding:
    free = shutil.disk_usage(layout.root).free
    return _finding("disk", free >= _DISK_BYTES, f"{free / (1 << 30):.1f} GiB free", "Free 2 GiB or more.")


def _memory() -> Finding:
    free = psutil.virtual_memory().available
    advice = "The stack wants 1 GiB; close other programs."
    return _finding("memory", free >= _MEMORY_BYTES, f"{free / (1 << 30):.1f} GiB free", advice, Verdict.NOTE)


def _ports(*, running: bool) -> Finding:
    if running:
        return Finding("ports", Verdict.GOOD, "the stack is running")
    taken = [f"{port} ({name})" for name, port in PREFERRED_PORTS.items() if not is_free(port)]
    return _finding(
        "ports",
        not taken,
        "all free" if not taken else f"taken: {', '.join(taken)}",
        "Nothing to do: the next free ones are used. `photochanger status` shows which.",
        Verdict.NOTE,
    )


def _models(layout: Layout) -> Finding:
    found = (
        sorted(path.name for path in layout.models.iterdir() if path.is_file())
        if layout.models.exists()
        else []
    )
    return _finding(
        "models",
        bool(found),
        f"{len(found)} files in {layout.models}" if found else f"none in {layout.models}",
        "The `local` provider needs them: run `make setup` while there is a network.",
    )


def _locale() -> Finding:
    encoding = locale.getpreferredencoding(do_setlocale=False)
    return _finding(
        "locale",
        encoding.lower().replace("-", "") == "utf8",
        encoding,
        "Output may show odd characters; `export LANG=C.UTF-8` mends it.",
        Verdict.NOTE,
    )


def _open_files() -> Finding:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    enough = limit in {resource.RLIM_INFINITY} or limit >= _OPEN_FILES
    return _finding("open files", enough, str(limit), "Raise it: `ulimit -n 4096`.", Verdict.NOTE)


def _account() -> Finding:
    if os.geteuid() != 0:
        return Finding("account", Verdict.GOOD, f"ordinary user {os.geteuid()}")
    return Finding("account", Verdict.GOOD, "root; PostgreSQL runs as an account of its own")
