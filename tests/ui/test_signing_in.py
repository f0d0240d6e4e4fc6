"""The way in, the way out, and who is kept outside."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.browser import person
from harness.slots import a_plan
from photochanger_devstack.stack.plan import ADMIN
from playwright.async_api import expect

if TYPE_CHECKING:
    from harness.browser import Person
    from harness.platform import Platform
    from playwright.async_api import Browser, StorageState

_WRONG = "canary-wrong-password-5a"


async def test_an_admin_signs_in_and_gets_where_they_wanted_to_go(
    visitor: Person, platform: Platform
) -> None:
    page = visitor.page
    await visitor.open("/admin/jobs?status=failed")
    await expect(page).to_have_url(re.compile(r"/admin/login\?return="))
    await expect(page.get_by_label("User name")).to_be_focused()
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_text("Enter your user name.")).to_be_visible()
    await page.get_by_label("User name").fill(ADMIN)
    await page.get_by_label("Password", exact=True).fill(platform.stack.plan.secrets.admin_password)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
    await expect(page).to_have_url(re.compile(r"/admin/jobs\?status=failed$"))
    cookies = await page.context.cookies()
    assert [(cookie["httpOnly"], cookie["sameSite"]) for cookie in cookies] == [(True, "Strict")]
    assert await page.evaluate("() => Object.values({...localStorage, ...sessionStorage}).join()") == ""
    await page.reload()
    await expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
    await visitor.open("/admin/login")
    await expect(page.get_by_role("heading", name="Slots", level=1)).to_be_visible()


async def test_a_wrong_password_is_told_and_ten_of_them_make_one_wait(
    browser: Browser, platform: Platform, session: StorageState
) -> None:
    plan = platform.stack.plan
    stranger = {"X-Forwarded-For": "203.0.113.7"}
    async with person(browser, plan.gateway_url, headers=stranger) as somebody:
        page = somebody.page
        await somebody.open("/admin/login")
        await page.get_by_label("User name").fill(ADMIN)
        await page.get_by_label("Password", exact=True).fill(_WRONG)
        sign_in = page.get_by_role("button", name="Sign in")
        await sign_in.click()
        alert = page.get_by_role("alert")
        await expect(alert).to_contain_text("Wrong user name or password")
        await expect(page.get_by_label("Password", exact=True)).to_be_focused()
        # Nine more, past the form: what it does with each was just seen.
        wrong = {"username": ADMIN, "password": _WRONG}
        answers = [await page.request.post(f"{plan.gateway_url}/api/login", data=wrong) for _ in range(9)]
        assert [answer.status for answer in answers] == [401] * 9
        await page.get_by_label("Password", exact=True).fill(plan.secrets.admin_password)
        await sign_in.click()
        wait = page.get_by_role("timer")
        await expect(wait).to_contain_text(
            re.compile(r"Too many failed attempts\. Try again in 1[45]:\d\d\.")
        )
        await expect(sign_in).to_be_disabled()
        assert await somebody.barriers() == []
    # The one whose account it is comes from an address of their own, and is let in.
    async with person(browser, plan.gateway_url) as owner:
        await owner.sign_in(ADMIN, plan.secrets.admin_password)


async def test_signing_out_ends_the_session_also_for_who_kept_its_cookie(
    browser: Browser, visitor: Person, platform: Platform
) -> None:
    plan = platform.stack.plan
    await visitor.sign_in(ADMIN, plan.secrets.admin_password)
    kept = await visitor.page.context.storage_state()
    async with person(browser, plan.gateway_url, session=kept) as other:
        await other.open("/admin/")
        await expect(other.page.get_by_role("heading", name="Slots", level=1)).to_be_visible()
        await visitor.page.get_by_role("button", name=f"Account and preferences of {ADMIN}").click()
        await visitor.page.get_by_role("button", name="Sign out").click()
        await expect(visitor.page.get_by_role("button", name="Sign in")).to_be_visible()
        answer = await other.page.request.get(f"{plan.gateway_url}/api/slots")
        assert answer.status == 401
        await other.page.get_by_role("link", name="Jobs").click()
        await expect(other.page.get_by_role("button", name="Sign in")).to_be_visible()
    await visitor.page.go_back()
    await expect(visitor.page.get_by_role("button", name="Sign in")).to_be_visible()
    await visitor.open("/admin/settings")
    await expect(visitor.page.get_by_role("button", name="Sign in")).to_be_visible()


async def test_the_app_speaks_the_browsers_language_until_another_is_chosen(
    browser: Browser, platform: Platform
) -> None:
    plan = platform.stack.plan
    async with person(browser, plan.gateway_url, language="ru") as admin:
        page = admin.page
        await admin.open("/admin/login")
        await expect(page.get_by_role("heading", name="Привет!")).to_be_visible()
        await expect(page.locator("html")).to_have_attribute("lang", "ru")
        await admin.sign_in(ADMIN, plan.secrets.admin_password)
        await expect(page.get_by_role("heading", name="Слоты", level=1)).to_be_visible()
        await page.get_by_role("link", name="Статистика").click()
        await expect(page.get_by_role("heading", name="Статистика", level=1)).to_be_visible()
        await page.locator("header").get_by_role("button").last.click()
        assert await admin.barriers() == []
        await page.get_by_text("English", exact=True).click()
        await expect(page.get_by_role("heading", name="Statistics", level=1)).to_be_visible()
        await expect(page.locator("html")).to_have_attribute("lang", "en")
        # Pages seen before speak it, too, and those that come only now.
        navigation = page.get_by_role("navigation", name="Main")
        await navigation.get_by_role("link", name="Slots").click()
        await expect(page.get_by_role("searchbox", name="Search slots")).to_be_visible()
        await navigation.get_by_role("link", name="Jobs").click()
        await expect(page.get_by_text("Every photo that came in, newest first.")).to_be_visible()
        await navigation.get_by_role("link", name="Statistics").click()
        await page.locator("header").get_by_role("button").last.click()
        await page.get_by_text("Dark", exact=True).click()
        await expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
        await page.reload()
        await expect(page.get_by_role("heading", name="Statistics", level=1)).to_be_visible()
        await expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")


async def test_everything_needed_can_be_done_without_a_mouse(visitor: Person, platform: Platform) -> None:
    await platform.admin.use("slot-009", a_plan("local", "golden_hour"))
    page = visitor.page
    press = page.keyboard.press
    await visitor.open("/admin/login")
    await expect(page.get_by_label("User name")).to_be_focused()
    await page.keyboard.type(ADMIN)
    await press("Tab")
    await page.keyboard.type(platform.stack.plan.secrets.admin_password)
    await press("Enter")
    await expect(page.get_by_role("heading", name="Slots", level=1)).to_be_visible()
    await press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await press("Enter")
    # From slot to slot, as a reader goes, until the wanted one has the focus.
    await visitor.press_until("Tab", page.locator("main a[href$='/admin/slots/slot-009']").first)
    await press("Enter")
    await visitor.press_until("Tab", page.get_by_role("textbox", name="Name"))
    await press("ControlOrMeta+a")
    await page.keyboard.type("By hand alone")
    await press("ControlOrMeta+s")
    await expect(page.get_by_role("heading", name="By hand alone", level=1)).to_be_visible()
    await expect(page.get_by_text("Saved. Version")).to_be_visible()
    await visitor.press_until("Shift+Tab", page.get_by_role("button", name=f"preferences of {ADMIN}"))
    await press("Enter")
    await visitor.press_until("Tab", page.get_by_role("button", name="Sign out"))
    await press("Enter")
    await expect(page.get_by_label("User name")).to_be_focused()
