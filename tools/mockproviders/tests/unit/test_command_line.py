"""The mocks as a process of their own."""

from __future__ import annotations

import asyncio
import socket
import sys

import aiohttp
import pytest


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["gemini", "--port", "0", "--fast", "--result-bytes", "50000"], ["GEMINI_BASE_URL"]),
        (["turbotext"], ["TURBOTEXT_BASE_URL"]),
        (["--gemini-port", "0", "--turbotext-port", "0"], ["GEMINI_BASE_URL", "TURBOTEXT_BASE_URL"]),
    ],
)
async def test_a_process_prints_where_it_serves_and_ends_when_told(
    http: aiohttp.ClientSession, arguments: list[str], names: list[str]
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "photochanger_mockproviders", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        for expected in names:
            name, _, url = (await process.stdout.readline()).decode().strip().partition("=")
            assert name == expected
            async with http.get(url) as response:
                assert response.status == 404
    finally:
        process.terminate()
    assert await process.wait() == 0


async def test_a_process_says_what_to_type_to_use_it() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "photochanger_mockproviders", "--how-to"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        gemini = (await process.stdout.readline()).decode().strip()
        turbotext = (await process.stdout.readline()).decode().strip()
        lines: list[str] = []
        while not lines or "--slot slot-003" not in lines[-1]:
            lines.append((await process.stdout.readline()).decode().strip())
    finally:
        process.terminate()
    await process.wait()
    assert f"{gemini} GEMINI_API_KEY=any {turbotext} TURBOTEXT_API_KEY=any make up" in lines


async def test_a_port_that_is_taken_is_said_in_words() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "photochanger_mockproviders"),
            *("--gemini-port", str(taken.getsockname()[1])),
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
    assert process.returncode == 1
    assert b"already in use" in said
    assert b"--gemini-port" in said
    assert b"Traceback" not in said
