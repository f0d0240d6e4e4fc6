"""The mocks as a process of their own."""

from __future__ import annotations

import asyncio
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
