"""What the documentation says is held to the code it speaks of."""

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import typer
from photochanger_chassis.metrics import GrpcServerMetrics
from photochanger_devstack.cli import app
from photochanger_devstack.stack.plan import Outside
from photochanger_gateway.adapters.http.metrics import HttpMetrics
from photochanger_gateway.domain.refusals import BY_FAILURE, BY_REASON, HttpMeaning
from photochanger_ingest.application.metrics import JobMetrics, WebhookMetrics
from photochanger_ingest.domain.job import FailureReason
from photochanger_media.metrics import MediaMetrics
from photochanger_providers.adapters.measures import PrometheusMeasures
from prometheus_client import CollectorRegistry
from typer.core import TyperGroup

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SETTINGS_PAGE = ROOT / "tools" / "docs" / "settings_page.py"
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *DOCS.rglob("*.md"),
        *(
            path
            for folder in ("libs", "services", "tools", "bench")
            for path in (ROOT / folder).glob("*/README.md")
        ),
        *(ROOT / "bench").glob("README.md"),
    ]
)
page = pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_MAKE = re.compile(r"(?:^|`|\s)make ((?:[a-z][a-z-]*\s?)+)")
_COMMENT = re.compile(r"\s#.*")
_COMMAND = re.compile(r"(?:`|^\s*|bin/)photochanger ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)", re.MULTILINE)
_ROW = re.compile(r"^\| ?(.+?) ?\|$", re.MULTILINE)

NOT_FOR_CAMERAS = {
    *("JOB_NOT_FOUND", "VERSION_CONFLICT", "RESULT_NOT_FOUND", "RESULT_EXPIRED", "GALLERY_NOT_SHARED"),
    *("MEDIA_NOT_FOUND", "MEDIA_EXPIRED", "LINK_NOT_FOUND", "LINK_EXPIRED", "RANGE_NOT_SATISFIABLE"),
    *(
        "PROVIDER_NOT_FOUND",
        "OPERATION_NOT_FOUND",
        "INVALID_SETTINGS",
        "INVALID_CHANGE",
        "SLOT_VERSION_NOT_FOUND",
    ),
    "INPUT_EXPIRED",
    *("JOB_ALREADY_FINAL", "JOB_NOT_FINAL", "INPUT_NOT_FOUND", "PROCESSING_NOT_FOUND"),
    *(
        "MISSING_API_KEY",
        "INVALID_API_KEY",
        "INSUFFICIENT_SCOPE",
        "API_KEY_NOT_FOUND",
        "API_CLIENT_NOT_FOUND",
    ),
    *("QUEUE_NOT_FOUND", "TASK_NOT_FOUND", "TASK_NOT_DEAD", "TASK_UNIQUE_KEY_TAKEN"),
    *(
        "NO_WEBHOOK_SECRET",
        "WEBHOOK_SECRET_NOT_FOUND",
        "WEBHOOK_DELIVERY_NOT_FOUND",
        "WEBHOOK_DELIVERY_PENDING",
        "WEBHOOKS_NOT_CONFIGURED",
        "SECRETS_NOT_CONFIGURED",
    ),
    *(
        "TEMPLATE_NOT_FOUND",
        "TEMPLATE_IN_USE",
        "NO_SUCH_TEMPLATE",
        "NO_SUCH_MEDIA",
        "TEMPORARY_MEDIA_EXPIRED",
        "AUDIT_ENTRY_NOT_FOUND",
    ),
    *("INVALID_CREDENTIALS", "THROTTLED", "MISSING_TOKEN", "INVALID_TOKEN", "TOKEN_EXPIRED"),
    *("CSRF_FAILED", "SESSIONS_UNAVAILABLE", "TOO_MANY_LISTENERS"),
}
"""Reasons of the other routes. A new reason counts as a camera's until it is listed here."""


def code_of(text: str) -> Iterator[str]:
    """What stands in backticks and in code blocks."""
    yield from re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    yield from re.findall(r"^(?: {4}.*\n)+", text, re.MULTILINE)
    yield from re.findall(r"`[^`\n]+`", text)


def rows_of(text: str) -> list[list[str]]:
    """The cells of every table's rows."""
    return [[cell.strip() for cell in row.split(" | ")] for row in _ROW.findall(text)]


