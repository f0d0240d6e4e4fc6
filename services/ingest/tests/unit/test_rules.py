import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_ingest.domain.ids import MediaObjectId, OperationId, ProviderId
from photochanger_ingest.domain.rules import plan_violations
from photochanger_ingest.domain.slot import Plan, Template


def refused_fields(settings_json: str = "{}", templates: int = 0) -> list[str]:
    plan = Plan(
        ProviderId("local"),
        OperationId("comic"),
        settings_json,
        tuple(Template(MediaObjectId(str(number)), "style") for number in range(templates)),
    )
    return [violation.field for violation in plan_violations(plan, at="slot")]


@pytest.mark.parametrize(
    "settings_json",
    [
        "",
        "[]",
        "null",
        "{",
        '{"a": NaN}',
        '{"a": 1e999999}',
        '{"prompt": "\\u0000"}',
        '{"\\u0000": 1}',
        '{"prompt": "\\\\\\u0000"}',
        '{"prompt": "\\ud800"}',
        '{"a":' * 20_000 + "1" + "}" * 20_000,
        '{"a": "' + "é" * 40_000 + '"}',
    ],
)
def test_settings_that_could_not_be_stored_are_refused(settings_json: str) -> None:
    assert refused_fields(settings_json) == ["slot.settings_json"]


@given(
    st.dictionaries(st.text(alphabet=st.characters(exclude_characters="\0", codec="utf-8")), st.integers())
)
def test_settings_that_are_an_object_pass(settings: dict[str, int]) -> None:
    assert refused_fields(json.dumps(settings)) == []


def test_a_backslash_before_a_word_is_no_nul() -> None:
    assert refused_fields(json.dumps({"prompt": "\\u0000 and \\\\u0000"})) == []


def test_a_slot_has_at_most_32_templates() -> None:
    assert refused_fields(templates=32) == []
    assert refused_fields(templates=33) == ["slot.templates"]
