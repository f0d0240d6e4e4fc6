"""Runs the mocks as a process: `python -m photochanger_mockproviders [gemini|turbotext]`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

from .gemini.knobs import GeminiKnob
from .gemini.mock import GeminiMock
from .pictures import PictureFormat, fixed
from .turbotext.knobs import TurbotextKnob
from .turbotext.mock import TurbotextMock

FAST_RESULT_BYTES = 1_500_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until SIGINT or SIGTERM. Prints one `NAME=URL` line per server, as environment files have."""
    options = _parser().parse_args(arguments)
    asyncio.run(_serve(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("photochanger_mockproviders", description=__doc__)
    parser.add_argument("provider", nargs="?", choices=["gemini", "turbotext"], help="both, if not given")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="of the one provider named; 0 takes a free one")
    parser.add_argument("--gemini-port", type=int, default=0)
    parser.add_argument("--turbotext-port", type=int, default=0)
    parser.add_argument("--api-key", help="the only key to accept; any, if not given")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds a picture takes")
    parser.add_argument("--result-bytes", type=int, help="answer with a fixed picture of exactly this size")
    parser.add_argument(
        "--result-format", type=PictureFormat, choices=list(PictureFormat), default=PictureFormat.JPEG
    )
    parser.add_argument("--fast", action="store_true", help="gemini: do not look into request bodies")
    parser.add_argument("--reconnects", type=int, default=1, help="turbotext: polls before a result")
    parser.add_argument("--gemini-knob", type=GeminiKnob, action="append", default=[], metavar="KNOB")
    parser.add_argument("--turbotext-knob", type=TurbotextKnob, action="append", default=[], metavar="KNOB")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    size: int | None = options.result_bytes or (FAST_RESULT_BYTES if options.fast else None)
    result = fixed(size, options.result_format) if size else None
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with AsyncExitStack() as servers:
        if options.provider != "turbotext":
            gemini = GeminiMock(
                api_key=options.api_key,
                delay=options.delay,
                fast=options.fast,
                result=result,
                host=options.host,
                port=options.gemini_port or options.port * (options.provider == "gemini"),
            )
            gemini.by_default(*options.gemini_knob)
            await servers.enter_async_context(gemini)
            _say(f"GEMINI_BASE_URL={gemini.base_url}")
        if options.provider != "gemini":
            turbotext = TurbotextMock(
                api_key=options.api_key,
                reconnects=options.reconnects,
                delay=options.delay,
                result=result,
                host=options.host,
                port=options.turbotext_port or options.port * (options.provider == "turbotext"),
            )
            turbotext.by_default(*options.turbotext_knob)
            await servers.enter_async_context(turbotext)
            _say(f"TURBOTEXT_BASE_URL={turbotext.base_url}")
        await stopped.wait()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
