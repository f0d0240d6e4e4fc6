"""Photos as they come: live on the slots and jobs pages, one job's page, the statistics."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from google.protobuf.duration_pb2 import Duration
from harness.browser import choose
from harness.slots import a_plan, gemini
from photochanger.ingest.v1 import slot_pb2
from photochanger_mockproviders import GeminiKnob, Match
from playwright.async_api import expect

if TYPE_CHECKING:
    from harness.browser import Person
    from harness.platform import Platform
    from playwright.async_api import Locator, Route

_SLOT: Final = "slot-012"
_WINDOW_SECONDS: Final = 10


async def _is_drawn(image: Locator) -> bool:
    """Whether a picture is there and can be looked at."""
    return bool(await image.evaluate("(image) => image.decode().then(() => image.naturalWidth > 0)"))


async def test_a_cameras_photo_is_seen_coming_on_the_slots_page(admin: Person, platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini("Seen coming."))
    page = admin.page
    await admin.open("/admin/")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    card = page.get_by_role("listitem").filter(has=page.locator(f"a[href$='/slots/{_SLOT}']"))
    # The preview of a picture is made after its job has ended: here only once the page was seen waiting for it.
    previews = "**/public/results/*/preview"

    async def not_yet(route: Route) -> None:
        await route.fulfill(status=404)

    await page.route(previews, not_yet)
    gate = platform.gemini.hold(Match(prompt="Seen coming."))
    async with platform.camera.sending(_SLOT) as sent:
        await platform.held(gate)
        await expect(card.get_by_text("1 running")).to_be_visible()
        gate.release()
        answer = await sent
    assert answer.status == 200, answer.reason
    await expect(card.get_by_text("1 running")).to_have_count(0)
    picture = card.locator(f"a[href$='/jobs/{answer.job_id}'] img")
    await expect(card.get_by_role("img", name="Loading…")).to_be_visible()
    await page.unroute(previews, not_yet)
    await expect(picture).to_be_visible()
    assert await _is_drawn(picture)
    await expect(card.get_by_text("now", exact=True)).to_be_visible()


async def test_jobs_are_followed_filtered_and_run_again(admin: Person, platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini("Followed, for {{first_name}}."))
    page = admin.page
    await admin.open(f"/admin/jobs?slot={_SLOT}")
    gate = platform.gemini.hold(Match(prompt="Followed"))
    rows = page.get_by_role("row").filter(has=page.get_by_role("link"))
    await admin.settled()
    before = await rows.count()
    async with platform.camera.sending(_SLOT) as sent:
        await platform.held(gate)
        await expect(rows.first.get_by_text("Running")).to_be_visible()
        gate.release()
        answer = await sent
    await expect(rows.first.get_by_text("Done")).to_be_visible()
    assert await rows.count() == before + 1
    # A failure comes in, and is found by its status.
    platform.gemini.script(GeminiKnob.PROHIBITED, matching=Match(prompt="Followed"))
    refused = await platform.camera.send(_SLOT)
    assert refused.status == 502
    await choose(page, "Status", "Failed")
    await expect(page).to_have_url(re.compile(r"status=failed"))
    await expect(rows.first.get_by_text("Refused by the provider's rules")).to_be_visible()
    await expect(rows.get_by_text("Done")).to_have_count(0)
    await rows.first.get_by_role("link").click()
    await expect(page.get_by_role("heading", name="Refused by the provider's rules")).to_be_visible()
    await expect(page.get_by_text("Soften the prompt")).to_be_visible()
    await expect(page.get_by_text("HTTP 502")).to_be_visible()
    await expect(page.get_by_role("img", name="Camera's photo")).to_be_visible()
    await page.get_by_role("button", name="Run again").click()
    await page.get_by_role("dialog").get_by_role("button", name="Run again").click()
    await page.get_by_role("link", name="Open the new job").click()
    await expect(page.get_by_text("Where the time went")).to_be_visible()
    await expect(page.get_by_role("status").get_by_text("Done")).to_be_visible()
    # The camera's own job: what it sent but never the password, its pictures one over the other, its stages.
    await admin.open(f"/admin/jobs/{answer.job_id}")
    await expect(page.get_by_text("Followed, for {{first_name}}.")).to_be_visible()
    await expect(page.get_by_text("canary.guest@example.org")).to_be_visible()
    assert platform.stack.plan.secrets.ingest_password not in await page.content()
    for name in ("Camera's photo", "Result"):
        assert await _is_drawn(page.get_by_role("img", name=name, exact=True))
    await expect(page.get_by_role("list", name="Time by stage")).to_contain_text("At the provider")
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Download").click()
    path = await (await started.value).path()
    assert await asyncio.to_thread(path.read_bytes) == answer.body


async def test_statistics_count_successes_failures_and_photos_out_of_time(
    admin: Person, platform: Platform
) -> None:
    window = slot_pb2.Slot(sync_response=Duration(seconds=_WINDOW_SECONDS))
    await platform.admin.use("slot-011", gemini("Counted."), window)
    page = admin.page
    await admin.open("/admin/statistics")
    row = page.get_by_role("row").filter(has=page.locator("a[href$='slot=slot-011']"))
    counted = int(await row.get_by_role("cell").nth(0).inner_text())
    platform.gemini.script(GeminiKnob.PROHIBITED, matching=Match(prompt="Counted."))
    failed = await platform.camera.send("slot-011")
    done = await platform.camera.send("slot-011")
    gate = platform.gemini.hold(Match(prompt="Counted."))
    late = await platform.camera.send("slot-011", window_seconds=_WINDOW_SECONDS)
    gate.release()
    assert [answer.status for answer in (failed, done, late)] == [502, 200, 504]
    # By itself: nobody touches the page.
    await expect(row.get_by_role("cell").nth(0)).to_have_text(str(counted + 3))
    failures = page.get_by_role("region", name="Recent failures")
    await expect(failures.get_by_role("link").nth(0)).to_have_text("Out of time")
    await expect(failures.get_by_role("link").nth(1)).to_have_text("Refused by the provider's rules")
    await expect(failures).to_contain_text("HTTP 504")
    await expect(page.get_by_text("Goal missed").first).to_be_visible()
    await page.get_by_role("button", name="Show as a table").click()
    await expect(page.get_by_role("table").filter(has_text="How photos ended")).to_be_visible()
    assert await admin.barriers() == []
    await page.get_by_text("24 hours", exact=True).click()
    await expect(page).to_have_url(re.compile("window=1440"))
    await expect(row.get_by_role("cell").nth(0)).not_to_have_text("0")
    await failures.get_by_role("link").nth(0).click()
    await expect(page.get_by_role("heading", name="Out of time")).to_be_visible()
    await expect(page.get_by_text(re.compile(f"of {_WINDOW_SECONDS} sec$"))).to_be_visible()


async def test_a_gallery_is_looked_through_large_and_downloaded(admin: Person, platform: Platform) -> None:
    await platform.admin.use("slot-012", a_plan("local", "background_blur"))
    answers = [await platform.camera.send("slot-012") for _ in range(2)]
    page = admin.page
    await admin.open("/admin/gallery?slot=slot-012")
    pictures = page.get_by_role("button", name=re.compile(": open$"))
    await expect(pictures.nth(1)).to_be_visible()
    assert await _is_drawn(pictures.nth(0).locator("img"))
    await pictures.nth(0).click()
    viewer = page.get_by_role("dialog")
    await expect(viewer.get_by_role("status")).to_have_text(re.compile(r"^1 of \d+$"))
    assert await _is_drawn(viewer.get_by_role("img", name=re.compile("^Picture: ")))
    assert await admin.barriers() == []
    await page.keyboard.press("ArrowRight")
    await expect(viewer.get_by_role("status")).to_have_text(re.compile(r"^2 of \d+$"))
    async with page.expect_download() as started:
        await viewer.get_by_role("link", name="Download").click()
    path = await (await started.value).path()
    assert await asyncio.to_thread(path.read_bytes) == answers[0].body
    await page.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)
    await expect(pictures.nth(0)).to_be_focused()
