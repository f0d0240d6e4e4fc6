"""Slots: read, changed, refused, restored."""

import json
from datetime import timedelta

import pytest
from photochanger.ingest.v1 import slot_service_pb2
from photochanger_chassis.errors import ErrorKind, FieldViolation, RemoteError
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.adapters.clients.translate import timestamp
from photochanger_gateway.testing.admin_api import AdminApi
from photochanger_gateway.testing.builders import a_job, a_refusal
from photochanger_gateway.testing.platform import Platform
from photochanger_gateway.testing.wire import Answer

TEMPLATE = "a" * 32


def wrong_fields(answer: Answer) -> dict[str, str]:
    return {item["field"]: item["message"] for item in answer.json()["errors"]}


def refuses(platform: Platform, method: str, *violations: FieldViolation, reason: str) -> None:
    platform.slots.script.refusals[method] = RemoteError(
        "No.",
        kind=ErrorKind.INVALID_ARGUMENT,
        reason=reason,
        domain="photochanger.ingest",
        metadata={},
        field_violations=violations,
    )


async def test_all_slots_come_with_what_goes_on_in_them(
    api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    picture = platform.media.store(expires_at=clock.now() + timedelta(hours=1))
    platform.slots.activity["slot-002"] = slot_service_pb2.SlotActivity(
        slot_id="slot-002",
        condition=slot_service_pb2.SLOT_CONDITION_DELAYED,
        running_jobs=3,
        waiting_jobs=1,
        last_success_at=timestamp(clock.now()),
        latest_result=a_job(job_id="b" * 32, slot_id="slot-002", result=picture),
        last_failure_reason="timeout",
    )
    answer = await api.get("/api/slots", Host="booth.example")
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    rows = json.loads(answer.body)
    assert [row["slot_id"] for row in rows] == [f"slot-{number:03d}" for number in range(1, 16)]
    second = rows[1]
    assert second["ingest_url"] == "http://booth.example/ingest/slot-002"
    assert (second["state"], second["running_jobs"], second["waiting_jobs"]) == ("delayed", 3, 1)
    assert second["last_failure_reason"] == "timeout"
    assert second["latest_result"]["thumbnail_url"].endswith(f"/public/results/{'b' * 32}/preview")
    assert rows[0]["latest_result"] is None


async def test_a_slot_comes_whole_with_its_version_as_etag(
    api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    picture = platform.media.store(expires_at=clock.now() + timedelta(hours=1))
    platform.ingest.galleries["slot-001"] = [a_job(result=picture)]
    answer = await api.get("/api/slots/slot-001")
    slot = answer.json()
    assert answer.headers["etag"] == '"1"'
    assert slot["settings"] == {"radius": 8}
    assert (slot["sync_response_seconds"], slot["effective_sync_response_seconds"]) == (None, 48)
    assert slot["size_limit_mb"] == 15
    assert slot["dedupe"] is None
    assert len(slot["recent_results"]) == 1
    assert (await api.get("/api/slots/slot-016")).json()["failure_reason"] == "slot_not_found"


async def test_a_change_takes_what_it_names_and_leaves_the_rest(api: AdminApi, platform: Platform) -> None:
    change = {
        "display_name": "Свадьба",
        "is_active": True,
        "size_limit_mb": 20,
        "sync_response_seconds": 20,
        "settings": {"prompt": "snow", "strength": 0.5, "seeds": [1, 2]},
        "template_media": [{"media_kind": "template", "media_object_id": TEMPLATE, "role": "background"}],
        "dedupe": "off",
        "queue_length": 0,
        "output_format": "webp",
        "on_failure": "original",
    }
    answer = await api.put("/api/slots/slot-003", change, If_Match='"1"')
    slot = answer.json()
    assert (answer.status, answer.headers["etag"], slot["version"]) == (200, '"2"', 2)
    assert slot["updated_by"] == "serg"
    assert {name: slot[name] for name in change if name != "template_media"} == {
        name: value for name, value in change.items() if name != "template_media"
    }
    (template,) = slot["template_media"]
    assert template["preview_url"].endswith(f"/api/template-media/{TEMPLATE}/preview")
    assert slot["effective_sync_response_seconds"] == 20
    assert slot["provider"] == "local"
    again = await api.put("/api/slots/slot-003", {"sync_response_seconds": None, "dedupe": None})
    assert again.json()["sync_response_seconds"] is None
    assert again.json()["effective_sync_response_seconds"] == 48
    assert again.json()["display_name"] == "Свадьба"


async def test_a_change_that_changes_nothing_makes_no_version(api: AdminApi, platform: Platform) -> None:
    answer = await api.put("/api/slots/slot-003", {})
    assert (answer.status, answer.json()["version"]) == (200, 1)
    assert platform.slots.script.of("UpdateSlot") == []


async def test_a_slots_own_password_is_set_and_taken_away_and_never_told(
    api: AdminApi, platform: Platform, log_lines: list[str]
) -> None:
    answer = await api.put("/api/slots/slot-003", {"ingest_password": "only-for-slot-3"})
    assert answer.json()["has_own_password"] is True
    assert platform.slots.passwords["slot-003"] == "only-for-slot-3"
    for told in (answer.body.decode(), *log_lines, str(platform.audit.script.calls)):
        assert "only-for-slot-3" not in told
    answer = await api.put("/api/slots/slot-003", {"ingest_password": ""})
    assert answer.json()["has_own_password"] is False


@pytest.mark.parametrize("tag", ['"1"', 'W/"1"'])
async def test_a_change_made_on_an_older_version_is_refused_with_the_current_one(
    api: AdminApi, tag: str
) -> None:
    assert (await api.put("/api/slots/slot-004", {"display_name": "Mine"}, If_Match=tag)).status == 200
    answer = await api.put("/api/slots/slot-004", {"display_name": "Theirs"}, If_Match=tag)
    assert (answer.status, answer.json()["failure_reason"]) == (409, "version_conflict")
    assert answer.json()["current_version"] == 2
    assert (await api.put("/api/slots/slot-004", {"display_name": "Any"}, If_Match="*")).status == 200


@pytest.mark.parametrize("tag", ["1", '"one"', '"1", "2"', '"0"', '"99999999999999999999"'])
async def test_a_version_that_is_none_is_refused(api: AdminApi, platform: Platform, tag: str) -> None:
    answer = await api.put("/api/slots/slot-004", {"display_name": "Mine"}, If_Match=tag)
    assert (answer.status, answer.json()["failure_reason"]) == (400, "invalid_request")
    assert platform.slots.script.of("UpdateSlot") == []


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"display_name": ""}, {"display_name"}),
        ({"display_name": "x" * 81}, {"display_name"}),
        ({"display_name": "a\x00b"}, {"display_name"}),
        ({"size_limit_mb": 21, "sync_response_seconds": 9}, {"size_limit_mb", "sync_response_seconds"}),
        ({"size_limit_mb": "15"}, {"size_limit_mb"}),
        ({"is_active": 1}, {"is_active"}),
        ({"is_active": None}, {"is_active"}),
        ({"ingest_password": "short"}, {"ingest_password"}),
        ({"response_mode": "fax"}, {"response_mode"}),
        ({"template_media": [{"media_object_id": "x", "role": "r"}]}, {"template_media.0.media_object_id"}),
        ({"template_media": [{"role": "r"}]}, {"template_media.0.media_object_id"}),
        ({"version": 3}, {"version"}),
        ({"settings": {"a": {"b": ["c\x00"]}}}, {"settings"}),
        ({"settings": {"a": 10**400}}, {"settings"}),
        ([], {"body"}),
    ],
)
async def test_wrong_fields_are_named_one_by_one(
    api: AdminApi, platform: Platform, change: object, fields: set[str]
) -> None:
    answer = await api.put("/api/slots/slot-004", change)
    assert (answer.status, answer.json()["failure_reason"]) == (422, "invalid_request_body")
    assert set(wrong_fields(answer)) == fields
    assert platform.slots.script.of("UpdateSlot") == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"settings": {"a": NaN}}', 422),
        (b'{"settings": {"a": 1e999}}', 422),
        (b'{"settings": {"a": ' + b"9" * 5000 + b"}}", 400),
        (b'{"settings": {"a": "\\ud800"}}', 422),
        (b'{"settings": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}", 422),
        (b'{"settings": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", 400),
        (b'{"display_name": "\xff"}', 400),
        (b'{"display_name": "\\ud800"}', 422),
        (b'{"\\udc00": 1}', 422),
        (b'{"settings": {"a": "' + b"x" * 70_000 + b'"}}', 413),
    ],
)
async def test_json_that_is_none_or_goes_too_far_is_refused_cleanly(
    api: AdminApi, body: bytes, status: int
) -> None:
    answer = await api.send("PUT", "/api/slots/slot-004", body)
    assert answer.status == status, answer.body


