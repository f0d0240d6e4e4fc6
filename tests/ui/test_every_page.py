"""Every page there is: nobody is kept out of it, it fits its screen, and a picture of it is kept to look at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import pytest
from harness.browser import person

if TYPE_CHECKING:
    from harness.browser import Language, Scheme
    from harness.past import Past
    from harness.platform import Platform
    from playwright.async_api import Browser, StorageState

_LANGUAGES: Final[tuple[Language, ...]] = ("en", "ru")
_SCHEMES: Final[tuple[Scheme, ...]] = ("light", "dark")
_PHONE: Final = (360, 780)
_WALL: Final = (3840, 2160)


@dataclass(frozen=True, slots=True)
class _Page:
    name: str
    path: str
    """With the ids of a past in braces."""
    guests: bool = False
    """Whether it is seen without a login."""
    reference: bool = False
    """Whether it is a long text to look things up in: checked in one language, and no screenshots."""


_PAGES: Final = (
    _Page("login", "/admin/login", guests=True),
    _Page("slots", "/admin/"),
    _Page("slot", "/admin/slots/slot-009"),
    _Page("jobs", "/admin/jobs"),
    _Page("job", "/admin/jobs/{done}"),
    _Page("job-failed", "/admin/jobs/{failed}"),
    _Page("statistics", "/admin/statistics"),
    _Page("gallery", "/admin/gallery"),
    _Page("settings", "/admin/settings"),
    _Page("audit", "/admin/settings/audit"),
    _Page("queues", "/admin/queues"),
    _Page("api-keys", "/admin/settings/api-keys"),
    _Page("job-of-program", "/admin/jobs/{told}"),
    _Page("webhooks", "/admin/webhooks"),
    _Page("webhook", "/admin/webhooks?delivery={given_up}"),
    _Page("nowhere", "/admin/no/such/page"),
    _Page("start", "/", guests=True),
    _Page("public-gallery", "/public/slots/slot-009", guests=True),
    _Page("pubgallery", "/pubgallery", guests=True),
    _Page("api", "/docs", guests=True, reference=True),
)
_ALL: Final = [pytest.param(page, id=page.name) for page in _PAGES]
_LEAST_OF_A_WALL: Final = 0.6
"""The share of a 4K screen's width that a page of the app has use for."""
_EXTENT: Final = """(main) => {
  const range = document.createRange();
  const boxes = [...main.querySelectorAll("*")]
    .filter((element) => element.children.length === 0 && element.checkVisibility())
    .map((element) => { range.selectNode(element); return range.getBoundingClientRect(); })
    .filter(({width, height}) => width > 1 && height > 1);
  return Math.max(...boxes.map(({right}) => right)) - Math.min(...boxes.map(({left}) => left));
}"""
"""From the first thing to be seen on the left to the last on the right; containers do not count."""


@pytest.mark.parametrize("page", _ALL)
async def test_nobody_is_kept_out_of_a_page(
    page: _Page, browser: Browser, platform: Platform, session: StorageState, past: Past
) -> None:
    found: list[str] = []
    url = platform.stack.plan.gateway_url
    for language in _LANGUAGES[:1] if page.reference else _LANGUAGES:
        who = None if page.guests else session
        async with person(browser, url, language=language, session=who) as reader:
            await reader.open(page.path.format_map(asdict(past)))
            await reader.settled()
            found += [f"{language}: {barrier}" for barrier in await reader.barriers()]
            for scheme in _SCHEMES:
                await reader.prefer(scheme)
                if scheme == "dark":
                    found += [f"{language}, dark: {it}" for it in await reader.barriers(colours=True)]
                if not page.reference:
                    await reader.photograph(f"{page.name}-{language}-{scheme}")
    assert found == []


@pytest.mark.parametrize("page", _ALL)
async def test_a_page_fits_a_phone(
    page: _Page, browser: Browser, platform: Platform, session: StorageState, past: Past
) -> None:
    width, height = _PHONE
    who = None if page.guests else session
    async with person(
        browser, platform.stack.plan.gateway_url, language="ru", session=who, width=width, height=height
    ) as reader:
        await reader.open(page.path.format_map(asdict(past)))
        await reader.settled()
        assert await reader.page.evaluate("() => document.documentElement.scrollWidth") <= width
        if not page.reference:
            await reader.photograph(f"{page.name}-phone")


@pytest.mark.parametrize("page", _ALL)
async def test_a_page_fills_a_wall(
    page: _Page, browser: Browser, platform: Platform, session: StorageState, past: Past
) -> None:
    width, height = _WALL
    who = None if page.guests else session
    async with person(
        browser, platform.stack.plan.gateway_url, session=who, width=width, height=height
    ) as reader:
        await reader.open(page.path.format_map(asdict(past)))
        await reader.settled()
        if not page.reference:
            await reader.photograph(f"{page.name}-4k")
        assert await reader.page.evaluate("() => document.documentElement.scrollWidth") <= width
        if page.guests or page.name == "nowhere":
            return  # a card in the middle, or what the public pages are for: a phone
        heading = await reader.page.locator("main h1").bounding_box()
        # From further away letters must be larger: 30 px would be the size on a desk.
        assert heading is not None
        assert heading["height"] > 45
        assert await reader.page.locator("main").evaluate(_EXTENT) >= _LEAST_OF_A_WALL * width
