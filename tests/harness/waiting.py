"""Waiting for what other processes do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_POLL_SECONDS = 0.05


async def until(condition: Callable[[], Awaitable[bool]], what: str, *, within_seconds: float = 20) -> None:
    """Returns as soon as `condition` holds. Raises `AssertionError` naming `what` when it does not in time.

    For conditions nobody can signal to us; the limit is no claim about speed.
    """
    loop = asyncio.get_running_loop()
    give_up = loop.time() + within_seconds
    while not await condition():
        if loop.time() > give_up:
            raise AssertionError(f"not within {within_seconds:g} s: {what}")
        await asyncio.sleep(_POLL_SECONDS)
