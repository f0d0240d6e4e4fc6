"""`settings`: what holds for every slot that does not say otherwise, from the command line."""

from __future__ import annotations

import asyncio
import getpass
import os
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from photochanger.ingest.v1 import settings_service_pb2
from photochanger.ingest.v1.settings_service_pb2_grpc import SettingsServiceStub
from photochanger_chassis.errors import ServiceError
from photochanger_chassis.grpc.channel import open_channel
from photochanger_chassis.grpc.errors import translate_rpc_errors
from photochanger_chassis.settings import GrpcTlsSettings
from rich.table import Table

from photochanger_devstack.commands.console import fail, layout, out
from photochanger_devstack.stack.plan import read_env

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

_T = TypeVar("_T")
_SECONDS = 10.0
_HASH_POLICIES = {
    "warn": settings_service_pb2.HASH_POLICY_WARN,
    "enforce": settings_service_pb2.HASH_POLICY_ENFORCE,
    "ignore": settings_service_pb2.HASH_POLICY_IGNORE,
}

settings = typer.Typer(help="What holds for every slot that does not say otherwise.", no_args_is_help=True)


@settings.command()
def show() -> None:
    """Show the settings."""
    _print(_run(_get(_target())))


@settings.command("set")
def set_(
    *,
    seconds: Annotated[int | None, typer.Option(min=10, max=60, help="How long a camera waits.")] = None,
    retention_hours: Annotated[
        int | None, typer.Option(min=24, max=168, help="How long new results live.")
    ] = None,
    hash_policy: Annotated[str | None, typer.Option(help="warn, enforce or ignore.")] = None,
    dedupe: Annotated[
        bool | None, typer.Option("--dedupe/--no-dedupe", help="Answer equal photos with the first picture.")
    ] = None,
    slot_running: Annotated[int | None, typer.Option(min=1, max=50, help="Jobs at once in a slot.")] = None,
    slot_queue: Annotated[int | None, typer.Option(min=0, max=100, help="Jobs waiting in a slot.")] = None,
    provider_running: Annotated[
        list[str] | None, typer.Option(help="PROVIDER=N, jobs at once with a provider; several are possible.")
    ] = None,
    ingest_password: Annotated[
        bool, typer.Option("--ingest-password", help="Ask for a new global ingest password.")
    ] = False,
) -> None:
    """Change settings. What is not named stays; the next photo counts by it on every replica."""
    target = _target()
    known = _run(_get(target))
    wanted = settings_service_pb2.Settings(limits=known.limits)
    fields: list[str] = []
    if seconds is not None:
        wanted.sync_response.CopyFrom(Duration(seconds=seconds))
        fields.append("sync_response")
    if retention_hours is not None:
        wanted.result_retention.CopyFrom(Duration(seconds=retention_hours * 3600))
        fields.append("result_retention")
    if hash_policy is not None:
        if hash_policy not in _HASH_POLICIES:
            fail(f"--hash-policy is one of: {', '.join(_HASH_POLICIES)}.")
        wanted.hash_policy = _HASH_POLICIES[hash_policy]
        fields.append("hash_policy")
    if dedupe is not None:
        wanted.dedupe = dedupe
        fields.append("dedupe")
    if slot_running is not None:
        wanted.limits.slot_running = slot_running
    if slot_queue is not None:
        wanted.limits.slot_queue = slot_queue
    for item in provider_running or ():
        provider, _, number = item.partition("=")
        if not provider or not number.isdecimal():
            fail(f"--provider-running {item}: write PROVIDER=N, for example gemini=20.")
        wanted.limits.provider_running[provider] = int(number)
    if wanted.limits != known.limits:
        fields.append("limits")
    password = None
    if ingest_password:
        password = str(typer.prompt("New ingest password", hide_input=True, confirmation_prompt=True))
    if not fields and password is None:
        fail("Nothing to change. `photochanger settings set --help` lists what can be.")
    _print(_run(_update(target, wanted, fields, password=password, expected_version=known.version)))


async def _get(target: str) -> settings_service_pb2.Settings:
    async with open_channel(target, GrpcTlsSettings()) as channel:
        with translate_rpc_errors():
            answer = await SettingsServiceStub(channel).GetSettings(
                settings_service_pb2.GetSettingsRequest(), timeout=_SECONDS
            )
    return answer.settings


async def _update(
    target: str,
    wanted: settings_service_pb2.Settings,
    fields: Sequence[str],
    *,
    password: str | None,
    expected_version: int,
) -> settings_service_pb2.Settings:
    request = settings_service_pb2.UpdateSettingsRequest(
        settings=wanted,
        update_mask=FieldMask(paths=fields),
        ingest_password=password,
        expected_version=expected_version,
        updated_by=f"cli:{getpass.getuser()}",
    )
    async with open_channel(target, GrpcTlsSettings()) as channel:
        with translate_rpc_errors():
            answer = await SettingsServiceStub(channel).UpdateSettings(request, timeout=_SECONDS)
    return answer.settings


def _target() -> str:
    target = {**read_env(layout()), **os.environ}.get("INGEST_TARGET")
    if not target:
        fail("Where is ingest? Start the stack with `photochanger up`, or set INGEST_TARGET.")
    return target


def _run(work: Coroutine[None, None, _T]) -> _T:
    try:
        return asyncio.run(work)
    except ServiceError as error:
        details = "".join(f"\n  {item.field}: {item.description}" for item in error.field_violations)
        fail(f"{error}{details}")


def _print(item: settings_service_pb2.Settings) -> None:
    table = Table(box=None, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    limits = item.limits
    providers = ", ".join(f"{name} {number}" for name, number in sorted(limits.provider_running.items()))
    policies = {number: name for name, number in _HASH_POLICIES.items()}
    rotated = item.ingest_password_rotated_at
    rows = {
        "camera waits": f"{item.sync_response.seconds} s",
        "results live": f"{item.result_retention.seconds // 3600} h",
        "wrong hash": policies.get(item.hash_policy, "warn"),
        "equal photos": "get the first picture" if item.dedupe else "are new jobs",
        "jobs in a slot": f"{limits.slot_running} at once, {limits.slot_queue} waiting",
        "jobs with a provider": f"{providers or 'none named'}; others 30 at once",
        "ingest password": (
            f"set {rotated.ToDatetime():%Y-%m-%d %H:%M} UTC by {item.ingest_password_rotated_by}"
            if item.HasField("ingest_password_rotated_at")
            else "not set"
        ),
        "version": str(item.version),
    }
    for title, value in rows.items():
        table.add_row(title, value)
    out.print(table)
