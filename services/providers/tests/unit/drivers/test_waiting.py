from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_providers.drivers.waiting import parse_duration, parse_retry_after

_NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@given(seconds=st.integers(0, 9_999_999), micros=st.integers(0, 999_999))
def test_a_duration_survives_its_json_form(seconds: int, micros: int) -> None:
    wanted = timedelta(seconds=seconds, microseconds=micros)
    assert parse_duration(f"{seconds}.{micros:06d}s") == wanted
    assert parse_duration(f"{seconds}.{micros:06d}789s") == wanted
    assert parse_duration(f"{seconds}s") == timedelta(seconds=seconds)


@given(st.text() | st.integers() | st.none() | st.dictionaries(st.text(), st.integers()))
def test_whatever_else_is_no_duration(value: object) -> None:
    found = parse_duration(value)
    assert found is None or (isinstance(value, str) and value.endswith("s"))


@pytest.mark.parametrize(
    "value", ["", "s", "26", "-1s", "1e3s", "NaNs", "infs", "1.s", ".5s", "99999999s", "٣s", 26]
)
def test_nonsense_is_no_duration(value: object) -> None:
    assert parse_duration(value) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), (" 120 ", 120.0), ("1.5", 1.5), ("Sat, 21 Nov 2026 12:00:30 GMT", 30.0)],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float) -> None:
    assert parse_retry_after(value, now=_NOW) == timedelta(seconds=seconds)


def test_a_date_that_has_passed_is_no_wait() -> None:
    assert parse_retry_after("Sat, 21 Nov 2026 11:00:00 GMT", now=_NOW) == timedelta()


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "Sat, 99 Nov 2026 12:00:30 GMT", "1 2"])
def test_a_retry_after_that_says_nothing_is_ignored(value: str | None) -> None:
    assert parse_retry_after(value, now=_NOW) is None


@given(st.text())
def test_no_retry_after_breaks_the_driver(value: str) -> None:
    found = parse_retry_after(value, now=_NOW)
    assert found is None or found >= timedelta()
