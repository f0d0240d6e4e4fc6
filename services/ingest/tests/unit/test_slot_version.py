from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger.ingest.v1 import slot_pb2
from photochanger_ingest.adapters.grpc.slot_edits import EDITABLE
from photochanger_ingest.domain.ids import MediaObjectId, OperationId, ProviderId, SlotId
from photochanger_ingest.domain.slot import (
    FailureMode,
    LateResults,
    OutputFormat,
    Plan,
    ResponseMode,
    Slot,
    Template,
)
from photochanger_ingest.domain.slot_version import PASSWORD_FIELD, SlotVersion, changed_fields
from photochanger_ingest.testing.builders import NOW

NAMES = st.sampled_from(["a", "b"])
PLANS = st.builds(
    Plan,
    provider_id=NAMES.map(ProviderId),
    operation_id=NAMES.map(OperationId),
    settings_json=st.sampled_from(["{}", '{"a": 1}', '{"a": true}', '{"a": 1.0}']),
    templates=st.lists(
        st.builds(Template, media_object_id=NAMES.map(MediaObjectId), role=NAMES), max_size=2
    ).map(tuple),
    output_format=st.sampled_from(OutputFormat),
    on_failure=st.sampled_from(FailureMode),
    late_results=st.sampled_from(LateResults),
)
SLOTS = st.builds(
    Slot,
    id=st.just(SlotId("slot-001")),
    display_name=NAMES,
    active=st.booleans(),
    version=st.integers(1, 9),
    plan=PLANS,
    size_limit_bytes=st.integers(1, 2),
    response_mode=st.sampled_from(ResponseMode),
    updated_at=st.sampled_from([NOW, NOW + timedelta(days=1)]),
    updated_by=NAMES,
    sync_response=st.none() | st.just(timedelta(seconds=20)),
    dedupe=st.none() | st.booleans(),
    running_limit=st.none() | st.integers(1, 2),
    queue_length=st.none() | st.integers(0, 1),
    password_hash=st.none() | NAMES,
)


def values(slot: Slot) -> Slot:
    """A slot without what tells which version it is."""
    return replace(slot, version=1, updated_at=NOW, updated_by="")


@given(SLOTS, SLOTS)
def test_fields_have_changed_exactly_when_a_slot_differs(before: Slot, after: Slot) -> None:
    changed = changed_fields(before, after)
    assert bool(changed) == (values(before) != values(after))
    assert list(changed) == sorted(set(changed))
    assert set(changed) <= EDITABLE | {PASSWORD_FIELD}


@given(SLOTS, SLOTS, SLOTS)
def test_a_restored_version_differs_from_that_version_in_nothing_but_the_password(
    before: Slot, then: Slot, now: Slot
) -> None:
    version = SlotVersion.of(then, before)
    restored = version.restored_to(now)
    assert set(changed_fields(then, restored)) <= {PASSWORD_FIELD}
    assert restored.password_hash == now.password_hash
    assert (restored.version, restored.updated_at, restored.updated_by) == (
        now.version,
        now.updated_at,
        now.updated_by,
    )


@given(SLOTS, SLOTS)
def test_a_version_tells_that_there_was_a_password_and_keeps_no_hash(before: Slot, after: Slot) -> None:
    version = SlotVersion.of(after, before, restored_from=None)
    assert version.slot.password_hash is None
    assert version.own_password == (after.password_hash is not None)
    assert (PASSWORD_FIELD in version.changed_fields) == (before.password_hash != after.password_hash)


@pytest.mark.parametrize(
    ("old", "new", "changed"),
    [
        ('{"a": 1, "b": 2}', '{"b":2,\n"a":1}', False),
        ('{"a": 1}', '{"a": true}', True),
        ('{"a": 1}', '{"a": 1.0}', True),
        ('{"a": [1, 2]}', '{"a": [2, 1]}', True),
    ],
)
def test_settings_are_compared_as_json(old: str, new: str, changed: bool) -> None:
    def slot(settings_json: str) -> Slot:
        plan = Plan(ProviderId("local"), OperationId("comic"), settings_json)
        others: dict[str, Any] = {"size_limit_bytes": 1, "updated_at": NOW, "updated_by": ""}
        return Slot(SlotId("slot-001"), "", True, 1, plan, response_mode=ResponseMode.IMAGE, **others)

    assert (changed_fields(slot(old), slot(new)) == ("settings_json",)) is changed


def test_every_field_an_admin_can_set_is_watched() -> None:
    """A field that is added to slots is forgotten neither in the history nor by the edit."""
    told_by_the_version = {"id", "version", "updated_at", "updated_by", "own_password"}
    assert set(slot_pb2.Slot.DESCRIPTOR.fields_by_name) - told_by_the_version == EDITABLE
    of_slots = {field.name for field in fields(Slot)} - {"plan", "password_hash"} - told_by_the_version
    assert of_slots | {field.name for field in fields(Plan)} == EDITABLE
