"""Pages of the app while nothing answers, while there is nothing to show, and when the server says no."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest
from harness.browser import person
from harness.waiting import until
from playwright.async_api import expect

if TYPE_CHECKING:
    from harness.browser import Person
    from harness.past import Past
    from harness.platform import Platform
    from playwright.async_api import Browser, Route, StorageState

_PAGES: Final = (
    "/admin/",
    "/admin/slots/slot-009",
    "/admin/jobs",
    "/admin/jobs/{done}",
    "/admin/statistics",
    "/admin/gallery",
    "/admin/gallery?slot=slot-009",
    "/admin/queues",
    "/admin/settings",
    "/admin/settings/audit",
    "/admin/settings/api-keys",
    "/admin/webhooks",
    "/admin/webhooks?delivery={given_up}",
)
_LISTS: Final = {
    "/admin/": ("No slot fits",),
    "/admin/jobs": ("No jobs yet",),
    "/admin/jobs?slot=slot-009": ("No jobs match",),
    "/admin/statistics": ("No slot is switched on.", "No failures in this window. Well done!"),
    "/admin/gallery": ("No pictures yet",),
    "/admin/gallery?slot=slot-009": ("No pictures in this slot",),
    "/admin/queues": ("There are no queues", "No worker is alive"),
    "/admin/settings/audit": ("Nothing here",),
    "/admin/settings/api-keys": ("No program has a key yet",),
    "/admin/webhooks": ("Nothing has been sent yet",),
}
"""What each says when it is empty."""
_API: Final = "**/api/**"
_ALWAYS_THERE: Final = "/api/me"
_EVENTS: Final = "/api/events"
_UNAVAILABLE: Final = {
    "status": "error",
    "failure_reason": "storage_unavailable",
    "details": "ingest does not answer",
}
_IN_WORDS: Final = "A part of the platform is unavailable right now. Try again in a moment."
_A_WHILE: Final = 5_000
"""Longer than the app's longest pause between two tries. Milliseconds of the page's clock."""


def _path(route: Route) -> str:
    return urlsplit(route.request.url).path


def _id(page: str) -> str:
    return re.sub(r"\W+", "-", page.removeprefix("/admin/")) or "slots"


@pytest.mark.parametrize("page", _PAGES, ids=_id)
async def test_a_page_says_when_nothing_answers_and_recovers(page: str, admin: Person, past: Past) -> None:
    down = True

    async def answer(route: Route) -> None:
        # Events would bring the page back by themselves; here the admin's click is to do it.
        if _path(route) == _EVENTS or (down and _path(route) != _ALWAYS_THERE):
            await route.fulfill(status=503, json=_UNAVAILABLE)
        else:
            await route.continue_()

    app = admin.page
    await app.clock.install()
    await app.route(_API, answer)
    await admin.open(page.format_map(asdict(past)))
    again = app.get_by_role("alert").get_by_role("button", name="Try again")

    async def said() -> bool:
        await app.clock.fast_forward(_A_WHILE)  # it tries again by itself before it says so
        return await again.count() > 0

    await until(said, "an error")
    await admin.settled()
    await expect(app.get_by_text(_IN_WORDS).first).to_be_visible()
    assert await admin.barriers() == []
    down = False
    # All of them at once: one that has helped is gone.
    await again.evaluate_all("(buttons) => buttons.forEach((button) => button.click())")
    await expect(again).to_have_count(0)
    await admin.settled()
    await expect(again).to_have_count(0)
    await expect(app.get_by_text(_IN_WORDS)).to_have_count(0)


@pytest.mark.parametrize("page", _LISTS, ids=_id)
async def test_a_list_without_entries_says_so(page: str, admin: Person) -> None:
    async def answer(route: Route) -> None:
        if _path(route) in {_ALWAYS_THERE, _EVENTS}:
            await route.continue_()
        else:
            real = await route.fetch()
            await route.fulfill(response=real, body=json.dumps(_emptied(await real.json())))

    await admin.page.route(_API, answer)
    await admin.open(page)
    for words in _LISTS[page]:
        await expect(admin.page.get_by_text(words, exact=True)).to_be_visible()
    await admin.settled()
    assert await admin.barriers() == []


def _emptied(value: object) -> object:
    """An answer as it is when there is nothing: every list empty, no page after this one."""
    match value:
        case list():
            return []
        case dict():
            return {name: None if name == "next_cursor" else _emptied(inner) for name, inner in value.items()}
        case _:
            return value


async def test_who_reads_russian_is_told_in_russian_what_is_wrong(
    browser: Browser, platform: Platform, session: StorageState
) -> None:
    """The server has English words for it, and a code or a field's name."""

    async def sick(route: Route) -> None:
        real = await route.fetch()
        health = {"state": "degraded", "detail": "It did not answer.", "checked_at": None}
        providers = [provider | {"health": health, "healthy": False} for provider in await real.json()]
        await route.fulfill(response=real, json=providers)

    async def refuse(route: Route) -> None:
        if route.request.method != "PUT":
            return await route.continue_()
        wrong = [{"field": "limits.slot_queue", "message": "0 to 100"}]
        refusal = {"status": "error", "failure_reason": "invalid_request_body", "details": "1 field is wrong"}
        return await route.fulfill(status=422, json=refusal | {"errors": wrong})

    async with person(browser, platform.stack.plan.gateway_url, language="ru", session=session) as reader:
        page = reader.page
        await page.route("**/api/providers", sick)
        await page.route("**/api/settings", refuse)
        await reader.open("/admin/settings")
        health = page.get_by_role("listitem").filter(has_text="Google Gemini")
        await expect(health).to_contain_text("Не отвечает, не принимает ключ или оставлен на время в покое")
        await expect(health).not_to_contain_text("It did not answer.")
        await page.get_by_role("textbox", name="Ждёт в одном слоте").fill("7")
        await page.get_by_role("button", name="Сохранить изменения").click()
        await expect(page.get_by_text("Сервер не принял значение поля «Ждёт в одном слоте».")).to_be_visible()
        await expect(page.get_by_text("0 to 100")).to_have_count(0)
        await expect(page.get_by_text("1 field is wrong")).to_have_count(0)
