from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_ingest.domain.errors import WrongJobState
from photochanger_ingest.domain.job import FailureReason, Job, JobState
from photochanger_ingest.domain.picture import ResultOrigin
from photochanger_ingest.testing.builders import NOW, a_failure, a_job, a_picture, a_success

Move = Callable[[Job], Job]

MOVES: dict[str, Move] = {
    "start": lambda job: job.start(NOW),
    "finish": lambda job: job.finish(a_success(), NOW),
    "fail": lambda job: job.fail(a_failure(), NOW),
    "fail with original": lambda job: job.fail(a_failure(), NOW, original=a_picture("original")),
    "time out": lambda job: job.time_out(NOW),
    "cancel": lambda job: job.cancel(NOW),
    "keep late result": lambda job: job.keep_late_result(a_success("late")),
    "give up late result": lambda job: job.give_up_late_result(),
}
LATE = NOW + timedelta(seconds=168)


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=12), st.sampled_from([None, LATE]))
def test_a_final_state_never_changes(moves: list[str], late_until: object) -> None:
    job = a_job(late_until=late_until)
    for move in moves:
        before = job
        with suppress(WrongJobState):
            job = MOVES[move](job)
        if before.final:
            assert job.state is before.state
            assert job.finished_at == before.finished_at
            assert job.failure == before.failure


@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=12), st.sampled_from([None, LATE]))
def test_every_reachable_job_is_whole(moves: list[str], late_until: object) -> None:
    job = a_job(late_until=late_until)
    for move in moves:
        with suppress(WrongJobState):
            job = MOVES[move](job)
        assert (job.finished_at is not None) == job.final
        assert (job.failure is not None) == (job.final and job.state is not JobState.DONE)
        assert (job.state is JobState.DONE) == (
            job.result is not None and job.result.origin is ResultOrigin.PROVIDER
        )
        if job.state in {JobState.RUNNING, JobState.DONE}:
            assert job.started_at is not None
        if job.late_until is not None:
            assert not job.final or job.state is JobState.TIMEOUT
        if job.has_late_result:
            assert job.state is JobState.TIMEOUT


@pytest.mark.parametrize(
    ("moves", "move"),
    [
        (["start"], "start"),
        ([], "finish"),
        (["start", "finish"], "time out"),
        (["start", "finish"], "fail"),
        (["time out"], "cancel"),
        (["start", "fail"], "keep late result"),
        (["start", "finish"], "give up late result"),
    ],
)
def test_a_wrong_move_is_refused(moves: list[str], move: str) -> None:
    job = a_job()
    for earlier in moves:
        job = MOVES[earlier](job)
    with pytest.raises(WrongJobState):
        MOVES[move](job)


def test_a_job_that_timed_out_while_running_awaits_its_late_picture() -> None:
    job = a_job(late_until=LATE).start(NOW).time_out(NOW)
    assert job.awaits_late_result(LATE - timedelta(seconds=1))
    assert not job.awaits_late_result(LATE)
    assert not job.settled(NOW)
    assert not job.keep_late_result(a_success()).awaits_late_result(NOW)


def test_a_job_that_never_started_awaits_no_late_picture() -> None:
    job = a_job(late_until=LATE).time_out(NOW)
    assert job.settled(NOW)
    assert job.failure is not None
    assert "No place was free" in job.failure.message


def test_a_late_picture_takes_the_place_of_the_published_original() -> None:
    job = a_job(late_until=LATE).start(NOW).time_out(NOW, original=a_picture("original"))
    assert job.result is not None
    assert job.result.origin is ResultOrigin.INPUT
    kept = job.keep_late_result(a_success("late"))
    assert kept.result is not None
    assert (kept.result.origin, kept.result.picture.id) == (ResultOrigin.LATE, "late")


def test_duplicates_are_answered_while_there_is_an_answer_to_come_or_to_show() -> None:
    pending = a_job(late_until=LATE)
    running = pending.start(NOW)
    expires_at = a_picture().expires_at
    assert pending.answers_duplicates_until == pending.deadline
    assert running.answers_duplicates_until == running.deadline
    assert running.finish(a_success(), NOW).answers_duplicates_until == expires_at
    assert running.fail(a_failure(), NOW, original=a_picture()).answers_duplicates_until is None
    assert running.cancel(NOW).answers_duplicates_until is None
    timed_out = running.time_out(NOW)
    assert timed_out.answers_duplicates_until == LATE
    assert timed_out.keep_late_result(a_success()).answers_duplicates_until == expires_at
    assert timed_out.give_up_late_result().answers_duplicates_until is None
    assert a_job().start(NOW).time_out(NOW).answers_duplicates_until is None


def test_a_failure_keeps_its_reason_and_calls() -> None:
    job = a_job().start(NOW).fail(a_failure(FailureReason.NO_IMAGE), NOW)
    assert job.failure is not None
    assert job.failure.reason == "no_image"
    assert job.provider_calls == 1
