"""One stack for all tests of a worker that break nothing: each uses slots of its own, and the rules hold at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.platform import Platform, open_platform

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from photochanger_devstack.testing.run import Run


@pytest.fixture(scope="session")
async def shared_platform(devstack_run: Run) -> AsyncIterator[Platform]:
    """The running platform. When the last test is done, its whole history is checked."""
    async with open_platform(devstack_run) as platform:
        yield platform
        await platform.check()


@pytest.fixture
def platform(shared_platform: Platform) -> Iterator[Platform]:
    """The running platform; what a failed test left at a provider's gate is let go."""
    yield shared_platform
    shared_platform.gemini.release()
    shared_platform.turbotext.release()
