from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_ingest.domain.conclusion import conclude
from photochanger_ingest.domain.errors import WrongJobState
from photochanger_ingest.domain.job import Failed, FailureReason, Job, JobMode, JobState, Outcome, Stage
from photochanger_ingest.domain.picture import ResultOrigin
from photochanger_ingest.testing.builders import NOW, a_failure, a_job, a_picture, a_success

LATE = NOW + timedelta(seconds=168)
IN_TIME = NOW + timedelta(seconds=20)
TOO_LATE = NOW + timedelta(seconds=49)
RUNNING = a_job().start(NOW)
TIMED_OUT_KEEPING = a_job(late_until=LATE).start(NOW).time_out(NOW)

STAGES = (Stage("fetch", timedelta(seconds=1)), Stage("provider", timedelta(seconds=12)))

OUTCOMES: list[Outcome] = [
    a_success("one"),
    a_success("two"),
    *(a_failure(reason) for reason in FailureReason),
]


@given(
    st.lists(st.tuples(st.sampled_from(OUTCOMES), st.sampled_from([IN_TIME, TOO_LATE])), max_size=6),
    st.sampled_from([None, LATE]),
)
def test_the_first_outcome_decides_and_repeats_change_no_state(
    outcomes: list[tuple[Outcome, object]], late_until: object
) -> None:
    job = a_job(late_until=late_until).start(NOW)
    ends = 0
    for outcome, ended_at in outcomes:
        before = job
        conclusion = conclude(job, outcome, ended_at=ended_at, now=TOO_LATE)  # type: ignore[arg-type]  # sampled
        job = conclusion.job
        ends += conclusion.ended
        assert conclusion.ended == (not before.final)
        if before.final:
            assert (job.state, job.failure) == (before.state, before.failure)
        assert job.final
    assert ends == bool(outcomes)


@pytest.mark.parametrize("outcome", [a_success(), a_failure(), a_failure(FailureReason.TIMEOUT)])
def test_the_same_outcome_twice_changes_nothing_more(outcome: Outcome) -> None:
    once = conclude(RUNNING, outcome, ended_at=IN_TIME, now=IN_TIME)
    twice = conclude(once.job, outcome, ended_at=IN_TIME, now=TOO_LATE)
    assert (twice.job, twice.ended, twice.kept, twice.discarded) == (once.job, False, False, None)


def test_a_picture_made_in_time_counts_when_we_learn_of_it_later() -> None:
    conclusion = conclude(RUNNING, a_success(), ended_at=IN_TIME, now=TOO_LATE)
    assert conclusion.job.state is JobState.DONE


def test_a_picture_made_too_late_times_the_job_out_and_is_discarded() -> None:
    conclusion = conclude(RUNNING, a_success(), ended_at=TOO_LATE, now=TOO_LATE)
    assert conclusion.job.state is JobState.TIMEOUT
    assert conclusion.job.result is None
    assert conclusion.discarded == a_picture()


def test_a_picture_made_too_late_is_kept_where_the_slot_says_so() -> None:
    job = a_job(late_until=LATE).start(NOW)
    conclusion = conclude(job, a_success(), ended_at=TOO_LATE, now=TOO_LATE)
    assert (conclusion.ended, conclusion.kept, conclusion.discarded) == (True, True, None)
    assert conclusion.job.state is JobState.TIMEOUT
    assert conclusion.job.has_late_result


def test_a_late_picture_is_kept_once() -> None:
    kept = conclude(TIMED_OUT_KEEPING, a_success(), ended_at=TOO_LATE, now=TOO_LATE)
    assert kept.kept
    again = conclude(kept.job, a_success(), ended_at=TOO_LATE, now=TOO_LATE)
    assert (again.kept, again.discarded) == (False, None)
    other = conclude(kept.job, a_success("other"), ended_at=TOO_LATE, now=TOO_LATE)
    assert other.job == kept.job
    assert other.discarded == a_picture("other")


