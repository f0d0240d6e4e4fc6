from dataclasses import replace
from datetime import timedelta

import pytest
from photochanger_ingest.domain.ids import OperationId, ProviderId, SlotId
from photochanger_ingest.domain.rules import password_violations, settings_violations, slot_violations
from photochanger_ingest.domain.settings import HashPolicy, Limits, Settings, Terms
from photochanger_ingest.domain.slot import MEGABYTE, Plan, ResponseMode, Slot
from photochanger_ingest.testing.builders import NOW

SLOT = Slot(
    id=SlotId("slot-001"),
    display_name="Portraits",
    active=True,
    version=1,
    plan=Plan(ProviderId("gemini"), OperationId("edit")),
    size_limit_bytes=15 * MEGABYTE,
    response_mode=ResponseMode.IMAGE,
    updated_at=NOW,
    updated_by="serg",
)
SETTINGS = Settings(
    sync_response=timedelta(seconds=48),
    result_retention=timedelta(hours=72),
    hash_policy=HashPolicy.WARN,
    dedupe=True,
    limits=Limits(provider_running={ProviderId("turbotext"): 2}),
    version=1,
    password_hash="global",
)


def test_a_slot_follows_the_platform_where_it_says_nothing() -> None:
    assert Terms.of(SLOT, SETTINGS) == Terms(timedelta(seconds=48), True, 4, 8, 30, "global")


def test_a_slots_own_word_counts() -> None:
    slot = replace(
        SLOT,
        sync_response=timedelta(seconds=20),
        dedupe=False,
        running_limit=1,
        queue_length=0,
        password_hash="own",
        plan=Plan(ProviderId("turbotext"), OperationId("edit")),
    )
    assert Terms.of(slot, SETTINGS) == Terms(timedelta(seconds=20), False, 1, 0, 2, "own")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"display_name": ""}, "slot.display_name"),
        ({"display_name": "x" * 81}, "slot.display_name"),
        ({"size_limit_bytes": MEGABYTE - 1}, "slot.size_limit_bytes"),
        ({"size_limit_bytes": 20 * MEGABYTE + 1}, "slot.size_limit_bytes"),
        ({"sync_response": timedelta(seconds=9.9)}, "slot.sync_response"),
        ({"sync_response": timedelta(seconds=60.1)}, "slot.sync_response"),
        ({"running_limit": 0}, "slot.running_limit"),
        ({"running_limit": 51}, "slot.running_limit"),
        ({"queue_length": -1}, "slot.queue_length"),
        ({"queue_length": 101}, "slot.queue_length"),
        ({"plan": Plan(ProviderId("g"), OperationId("e"), settings_json="[]")}, "slot.settings_json"),
        ({"plan": Plan(ProviderId("g"), OperationId("e"), settings_json="{")}, "slot.settings_json"),
    ],
)
def test_a_slot_out_of_bounds_is_named(change: dict[str, object], field: str) -> None:
    wrong = replace(SLOT, **change)  # type: ignore[arg-type]  # the table's values are of many types
    assert [violation.field for violation in slot_violations(wrong)] == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sync_response": timedelta(seconds=61)}, "settings.sync_response"),
        ({"result_retention": timedelta(hours=23)}, "settings.result_retention"),
        ({"result_retention": timedelta(hours=169)}, "settings.result_retention"),
        ({"limits": Limits(slot_running=0)}, "settings.limits.slot_running"),
        ({"limits": Limits(slot_queue=101)}, "settings.limits.slot_queue"),
        (
            {"limits": Limits(provider_running={ProviderId("gemini"): 501})},
            "settings.limits.provider_running.gemini",
        ),
    ],
)
def test_settings_out_of_bounds_are_named(change: dict[str, object], field: str) -> None:
    wrong = replace(SETTINGS, **change)  # type: ignore[arg-type]  # the table's values are of many types
    assert [violation.field for violation in settings_violations(wrong)] == [field]


def test_good_slots_settings_and_passwords_have_nothing_wrong() -> None:
    assert not [*slot_violations(SLOT), *settings_violations(SETTINGS)]
    assert not [*password_violations(None, may_be_empty=False), *password_violations("", may_be_empty=True)]
    assert not [
        *password_violations("x" * 8, may_be_empty=False),
        *password_violations("x" * 64, may_be_empty=True),
    ]


@pytest.mark.parametrize(("password", "may_be_empty"), [("", False), ("short", True), ("x" * 65, True)])
def test_a_password_out_of_bounds_is_named(password: str, may_be_empty: bool) -> None:
    [violation] = password_violations(password, may_be_empty=may_be_empty)
    assert violation.field == "ingest_password"
