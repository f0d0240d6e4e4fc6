"""What admins show to guests, and for how long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.browser import person
from harness.slots import a_plan
from harness.waiting import until
from playwright.async_api import expect

if TYPE_CHECKING:
    from harness.browser import Person
    from harness.platform import Platform
    from playwright.async_api import Browser


async def test_galleries_open_to_guests_for_a_quarter_of_an_hour(
    browser: Browser, admin: Person, platform: Platform
) -> None:
    await platform.admin.use("slot-012", a_plan("local", "background_blur"))
    answer = await platform.camera.send("slot-012")
    await platform.quarter_of_an_hour_passes()

    async def has_a_preview() -> bool:
        response, _ = await platform.camera.get(f"/public/results/{answer.job_id}/preview")
        return response.status == 200

    await until(has_a_preview, "the preview")
    url = platform.stack.plan.gateway_url
    async with person(browser, url) as guest:
        await guest.open("/pubgallery")
        closed = guest.page.get_by_text("The galleries are closed right now.")
        await expect(closed).to_be_visible()
        page = admin.page
        await admin.open("/admin/gallery")
        await page.get_by_role("button", name="Share for 15 minutes").click()
        await expect(page.get_by_role("timer")).to_have_text(re.compile(r"^1[45]:\d\d left$"))
        await expect(page.get_by_text(f"{url}/pubgallery")).to_be_visible()
        await page.get_by_role("button", name="Show QR code: Guests' link").click()
        code = page.get_by_role("dialog").get_by_role("img", name="QR code of Guests' link")
        await expect(code).to_be_visible()
        assert await admin.barriers() == []
        await guest.page.reload()
        picture = guest.page.locator(f"img[src*='{answer.job_id}']")
        assert await picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
        async with guest.page.expect_download() as started:
            await guest.page.locator(f"a.button[href*='{answer.job_id}']").click()
        assert (await started.value).suggested_filename
        await platform.quarter_of_an_hour_passes()
        await guest.page.reload()
        await expect(closed).to_be_visible()
        await expect(picture).to_have_count(0)
        await page.reload()
        await expect(page.get_by_role("button", name="Share for 15 minutes")).to_be_visible()


async def test_a_slots_link_is_a_code_to_scan_and_a_text_to_copy(admin: Person, platform: Platform) -> None:
    page = admin.page
    link = f"{platform.stack.plan.gateway_url}/ingest/slot-012"
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await admin.open("/admin/")
    card = page.get_by_role("listitem").filter(has=page.locator("a[href$='/slots/slot-012']"))
    await card.get_by_role("button", name=re.compile("^Show QR code")).click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("img", name=re.compile("^QR code of"))).to_be_visible()
    assert await admin.barriers() == []
    await dialog.get_by_role("button", name=re.compile("^Copy")).click()
    await expect(dialog.get_by_role("status").get_by_text("Copied")).to_be_attached()
    assert await page.evaluate("() => navigator.clipboard.readText()") == link
    await page.keyboard.press("Escape")
    await expect(card.get_by_role("button", name=re.compile("^Show QR code"))).to_be_focused()


async def test_a_slot_is_switched_off_after_a_question_and_on_without(
    admin: Person, platform: Platform
) -> None:
    await platform.admin.use("slot-006", a_plan("local", "background_blur"))
    page = admin.page
    await admin.open("/admin/")
    card = page.get_by_role("listitem").filter(has=page.locator("a[href$='/slots/slot-006']"))
    switch = card.get_by_role("switch")
    await switch.click(force=True)
    await page.get_by_role("dialog").get_by_role("button", name="Switch off").click()
    await expect(card.get_by_text("Off", exact=True).first).to_be_visible()
    await expect(switch).not_to_be_checked()
    refused = await platform.camera.send("slot-006")
    assert (refused.status, refused.reason) == (404, "slot_disabled")
    await page.get_by_role("searchbox", name="Search slots").fill("slot-006")
    await expect(page.locator("main").get_by_role("listitem")).to_have_count(1)
    await switch.click(force=True)
    await expect(card.get_by_text("Active")).to_be_visible()
    assert (await platform.camera.send("slot-006")).status == 200