async def test_settings_that_the_providers_schema_refuses_are_told_field_by_field(
    api: AdminApi, platform: Platform
) -> None:
    refuses(
        platform,
        "UpdateSlot",
        FieldViolation("settings.prompt", "is required"),
        FieldViolation("settings.styles[1]", "must be one of a, b"),
        FieldViolation("template_roles", "a template image with the role 'background' is required"),
        reason="INVALID_SETTINGS",
    )
    answer = await api.put("/api/slots/slot-004", {"settings": {"style": "x"}})
    assert (answer.status, answer.json()["failure_reason"]) == (422, "invalid_settings")
    assert set(wrong_fields(answer)) == {"settings.prompt", "settings.styles.1", "template_media"}


async def test_what_ingest_refuses_has_the_names_that_admins_know(api: AdminApi, platform: Platform) -> None:
    refuses(
        platform,
        "UpdateSlot",
        FieldViolation("slot.size_limit_bytes", "1 to 20 MB"),
        FieldViolation("slot.sync_response", "10 to 60 s"),
        FieldViolation("slot.settings_json", "a JSON object"),
        reason="INVALID_ARGUMENT",
    )
    answer = await api.put("/api/slots/slot-004", {"size_limit_mb": 20})
    assert (answer.status, answer.json()["failure_reason"]) == (422, "invalid_request_body")
    assert set(wrong_fields(answer)) == {"size_limit_mb", "sync_response_seconds", "settings"}


