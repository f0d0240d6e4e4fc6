from datetime import datetime, timedelta

import pytest
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.testing import ManualClock


def test_what_remains_shrinks_and_never_gets_negative() -> None:
    clock = ManualClock()
    deadline = Deadline.after(clock.now(), timedelta(seconds=10))
    assert deadline.remaining(clock.advance(timedelta(seconds=4))) == timedelta(seconds=6)
    assert deadline.remaining(clock.advance(timedelta(seconds=60))) == timedelta()


def test_it_has_passed_at_its_very_instant() -> None:
    clock = ManualClock()
    deadline = Deadline.after(clock.now(), timedelta(seconds=1))
    assert not deadline.passed(clock.now())
    assert deadline.passed(clock.advance(timedelta(seconds=1)))


def test_a_reserve_makes_it_earlier() -> None:
    clock = ManualClock()
    deadline = Deadline.after(clock.now(), timedelta(seconds=10))
    assert deadline.minus(timedelta(seconds=3)).remaining(clock.now()) == timedelta(seconds=7)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        Deadline(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
