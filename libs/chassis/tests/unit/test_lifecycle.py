import asyncio
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress

import pytest
from photochanger_chassis.lifecycle import run_until_stopped


def _service(body: str) -> subprocess.Popen[str]:
    program = textwrap.dedent(
        """
        import asyncio
        from photochanger_chassis.lifecycle import run_service, run_until_stopped
        from photochanger_chassis.settings import SettingsError

        async def main(stop):
            print("started", flush=True)
        """
    ) + textwrap.indent(textwrap.dedent(body), "    ")
    return subprocess.Popen(
        [sys.executable, "-c", program + "\nrun_service(main)\n"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_service_end_in_order_with_code_zero(number: signal.Signals) -> None:
    with _service("await stop.wait()\nprint('drained')") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        process.send_signal(number)
        out, _ = process.communicate(timeout=20)
    assert "drained" in out
    assert process.returncode == 0


def test_a_second_signal_ends_a_drain_that_hangs() -> None:
    with _service(
        "await stop.wait()\nprint('draining', flush=True)\nawait asyncio.Event().wait()"
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        while "draining" not in process.stdout.readline():
            pass
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 1


def test_a_failing_background_task_ends_the_process_with_its_trace() -> None:
    body = """
    async def dies():
        raise KeyError("the reason")
    await run_until_stopped(stop, dies(), asyncio.Event().wait())
    """
    with _service(body) as process:
        out, error = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "the reason" in out + error


def test_wrong_settings_end_it_with_a_code_of_their_own_and_the_plain_message() -> None:
    with _service("raise SettingsError('NATS_URL is not set.')") as process:
        _, error = process.communicate(timeout=20)
    assert process.returncode == 78
    assert error.strip() == "NATS_URL is not set."


async def test_background_work_is_cancelled_and_awaited_when_the_service_stops() -> None:
    stop = asyncio.Event()
    cleaned = asyncio.Event()

    async def work() -> None:
        stop.set()
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.set()

    await run_until_stopped(stop, work())
    assert cleaned.is_set()


async def test_background_work_that_lost_its_cancellation_is_cancelled_again() -> None:
    stop = asyncio.Event()

    async def deaf_once() -> None:
        stop.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    async with asyncio.timeout(10):
        await run_until_stopped(stop, deaf_once())
