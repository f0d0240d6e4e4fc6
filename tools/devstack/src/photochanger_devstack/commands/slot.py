"""`slot`: what the slots do, from the command line."""

from __future__ import annotations

import asyncio
import getpass
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from google.protobuf.duration_pb2 import Duration
from photochanger.ingest.v1 import slot_pb2
from photochanger.providers.v1 import processing_service_pb2
from photochanger_chassis.errors import ServiceError
from rich.table import Table

from photochanger_devstack.commands.console import fail, friendly_errors, layout, out
from photochanger_devstack.slots import (
    MissingTarget,
    Targets,
    list_providers,
    list_slots,
    update_slot,
    upload_template,
)
from photochanger_devstack.stack.plan import read_env

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

_T = TypeVar("_T")

slot = typer.Typer(help="What the slots do.", no_args_is_help=True)

_SlotId = Annotated[str, typer.Argument(help="slot-001 to slot-015.")]
_RESPONSE_MODES = {"image": slot_pb2.RESPONSE_MODE_IMAGE, "multipart": slot_pb2.RESPONSE_MODE_MULTIPART}
_FAILURE_MODES = {"error": slot_pb2.FAILURE_MODE_ERROR, "original": slot_pb2.FAILURE_MODE_ORIGINAL}
_LATE_RESULTS = {"discard": slot_pb2.LATE_RESULTS_DISCARD, "keep": slot_pb2.LATE_RESULTS_KEEP}
_FORMATS = {
    "as-made": processing_service_pb2.OUTPUT_FORMAT_UNSPECIFIED,
    "jpeg": processing_service_pb2.OUTPUT_FORMAT_JPEG,
    "png": processing_service_pb2.OUTPUT_FORMAT_PNG,
    "webp": processing_service_pb2.OUTPUT_FORMAT_WEBP,
}


@slot.command("list")
def list_() -> None:
    """List the slots."""
    slots = _run(list_slots(_targets()))
    table = Table(box=None, header_style="bold")
    for title in ("slot", "name", "provider", "operation", "state", "version"):
        table.add_column(title)
    for item in slots:
        state = "active" if item.active else "off"
        table.add_row(
            item.id, item.display_name, item.provider_id, item.operation_id, state, str(item.version)
        )
    out.print(table)


@slot.command()
def show(slot_id: _SlotId) -> None:
    """Show one slot with its settings."""
    item = next((item for item in _run(list_slots(_targets())) if item.id == slot_id), None)
    if item is None:
        fail("No such slot. Slots are slot-001 to slot-015.")
    _print(item)


@slot.command()
def providers() -> None:
    """List the providers, what can be asked of each, and the settings of each operation."""
    for provider in _run(list_providers(_targets())):
        ready = "ready" if provider.configured else "has no key"
        out.print(f"[bold]{provider.id}[/]  {provider.title}  ({ready})")
        for operation in provider.operations:
            out.print(f"  {operation.id}  {operation.title}", markup=False)
            schema = json.loads(operation.settings_schema_json)
            for name, about in schema.get("properties", {}).items():
                default = f", default {json.dumps(about['default'])}" if "default" in about else ""
                required = ", required" if name in schema.get("required", []) else ""
                words = about.get("description") or about.get("title", "")
                out.print(
                    f"    {name}{required}{default}: {words}", markup=False, style="dim", soft_wrap=True
                )
            for role in operation.template_roles:
                need = "needed" if role.required else "optional"
                out.print(f"    template {role.id} ({need}): {role.title}", markup=False, style="dim")


