"""One slot's page: its values, its templates, trying it, and two admins at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.browser import choose, drag_in
from harness.camera import PHOTOS
from harness.slots import a_plan, gemini
from harness.waiting import until
from photochanger_mockproviders import GeminiKnob, Match
from playwright.async_api import expect

if TYPE_CHECKING:
    from harness.browser import Person
    from harness.platform import Platform
    from playwright.async_api import Dialog, FilePayload, Page

_SLOT: Final = "slot-009"
_PAGE: Final = f"/admin/slots/{_SLOT}"
_PORTRAIT: Final = PHOTOS / "portrait-512.png"
_SAVED: Final = re.compile(r"Saved\. Version \d+ counts from the next photo\.")


async def _save(page: Page) -> None:
    await page.get_by_role("region", name="Unsaved changes").get_by_role("button", name="Save").click()
    await expect(page.get_by_text(_SAVED)).to_be_visible()


async def test_a_slot_gets_another_provider_with_the_form_it_wants(admin: Person, platform: Platform) -> None:
    await platform.admin.use(_SLOT, a_plan("local", "golden_hour"))
    page = admin.page
    await admin.open(_PAGE)
    await expect(page.get_by_role("slider", name="Strength")).to_be_visible()
    await choose(page, "Provider", "Google Gemini")
    await choose(page, "Operation", "Edit by prompt")
    await expect(page.get_by_role("slider", name="Strength")).to_have_count(0)
    prompt = page.get_by_role("textbox", name="Prompt", exact=True)
    await expect(prompt).to_be_visible()
    await page.get_by_role("button", name=re.compile("^Save")).click()
    await expect(page.get_by_text("This is needed.").first).to_be_visible()
    await expect(prompt).to_be_focused()
    await prompt.fill("A wreath for ")
    await page.get_by_role("button", name="Insert a form field").click()
    await page.get_by_label("Another field's name").fill("first_name")
    await page.get_by_role("button", name="Insert", exact=True).click()
    await expect(prompt).to_have_value(re.compile(r"^A wreath for \{\{first_name.*\}\}$"))
    await choose(page, "Aspect ratio", "3:4")
    await _save(page)
    await page.reload()
    await expect(prompt).to_have_value(re.compile("^A wreath for "))
    answer = await platform.camera.send(_SLOT, fields={"first_name": "Ada"})
    assert answer.status == 200, answer.reason
    (call,) = [call for call in platform.gemini.calls if call.request.prompt == "A wreath for Ada"]
    assert call.request.aspect_ratio == "3:4"


async def test_templates_are_dragged_in_replaced_and_removed(admin: Person, platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini("Like the other."))
    page = admin.page
    await admin.open(_PAGE)
    await choose(page, "Operation", "Style of a picture")
    role = page.get_by_role("group", name="Picture with the style")
    await drag_in(page, role.locator("label").first, _PORTRAIT)
    picture = role.get_by_role("img", name="Picture with the style, picture 1")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    no_picture: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    add = role.get_by_label("Picture with the style: Add a picture")
    await add.set_input_files([no_picture])
    await expect(role.get_by_role("alert")).to_contain_text("notes.txt: only JPEG, PNG and WebP")
    broken: FilePayload = {
        "name": "broken.png",
        "mimeType": "image/png",
        "buffer": b"\x89PNG\r\n\x1a\nbroken",
    }
    await add.set_input_files([broken])
    await expect(role.get_by_role("alert")).to_contain_text("broken.png: ")
    await add.set_input_files(PHOTOS / "portrait-1024.webp")
    await expect(role.get_by_role("img", name="picture 2")).to_be_visible()
    first = await picture.get_attribute("src")
    replace = role.get_by_label("Replace Picture with the style, picture 1")
    await replace.set_input_files(PHOTOS / "portrait-1536.jpg")
    await expect(picture).not_to_have_attribute("src", str(first))
    await role.get_by_role("button", name="Remove Picture with the style, picture 2").click()
    await expect(role.get_by_role("img", name="picture 2")).to_have_count(0)
    assert await admin.barriers() == []
    await _save(page)
    answer = await platform.camera.send(_SLOT)
    assert answer.status == 200, answer.reason
    assert [part for part in platform.gemini.calls[-1].request.part_kinds if part == "image"] == ["image"] * 2


async def test_a_test_run_uses_unsaved_values_and_shows_before_and_after(
    admin: Person, platform: Platform
) -> None:
    saved = await platform.admin.use(_SLOT, a_plan("local", "background_color", color="#00ff00"))
    page = admin.page
    await admin.open(f"{_PAGE}#test")
    await choose(page, "Operation", "Golden hour")
    section = page.get_by_role("region", name="Test run")
    await section.get_by_label("Test photo").first.set_input_files(_PORTRAIT)
    await section.get_by_role("button", name="Run the test").click()
    await expect(section.get_by_text(re.compile(r"^Done in [\d.]+ s"))).to_be_visible()
    for name in ("Before", "After"):
        image = section.get_by_role("img", name=name)
        assert await image.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0
    slider = section.get_by_role("slider", name="Share of the photo before: move to compare")
    await slider.focus()
    await page.keyboard.press("End")
    await expect(slider).to_have_value("100")
    await expect(section.get_by_text("Storing the picture")).to_be_visible()
    assert await admin.barriers() == []
    await section.get_by_role("link", name="See the job").click()
    # It asks first: the operation was never saved.
    await page.get_by_role("dialog").get_by_role("button", name="Leave").click()
    await expect(page.get_by_role("heading", name=re.compile("^Job "), level=1)).to_be_visible()
    await expect(page.get_by_text("Golden hour").first).to_be_visible()
    await expect(page.get_by_text("Test run").first).to_be_visible()
    now = await platform.admin.slot(_SLOT)
    assert (now.version, now.operation_id) == (saved.version, "background_color")


async def test_a_failed_test_run_says_why_and_what_to_do(admin: Person, platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini("Refused on its way."))
    platform.gemini.script(GeminiKnob.PROHIBITED, matching=Match(prompt="Refused on its way."))
    page = admin.page
    await admin.open(f"{_PAGE}#test")
    section = page.get_by_role("region", name="Test run")
    await section.get_by_label("Test photo").first.set_input_files(_PORTRAIT)
    await section.get_by_role("button", name="Run the test").click()
    await expect(section.get_by_role("heading", name="Refused by the provider's rules")).to_be_visible()
    await expect(section.get_by_text("Soften the prompt")).to_be_visible()
    assert await admin.barriers() == []


async def test_of_two_admins_who_change_a_slot_nobody_loses_anything(
    admin: Person, colleague: Person, platform: Platform
) -> None:
    await platform.admin.use(_SLOT, a_plan("local", "golden_hour", strength=60))
    page, other = admin.page, colleague.page
    await admin.open(_PAGE)
    await colleague.open(_PAGE)
    await page.get_by_role("textbox", name="Name").fill("Mine")
    strength = other.get_by_role("textbox", name="Strength")
    await strength.fill("75")
    await _save(other)
    await expect(page.get_by_text(re.compile(r"igor saved version \d+ of this slot"))).to_be_visible()
    await page.get_by_role("region", name="Unsaved changes").get_by_role("button", name="Save").click()
    dialog = page.get_by_role("dialog", name="Somebody else changed this slot")
    await expect(dialog).to_contain_text(re.compile(r"Strength.*60.*75.*Name.*Mine"))
    assert await admin.barriers() == []
    await dialog.get_by_role("button", name="Keep mine on top of theirs").click()
    await expect(page.get_by_role("textbox", name="Strength")).to_have_value("75")
    await _save(page)
    # Who has changed nothing sees what is new, and is asked nothing.
    await expect(other.get_by_role("heading", name="Mine", level=1)).to_be_visible()
    await expect(other.get_by_role("textbox", name="Name")).to_have_value("Mine")


async def test_unsaved_changes_are_not_lost_by_a_wrong_click(admin: Person, platform: Platform) -> None:
    await platform.admin.use(_SLOT, a_plan("local", "golden_hour"))
    page = admin.page
    await admin.open(_PAGE)
    name = page.get_by_role("textbox", name="Name")
    before = await name.input_value()
    await name.fill("Not saved yet")
    await page.get_by_role("navigation").get_by_role("link", name="Jobs").click()
    dialog = page.get_by_role("dialog", name="Leave without saving?")
    await expect(dialog.get_by_role("button", name="Stay")).to_be_focused()
    assert await admin.barriers() == []
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(name).to_have_value("Not saved yet")
    asked: list[str] = []

    async def stay(question: Dialog) -> None:
        asked.append(question.type)
        await question.dismiss()

    page.on("dialog", stay)
    await page.close(run_before_unload=True)

    async def was_asked() -> bool:
        return asked == ["beforeunload"]

    await until(was_asked, "the browser's question")
    await expect(name).to_have_value("Not saved yet")
    await page.get_by_role("link", name="All slots").click()
    await dialog.get_by_role("button", name="Leave").click()
    await expect(page.get_by_role("heading", name="Slots", level=1)).to_be_visible()
    assert (await platform.admin.slot(_SLOT)).display_name == before


async def test_the_history_tells_who_changed_what_and_leads_back(admin: Person, platform: Platform) -> None:
    first = await platform.admin.use(_SLOT, a_plan("local", "golden_hour", strength=20))
    page = admin.page
    await admin.open(_PAGE)
    await page.get_by_role("textbox", name="Strength").fill("90")
    await _save(page)
    await page.get_by_role("button", name="History").click()
    history = page.get_by_role("dialog", name=f"History of {_SLOT}")
    versions = history.get_by_role("listitem").filter(has_text=re.compile(r"^Version"))
    await expect(versions.nth(0)).to_contain_text("serg")
    await expect(versions.nth(0)).to_contain_text("Settings")
    await expect(versions.nth(1)).to_contain_text(f"Version {first.version}")
    await versions.nth(1).get_by_role("button", name="Compare with now").click()
    await expect(versions.nth(1)).to_contain_text(re.compile(r"20.*90"))
    assert await admin.barriers() == []
    await versions.nth(1).get_by_role("button", name="Restore").click()
    await page.get_by_role("dialog", name="Restore version").get_by_role("button", name="Restore").click()
    await expect(page.get_by_text(f"Version {first.version} is restored")).to_be_visible()
    await expect(page.get_by_role("textbox", name="Strength")).to_have_value("20")
    await page.get_by_role("button", name="History").click()
    await expect(versions.nth(0)).to_contain_text(f"restored from version {first.version}")
