"""The provider of both competitors, a process of its own: the Gemini mock, which measures itself.

Commands: `{"delay": seconds}` sets how long a picture takes from now on; `{"calls": true}` returns the calls
since the last time it was asked, by prompt: how often it came, and the provider's own time.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from photochanger_mockproviders import GeminiKnob, GeminiMock

from bench.worker import Message, serve_commands


async def _serve(picture: bytes) -> None:
    async with GeminiMock(api_key=None, fast=True, result=picture) as mock:

        async def handle(command: Message) -> Message:
            delay = command.get("delay")
            if isinstance(delay, int | float):
                if delay > 0:
                    mock.by_default(GeminiKnob.SLOW, seconds=float(delay))
                else:
                    mock.by_default()
            calls: dict[str, list[float]] = {}
            if command.get("calls"):
                for call in mock.calls:
                    calls.setdefault(call.request.prompt, []).append(call.seconds)
                mock.calls.clear()
            return {"base_url": mock.base_url, "calls": calls}

        await serve_commands(handle)


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]).read_bytes()))