@pytest.mark.parametrize(
    ("reason", "field"),
    [
        ("PROVIDER_NOT_FOUND", "provider"),
        ("OPERATION_NOT_FOUND", "operation"),
        ("TEMPLATE_NOT_FOUND", "template_media"),
    ],
)
async def test_what_a_slot_names_but_nobody_has_is_a_wrong_field(
    api: AdminApi, platform: Platform, reason: str, field: str
) -> None:
    platform.slots.script.refusals["UpdateSlot"] = a_refusal(reason, ErrorKind.NOT_FOUND)
    answer = await api.put("/api/slots/slot-004", {"provider": "nobody", "operation": "nothing"})
    assert (answer.status, answer.json()["failure_reason"]) == (422, reason.lower())
    assert set(wrong_fields(answer)) == {field}


async def test_history_comes_in_pages_and_an_older_version_is_restored(
    api: AdminApi, platform: Platform
) -> None:
    for name in ("Second", "Third"):
        await api.put("/api/slots/slot-005", {"display_name": name, "size_limit_mb": 10})
    page = (await api.get("/api/slots/slot-005/history?limit=2")).json()
    assert [item["version"] for item in page["versions"]] == [3, 2]
    assert sorted(page["versions"][0]["changed_fields"]) == ["display_name", "size_limit_mb"]
    assert page["versions"][0]["values"]["display_name"] == "Third"
    rest = (await api.get(f"/api/slots/slot-005/history?cursor={page['next_cursor']}")).json()
    assert [item["version"] for item in rest["versions"]] == [1]
    assert rest["next_cursor"] is None
    answer = await api.post("/api/slots/slot-005/restore", {"version": 2}, If_Match='"3"')
    assert (answer.status, answer.json()["display_name"], answer.json()["version"]) == (200, "Second", 4)
    assert (await api.get("/api/slots/slot-005/history")).json()["versions"][0]["restored_from"] == 2
    stale = await api.post("/api/slots/slot-005/restore", {"version": 2}, If_Match='"3"')
    assert stale.json()["failure_reason"] == "version_conflict"
    missing = await api.post("/api/slots/slot-005/restore", {"version": 77})
    assert (missing.status, missing.json()["failure_reason"]) == (404, "slot_version_not_found")


async def test_every_change_of_a_slot_is_on_record(api: AdminApi, platform: Platform) -> None:
    change = {"display_name": "Recorded", "settings": {"prompt": "about Ada"}, "ingest_password": "secret-99"}
    await api.put("/api/slots/slot-006", change)
    await api.post("/api/slots/slot-006/restore", {"version": 1})
    await api.put("/api/slots/slot-006", {"display_name": "Late"}, If_Match='"1"')
    told = [
        (entry.action, entry.actor, dict(entry.facts), entry.refusal)
        for entry in platform.audit.entries.values()
        if entry.target == "slot-006"
    ]
    names = "display_name, ingest_password, settings"
    assert told == [
        ("slot.update", "serg", {"fields": names, "version": "2"}, ""),
        ("slot.restore", "serg", {"restored": "1", "version": "3"}, ""),
        ("slot.update", "serg", {"fields": "display_name"}, "version_conflict"),
    ]


async def test_slots_cannot_be_read_while_ingest_is_away(api: AdminApi, platform: Platform) -> None:
    for method in ("ListSlots", "ListSlotActivity"):
        platform.slots.script.refusals[method] = a_refusal("UNAVAILABLE", ErrorKind.UNAVAILABLE)
    answer = await api.get("/api/slots")
    assert (answer.status, answer.json()["failure_reason"]) == (503, "storage_unavailable")
    assert "retry-after" in answer.headers
