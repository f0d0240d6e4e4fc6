"""One stack whose processes the fault tests kill; healed after each, and all rules hold over its whole history."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from harness.platform import Platform, open_platform
from harness.slots import ALL_SLOTS, gemini

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from photochanger_devstack.testing.run import Run


@pytest.fixture(scope="session")
async def faulty_platform(devstack_run: Run) -> AsyncIterator[Platform]:
    """The running platform; Gemini edits the photos of all slots."""
    async with open_platform(devstack_run) as platform:
        for slot_id in ALL_SLOTS:
            await platform.admin.use(slot_id, gemini())
        yield platform


@pytest.fixture
async def platform(faulty_platform: Platform) -> AsyncIterator[Platform]:
    """The platform, whole again after the test."""
    yield faulty_platform
    faulty_platform.gemini.release()
    await asyncio.to_thread(faulty_platform.stack.heal)
    await faulty_platform.whole()
