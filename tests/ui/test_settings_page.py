"""What holds for all slots, and the record of who changed what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.platform import TURBOTEXT_KEY
from harness.slots import a_plan
from playwright.async_api import expect

if TYPE_CHECKING:
    from harness.browser import Person
    from harness.platform import Platform


async def test_a_changed_setting_counts_from_the_next_photo_on(admin: Person, platform: Platform) -> None:
    before = await platform.admin.settings()
    await platform.admin.use("slot-012", a_plan("local", "background_blur"))
    page = admin.page
    await admin.open("/admin/settings")
    slider = page.get_by_role("slider", name="Response time")
    await slider.focus()
    await page.keyboard.press("Home")
    await page.keyboard.press("ArrowRight")
    await expect(slider).to_have_attribute("aria-valuenow", "11")
    await page.get_by_role("textbox", name="Keep results for, hours").fill("900")
    await expect(page.get_by_text("A whole number from 24 to 168.")).to_be_visible()
    await expect(page.get_by_role("button", name="Save changes")).to_be_disabled()
    await page.get_by_role("textbox", name="Keep results for, hours").fill("48")
    # A button that cannot be pressed may be faint: whether it can is settled before anybody looks.
    await expect(page.get_by_role("button", name="Save changes")).to_be_enabled()
    await admin.settled()
    assert await admin.barriers() == []
    await page.get_by_role("button", name="Save changes").click()
    try:
        await expect(page.get_by_text("Settings saved")).to_be_visible()
        answer = await platform.camera.send("slot-012")
        assert answer.status == 200, answer.reason
        await admin.open(f"/admin/jobs/{answer.job_id}")
        await expect(page.get_by_text(re.compile("of 11 sec$"))).to_be_visible()
    finally:
        await platform.admin.change_settings(before, "sync_response", "result_retention")
    await admin.open("/admin/settings/audit")
    entry = page.get_by_role("row").filter(has_text="Changed the settings").first
    await expect(entry).to_contain_text("serg")
    await expect(entry).to_contain_text("127.0.0.1")
    await expect(entry).to_contain_text("Done")
    await entry.get_by_role("button", name="Show facts").click()
    assert await admin.barriers() == []
    await page.get_by_label("Who").fill("nobody-of-that-name")
    await expect(page.get_by_text("No entry fits, or nothing was changed yet.")).to_be_visible()


async def test_a_providers_key_is_written_never_shown_and_taken_away_again(
    admin: Person, platform: Platform
) -> None:
    page = admin.page
    await admin.open("/admin/settings")
    await page.get_by_role("button", name="Turbotext: Set key").click()
    dialog = page.get_by_role("dialog", name="Turbotext")
    field = dialog.get_by_role("textbox", name="API key of Turbotext")
    await field.fill("short")
    await dialog.get_by_role("button", name="Save key").click()
    await expect(dialog.get_by_text("8 to 512 characters, no spaces.")).to_be_visible()
    assert await admin.barriers() == []
    await field.fill(TURBOTEXT_KEY)
    await dialog.get_by_role("button", name="Save key").click()
    await expect(page.get_by_text("The key of Turbotext is saved")).to_be_visible()
    await page.reload()
    keys = page.get_by_role("region", name="Providers and keys")
    await expect(keys).to_contain_text(f"Stored here · ends with {TURBOTEXT_KEY[-4:]}")
    assert TURBOTEXT_KEY not in await page.content()
    await page.get_by_role("button", name="Turbotext: Remove key").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove key").click()
    await expect(page.get_by_role("button", name="Turbotext: Remove key")).to_have_count(0)


async def test_the_ingest_password_is_shown_once_and_counts_at_once(
    admin: Person, platform: Platform
) -> None:
    await platform.admin.use("slot-012", a_plan("local", "background_blur"))
    password = platform.stack.plan.secrets.ingest_password
    page = admin.page
    await admin.open("/admin/settings")
    await page.get_by_role("button", name="Set a new password").click()
    field = page.get_by_role("textbox", name="New password")
    await page.get_by_role("button", name="Generate").click()
    await expect(field).to_have_value(re.compile(r"^\S{12,64}$"))
    # The one all cameras of the tests have, so that they go on.
    await field.fill(password)
    await page.get_by_role("button", name="Set password").click()
    await page.get_by_role("dialog").get_by_role("button", name="Set password").click()
    await expect(page.get_by_text("This is the only time it is shown.")).to_be_visible()
    await expect(page.get_by_text(password)).to_be_visible()
    assert (await platform.camera.send("slot-012")).status == 200
    await page.get_by_role("button", name="I have copied it").click()
    await expect(page.get_by_text(password)).to_have_count(0)


async def test_a_cleanup_is_asked_about_first(admin: Person) -> None:
    page = admin.page
    await admin.open("/admin/settings")
    await page.get_by_role("button", name="Clean up now").click()
    dialog = page.get_by_role("dialog", name="Clean up now?")
    assert await admin.barriers() == []
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(dialog).to_have_count(0)
    await page.get_by_role("button", name="Clean up now").click()
    await dialog.get_by_role("button", name="Clean up").click()
    await expect(page.get_by_text("Cleanup has begun")).to_be_visible()


async def test_settings_that_were_typed_are_not_lost_by_a_wrong_click(
    admin: Person, platform: Platform
) -> None:
    before = await platform.admin.settings()
    page = admin.page
    await admin.open("/admin/settings")
    hours = page.get_by_role("textbox", name="Keep results for, hours")
    await hours.fill("49")
    await page.get_by_role("navigation").get_by_role("link", name="Jobs").click()
    dialog = page.get_by_role("dialog", name="Leave without saving?")
    await dialog.get_by_role("button", name="Stay").click()
    await expect(dialog).to_have_count(0)
    await expect(hours).to_have_value("49")
    await page.get_by_role("link", name="API keys").click()
    await dialog.get_by_role("button", name="Leave").click()
    await expect(page.get_by_role("heading", name="API keys", level=1)).to_be_visible()
    assert await platform.admin.settings() == before