@slot.command("set")
def set_(
    slot_id: _SlotId,
    *,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    provider: Annotated[str | None, typer.Option(help="See `photochanger slot providers`.")] = None,
    operation: Annotated[str | None, typer.Option(help="What to ask of the provider.")] = None,
    settings: Annotated[str | None, typer.Option(help="Settings of the operation, a JSON object.")] = None,
    template: Annotated[
        list[str] | None, typer.Option(help="ROLE=FILE, a template image; several replace all before.")
    ] = None,
    active: Annotated[bool | None, typer.Option("--on/--off", help="Whether it takes photos.")] = None,
    seconds: Annotated[int | None, typer.Option(min=10, max=60, help="How long a camera waits.")] = None,
    size_limit_mb: Annotated[int | None, typer.Option(min=1, max=20, help="Largest photo.")] = None,
    response_mode: Annotated[str | None, typer.Option(help="image or multipart (Breeze Booth).")] = None,
    on_failure: Annotated[str | None, typer.Option(help="error or original.")] = None,
    late_results: Annotated[str | None, typer.Option(help="discard or keep.")] = None,
    output_format: Annotated[str | None, typer.Option(help="as-made, jpeg, png or webp.")] = None,
    dedupe: Annotated[
        bool | None, typer.Option("--dedupe/--no-dedupe", help="Answer equal photos with the first picture.")
    ] = None,
    own_password: Annotated[
        str | None, typer.Option(help="An ingest password of its own; empty: the global one again.")
    ] = None,
) -> None:
    """Change a slot. What is not named stays."""
    targets = _targets()
    wanted = slot_pb2.Slot(id=slot_id)
    fields: list[str] = []
    for field, value in (
        ("display_name", name),
        ("provider_id", provider),
        ("operation_id", operation),
        ("settings_json", settings),
        ("active", active),
        ("size_limit_bytes", None if size_limit_mb is None else size_limit_mb << 20),
        ("dedupe", dedupe),
        ("response_mode", _choice("response-mode", response_mode, _RESPONSE_MODES)),
        ("on_failure", _choice("on-failure", on_failure, _FAILURE_MODES)),
        ("late_results", _choice("late-results", late_results, _LATE_RESULTS)),
        ("output_format", _choice("output-format", output_format, _FORMATS)),
    ):
        if value is not None:
            setattr(wanted, field, value)
            fields.append(field)
    if seconds is not None:
        wanted.sync_response.CopyFrom(Duration(seconds=seconds))
        fields.append("sync_response")
    # Settings and templates belong to one operation; another one begins without them.
    if settings is None and operation is not None:
        wanted.settings_json = "{}"
        fields.append("settings_json")
    if template is not None or operation is not None:
        wanted.templates.extend(_upload(targets, slot_id, template or []))
        fields.append("templates")
    if not fields and own_password is None:
        fail("Nothing to change. `photochanger slot set --help` lists what can be.")
    _print(
        _run(
            update_slot(targets, wanted, fields, password=own_password, updated_by=f"cli:{getpass.getuser()}")
        )
    )


def _upload(
    targets: Targets, slot_id: str, templates: Sequence[str]
) -> list[processing_service_pb2.TemplateMedia]:
    uploaded = []
    for item in templates:
        role, _, file = item.partition("=")
        if not role or not file:
            fail(f"--template {item}: write ROLE=FILE, for example background=beach.jpg.")
        with friendly_errors():
            uploaded.append(_run(upload_template(targets, slot_id, role, Path(file))))
    return uploaded


def _choice(option: str, value: str | None, choices: dict[str, _T]) -> _T | None:
    if value is None:
        return None
    if value not in choices:
        fail(f"--{option} is one of: {', '.join(choices)}.")
    return choices[value]


def _targets() -> Targets:
    try:
        return Targets.of({**read_env(layout()), **os.environ})
    except MissingTarget as error:
        fail(f"Where are the services? {error}. Start the stack with `photochanger up`, or set the variable.")


def _run(work: Coroutine[None, None, _T]) -> _T:
    try:
        return asyncio.run(work)
    except ServiceError as error:
        details = "".join(f"\n  {item.field}: {item.description}" for item in error.field_violations)
        fail(f"{error}{details}")


def _print(item: slot_pb2.Slot) -> None:
    table = Table(box=None, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    wait = f"{item.sync_response.seconds} s" if item.HasField("sync_response") else "as the platform"
    rows = {
        "slot": f"{item.id} (version {item.version})",
        "name": item.display_name,
        "state": "active" if item.active else "off",
        "provider": item.provider_id,
        "operation": item.operation_id,
        "settings": item.settings_json,
        "templates": ", ".join(f"{entry.role}: {entry.media_object_id}" for entry in item.templates)
        or "none",
        "camera waits": wait,
        "largest photo": f"{item.size_limit_bytes >> 20} MB",
        "own password": "yes" if item.own_password else "no",
    }
    for title, value in rows.items():
        table.add_row(title, value)
    out.print(table)
