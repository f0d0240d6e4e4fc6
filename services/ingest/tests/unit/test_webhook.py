"""Webhooks: what follows from attempts, what is signed, what is told."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_ingest.domain.ids import ClientId, DeliveryId, JobId, SlotId
from photochanger_ingest.domain.job import Failed, Failure, FailureReason, JobMode
from photochanger_ingest.domain.webhook import (
    USUAL_PAUSES,
    Again,
    Delivered,
    Delivery,
    DeliveryState,
    GivenUp,
    Schedule,
    SendError,
    Sent,
)
from photochanger_ingest.domain.webhook_message import job_finished
from photochanger_ingest.domain.webhook_signature import secret_from, signed_headers
from photochanger_ingest.testing.builders import NOW, a_job
from photochanger_ingest.testing.webhooks import signed_by

SCHEDULE = Schedule()
_SECOND = timedelta(seconds=1)


def an_answer(status: int, *, retry_after: timedelta | None = None) -> Sent:
    return Sent.answered(status, started_at=NOW, duration=_SECOND, retry_after=retry_after)


def an_error(error: SendError) -> Sent:
    return Sent(NOW, _SECOND, error=error)


def verdict(sent: Sent, *, tries: int = 1, chance: float = 0.5) -> Delivered | GivenUp | Again:
    return SCHEDULE.verdict(sent, tries=tries, chance=lambda: chance)


def test_the_pauses_are_those_that_are_documented() -> None:
    pauses = [verdict(an_answer(500), tries=tries) for tries in range(1, 10)]
    assert pauses == [Again(pause) for pause in USUAL_PAUSES]
    assert verdict(an_answer(500), tries=10) is GivenUp.ATTEMPTS_EXHAUSTED
    assert sum(USUAL_PAUSES, timedelta()) == timedelta(hours=75, minutes=35, seconds=5)


@given(st.integers(1, 9), st.floats(0, 1))
def test_pauses_are_spread_by_a_tenth(tries: int, chance: float) -> None:
    usual = USUAL_PAUSES[tries - 1]
    follows = verdict(an_error(SendError.TIMEOUT), tries=tries, chance=chance)
    assert isinstance(follows, Again)
    assert usual * 0.9 <= follows.pause <= usual * 1.1


def test_a_receiver_may_ask_for_a_longer_pause_but_not_for_more_than_a_day() -> None:
    assert verdict(an_answer(429, retry_after=timedelta(minutes=1))) == Again(timedelta(minutes=1))
    assert verdict(an_answer(503, retry_after=timedelta(seconds=1))) == Again(USUAL_PAUSES[0])
    assert verdict(an_answer(503, retry_after=timedelta(days=30))) == Again(timedelta(days=1))


def test_a_message_lives_as_long_as_its_longest_schedule() -> None:
    longest = timedelta(days=1) * len(USUAL_PAUSES)
    assert SCHEDULE.life > max(longest, sum(USUAL_PAUSES, timedelta()) * 1.1)
    assert Schedule((timedelta(days=3),)).life > timedelta(days=3.3)


@pytest.mark.parametrize("tries", [1, 10])
def test_some_answers_are_final(tries: int) -> None:
    assert verdict(an_answer(200), tries=tries) == Delivered()
    assert verdict(an_answer(410), tries=tries) is GivenUp.GONE
    assert verdict(an_error(SendError.ADDRESS_REFUSED), tries=tries) is GivenUp.ADDRESS_REFUSED


@pytest.mark.parametrize("error", sorted(set(SendError) - {SendError.ADDRESS_REFUSED}))
def test_whatever_else_goes_wrong_is_tried_again(error: SendError) -> None:
    assert verdict(an_error(error)) == Again(USUAL_PAUSES[0])


# The vector of the specification's own libraries:
# https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/python/tests/test_webhooks.py
def test_signatures_are_those_of_the_reference_libraries() -> None:
    headers = signed_headers(
        DeliveryId("msg_p5jXN8AQM9LWM0D4loKWxJek"),
        b'{"test": 2432232314}',
        at=datetime.fromtimestamp(1614265330, UTC),
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(st.binary(max_size=200), st.binary(min_size=24, max_size=64), st.binary(min_size=24, max_size=64))
def test_each_living_secret_signs_and_no_other(body: bytes, one: bytes, other: bytes) -> None:
    new, old = secret_from(one), secret_from(other)
    headers = signed_headers(DeliveryId("msg_" + "1" * 32), body, at=NOW, secrets=[new, old])
    assert signed_by(new, headers, body)
    assert signed_by(old, headers, body)
    assert not signed_by(secret_from(b"x" * 23), headers, body)
    assert not signed_by(new, headers, body + b" ")
    assert not signed_by(new, {**headers, "webhook-timestamp": "1"}, body)


def test_the_address_is_shown_without_what_may_be_secret() -> None:
    delivery = Delivery(
        id=DeliveryId("msg_" + "1" * 32),
        client_id=ClientId("c" * 32),
        job_id=JobId("a" * 32),
        type="job.finished",
        url="https://studio.example/hook?token=secret#secret",
        state=DeliveryState.PENDING,
        created_at=NOW,
    )
    assert delivery.shown_url == "https://studio.example/hook"


def test_a_message_says_what_the_api_says_of_the_job() -> None:
    job = a_job(
        mode=JobMode.ASYNC, client_id=ClientId("c" * 32), retry_of=JobId("b" * 32), slot_id=SlotId("slot-003")
    )
    ended = job.fail(Failed(Failure(FailureReason.NO_IMAGE, "Größer, bitte.")), NOW + timedelta(seconds=1.5))
    message = json.loads(job_finished(ended))
    assert message["type"] == "job.finished"
    data = message["data"]
    assert message["timestamp"] == data["finished_at"]
    assert data["failure"] == {"reason": "no_image", "message": "Größer, bitte."}
    assert (data["job_id"], data["status"], data["slot_id"], data["retry_of"]) == (
        job.id,
        "failed",
        "slot-003",
        "b" * 32,
    )
    assert (data["has_result"], data["result_expires_at"]) == (False, None)
