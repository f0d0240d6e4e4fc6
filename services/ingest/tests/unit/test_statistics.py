import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_ingest.domain.statistics import (
    BUCKETS,
    LONGEST,
    LONGEST_WINDOW,
    MINUTE,
    PRECISION,
    SHORTEST,
    SHORTEST_WINDOW,
    JobCounts,
    Window,
    bucket_of,
    percentile,
    total,
)

durations = st.timedeltas(SHORTEST, LONGEST)
instants = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - a bound
lengths = st.timedeltas(SHORTEST_WINDOW, LONGEST_WINDOW)


def counted(values: list[timedelta]) -> list[int]:
    counts = [0] * BUCKETS
    for value in values:
        counts[bucket_of(value)] += 1
    return counts


@given(st.lists(durations, min_size=1, max_size=60), st.sampled_from([0.01, 0.5, 0.95, 1.0]))
def test_a_percentile_is_within_five_percent_of_the_true_one(values: list[timedelta], share: float) -> None:
    true = sorted(values)[math.ceil(len(values) * share) - 1]
    found = percentile(counted(values), share)
    assert found is not None
    assert abs(found - true) <= true * PRECISION + timedelta(microseconds=2)
    assert PRECISION < 0.05


@pytest.mark.parametrize(
    ("value", "expected"),
    [(timedelta(seconds=-1), SHORTEST), (timedelta(), SHORTEST), (timedelta(hours=1), LONGEST)],
)
def test_durations_out_of_range_count_as_the_nearest_in_range(value: timedelta, expected: timedelta) -> None:
    found = percentile(counted([value]), 0.5)
    assert found is not None
    assert abs(found - expected) <= expected * PRECISION + timedelta(microseconds=2)


def test_without_jobs_there_is_no_percentile() -> None:
    assert percentile([], 0.5) is None
    assert percentile([0] * BUCKETS, 0.95) is None
    assert JobCounts(finished=3, failed=3).percentile(0.5) is None


def test_the_total_of_slots_without_jobs_is_nothing() -> None:
    assert total([JobCounts(), JobCounts()]) == JobCounts()
    one = JobCounts(finished=2, done=1, failed=1, provider_errors=1, durations=(1, 0))
    assert total([JobCounts(), one, one]) == JobCounts(
        finished=4, done=2, failed=2, provider_errors=2, durations=(2, 0)
    )


@given(instants, lengths)
def test_a_window_is_as_long_as_asked_and_less_than_a_minute_longer(now: datetime, length: timedelta) -> None:
    window = Window.before(now, length)
    assert window.ends_at == now
    assert window.starts_at.timestamp() % 60 == 0
    assert timedelta() <= (now - window.starts_at) - length // MINUTE * MINUTE < MINUTE
    assert window.starts_at <= window.whole_hours_from < window.starts_at + timedelta(hours=1)
    assert window.whole_hours_from.timestamp() % 3600 == 0


@given(instants, lengths)
def test_steps_follow_one_another_and_cover_the_window(now: datetime, length: timedelta) -> None:
    window = Window.before(now, length)
    steps = window.steps
    assert 5 < len(steps) <= 73 or window.step == timedelta(hours=1)
    assert len(steps) <= 73
    assert steps[0] <= window.starts_at < steps[0] + window.step
    assert steps[-1] <= now < steps[-1] + window.step
    assert all(later - earlier == window.step for earlier, later in pairwise(steps))
    assert all(step.timestamp() % window.step.total_seconds() == 0 for step in steps)


@pytest.mark.parametrize(
    ("length", "step"),
    [
        (timedelta(minutes=5), timedelta(minutes=1)),
        (timedelta(minutes=60, seconds=59), timedelta(minutes=1)),
        (timedelta(minutes=61), timedelta(minutes=5)),
        (timedelta(hours=6), timedelta(minutes=5)),
        (timedelta(hours=6, minutes=1), timedelta(hours=1)),
        (timedelta(days=3), timedelta(hours=1)),
    ],
)
def test_the_longer_the_window_the_longer_its_steps(length: timedelta, step: timedelta) -> None:
    assert Window.before(datetime(2026, 1, 1, 12, 34, 56, tzinfo=UTC), length).step == step
