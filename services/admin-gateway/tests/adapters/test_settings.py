"""The platform's settings and the providers, as admins see and change them."""

import json

import pytest
from photochanger_chassis.errors import ErrorKind, FieldViolation, RemoteError
from photochanger_gateway.testing.admin_api import AdminApi
from photochanger_gateway.testing.builders import a_refusal
from photochanger_gateway.testing.platform import Platform

KEY = "gm-0123456789-abcd"


async def test_settings_come_without_a_secret(api: AdminApi) -> None:
    answer = await api.get("/api/settings", Host="booth.example")
    assert (answer.status, answer.headers["etag"]) == (200, '"1"')
    settings = answer.json()
    assert settings == {
        "sync_response_seconds": 48,
        "result_ttl_hours": 72,
        "ingest_password_rotated_at": None,
        "ingest_password_rotated_by": "",
        "provider_keys": {
            "gemini": {
                "configured": False,
                "source": None,
                "last_four": None,
                "updated_at": None,
                "updated_by": None,
            }
        },
        "limits": {"slot_running": 4, "slot_queue": 8, "provider_running": {"local": 2}},
        "hash_policy": "warn",
        "dedupe": "on",
        "version": 1,
        "ingest_url_base": "http://booth.example/ingest",
    }


async def test_a_change_takes_what_it_names(api: AdminApi, platform: Platform) -> None:
    change = {"sync_response_seconds": 30, "result_ttl_hours": 24, "hash_policy": "enforce", "dedupe": "off"}
    answer = await api.put("/api/settings", change, If_Match='"1"')
    assert (answer.status, answer.headers["etag"]) == (200, '"2"')
    assert {name: answer.json()[name] for name in change} == change
    assert answer.json()["limits"]["slot_running"] == 4
    stale = await api.put("/api/settings", {"dedupe": "on"}, If_Match='"1"')
    assert (stale.status, stale.json()["failure_reason"], stale.json()["current_version"]) == (
        409,
        "version_conflict",
        2,
    )


async def test_limits_change_one_by_one(api: AdminApi, platform: Platform) -> None:
    change = {"limits": {"slot_queue": 20, "provider_running": {"gemini": 5}}}
    limits = (await api.put("/api/settings", change)).json()["limits"]
    assert limits == {
        "slot_running": 4,
        "slot_queue": 20,
        "provider_running": {"gemini": 5, "local": 2},
    }
    change = {"limits": {"provider_running": {"local": None}}}
    limits = (await api.put("/api/settings", change)).json()["limits"]
    assert limits["provider_running"] == {"gemini": 5}


async def test_a_change_of_limits_that_meets_another_change_is_made_on_its_outcome(
    api: AdminApi, platform: Platform
) -> None:
    platform.settings.meanwhile = 2
    answer = await api.put("/api/settings", {"limits": {"slot_queue": 20}})
    assert (answer.status, answer.json()["version"]) == (200, 4)
    platform.settings.meanwhile = 1
    answer = await api.put("/api/settings", {"limits": {"slot_queue": 9}}, If_Match='"4"')
    assert (answer.status, answer.json()["failure_reason"]) == (409, "version_conflict")


async def test_the_ingest_password_is_set_and_never_told(
    api: AdminApi, platform: Platform, log_lines: list[str]
) -> None:
    answer = await api.put("/api/settings", {"ingest_password": "new-booth-password"})
    assert answer.json()["ingest_password_rotated_by"] == "serg"
    assert answer.json()["ingest_password_rotated_at"] is not None
    assert platform.settings.password == "new-booth-password"
    for told in (answer.body.decode(), *log_lines, str(platform.audit.entries)):
        assert "new-booth-password" not in told


