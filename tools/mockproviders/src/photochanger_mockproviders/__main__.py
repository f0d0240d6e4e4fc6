"""Runs the mocks as a process: `python -m photochanger_mockproviders [gemini|turbotext]`."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from .gemini.knobs import GeminiKnob
from .gemini.mock import GeminiMock
from .pictures import PictureFormat, fixed
from .turbotext.knobs import TurbotextKnob
from .turbotext.mock import TurbotextMock

FAST_RESULT_BYTES = 1_500_000

_HOW_TO = """
They run until Ctrl-C. In another terminal, from the checkout:

  make down
  {environment} make up
{slots}
"""
_SLOTS = {
    "GEMINI": """\
  .venv/bin/photochanger slot set slot-002 --provider gemini --operation image_edit \\
      --settings '{"prompt": "Put the people into a snowy street."}'
  .venv/bin/photochanger send tests/photos/portrait-1536.jpg --slot slot-002""",
    "TURBOTEXT": """\
  .venv/bin/photochanger slot set slot-003 --provider turbotext --operation image_edit \\
      --settings '{"prompt": "Put the people into a snowy street."}'
  .venv/bin/photochanger send tests/photos/portrait-1536.jpg --slot slot-003""",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until SIGINT or SIGTERM. Prints one `NAME=URL` line per server, as environment files have."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_serve(options))
    except OSError as error:  # a port that is taken
        parser.exit(1, f"{error.strerror or error}. Choose other ports: --gemini-port, --turbotext-port.\n")


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
    parser.add_argument("--how-to", action="store_true", help="also say how to point the platform at them")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    size: int | None = options.result_bytes or (FAST_RESULT_BYTES if options.fast else None)
    result = fixed(size, options.result_format) if size else None
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    urls: dict[str, str] = {}
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
            urls["GEMINI"] = gemini.base_url
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
            urls["TURBOTEXT"] = turbotext.base_url
        for name, url in urls.items():
            _say(f"{name}_BASE_URL={url}")
        if options.how_to:
            _say(_how_to(urls, options.api_key or "any"))
        await stopped.wait()


def _how_to(urls: Mapping[str, str], api_key: str) -> str:
    """What to type to have the platform use these servers."""
    environment = " ".join(f"{name}_BASE_URL={url} {name}_API_KEY={api_key}" for name, url in urls.items())
    return _HOW_TO.format(environment=environment, slots="\n".join(_SLOTS[name] for name in urls))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
