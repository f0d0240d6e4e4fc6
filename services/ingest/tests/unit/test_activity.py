from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_ingest.domain.activity import (
    RECENT_JOBS,
    SlotCondition,
    condition_of,
    last_failure_reason,
)
from photochanger_ingest.domain.job import Failure, FailureReason, Job, JobState
from photochanger_ingest.testing.builders import NOW, a_job

AGES = st.integers(0, 7200).map(lambda seconds: timedelta(seconds=seconds))


def ended(state: str, *, ago: timedelta = timedelta(minutes=1), share: float = 0.1) -> Job:
    """A job that ended a while ago and used this share of its 50 s."""
    received = NOW - ago - share * timedelta(seconds=50)
    failure = {
        "done": None,
        "failed": Failure(FailureReason.QUOTA, "No more."),
        "timeout": Failure(FailureReason.TIMEOUT, "Too late."),
    }[state]
    return a_job(
        state=JobState(state),
        received_at=received,
        deadline=received + timedelta(seconds=50),
        finished_at=NOW - ago,
        failure=failure,
    )


def condition(
    recent: Sequence[Job] = (), *, active: bool = True, running: int = 0, waiting: int = 0, limit: int = 4
) -> SlotCondition:
    return condition_of(
        active=active, running=running, waiting=waiting, running_limit=limit, recent=recent, now=NOW
    )


RECENT = st.lists(
    st.builds(
        lambda state, ago, share: ended(state, ago=ago, share=share),
        st.sampled_from(["done", "failed", "timeout"]),
        AGES,
        st.floats(0, 1),
    ),
    max_size=RECENT_JOBS,
).map(lambda jobs: sorted(jobs, key=lambda job: job.finished_at or NOW, reverse=True))


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([], SlotCondition.ACTIVE),
        (["done"], SlotCondition.ACTIVE),
        (["failed"], SlotCondition.FAILING),
        (["timeout"], SlotCondition.FAILING),
        (["failed", "timeout"], SlotCondition.FAILING),
        (["failed", "failed", "timeout", "done"], SlotCondition.FAILING),
        (["failed", "failed", "done"], SlotCondition.ACTIVE),
        (["failed", "done"], SlotCondition.ACTIVE),
        (["done", "failed", "failed", "failed"], SlotCondition.ACTIVE),
        (["done", "failed", "failed", "failed", "timeout"], SlotCondition.DELAYED),
        (["done", "timeout"], SlotCondition.DELAYED),
    ],
)
def test_the_last_jobs_newest_first_make_the_condition(states: list[str], expected: SlotCondition) -> None:
    assert condition([ended(state) for state in states]) is expected


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.81], SlotCondition.DELAYED),
        ([0.8], SlotCondition.ACTIVE),
        ([0.9, 0.9, 0.1], SlotCondition.DELAYED),
        ([0.9, 0.1, 0.1], SlotCondition.ACTIVE),
        ([0.9, 0.1], SlotCondition.ACTIVE),
    ],
)
def test_a_slot_whose_photos_use_most_of_their_time_is_delayed(
    shares: list[float], expected: SlotCondition
) -> None:
    assert condition([ended("done", share=share) for share in shares]) is expected


@pytest.mark.parametrize(
    ("running", "waiting", "limit", "expected"),
    [
        (3, 0, 4, SlotCondition.ACTIVE),
        (4, 0, 4, SlotCondition.BUSY),
        (5, 0, 4, SlotCondition.BUSY),
        (1, 1, 4, SlotCondition.BUSY),
        (1, 0, 1, SlotCondition.BUSY),
    ],
)
def test_a_slot_without_a_free_place_is_busy(
    running: int, waiting: int, limit: int, expected: SlotCondition
) -> None:
    assert condition(running=running, waiting=waiting, limit=limit) is expected
    late = [ended("done", share=0.9)]
    if expected is SlotCondition.BUSY:
        assert condition(late, running=running, waiting=waiting, limit=limit) is expected
    assert (
        condition([ended("failed")], running=running, waiting=waiting, limit=limit) is SlotCondition.FAILING
    )


def test_what_is_more_than_an_hour_old_says_nothing_about_now() -> None:
    hour = timedelta(hours=1)
    assert condition([ended("failed", ago=hour)]) is SlotCondition.FAILING
    just_over = hour + timedelta(seconds=1)
    assert condition([ended("failed", ago=just_over)]) is SlotCondition.ACTIVE
    assert condition([ended("done"), ended("timeout", ago=just_over)]) is SlotCondition.ACTIVE


@given(RECENT, st.integers(0, 5), st.integers(0, 5))
def test_a_slot_that_is_off_is_off_and_one_that_is_on_is_not(
    recent: list[Job], running: int, waiting: int
) -> None:
    off = condition(recent, active=False, running=running, waiting=waiting)
    assert off is SlotCondition.OFF
    assert condition(recent, running=running, waiting=waiting) is not SlotCondition.OFF


@given(RECENT)
def test_one_quick_success_ends_the_failing(recent: list[Job]) -> None:
    after = [ended("done", ago=timedelta()), *recent][:RECENT_JOBS]
    assert condition(after) is not SlotCondition.FAILING
    assert last_failure_reason(after) == ""


@given(RECENT)
def test_a_failing_slot_says_why(recent: list[Job]) -> None:
    if condition(recent) is SlotCondition.FAILING:
        assert last_failure_reason(recent) in {"quota", "timeout"}


def test_the_last_failure_is_told_however_old_until_a_photo_goes_well() -> None:
    failed = ended("failed", ago=timedelta(days=3))
    assert last_failure_reason([failed]) == "quota"
    assert last_failure_reason([ended("done"), failed]) == ""
    assert last_failure_reason([]) == ""
