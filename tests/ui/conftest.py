"""Admins and guests in a real Chromium, on the stack that all tests of a worker share.

Tests here use slot-009, slot-011 and slot-012, whose plan each sets for itself, and put back what else they change.
Other tests let photos fail and time out there; slot-006 is for what only a slot in good order shows.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Final

import pytest
from harness.browser import Person, open_browser, person
from harness.past import Past, work_a_little
from photochanger_devstack.credentials import CredentialsFile
from photochanger_devstack.stack.plan import ADMIN

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from harness.platform import Platform
    from playwright.async_api import Browser, StorageState

COLLEAGUE: Final = "igor"
_COLLEAGUES_PASSWORD: Final = "canary-colleague-3c71"


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests of a worker."""
    if not (files("photochanger_gateway") / "web" / "index.html").is_file():
        pytest.fail("The admins' app has not been built. Run: make web")
    async with open_browser() as running:
        yield running


@pytest.fixture(scope="session")
async def session(browser: Browser, shared_platform: Platform) -> StorageState:
    """What a browser keeps once an admin has signed in: tests that are not about it need not type."""
    plan = shared_platform.stack.plan
    async with person(browser, plan.gateway_url) as admin:
        await admin.sign_in(ADMIN, plan.secrets.admin_password)
        return await admin.page.context.storage_state()


@pytest.fixture(scope="session")
async def colleagues_session(browser: Browser, shared_platform: Platform) -> StorageState:
    """The same of a second admin."""
    plan = shared_platform.stack.plan
    CredentialsFile(plan.layout.credentials).set_password(COLLEAGUE, _COLLEAGUES_PASSWORD)
    async with person(browser, plan.gateway_url) as colleague:
        await colleague.sign_in(COLLEAGUE, _COLLEAGUES_PASSWORD)
        return await colleague.page.context.storage_state()


@pytest.fixture(scope="session")
async def past(shared_platform: Platform) -> Past:
    """Something to see."""
    return await work_a_little(shared_platform)


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


@pytest.fixture
async def admin(
    browser: Browser, platform: Platform, session: StorageState, request: pytest.FixtureRequest
) -> AsyncIterator[Person]:
    """An admin who has signed in. A failed test leaves a picture of what they saw."""
    async with person(browser, platform.stack.plan.gateway_url, session=session) as somebody:
        failed_before = request.session.testsfailed
        yield somebody
        if request.session.testsfailed > failed_before:
            await somebody.photograph(f"failed-{request.node.name}")


@pytest.fixture
async def colleague(
    browser: Browser, platform: Platform, colleagues_session: StorageState
) -> AsyncIterator[Person]:
    """A second admin, with a browser of their own."""
    async with person(browser, platform.stack.plan.gateway_url, session=colleagues_session) as somebody:
        yield somebody
