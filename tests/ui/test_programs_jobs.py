"""Jobs of programs as admins see them: waiting, under way, stopped, run again, and what the program was told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.browser import choose
from harness.program import a_program
from photochanger_ingest.testing.receiver import open_receiver
from photochanger_mockproviders import Match
from playwright.async_api import expect

if TYPE_CHECKING:
    from harness.browser import Person
    from harness.platform import Platform

_SLOTS_OF_A_WORKER: Final = 10
_PROMPT: Final = "Followed by an admin."
_FOLLOWED: Final = {
    "provider": "gemini",
    "operation": "image_edit",
    "settings": {"prompt": _PROMPT, "no_image_pause_seconds": 0},
}
_PENCIL: Final = {"provider": "local", "operation": "pencil"}


async def test_a_programs_job_is_followed_and_cancelled(admin: Person, platform: Platform) -> None:
    page = admin.page
    gate = platform.gemini.hold(Match(prompt=_PROMPT))
    async with a_program(platform, "Followed") as program:
        under_way = await program.submit_many(_SLOTS_OF_A_WORKER, **_FOLLOWED)
        await platform.held(gate, count=_SLOTS_OF_A_WORKER)
        (last,) = await program.submit_many(1, **_FOLLOWED)
        # One that waits for its turn.
        await admin.open(f"/admin/jobs/{last}")
        await expect(page.get_by_role("heading", name="Waiting for its turn")).to_be_visible()
        place = page.get_by_role("term").filter(has_text="Place in the queue")
        await expect(page.locator("div").filter(has=place).last).to_contain_text("1")
        assert await admin.barriers() == []
        await admin.photograph("job-waiting")
        # One that a worker is at.
        await admin.open(f"/admin/jobs/{under_way[0]}")
        bar = page.get_by_role("progressbar", name="Progress of the job")
        await expect(bar).to_have_attribute("aria-valuenow", "20")
        await expect(page.get_by_role("status").get_by_text("At the provider")).to_be_visible()
        await expect(page.get_by_text("Program: Followed", exact=True)).to_be_visible()
        assert await admin.barriers() == []
        await admin.photograph("job-under-way")
        await page.get_by_role("button", name="Cancel job").click()
        question = page.get_by_role("dialog", name="Cancel this job?")
        await question.get_by_role("button", name="Let it run").click()
        await expect(bar).to_be_visible()
        await page.get_by_role("button", name="Cancel job").click()
        await question.get_by_role("button", name="Cancel job").click()
        await expect(page.get_by_role("status").get_by_text("Cancelled")).to_be_visible()
        await expect(bar).to_have_count(0)
        assert (await program.final(under_way[0]))["status"] == "cancelled"
        # Its place is free for the one that waited, which is seen beginning and ending by itself.
        await admin.open(f"/admin/jobs/{last}")
        await expect(bar).to_have_attribute("aria-valuenow", "20")
        gate.release()
        await expect(page.get_by_role("status").get_by_text("Done")).to_be_visible()
        await expect(page.get_by_role("img", name="Result", exact=True)).to_be_visible()
        await expect(bar).to_have_count(0)
        # What was cancelled can be run again, and is the program's as before.
        await admin.open(f"/admin/jobs/{under_way[0]}")
        await page.get_by_role("button", name="Run again").click()
        await page.get_by_role("dialog").get_by_role("button", name="Run again").click()
        await expect(page.get_by_text("Repeats job")).to_be_visible()
        again = page.url.rpartition("/")[2]
        done = await program.final(again)
        assert (done["status"], done["retry_of"]) == ("done", under_way[0])
    await admin.open("/admin/settings/audit?action=job")
    await expect(page.get_by_text("Cancelled a program's job").first).to_be_visible()


async def test_a_programs_webhook_is_looked_at_and_sent_again(admin: Person, platform: Platform) -> None:
    page = admin.page
    async with open_receiver() as receiver, a_program(platform, "Told") as program:
        receiver.statuses = [410]
        assert (await program.post("/api/v1/webhooks/secret")).status == 201
        job_id = (await program.submit({**_PENCIL, "webhook_url": f"{receiver.url}?token=canary"})).json[
            "job_id"
        ]
        await receiver.next()
        # From the job to its delivery.
        await admin.open(f"/admin/jobs/{job_id}")
        await expect(page.get_by_text("Given up")).to_be_visible()
        await page.get_by_role("link", name="Look at the delivery").click()
        drawer = page.get_by_role("dialog", name="Delivery")
        await expect(drawer.get_by_text("The receiver is gone")).to_be_visible()
        attempts = drawer.get_by_role("list", name="Attempts, the latest first").get_by_role("listitem")
        await expect(attempts).to_have_count(1)
        await expect(attempts.first).to_contain_text("Not accepted: HTTP 410")
        await expect(drawer.get_by_text(receiver.url, exact=True)).to_be_visible()
        assert await admin.barriers() == []
        await admin.photograph("webhook-gone")
        # The receiver is back.
        receiver.statuses = [204]
        await drawer.get_by_role("button", name="Send again").click()
        await (
            page.get_by_role("dialog", name="Send this message again?")
            .get_by_role("button", name="Send again")
            .click()
        )
        await expect(drawer.get_by_role("status").get_by_text("Delivered")).to_be_visible()
        await expect(attempts.first).to_contain_text("Received: HTTP 204")
        await expect(drawer.get_by_text("The receiver is gone")).to_have_count(0)
        first, second = receiver.requests
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.body == second.body
        # The list, narrowed to the job by the address, and then by hand.
        await page.keyboard.press("Escape")
        await expect(drawer).to_have_count(0)
        await expect(page).to_have_url(re.compile(rf"webhooks\?job={job_id}$"))
        rows = page.get_by_role("row").filter(has=page.get_by_role("link"))
        await expect(rows).to_have_count(1)
        await expect(rows.first).to_contain_text("Told")
        await expect(rows.first).to_contain_text("2 times, HTTP 204")
        await choose(page, "Status", "Given up")
        await expect(page.get_by_text("No deliveries match")).to_be_visible()
        await page.get_by_role("button", name="Clear filters").click()
        await choose(page, "Program", "Told")
        await expect(rows).to_have_count(1)
        await expect(page).to_have_url(re.compile(r"webhooks\?client=[0-9a-f]{32}$"))
        assert "canary" not in await page.content()
    await admin.open("/admin/settings/audit?action=webhook")
    await expect(page.get_by_text("Sent a webhook again").first).to_be_visible()
