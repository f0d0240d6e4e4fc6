"""The `photochanger` command line."""

from __future__ import annotations

import typer

from photochanger_devstack.commands import machine, send, settings, slot, stack

app = typer.Typer(
    help="Runs the PhotoChanger platform on this machine, and sends photos to it as a camera does.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="rich",
)
for command in (
    *(stack.up, stack.down, stack.status, stack.logs, stack.scale, stack.clean),
    *(send.send, send.demo, machine.doctor),
):
    app.command()(command)
app.add_typer(machine.admin, name="admin")
app.add_typer(slot.slot, name="slot")
app.add_typer(settings.settings, name="settings")

if __name__ == "__main__":
    app()
