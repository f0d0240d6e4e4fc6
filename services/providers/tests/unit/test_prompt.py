"""Placeholders in prompts."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_providers.domain.prompt import MAX_VALUE_CHARS, render_prompt


@pytest.mark.parametrize(
    ("text", "fields", "rendered"),
    [
        ("Hello {{name}}!", {"name": "Zoë"}, "Hello Zoë!"),
        ("Hello {{ name | dear guest }}!", {}, "Hello dear guest!"),
        ("Hello {{name|dear guest}}!", {"name": " \n\t"}, "Hello dear guest!"),
        ("Hello {{name}}!", {}, "Hello !"),
        ("{{имя|гость}}", {"имя": "Анна"}, "Анна"),
        ("{{name}} {single} {{}} {{a{b}} %s {0}", {"name": "x"}, "x {single} {{}} {{a{b}} %s {0}"),
        ("{{a}}", {"a": "{{b}}", "b": "secret"}, "{{b}}"),
        ("{{a.__class__}} {{a[0]}} {{a!r}}", {"a": "x"}, "  "),
        ("{{a}}", {"a": "two\r\nlines\x00\x1b[31m\u202e\u200b"}, "two lines[31m"),
    ],
)
def test_placeholders_are_filled_with_plain_text(text: str, fields: dict[str, str], rendered: str) -> None:
    assert render_prompt(text, fields) == rendered


@given(st.text(), st.text())
def test_a_value_is_one_bounded_line_without_invisible_characters(value: str, around: str) -> None:
    rendered = render_prompt("{{field}}", {"field": value, "other": around})

    assert len(rendered) <= MAX_VALUE_CHARS
    assert not any(unicodedata.category(character).startswith("C") for character in rendered)
    assert rendered == " ".join(rendered.split())


@given(st.text(alphabet=st.characters(exclude_characters="{}")), st.dictionaries(st.text(), st.text()))
def test_a_text_without_placeholders_stays_as_it_is(text: str, fields: dict[str, str]) -> None:
    assert render_prompt(text, fields) == text


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_no_text_and_no_fields_break_it(text: str, fields: dict[str, str]) -> None:
    render_prompt(text, fields)
