"""How reasons become HTTP answers."""

import json
from datetime import timedelta

import pytest
from photochanger_chassis.errors import ErrorKind, RemoteError, ServiceError
from photochanger_gateway.adapters.http import answers
from photochanger_gateway.adapters.http.texts import texts_for
from photochanger_gateway.domain.ranges import ByteRange, parse_range
from photochanger_gateway.domain.refusals import BY_FAILURE, BY_REASON, meaning_of, meaning_of_failure

CAMERA_STATUSES = {400, 401, 404, 409, 413, 415, 422, 429, 500, 502, 503, 504}


def a_remote_error(reason: str, kind: ErrorKind = ErrorKind.UNKNOWN) -> ServiceError:
    return RemoteError("words", kind=kind, reason=reason, domain="photochanger.ingest", metadata={})


@pytest.mark.parametrize("reason", sorted(BY_REASON))
def test_a_known_reason_has_its_own_row(reason: str) -> None:
    assert meaning_of(a_remote_error(reason)) is BY_REASON[reason]


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (ErrorKind.NOT_FOUND, 404),
        (ErrorKind.INVALID_ARGUMENT, 400),
        (ErrorKind.UNAVAILABLE, 503),
        (ErrorKind.RESOURCE_EXHAUSTED, 429),
        (ErrorKind.DEADLINE_EXCEEDED, 504),
        (ErrorKind.INTERNAL, 500),
        (ErrorKind.UNKNOWN, 500),
    ],
)
def test_a_reason_nobody_knows_falls_back_on_its_kind(kind: ErrorKind, status: int) -> None:
    assert meaning_of(a_remote_error("NEW_REASON", kind)).status == status


@pytest.mark.parametrize("failure", sorted(BY_FAILURE))
def test_every_failure_of_a_job_is_a_status_cameras_know(failure: str) -> None:
    assert meaning_of_failure(failure).status in CAMERA_STATUSES


def test_a_failure_nobody_knows_is_our_fault() -> None:
    assert meaning_of_failure("something_new").status == 500


def a_body(error: ServiceError, *, problem: bool = False) -> dict[str, object]:
    body: dict[str, object] = json.loads(bytes(answers.refusal(error, problem=problem).body))
    return body


def test_only_a_timeout_has_the_status_timeout() -> None:
    assert a_body(a_remote_error("DEADLINE_PASSED"))["status"] == "timeout"
    assert a_body(a_remote_error("SLOT_NOT_FOUND"))["status"] == "error"


def test_a_wait_is_told_twice_and_rounded_up() -> None:
    error = RemoteError(
        "busy",
        kind=ErrorKind.RESOURCE_EXHAUSTED,
        reason="SLOT_BUSY",
        domain="photochanger.ingest",
        metadata={},
        retry_after=timedelta(milliseconds=2300),
    )
    answer = answers.refusal(error)
    assert answer.headers["retry-after"] == "3"
    assert json.loads(bytes(answer.body))["retry_after"] == 3


def test_a_refusal_that_waiting_does_not_help_names_no_wait() -> None:
    assert "retry-after" not in answers.refusal(a_remote_error("SLOT_NOT_FOUND")).headers


def test_a_problem_carries_the_same_facts_with_a_numeric_status() -> None:
    problem = a_body(a_remote_error("SLOT_NOT_FOUND"), problem=True)
    assert problem["status"] == 404
    assert problem["failure_reason"] == "slot_not_found"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-9", ByteRange(0, 10)),
        ("bytes=5-", ByteRange(5)),
        ("bytes=-7", ByteRange(-7)),
        ("bytes=-0", None),
        ("bytes=9-0", None),
        ("bytes=0-1,4-5", None),
        ("items=0-1", None),
        ("bytes=0-99999999999999999999", None),
        ("bytes = 1-2", ByteRange(1, 2)),
    ],
)
def test_one_range_of_bytes_is_understood_and_anything_else_ignored(
    header: str | None, expected: ByteRange | None
) -> None:
    assert parse_range(header) == expected


@pytest.mark.parametrize(
    ("header", "language"),
    [("", "en"), ("ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("de, en;q=0.5, ru;q=0.4", "en"), ("fr;q=x, ru", "ru")],
)
def test_pages_speak_the_readers_language(header: str, language: str) -> None:
    assert texts_for(header).language == language