@pytest.mark.parametrize(
    "final",
    [RUNNING.cancel(NOW), RUNNING.fail(a_failure(), NOW), RUNNING.time_out(NOW)],
    ids=lambda job: job.state,
)
def test_a_picture_for_an_ended_job_is_discarded(final: Job) -> None:
    conclusion = conclude(final, a_success(), ended_at=IN_TIME, now=TOO_LATE)
    assert conclusion.job == final
    assert conclusion.discarded == a_picture()


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (FailureReason.TIMEOUT, JobState.TIMEOUT),
        (FailureReason.CANCELLED, JobState.CANCELLED),
        (FailureReason.QUOTA, JobState.FAILED),
    ],
)
def test_a_failure_ends_the_job_in_its_state(reason: FailureReason, state: JobState) -> None:
    conclusion = conclude(RUNNING, a_failure(reason), ended_at=IN_TIME, now=IN_TIME)
    assert conclusion.ended
    assert conclusion.job.state is state
    assert conclusion.job.failure is not None
    assert conclusion.job.failure.reason is reason


@pytest.mark.parametrize("reason", FailureReason)
def test_what_was_done_in_vain_is_kept(reason: FailureReason) -> None:
    outcome = replace(a_failure(reason), stages=STAGES)
    job = conclude(RUNNING, outcome, ended_at=IN_TIME, now=IN_TIME).job
    assert (job.stages, job.provider_calls) == (STAGES, 1)


def test_who_ended_a_job_without_knowing_what_was_done_learns_it_later_and_once() -> None:
    ended = RUNNING.time_out(NOW)
    first = replace(a_failure(), stages=STAGES)
    learned = conclude(ended, first, ended_at=TOO_LATE, now=TOO_LATE).job
    again = conclude(learned, replace(first, stages=STAGES[:1]), ended_at=TOO_LATE, now=TOO_LATE).job
    assert learned == replace(ended, stages=STAGES, provider_calls=1)
    assert again == learned


def test_a_job_that_is_done_learns_nothing_from_a_failure() -> None:
    done = RUNNING.finish(a_success(), NOW)
    conclusion = conclude(done, replace(a_failure(), stages=STAGES), ended_at=IN_TIME, now=IN_TIME)
    assert conclusion.job == done


@pytest.mark.parametrize("outcome", [a_failure(), a_failure(FailureReason.TIMEOUT)])
def test_the_original_is_shown_when_the_provider_fails(outcome: Failed) -> None:
    conclusion = conclude(RUNNING, outcome, ended_at=IN_TIME, now=IN_TIME, original=a_picture("original"))
    assert conclusion.job.result is not None
    assert conclusion.job.result.origin is ResultOrigin.INPUT


def test_a_failure_after_the_deadline_ends_the_wait_for_a_late_picture() -> None:
    conclusion = conclude(TIMED_OUT_KEEPING, a_failure(), ended_at=TOO_LATE, now=TOO_LATE)
    assert conclusion.job.state is JobState.TIMEOUT
    assert conclusion.job.settled(NOW)


def test_a_picture_for_a_job_that_never_started_is_refused() -> None:
    with pytest.raises(WrongJobState):
        conclude(a_job(), a_success(), ended_at=IN_TIME, now=IN_TIME)


def test_a_clients_failed_job_gets_the_picture_of_its_dead_task_once_and_stays_failed() -> None:
    failed = replace(RUNNING, mode=JobMode.ASYNC).fail(a_failure(), NOW)
    kept = conclude(failed, a_success("one"), ended_at=TOO_LATE, now=TOO_LATE)
    again = conclude(kept.job, a_success("one"), ended_at=TOO_LATE, now=TOO_LATE)
    another = conclude(kept.job, a_success("two"), ended_at=TOO_LATE, now=TOO_LATE)
    assert (kept.job.state, kept.job.failure, kept.kept) == (JobState.FAILED, failed.failure, True)
    assert kept.job.has_late_result
    assert (again.job, again.kept, again.discarded) == (kept.job, False, None)
    assert (another.job, another.discarded) == (kept.job, a_picture("two"))


@pytest.mark.parametrize("end", [lambda job: job.time_out(NOW), lambda job: job.cancel(NOW)])
def test_no_other_end_of_a_clients_job_takes_a_picture(end: Callable[[Job], Job]) -> None:
    ended = end(replace(RUNNING, mode=JobMode.ASYNC))
    conclusion = conclude(ended, a_success(), ended_at=IN_TIME, now=IN_TIME)
    assert (conclusion.job, conclusion.discarded) == (ended, a_success().picture)


def test_a_cameras_failed_job_takes_no_picture() -> None:
    failed = RUNNING.fail(a_failure(), NOW)
    conclusion = conclude(failed, a_success(), ended_at=IN_TIME, now=IN_TIME)
    assert (conclusion.job, conclusion.discarded) == (failed, a_success().picture)
