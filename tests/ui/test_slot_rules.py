"""What a slot asks of cameras for itself: its own password, its own limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.slots import a_plan, gemini
from photochanger_mockproviders import Match
from playwright.async_api import expect

if TYPE_CHECKING:
    from harness.browser import Person
    from harness.platform import Platform
    from playwright.async_api import Page

_OWN_PASSWORD: Final = "canary-slot-5d20e8"
_SAVED: Final = re.compile(r"Saved\. Version \d+ counts from the next photo\.")


async def _save(page: Page) -> None:
    await page.get_by_role("region", name="Unsaved changes").get_by_role("button", name="Save").click()
    await expect(page.get_by_text(_SAVED)).to_be_visible()


async def test_a_slot_has_a_password_of_its_own_until_it_is_taken_away(
    admin: Person, platform: Platform
) -> None:
    slot, send, page = "slot-011", platform.camera.send, admin.page
    await platform.admin.use(slot, a_plan("local", "background_blur"))
    await admin.open(f"/admin/slots/{slot}")
    await page.get_by_role("button", name="Advanced").click()
    part = page.get_by_role("group", name="Ingest password")
    await part.get_by_role("button", name="Set its own").click()
    await part.get_by_label("New password of the slot").fill("short")
    await expect(part.get_by_text("8 to 64 characters.", exact=True)).to_be_visible()
    await part.get_by_label("New password of the slot").fill(_OWN_PASSWORD)
    await _save(page)
    try:
        await expect(part.get_by_text("This slot has its own ingest password.")).to_be_visible()
        assert _OWN_PASSWORD not in await page.content()
        theirs = await send(slot)
        assert (theirs.status, theirs.reason) == (401, "invalid_password")
        assert (await send(slot, password=_OWN_PASSWORD)).status == 200
    finally:
        await page.reload()
        await page.get_by_role("button", name="Advanced").click()
        await part.get_by_role("button", name="Use the platform's").click()
        await _save(page)
    await expect(part.get_by_text("This slot uses the platform's ingest password.")).to_be_visible()
    assert (await send(slot, password=_OWN_PASSWORD)).status == 401
    assert (await send(slot)).status == 200


async def test_limits_set_on_a_slots_page_count_from_the_next_photo_on(
    admin: Person, platform: Platform
) -> None:
    slot, page = "slot-012", admin.page
    await platform.admin.use(slot, gemini("One at a time. {{shot}}"))
    await admin.open(f"/admin/slots/{slot}")
    await page.get_by_role("button", name="Advanced").click()
    await page.get_by_role("textbox", name="Photos at once").fill("99")
    await expect(page.get_by_text("From 1 to 50.")).to_be_visible()
    await page.get_by_role("textbox", name="Photos at once").fill("1")
    await page.get_by_role("textbox", name="Waiting places").fill("0")
    await _save(page)
    gate = platform.gemini.hold(Match(prompt="One at a time."))
    async with platform.camera.sending(slot) as first:
        await platform.held(gate)
        second = await platform.camera.send(slot)
        assert (second.status, second.reason) == (429, "rate_limited")
        gate.release()
        assert (await first).status == 200
