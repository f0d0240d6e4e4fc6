"""What leaves a failed call."""

import asyncio

import pytest
from photochanger_chassis.errors import Unavailable
from photochanger_chassis.grpc.errors import translate_rpc_errors


async def test_a_call_that_cancelled_itself_is_unavailable() -> None:
    with pytest.raises(Unavailable), translate_rpc_errors():
        raise asyncio.CancelledError


async def test_a_cancelled_caller_stays_cancelled() -> None:
    waiting = asyncio.Event()

    async def call() -> None:
        with translate_rpc_errors():
            waiting.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(call())
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_caller_whose_time_is_up_meets_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            with translate_rpc_errors():
                await asyncio.Event().wait()