def ticked(cell: str) -> list[str]:
    """The words of a cell that stand in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def anchors_of(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def metric_names() -> set[str]:
    registry = CollectorRegistry()
    for metrics in (
        HttpMetrics,
        JobMetrics,
        WebhookMetrics,
        PrometheusMeasures,
        MediaMetrics,
        GrpcServerMetrics,
    ):
        metrics(registry)
    return {
        f"{family.name}_total" if family.type == "counter" else family.name for family in registry.collect()
    }


def commands_of(group: TyperGroup, before: str = "") -> set[str]:
    found: set[str] = set()
    for name, command in group.commands.items():
        found.add(before + name)
        if isinstance(command, TyperGroup):
            found |= commands_of(command, f"{before}{name} ")
    return found


def test_the_page_of_settings_is_fresh() -> None:
    ran = subprocess.run(
        [sys.executable, str(SETTINGS_PAGE), "--check"], check=False, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_page_of_settings_names_every_variable_the_stack_takes_from_the_shell() -> None:
    class Recording(dict[str, str]):
        def __init__(self) -> None:
            super().__init__(S3_ENDPOINT_URL="http://s3", S3_ACCESS_KEY="a", S3_SECRET_KEY="b")
            self.read: set[str] = set()

        def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]  # narrower
            self.read.add(key)
            return super().get(key, default)

    shell = Recording()
    Outside.of(shell, ours={})
    listed = runpy.run_path(str(SETTINGS_PAGE))["OUTSIDE"]
    assert {variable.name for variable in listed} == shell.read


def test_the_page_of_settings_names_every_variable_tests_read() -> None:
    listed = {variable.name for variable in runpy.run_path(str(SETTINGS_PAGE))["TESTS"]}
    read: set[str] = set()
    for folder in ("libs", "services", "tools"):
        for path in (ROOT / folder).glob("*/src/**/*.py"):
            read |= set(re.findall(r'environ(?:\.get\(|\[)"([A-Z0-9_]+)"', path.read_text(encoding="utf-8")))
    assert {name for name in read if name.startswith(("MINIO_", "TEST_", "CRASH_"))} == listed


@page
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    broken = []
    for link in _LINK.findall(path.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = Path(os.path.normpath(path.parent / name)) if name else path
        if not target.exists() or (anchor and anchor not in anchors_of(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []


@page
def test_every_make_target_named_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    code = "\n".join(code_of(path.read_text(encoding="utf-8")))
    named = {target for words in _MAKE.findall(_COMMENT.sub("", code)) for target in words.split()}
    assert named - targets == set()


@page
def test_every_command_named_exists(path: Path) -> None:
    known = commands_of(typer.main.get_group(app))
    groups = {command.split()[0] for command in known if " " in command}
    unknown = set()
    for code in code_of(path.read_text(encoding="utf-8")):
        for words in _COMMAND.findall(code):
            first = words.split()[0]
            command = words if first in groups else first
            if command not in known:
                unknown.add(command)
    assert unknown == set()


def test_every_reason_is_in_the_table_of_errors_with_its_status() -> None:
    told: dict[str, tuple[str, list[str]]] = {}
    for cells in rows_of((DOCS / "http.md").read_text(encoding="utf-8")):
        if len(cells) == 4:
            told |= {reason: (cells[0], ticked(cells[1])) for reason in ticked(cells[3])}
    assert {reason: str(meaning.status) for reason, meaning in BY_REASON.items()} == {
        reason: status for reason, (status, _) in told.items()
    }
    assert [
        reason for reason, meaning in BY_REASON.items() if meaning.failure_reason not in told[reason][1]
    ] == []


def test_every_failure_of_a_job_is_in_the_table_of_failures_with_its_status() -> None:
    failures = {reason.value for reason in FailureReason}
    told = {
        ticked(cells[0])[0]: cells[1]
        for cells in rows_of((DOCS / "http.md").read_text(encoding="utf-8"))
        if len(cells) == 3 and ticked(cells[0])[:1] and ticked(cells[0])[0] in failures
    }
    assert told == {failure: str(BY_FAILURE[failure].status) for failure in failures}


def test_the_cameras_page_has_every_error_a_camera_can_meet_and_no_other() -> None:
    told = {
        (cells[0], ticked(cells[1])[0])
        for cells in rows_of((DOCS / "cameras.md").read_text(encoding="utf-8"))
        if cells[0].isdecimal()
    }
    reasons: Mapping[str, HttpMeaning] = {
        name: item for name, item in BY_REASON.items() if name not in NOT_FOR_CAMERAS
    }
    meanings = [*reasons.values(), *(BY_FAILURE[reason.value] for reason in FailureReason)]
    assert told == {(str(meaning.status), meaning.failure_reason) for meaning in meanings}


def test_every_metric_is_on_the_operators_page_and_no_other() -> None:
    told = {
        name
        for cells in rows_of((DOCS / "operations.md").read_text(encoding="utf-8"))
        for name in ticked(cells[0])
        if re.fullmatch(r"(photochanger|ingest|providers|media|grpc)_[a-z_]+", name)
    }
    assert told == metric_names()
