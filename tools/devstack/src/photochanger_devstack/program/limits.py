"""What the platform's rate limits leave a client, as its answers say."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from photochanger_devstack.answers import retry_after

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

_STANDING = re.compile(r'"[^"]*";r=(\d+);t=(\d+)')
_PAUSE_SECONDS = 1.0


class Allowance:
    """When requests of one sort may go on. Requests of a sort are held up by the same limits."""

    def __init__(self, pause: Callable[[float], Awaitable[None]]) -> None:
        self._pause = pause
        self._free_at = 0.0

    async def turn(self) -> None:
        """Waits until there is something left."""
        left = self._free_at - asyncio.get_running_loop().time()
        if left > 0:
            await self._pause(left)

    def note(self, headers: Mapping[str, str], *, refused: bool) -> None:
        """Reads how the client stands (`RateLimit`, draft-ietf-httpapi-ratelimit-headers-10), and `Retry-After`."""
        used_up = [
            float(seconds)
            for remaining, seconds in _STANDING.findall(headers.get("RateLimit", ""))
            if int(remaining) == 0
        ]
        if refused:
            asked = retry_after(headers)
            used_up.append(_PAUSE_SECONDS if asked is None else asked)
        if used_up:
            free_at = asyncio.get_running_loop().time() + max(used_up)
            self._free_at = max(self._free_at, free_at)
