"""`doctor` and `admin`: this machine, and who may sign in."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer
from rich.table import Table

from photochanger_devstack.commands.console import control, fail, friendly_errors, layout, out
from photochanger_devstack.credentials import CredentialsFile
from photochanger_devstack.doctor import Verdict, examine

admin = typer.Typer(help="Who may sign in.", no_args_is_help=True)

_STYLES = {Verdict.GOOD: "green", Verdict.NOTE: "yellow", Verdict.FAILED: "red"}
_SHORTEST_PASSWORD = 8


def doctor() -> None:
    """Check this machine and say what to do. Exit code 1 when the stack could not run."""
    with friendly_errors():
        findings = examine(layout(), running=control().state() is not None)
    table = Table(box=None, header_style="bold")
    for title in ("check", "", "seen", "what to do"):
        table.add_column(title, overflow="fold")
    for finding in findings:
        table.add_row(
            finding.name, f"[{_STYLES[finding.verdict]}]{finding.verdict}[/]", finding.seen, finding.advice
        )
    out.print(table)
    if any(finding.verdict is Verdict.FAILED for finding in findings):
        raise typer.Exit(1)


@admin.callback()
def _admin() -> None:
    """Who may sign in."""


@admin.command("set-password")
def set_password(
    username: Annotated[str, typer.Argument(help="serg or igor.")],
    *,
    generate: Annotated[bool, typer.Option("--generate", help="Draw a password and show it once.")] = False,
) -> None:
    """Store an admin's password, as an argon2id hash only its owner can read."""
    if generate:
        password = secrets.token_urlsafe(15)
    else:
        password = str(typer.prompt("New password", hide_input=True, confirmation_prompt=True))
        if len(password) < _SHORTEST_PASSWORD:
            fail(f"A password has at least {_SHORTEST_PASSWORD} characters.")
    path = layout().credentials
    with friendly_errors():
        CredentialsFile(path).set_password(username, password)
    if generate:
        out.print(password, markup=False)
    out.print(f"Password of {username} stored in {path}", markup=False, soft_wrap=True)
