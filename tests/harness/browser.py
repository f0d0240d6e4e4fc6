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
    from collections.abc import AsyncIterator, Mapping

    from playwright.async_api import Locator, StorageState

Language = Literal["en", "ru"]
Scheme = Literal["light", "dark"]
ARTIFACTS: Final = Path(__file__).parent.parent / ".artifacts" / "ui"
"""Where screenshots go; git ignores it."""
PATIENCE_SECONDS: Final = 20.0
_MOST_PRESSES: Final = 200
_WEB: Final = this_checkout() / "services" / "admin-gateway" / "web"
_AXE: Final = _WEB / "node_modules" / "axe-core" / "axe.min.js"
_AUDIT: Final = """async (rules) => (await axe.run({resultTypes: ["violations"], ...rules})).violations.flatMap(
  ({id, help, nodes}) => nodes.map(({target, failureSummary}) =>
    `${id}: ${help} [${target.join(" ")}] ${failureSummary.replace(/\\s+/g, " ")}`))"""
_COLOURS: Final = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
_SETTLED: Final = """() => {
  for (const image of document.images) image.loading = "eager";
  return document.querySelector(".mantine-Skeleton-root, .mantine-Loader-root") === null
    && [...document.images].every((image) => image.complete)
    && document.getAnimations().every(({playState}) => playState !== "running");
}"""
"""Nothing loads or moves any more, pictures below the screen's edge included."""
_DRAWN: Final = "() => Promise.allSettled([...document.images].map((image) => image.decode()))"
"""Pictures that are there are on the screen, too."""
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

    async def press_until(self, key: str, target: Locator) -> None:
        """Presses a key until `target` has the focus. Raises `AssertionError` when that leads nowhere."""
        await expect(target).to_be_visible()
        for _ in range(_MOST_PRESSES):
            await self.page.keyboard.press(key)
            if await target.evaluate("(element) => element === document.activeElement"):
                return
        raise AssertionError(f"{key} does not lead to {target}")

    async def settled(self) -> None:
        """Waits until nothing on the page loads or moves any more."""
        await expect(self.page.locator("h1").first).to_be_visible()
        await self.page.wait_for_function(_SETTLED)
        await self.page.evaluate(_DRAWN)

    async def prefer(self, scheme: Scheme) -> None:
        """Switches the device between light and dark; returns when the page has followed."""
        await self.page.emulate_media(color_scheme=scheme)
        app = self.page.locator("html[data-mantine-color-scheme]")
        if await app.count():
            await expect(app).to_have_attribute("data-mantine-color-scheme", scheme)
        await self.settled()

    async def barriers(self, *, colours: bool = False) -> list[str]:
        """What axe finds on the page as it is now that keeps people out.

        By every rule axe has on by default, WCAG 2.2 A and AA and what it calls best practices; or by those only
        that another colour scheme could break.
        """
        if not _AXE.exists():
            raise RuntimeError("axe-core is not installed. Run: make web")
        if not await self.page.evaluate("() => 'axe' in window"):
            # Through the debugger, which no content security policy stands against.
            await self.page.evaluate(f"{_AXE.read_text()};0")
        found: list[str] = await self.page.evaluate(_AUDIT, _COLOURS if colours else {})
        return found

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
    session: StorageState | None = None,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Person]:
    """Opens a browser window with nothing remembered but `session`; `headers` go with every request.

    When left in peace, asserts that no page complained.
    """
    context = await browser.new_context(
        locale={"en": "en-GB", "ru": "ru-RU"}[language],
        color_scheme=scheme,
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        accept_downloads=True,
        storage_state=session,
        extra_http_headers=dict(headers or {}),
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
        assert complaints == []
    finally:
        await context.close()


async def choose(page: Page, field: str, option: str) -> None:
    """Picks an option of a field with a list."""
    await page.get_by_role("textbox", name=field, exact=True).click()
    await page.get_by_role("option", name=option, exact=True).click()


async def drag_in(page: Page, target: Locator, file: Path) -> None:
    """Drags a file from outside the browser onto a part of the page, and lets it go there."""
    await target.scroll_into_view_if_needed()
    box = await target.bounding_box()
    if box is None:
        raise AssertionError(f"{target} cannot be seen")
    where = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    what = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
    debugger = await page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        await debugger.send("Input.dispatchDragEvent", {"type": kind, "data": what, **where})
    await debugger.detach()
