"""Programs hand in photos over HTTP and fetch the pictures later."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from harness.admin_api import admin_api
from harness.camera import a_photo
from harness.program import Program, a_program
from harness.slots import a_plan, gemini
from harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from harness.platform import Platform

SLOT = "slot-013"
PENCIL = {"provider": "local", "operation": "pencil"}
PER_MINUTE = 20


@pytest.fixture
async def program(platform: Platform) -> AsyncIterator[Program]:
    """A client of its own, and a slot it may use."""
    await platform.admin.use(SLOT, a_plan("local", "background_color", color="#00ff00"))
    async with a_program(platform) as program:
        yield program


async def test_a_photo_is_handed_in_and_its_picture_fetched(program: Program) -> None:
    accepted = await program.submit({"slot_id": SLOT})
    assert accepted.status == 202, accepted.body
    job_id = accepted.json["job_id"]
    assert accepted.headers["Location"] == accepted.json["status_url"]
    done = await program.final(job_id)
    assert (done["status"], done["progress"], done["slot_id"], done["attempts"]) == ("done", 100, SLOT, 1)
    picture = await program.get(f"/api/v1/jobs/{job_id}/result")
    assert (picture.status, picture.headers["Content-Type"].partition("/")[0]) == (200, "image")
    public = await program.get(f"/public/results/{job_id}")
    assert (public.status, public.body) == (200, picture.body)
    listed = (await program.get("/api/v1/jobs")).json["jobs"]
    assert [job["job_id"] for job in listed] == [job_id]


async def test_who_waits_gets_the_final_job_and_who_follows_hears_of_it(program: Program) -> None:
    answer = await program.submit(PENCIL, headers={"Prefer": "wait=50"})
    assert (answer.status, answer.headers["Preference-Applied"]) == (200, "wait=50")
    job = answer.json
    assert (job["status"], job["slot_id"], job["provider"]) == ("done", None, "local")
    heard = await program.get(f"/api/v1/jobs/{job['job_id']}/events")
    lines = heard.body.decode().splitlines()
    assert "event: job.status" in lines
    (told,) = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    assert told["job"] == job
    (last,) = [line.removeprefix("id: ") for line in lines if line.startswith("id: ")]
    again = await program.get(f"/api/v1/jobs/{job['job_id']}/events", {"Last-Event-ID": last})
    assert again.status == 204


async def test_who_follows_a_job_hears_its_whole_way(platform: Platform, program: Program) -> None:
    gate = platform.gemini.hold()
    order = {"provider": "gemini", "operation": "image_edit", "settings": gemini().settings_json}
    job_id = (await program.submit(order)).json["job_id"]
    await platform.held(gate)
    running = await program.get(f"/api/v1/jobs/{job_id}")
    assert (running.status, running.headers["Retry-After"].isdecimal()) == (202, True)
    async with asyncio.TaskGroup() as tasks:
        following = tasks.create_task(program.get(f"/api/v1/jobs/{job_id}/events"))
        platform.gemini.release()
    heard = following.result().body.decode().splitlines()
    names = [line for line in heard if line.startswith("event: ")]
    assert names[0] == "event: job.status"
    assert names[-1] in {"event: job.status", "event: job.finished"}  # it may have ended before we came
    assert (await program.final(job_id))["status"] == "done"


async def test_a_photo_sent_again_with_its_key_is_one_job(program: Program) -> None:
    photo_id = (await program.api.post_picture("/api/v1/media", "photo", a_photo())).json["media_object_id"]
    item = {"media_object_id": photo_id, "slot_id": SLOT}
    first = await program.post("/api/v1/jobs/batch", {"jobs": [item, item]}, {"Idempotency-Key": "page-7"})
    second = await program.post("/api/v1/jobs/batch", {"jobs": [item, item]}, {"Idempotency-Key": "page-7"})
    ids = [job["job_id"] for job in first.json["jobs"]]
    assert len(set(ids)) == 2
    assert [job["job_id"] for job in second.json["jobs"]] == ids
    changed = item | {"form_fields": {"name": "Olga"}, "idempotency_key": "page-7.0"}
    (refused,) = (await program.post("/api/v1/jobs/batch", {"jobs": [changed]})).json["jobs"]
    assert refused["failure_reason"] == "idempotency_mismatch"
    assert [(await program.final(job_id))["status"] for job_id in ids] == ["done", "done"]


async def test_a_job_is_stopped_and_repeated(platform: Platform, program: Program) -> None:
    gate = platform.gemini.hold()
    order = {"provider": "gemini", "operation": "image_edit", "settings": gemini().settings_json}
    job_id = (await program.submit(order)).json["job_id"]
    await platform.held(gate)
    early = await program.post(f"/api/v1/jobs/{job_id}/retry")
    assert (early.status, early.reason) == (409, "job_not_final")
    cancelled = await program.post(f"/api/v1/jobs/{job_id}/cancel")
    assert (cancelled.status, cancelled.json["status"]) == (200, "cancelled")

    async def given_up() -> bool:
        return gate.held == 0

    await until(given_up, "the provider's call being given up", within_seconds=5)
    platform.gemini.release()
    missing = await program.get(f"/api/v1/jobs/{job_id}/result")
    assert (missing.status, missing.reason) == (404, "result_not_found")
    again = await program.post(f"/api/v1/jobs/{job_id}/retry")
    assert again.status == 202, again.body
    done = await program.final(again.json["job_id"])
    assert (done["status"], done["retry_of"]) == ("done", job_id)
    late = await program.post(f"/api/v1/jobs/{again.json['job_id']}/cancel")
    assert (late.status, late.reason) == (409, "job_already_final")


async def test_what_cannot_be_ordered_is_named(program: Program) -> None:
    unknown = await program.submit({"provider": "local", "operation": "fly"})
    assert (unknown.status, unknown.reason) == (422, "operation_not_found")
    wrong = await program.submit(
        {"provider": "local", "operation": "background_color", "settings": '{"color": "what a day"}'}
    )
    assert (wrong.status, wrong.reason, [item["field"] for item in wrong.json["errors"]]) == (
        422,
        "invalid_settings",
        ["settings.color"],
    )
    gone = await program.post(
        "/api/v1/jobs/batch", {"jobs": [{"media_object_id": "0" * 32, "slot_id": SLOT}]}
    )
    assert gone.json["jobs"][0]["failure_reason"] == "input_not_found"


async def test_another_client_sees_nothing_and_a_revoked_key_opens_nothing(
    platform: Platform, program: Program
) -> None:
    job_id = (await program.submit(PENCIL)).json["job_id"]
    async with a_program(platform, "Prints") as other:
        for path in ("", "/result", "/events"):
            hidden = await other.get(f"/api/v1/jobs/{job_id}{path}")
            assert (hidden.status, hidden.reason) == (404, "job_not_found")
        stopped = await other.post(f"/api/v1/jobs/{job_id}/cancel")
        assert (stopped.status, stopped.reason) == (404, "job_not_found")
        assert (await other.get("/api/v1/jobs")).json["jobs"] == []
        async with admin_api(platform) as admin:
            assert (await admin.ask("DELETE", f"/api/api-keys/{other.key_id}")).status == 204
        revoked = await other.get("/api/v1/jobs")
        assert (revoked.status, revoked.reason) == (401, "invalid_api_key")
    assert (await program.final(job_id))["status"] == "done"


async def test_a_client_may_submit_so_often_and_no_more(program: Program) -> None:
    statuses = []
    while (answer := await program.submit({})).status != 429:  # without an order: refused, but counted
        statuses.append(answer.status)
        assert len(statuses) <= 2 * PER_MINUTE  # a minute may have ended in between
    assert (len(statuses) >= PER_MINUTE, set(statuses)) == (True, {422})
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert '"async";r=0' in answer.headers["RateLimit"]
    assert (await program.get("/api/v1/jobs")).status == 200


async def test_an_admin_sees_the_queues_and_the_job(platform: Platform, program: Program) -> None:
    job_id = (await program.submit(PENCIL, headers={"Prefer": "wait=50"})).json["job_id"]
    async with admin_api(platform) as admin:
        told = (await admin.get("/api/queues")).json
        assert "local" in [queue["name"] for queue in told["queues"]]
        assert any("local" in worker["queues"] for worker in told["workers"])
        assert (await admin.get("/api/queues/local/dead")).json["tasks"] == []
        row = (await admin.get(f"/api/jobs/{job_id}/details")).json
    assert (row["source"], row["mode"], row["slot_id"], row["progress"]) == ("api", "async", None, 100)
