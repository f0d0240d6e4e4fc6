"""Admins and guests in a real Chromium, on the stack that all tests of a worker share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from harness.browser import ARTIFACTS, Person, open_browser, person
from photochanger_devstack.stack.plan import ADMIN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from harness.platform import Platform
    from playwright.async_api import Browser


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of a worker."""
    async with open_browser() as running:
        yield running


@pytest.fixture
async def visitor(
    browser: Browser, platform: Platform, request: pytest.FixtureRequest
) -> AsyncIterator[Person]:
    """Somebody who is not signed in. A failed test leaves a picture of what they saw."""
    async with person(browser, platform.stack.plan.gateway_url) as somebody:
        failed_before = request.session.testsfailed
        yield somebody
        if request.session.testsfailed > failed_before:
            await somebody.photograph(f"failed-{request.node.name}")
        assert somebody.complaints == [], f"the page complained; pictures are in {ARTIFACTS}"


@pytest.fixture
async def admin(visitor: Person, platform: Platform) -> Person:
    """An admin who has signed in."""
    await visitor.sign_in(ADMIN, platform.stack.plan.secrets.admin_password)
    return visitor