async def test_a_providers_key_goes_in_and_never_comes_out(
    api: AdminApi, platform: Platform, log_lines: list[str]
) -> None:
    answer = await api.put("/api/settings", {"provider_keys": {"gemini": KEY}})
    key = answer.json()["provider_keys"]["gemini"]
    assert (key["configured"], key["source"], key["last_four"], key["updated_by"]) == (
        True,
        "stored",
        "abcd",
        "serg",
    )
    assert platform.providers.keys == {"gemini": (KEY, "serg")}
    assert answer.json()["version"] == 1
    everything = [answer.body.decode(), *log_lines, str(platform.audit.entries)]
    everything += [(await api.get(path)).body.decode() for path in ("/api/settings", "/api/providers")]
    assert not [told for told in everything if KEY in told]
    gone = await api.put("/api/settings", {"provider_keys": {"gemini": None}})
    assert gone.json()["provider_keys"]["gemini"]["configured"] is False
    told = [(entry.action, entry.target) for entry in platform.audit.entries.values()]
    assert told[-2:] == [("provider-key.set", "gemini"), ("provider-key.delete", "gemini")]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sync_response_seconds": 61}, "sync_response_seconds"),
        ({"sync_response_seconds": None}, "sync_response_seconds"),
        ({"result_ttl_hours": 23}, "result_ttl_hours"),
        ({"ingest_password": ""}, "ingest_password"),
        ({"ingest_password": "x" * 65}, "ingest_password"),
        ({"provider_keys": {"gemini": "short"}}, "provider_keys.gemini"),
        ({"provider_keys": {"gemini": "with spaces in it"}}, "provider_keys.gemini"),
        ({"provider_keys": {"nobody": KEY}}, "provider_keys.nobody"),
        ({"limits": {"slot_running": 0}}, "limits.slot_running"),
        ({"limits": {"provider_running": {"local": 501}}}, "limits.provider_running.local"),
        ({"limits": {"slots": 1}}, "limits.slots"),
        ({"hash_policy": "maybe"}, "hash_policy"),
        ({"colour": "green"}, "colour"),
    ],
)
async def test_wrong_fields_are_named_and_nothing_of_theirs_is_told(
    api: AdminApi, platform: Platform, change: object, field: str
) -> None:
    answer = await api.put("/api/settings", change)
    assert (answer.status, answer.json()["failure_reason"]) == (422, "invalid_request_body")
    assert [item["field"] for item in answer.json()["errors"]] == [field]
    assert KEY not in answer.body.decode()
    assert platform.settings.script.of("UpdateSettings") == []


async def test_what_ingest_refuses_has_the_names_that_admins_know(api: AdminApi, platform: Platform) -> None:
    platform.settings.script.refusals["UpdateSettings"] = RemoteError(
        "No.",
        kind=ErrorKind.INVALID_ARGUMENT,
        reason="INVALID_ARGUMENT",
        domain="photochanger.ingest",
        metadata={},
        field_violations=(
            FieldViolation("settings.result_retention", "24 to 168 h"),
            FieldViolation("settings.limits.slot_queue", "0 to 100"),
        ),
    )
    answer = await api.put("/api/settings", {"result_ttl_hours": 24})
    assert answer.status == 422
    assert [item["field"] for item in answer.json()["errors"]] == ["result_ttl_hours", "limits.slot_queue"]


async def test_providers_tell_what_they_can_do_and_how_they_are(api: AdminApi) -> None:
    providers = {item["id"]: item for item in json.loads((await api.get("/api/providers")).body)}
    assert (providers["local"]["configured"], providers["local"]["healthy"]) == (True, True)
    gemini = providers["gemini"]
    assert (gemini["configured"], gemini["health"]["state"]) == (False, "not_configured")
    (operation,) = gemini["operations"]
    assert operation["settings_schema"]["required"] == ["prompt"]
    assert operation["uses_prompt"] is True
    assert operation["needs"] == [
        {"role": "background", "title": "Background", "required": False, "max_count": 1}
    ]
    assert providers["local"]["operations"][0]["uses_prompt"] is False


async def test_settings_are_not_changed_while_nothing_can_be_recorded(
    api: AdminApi, platform: Platform
) -> None:
    platform.audit.script.refusals["OpenAuditEntry"] = a_refusal("UNAVAILABLE", ErrorKind.UNAVAILABLE)
    answer = await api.put("/api/settings", {"dedupe": "off", "provider_keys": {"gemini": KEY}})
    assert answer.status == 503
    assert platform.providers.keys == {}
    assert platform.settings.settings.version == 1
