"""Runs a service from its first line to its exit code."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final

import structlog

from photochanger_chassis.concurrency import collapse_group
from photochanger_chassis.settings import SettingsError

_log = structlog.stdlib.get_logger(__name__)

EXIT_FAILED: Final = 1
_CANCEL_AGAIN_SECONDS: Final = 1.0
EXIT_MISCONFIGURED: Final = 78  # EX_CONFIG of sysexits.h: restarting does not help


def run_service(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Runs `main` until it returns and ends the process with an exit code.

    `main` gets an event that SIGTERM or SIGINT sets: it then drains and returns. A second signal cancels
    it. Exit codes: 0 after a return, 78 for wrong settings, 1 for anything that escaped (logged with its
    trace), so that a supervisor restarts the service.
    """
    sys.exit(asyncio.run(_run(main)))


async def _run(main: Callable[[asyncio.Event], Awaitable[None]]) -> int:
    stop = asyncio.Event()
    task = asyncio.ensure_future(main(stop))
    loop = asyncio.get_running_loop()

    def on_signal(number: signal.Signals) -> None:
        if stop.is_set():
            _log.warning("service.stop_forced", signal=number.name)
            task.cancel()
            return
        _log.info("service.stopping", signal=number.name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    try:
        await task
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
        return EXIT_FAILED
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - logs may not be configured yet, and a person reads this
        return EXIT_MISCONFIGURED
    except Exception:  # noqa: BLE001 - the process ends here; the trace is all that is left
        _log.exception("service.failed")
        return EXIT_FAILED
    _log.info("service.stopped")
    return 0


async def run_until_stopped(stop: asyncio.Event, *background: Coroutine[object, object, object]) -> None:
    """Runs endless background work until `stop` is set, then cancels it and waits for its clean-up.

    Raises what a background task raised: a loop that dies unnoticed is worse than a restart. A task that ends
    by itself, without an error, is fine.
    """
    with collapse_group():
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(work) for work in background]
            await stop.wait()
            await cancel_until_done(*running)


async def cancel_until_done(*tasks: asyncio.Task[object]) -> None:
    """Cancels tasks, waits for their clean-up, and every second cancels again those that go on.

    Once is not enough: before Python 3.12 `asyncio.wait_for`, on which psycopg's pool and the NATS client wait, can
    lose a cancellation (https://github.com/python/cpython/issues/86296).
    """
    going_on = {task for task in tasks if not task.done()}
    while going_on:
        for task in going_on:
            task.cancel()
        _, going_on = await asyncio.wait(going_on, timeout=_CANCEL_AGAIN_SECONDS)
