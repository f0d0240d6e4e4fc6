"""A real Chromium, and the admins' app in it as a person sees it."""

from __future__ import annotations

import os
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from photochanger_devstack.stack.layout import this_checkout
from playwright.async_api import Browser, ConsoleMessage, Page, Response, async_playwright, expect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Language = Literal["en", "ru"]
Scheme = Literal["light", "dark"]
ARTIFACTS: Final = Path(__file__).parent.parent / ".artifacts" / "ui"
"""Where screenshots go; git ignores it."""
PATIENCE_SECONDS: Final = 20.0
_ARGUMENTS: Final = (
    "--no-sandbox",  # containers have no user namespaces; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def chromium() -> Path:
    """The browser `make browser` found, or the one `CHROMIUM` names."""
    named = os.environ.get("CHROMIUM") or shutil.which("chromium")
    found = Path(named) if named else this_checkout() / ".local" / "browser" / "chromium"
    if not found.exists():
        raise RuntimeError("There is no browser for the tests. Run: make browser")
    return found


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Starts Chromium; ends it when left."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=_ARGUMENTS)
        try:
            yield browser
        finally:
            await browser.close()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a browser of their own, who notices errors that a page only tells its console."""

    page: Page
    base_url: str
    complaints: list[str]

    async def open(self, path: str) -> None:
        """Opens an address of the gateway."""
        await self.page.goto(f"{self.base_url}{path}")

    async def sign_in(self, username: str, password: str) -> None:
        """Signs in as an admin; returns when the first page is there."""
        await self.open("/admin/login")
        await self.page.locator("input[autocomplete=username]").fill(username)
        await self.page.locator("input[type=password]").fill(password)
        await self.page.locator("button[type=submit]").click()
        await expect(self.page.get_by_role("navigation").first).to_be_visible()

    async def photograph(self, name: str) -> None:
        """Writes a screenshot of the whole page to the artifacts."""
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True, animations="disabled")


@asynccontextmanager
async def person(
    browser: Browser,
    base_url: str,
    *,
    language: Language = "en",
    scheme: Scheme = "light",
    width: int = 1280,
    height: int = 900,
) -> AsyncIterator[Person]:
    """Opens a browser window with nothing remembered."""
    context = await browser.new_context(
        locale={"en": "en-GB", "ru": "ru-RU"}[language],
        color_scheme=scheme,
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        accept_downloads=True,
    )
    context.set_default_timeout(PATIENCE_SECONDS * 1000)
    expect.set_options(timeout=PATIENCE_SECONDS * 1000)
    page = await context.new_page()
    complaints: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        # Chromium reports every answer of 400 and more; the page is to say those itself.
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def answered(response: Response) -> None:
        if response.status == 500:
            complaints.append(f"{response.status} for {response.url.partition('?')[0]}")

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", answered)
    try:
        yield Person(page, base_url, complaints)
    finally:
        await context.close()
