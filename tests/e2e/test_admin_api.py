"""What admins do through the API, and what comes of it at the cameras."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from harness.admin_api import AdminApi, admin_api
from harness.camera import a_photo
from harness.pictures import difference, pixels
from harness.platform import GEMINI_KEY, Platform
from harness.slots import PROMPT, gemini
from harness.waiting import until
from photochanger_mockproviders import GeminiKnob, Match

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_SLOT = "slot-014"
_FIELDS = {"provider": "gemini", "operation": "image_edit", "is_active": True}


@pytest.fixture
async def api(platform: Platform) -> AsyncIterator[AdminApi]:
    """The API, signed in."""
    async with admin_api(platform) as api:
        yield api


async def test_a_change_of_a_slot_counts_from_the_next_photo_on(platform: Platform, api: AdminApi) -> None:
    await platform.admin.use(_SLOT, gemini("First. {{shot}}"))
    first = await platform.camera.send(_SLOT)
    changed = await api.ask(
        "PUT", f"/api/slots/{_SLOT}", {**_FIELDS, "settings": {"prompt": "Second. {{shot}}"}}
    )
    assert changed.status == 200, changed.body
    second = await platform.camera.send(_SLOT)
    prompts = [call.request.prompt for call in platform.gemini.calls]
    assert f"First. {first.shot}" in prompts
    assert f"Second. {second.shot}" in prompts
    slot = (await api.get(f"/api/slots/{_SLOT}")).json
    assert slot["recent_results"][0]["job_id"] == second.job_id
    assert slot["latest_result"]["job_id"] == second.job_id
    assert slot["last_success_at"] is not None
    (row,) = [row for row in (await api.get("/api/slots")).json if row["slot_id"] == _SLOT]
    assert (row["state"], row["version"]) == ("active", slot["version"])


async def test_of_two_admins_with_the_same_version_the_second_is_told(
    platform: Platform, api: AdminApi
) -> None:
    await platform.admin.use(_SLOT, gemini())
    read = await api.get(f"/api/slots/{_SLOT}")
    mine = {"If-Match": read.headers["ETag"]}
    first = await api.ask("PUT", f"/api/slots/{_SLOT}", {"display_name": "Hers"}, headers=mine)
    second = await api.ask("PUT", f"/api/slots/{_SLOT}", {"display_name": "His"}, headers=mine)
    assert (first.status, second.status, second.reason) == (200, 409, "version_conflict")
    assert second.json["current_version"] == first.json["version"] == read.json["version"] + 1
    assert (await api.get(f"/api/slots/{_SLOT}")).json["display_name"] == "Hers"


async def test_an_older_version_is_found_in_the_history_and_restored(
    platform: Platform, api: AdminApi
) -> None:
    await platform.admin.use(_SLOT, gemini("Old. {{shot}}"))
    old = (await api.get(f"/api/slots/{_SLOT}")).json["version"]
    new = {"settings": {"prompt": "New. {{shot}}"}, "size_limit_mb": 3}
    assert (await api.ask("PUT", f"/api/slots/{_SLOT}", new)).status == 200
    newest, before = (await api.get(f"/api/slots/{_SLOT}/history?limit=2")).json["versions"]
    assert (newest["version"], before["version"]) == (old + 1, old)
    assert {"settings", "size_limit_mb"} == set(newest["changed_fields"])
    assert before["values"]["settings"]["prompt"] == "Old. {{shot}}"
    restored = await api.ask("POST", f"/api/slots/{_SLOT}/restore", {"version": old})
    assert (restored.status, restored.json["version"]) == (200, old + 2)
    assert restored.json["settings"]["prompt"] == "Old. {{shot}}"
    newest = (await api.get(f"/api/slots/{_SLOT}/history?limit=1")).json["versions"][0]
    assert (newest["restored_from"], newest["updated_by"]) == (old, "serg")
    answer = await platform.camera.send(_SLOT)
    assert f"Old. {answer.shot}" in [call.request.prompt for call in platform.gemini.calls]
    missing = await api.ask("POST", f"/api/slots/{_SLOT}/restore", {"version": old + 100})
    assert (missing.status, missing.reason) == (404, "slot_version_not_found")


async def test_settings_that_do_not_fit_are_refused_field_by_field(platform: Platform, api: AdminApi) -> None:
    await platform.admin.use(_SLOT, gemini())
    for change, fields in (
        ({"settings": {"prompt": "", "colour": "green"}}, {"settings.prompt", "settings.colour"}),
        ({"provider": "nobody"}, {"provider"}),
        ({"operation": "nothing"}, {"operation"}),
        ({"template_media": [{"media_object_id": "0" * 32, "role": "style"}]}, {"template_media"}),
    ):
        answer = await api.ask("PUT", f"/api/slots/{_SLOT}", change)
        assert answer.status == 422, answer.body
        assert {item["field"] for item in answer.json["errors"]} == fields


async def test_a_template_is_used_and_stays_until_no_slot_uses_it(platform: Platform, api: AdminApi) -> None:
    registered = await api.post_picture(
        "/api/template-media/register", "file", a_photo(), slot_id="slot-008", media_kind="template"
    )
    assert registered.status == 201, registered.body
    template = registered.json["media_object_id"]
    seen = await api.get(f"/api/template-media/{template}")
    assert (seen.status, seen.headers["Content-Type"]) == (200, registered.json["mime"])

    async def previewed() -> bool:
        return (await api.get(f"/api/template-media/{template}/preview")).status == 200

    await until(previewed, "the template's preview")
    bound = [{"media_object_id": template, "role": "style"}]
    used = await api.ask(
        "PUT",
        "/api/slots/slot-008",
        {
            "provider": "turbotext",
            "operation": "style_transfer",
            "is_active": True,
            "settings": {"prompt": PROMPT},
            "template_media": bound,
        },
    )
    assert used.status == 200, used.body
    assert (await platform.camera.send("slot-008")).status == 200
    kept = await api.ask("DELETE", f"/api/template-media/{template}")
    assert (kept.status, kept.reason) == (409, "template_in_use")
    assert "slot-008" in kept.json["details"]
    change = {"provider": "turbotext", "operation": "image_edit", "template_media": []}
    freed = await api.ask("PUT", "/api/slots/slot-008", change)
    assert freed.status == 200, freed.body
    assert (await api.ask("DELETE", f"/api/template-media/{template}")).status == 204
    assert (await api.get(f"/api/template-media/{template}")).status == 404


async def test_a_test_run_tries_values_that_are_not_saved_even_in_a_slot_that_is_off(
    platform: Platform, api: AdminApi
) -> None:
    await platform.admin.use(_SLOT, gemini("Saved."))
    await api.ask("PUT", f"/api/slots/{_SLOT}", {"is_active": False})
    shot = uuid4().hex
    payload = {
        "settings": {"prompt": "Tried for {{guest}}. {{shot}}"},
        "form_fields": {"guest": "Ada", "shot": shot},
    }
    tried = await api.post_picture(
        f"/api/slots/{_SLOT}/test-run", "test_image", a_photo(), slot_payload=json.dumps(payload)
    )
    assert tried.status == 200, tried.body
    assert f"Tried for Ada. {shot}" in [call.request.prompt for call in platform.gemini.calls]
    _, picture = await platform.camera.get(tried.json["public_result_url"])
    assert difference(pixels(picture), pixels(platform.result)) < 2
    assert {"receive", "provider"} <= {item["stage"] for item in tried.json["stages"]}
    assert (await api.get(f"/api/slots/{_SLOT}")).json["settings"]["prompt"] == "Saved."
    job = (await api.get(f"/api/jobs/{tried.json['job_id']}/details")).json
    assert (job["source"], job["settings"]["prompt"]) == ("ui_test", "Tried for {{guest}}. {{shot}}")
    found = (await api.get(f"/api/jobs?slot_id={_SLOT}&source=ui_test&limit=1")).json["jobs"]
    assert found[0]["job_id"] == tried.json["job_id"]
    registered = await api.post_picture("/api/media/register", "file", a_photo())
    uploaded = {"media_object_id": registered.json["media_object_id"]}
    again = await api.ask_form(f"/api/slots/{_SLOT}/test-run", uploaded)
    assert again.status == 200, again.body
    wrong = {"slot_payload": json.dumps({"settings": {"strength": 7}}), **uploaded}
    refused = await api.ask_form(f"/api/slots/{_SLOT}/test-run", wrong)
    assert (refused.status, refused.reason) == (422, "invalid_settings")


async def test_changed_settings_count_from_the_next_photo_on(platform: Platform, api: AdminApi) -> None:
    await platform.admin.use(_SLOT, gemini())
    before = (await api.get("/api/settings")).json
    wrong_hash = {"hash": "0" * 64}
    assert (await platform.camera.send(_SLOT, fields=wrong_hash)).status == 200
    try:
        changed = await api.ask(
            "PUT", "/api/settings", {"hash_policy": "enforce", "sync_response_seconds": 11}
        )
        assert (changed.status, changed.json["version"]) == (200, before["version"] + 1)
        refused = await platform.camera.send(_SLOT, fields=wrong_hash)
        assert (refused.status, refused.reason) == (400, "invalid_request")
        slot = (await api.get(f"/api/slots/{_SLOT}")).json
        assert slot["effective_sync_response_seconds"] == 11
    finally:
        restored = {name: before[name] for name in ("hash_policy", "sync_response_seconds")}
        assert (await api.ask("PUT", "/api/settings", restored)).status == 200
    assert (await platform.camera.send(_SLOT, fields=wrong_hash)).status == 200


async def test_a_providers_key_is_never_shown(platform: Platform, api: AdminApi) -> None:
    await platform.admin.use(_SLOT, gemini())
    before = (await api.get("/api/settings")).json["provider_keys"]["gemini"]
    assert before["source"] == "environment"
    stored = await api.ask("PUT", "/api/settings", {"provider_keys": {"gemini": GEMINI_KEY}})
    try:
        key = stored.json["provider_keys"]["gemini"]
        assert (key["source"], key["last_four"], key["updated_by"]) == ("stored", GEMINI_KEY[-4:], "serg")
        assert (await platform.camera.send(_SLOT)).status == 200
        for path in ("/api/settings", "/api/providers", "/api/audit?limit=200"):
            assert GEMINI_KEY not in (await api.get(path)).body.decode()
    finally:
        gone = await api.ask("PUT", "/api/settings", {"provider_keys": {"gemini": None}})
    assert gone.json["provider_keys"]["gemini"]["source"] == "environment"
    unknown = await api.ask("PUT", "/api/settings", {"provider_keys": {"nobody": GEMINI_KEY}})
    assert (unknown.status, unknown.json["errors"][0]["field"]) == (422, "provider_keys.nobody")


async def test_statistics_count_what_went_well_what_failed_and_what_came_late(
    platform: Platform, api: AdminApi
) -> None:
    await platform.admin.use(_SLOT, gemini())
    await api.ask("PUT", f"/api/slots/{_SLOT}", {"sync_response_seconds": 10})

    async def figures() -> dict[str, int]:
        slots = (await api.get("/api/stats/slots?window_minutes=60")).json["slots"]
        (slot,) = [item for item in slots if item["slot_id"] == _SLOT]
        return {name: value for name, value in slot.items() if name.endswith("_last_window")}

    before = await figures()
    assert (await platform.camera.send(_SLOT)).status == 200
    platform.gemini.script(GeminiKnob.NO_IMAGE, times=10, matching=Match(prompt="Fail"))
    await api.ask(
        "PUT", f"/api/slots/{_SLOT}", {"settings": {"prompt": "Fail. {{shot}}", "no_image_pause_seconds": 0}}
    )
    failed = await platform.camera.send(_SLOT)
    assert failed.status == 502
    gate = platform.gemini.hold(Match(prompt="Hang"))
    await api.ask("PUT", f"/api/slots/{_SLOT}", {"settings": {"prompt": "Hang. {{shot}}"}})
    late = await platform.camera.send(_SLOT, window_seconds=10)
    assert late.status == 504
    gate.release()
    after = await figures()
    assert {name: after[name] - before[name] for name in after} == {
        "jobs_last_window": 3,
        "success_last_window": 1,
        "failures_last_window": 1,
        "timeouts_last_window": 1,
        "provider_errors_last_window": 1,
    }
    recent = (await api.get("/api/stats/slots")).json["recent_failures"][:2]
    assert [(item["failure_reason"], item["http_status"]) for item in recent] == [
        ("timeout", 504),
        ("no_image", 502),
    ]
    overview = (await api.get("/api/stats/overview?window_minutes=5")).json["system"]
    assert overview["jobs_total"] >= 3
    assert overview["storage_usage_mb"] > 0
    series = (await api.get(f"/api/stats/series?window_minutes=5&slot_id={_SLOT}")).json
    assert sum(step["timeouts"] for step in series["steps"]) >= 1
    details = (await api.get(f"/api/jobs/{recent[1]['job_id']}/details")).json
    assert (details["failure"]["reason"], details["http_status"]) == ("no_image", 502)
    # Where the time of both went, although neither has a picture.
    assert [item["stage"] for item in details["stages"]] == ["fetch", "provider"]
    assert details["provider_calls"] == 6, "the first call and five repeats"
    timed_out = (await api.get(f"/api/jobs/{recent[0]['job_id']}/details")).json
    took = {item["stage"]: item["milliseconds"] for item in timed_out["stages"]}
    assert list(took) == ["fetch", "provider"]
    assert took["provider"] > took["fetch"]
    (row,) = [row for row in (await api.get("/api/slots")).json if row["slot_id"] == _SLOT]
    assert row["last_failure_reason"] == "timeout"


async def test_jobs_come_in_pages_with_details_and_run_again(platform: Platform, api: AdminApi) -> None:
    await platform.admin.use(_SLOT, gemini("Snow."))
    photo = a_photo()
    sent = [await platform.camera.send(_SLOT, item) for item in (a_photo(), a_photo(), photo)]
    page = (await api.get(f"/api/jobs?slot_id={_SLOT}&status=done&limit=2")).json
    assert [row["job_id"] for row in page["jobs"]] == [sent[2].job_id, sent[1].job_id]
    path = f"/api/jobs?slot_id={_SLOT}&status=done&limit=2&cursor={page['next_cursor']}"
    assert (await api.get(path)).json["jobs"][0]["job_id"] == sent[0].job_id
    job_id = sent[2].job_id
    details = (await api.get(f"/api/jobs/{job_id}/details")).json
    assert details["form_fields"]["email"]
    assert "password" not in details["form_fields"]
    assert [item["event"] for item in details["timeline"]] == ["received", "admitted", "started", "finished"]
    assert (details["hash_check"], details["input"]["size_bytes"]) == ("match", len(photo))
    assert (await api.get(f"/api/jobs/{job_id}/input")).body == photo
    again = await api.ask("POST", f"/api/jobs/{job_id}/rerun")
    assert again.status == 200, again.body
    assert again.json["job_id"] != job_id
    second = (await api.get(f"/api/jobs/{again.json['job_id']}/details")).json
    assert (second["source"], second["input"]["sha256"]) == ("ui_test", details["input"]["sha256"])
    unknown = await api.ask("POST", f"/api/jobs/{'0' * 32}/rerun")
    assert (unknown.status, unknown.reason) == (404, "job_not_found")


async def test_what_admins_did_is_on_record(platform: Platform, api: AdminApi) -> None:
    assert (await api.ask("POST", "/api/gallery/share")).status == 200
    assert (await api.get("/api/gallery")).json["share_until"] is not None
    await api.ask("PUT", f"/api/slots/{_SLOT}", {"display_name": f"Recorded {uuid4().hex[:8]}"})
    assert (await api.ask("POST", f"/api/slots/{_SLOT}/cleanup")).status == 202
    newest = (await api.get("/api/audit?limit=3")).json["entries"]
    assert [(item["action"], item["target"], item["outcome"]) for item in newest] == [
        ("media.cleanup", _SLOT, "done"),
        ("slot.update", _SLOT, "done"),
        ("gallery.share", "", "done"),
    ]
    assert newest[1]["facts"]["fields"] == "display_name"
    assert {item["actor"] for item in newest} == {"serg"}
    page = (await api.get(f"/api/audit?action=slot.update&target={_SLOT}&limit=1")).json
    assert page["entries"][0]["id"] == newest[1]["id"]
