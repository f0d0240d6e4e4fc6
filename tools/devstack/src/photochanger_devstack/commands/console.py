"""What every command shares: where it writes, which checkout it steers, how it fails."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from photochanger_devstack.stack.control import Control, StackError
from photochanger_devstack.stack.layout import Layout, this_checkout
from photochanger_devstack.stack.plan import PlanError

if TYPE_CHECKING:
    from collections.abc import Iterator

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def layout() -> Layout:
    """The checkout this command line belongs to."""
    return Layout(this_checkout())


def control() -> Control:
    """The stack of this checkout."""
    return Control(layout())


def fail(message: str, *, code: int = 1) -> NoReturn:
    """Ends the command with a message for people."""
    err.print(message, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def friendly_errors() -> Iterator[None]:
    """Turns what can be expected to go wrong into a message without a trace."""
    try:
        yield
    except (StackError, PlanError) as error:
        fail(str(error))
    except ValidationError as error:
        fail(f"A file under .local is damaged ({error.title}). `photochanger clean` starts afresh.")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        fail(f"{where}{error.strerror or error}. `photochanger doctor` says what this machine lacks.")
