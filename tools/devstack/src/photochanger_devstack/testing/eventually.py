"""Waiting in tests for what other processes do."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_POLL_SECONDS = 0.05


def eventually(condition: Callable[[], bool], *, within_seconds: float = 30) -> None:
    """Returns as soon as `condition` holds. Raises `AssertionError` when it does not in time.

    For conditions nobody can signal to us (a process of the stack, a file); the limit is no claim about speed.
    """
    give_up = time.monotonic() + within_seconds
    while not condition():
        if time.monotonic() > give_up:
            raise AssertionError(f"it did not come about within {within_seconds:g} s")
        time.sleep(_POLL_SECONDS)
