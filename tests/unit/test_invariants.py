"""The checker of the whole history catches each violation planted into a good one, and nothing in the good one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from harness.history import (
    Answer,
    Event,
    Fetched,
    History,
    JobRow,
    ProviderCall,
    StoredRow,
    most_running,
)
from harness.invariants import violations

_START = datetime(2026, 1, 1, tzinfo=UTC)
_PICTURE = b"a picture"


def _at(seconds: float) -> datetime:
    return _START + timedelta(seconds=seconds)


DONE = JobRow(
    id="done",
    slot_id="slot-001",
    state="done",
    created_at=_at(0),
    deadline=_at(48),
    started_at=_at(1),
    finished_at=_at(3),
    origin="provider",
    shot="one",
)
LATE = JobRow(
    id="late",
    slot_id="slot-001",
    state="timeout",
    created_at=_at(10),
    deadline=_at(20),
    started_at=_at(11),
    finished_at=_at(20),
    origin="late",
    shot="two",
)
ANSWERED = Answer(
    shot="one",
    slot_id="slot-001",
    seconds=3,
    window_seconds=48,
    status=200,
    content_type="image/png",
    body=_PICTURE,
    headers={"X-Job-Id": "done"},
)
TIMED_OUT = Answer(shot="two", slot_id="slot-001", seconds=10.9, window_seconds=10, status=504)
CUT_OFF = Answer(shot="three", slot_id="slot-001", seconds=70, window_seconds=10)


def _events(job: JobRow, first: int, *whats: str) -> list[Event]:
    states = {"created": "pending", "started": "running"}
    return [
        Event(
            id=f"{job.id}-{what}",
            number=first + place,
            what=what,
            job_id=job.id,
            state=states.get(what, job.state),
        )
        for place, what in enumerate(whats)
    ]


GOOD = History(
    answers=(ANSWERED, TIMED_OUT, CUT_OFF),
    fetched=(Fetched(job_id="done", status=200, sha256=hashlib.sha256(_PICTURE).hexdigest()),),
    jobs=(DONE, LATE),
    events=(
        *_events(DONE, 1, "created", "started", "finished"),
        *_events(LATE, 4, "created", "started", "finished", "result-kept"),
    ),
    outboxes={"ingest": 0},
    provider_calls=(ProviderCall(provider="gemini", shot="one"), ProviderCall(provider="gemini", shot="two")),
    rows=(StoredRow(key="a"), StoredRow(key="b", ended=True), StoredRow(key="c", ended=True, purged=True)),
    objects=frozenset({"a"}),
    logs={"gateway": "all is well"},
    secrets={"the password": "hunter2"},
)

Plant = Callable[[History], History]

PLANTED: dict[str, tuple[str, Plant]] = {
    "a job that never ends": (
        "final-state",
        lambda good: replace(
            good,
            jobs=(replace(DONE, state="running", finished_at=None, origin=None), LATE),
            answers=(),
            events=good.events[:2] + good.events[3:],
        ),
    ),
    "a job that ends long after its deadline": (
        "final-state",
        lambda good: replace(good, jobs=(replace(DONE, finished_at=_at(60)), LATE)),
    ),
    "a job that changes its final state": (
        "final-state",
        lambda good: replace(good, jobs=(DONE, replace(LATE, state="done"))),
    ),
    "a 200 without a job": (
        "stored-result",
        lambda good: replace(good, answers=(replace(ANSWERED, headers={}),)),
    ),
    "a 200 whose job has no result": (
        "stored-result",
        lambda good: replace(good, jobs=(replace(DONE, origin=None), LATE)),
    ),
    "a 200 whose link is dead": (
        "stored-result",
        lambda good: replace(good, fetched=(Fetched(job_id="done", status=404),)),
    ),
    "a 200 nobody fetched again": ("stored-result", lambda good: replace(good, fetched=())),
    "a link that gives another picture": (
        "stored-result",
        lambda good: replace(good, fetched=(Fetched(job_id="done", status=200, sha256="0" * 64),)),
    ),
    "a job that is paid twice": (
        "paid-once",
        lambda good: replace(good, provider_calls=(*good.provider_calls, good.provider_calls[0])),
    ),
    "a provider call for no job": (
        "paid-once",
        lambda good: replace(good, provider_calls=(ProviderCall(provider="gemini", shot="nobody's"),)),
    ),
    "a lost event": ("no-event-lost", lambda good: replace(good, events=good.events[:1] + good.events[2:])),
    "a lost last event": ("no-event-lost", lambda good: replace(good, events=good.events[:-1])),
    "an event that is told twice": (
        "no-event-lost",
        lambda good: replace(good, events=(*good.events, replace(good.events[0], number=99))),
    ),
    "events in the wrong order": (
        "no-event-lost",
        lambda good: replace(
            good, events=tuple(replace(event, number=10 - event.number) for event in good.events)
        ),
    ),
    "an event about no job": (
        "no-event-lost",
        lambda good: replace(good, events=(*good.events, replace(good.events[0], id="x", job_id="nobody"))),
    ),
    "an outbox that does not drain": ("no-event-lost", lambda good: replace(good, outboxes={"ingest": 2})),
    "an object without a row": ("no-orphans", lambda good: replace(good, objects=frozenset({"a", "stray"}))),
    "an object whose row says it is gone": (
        "no-orphans",
        lambda good: replace(good, objects=frozenset({"a", "c"})),
    ),
    "a row without its object": ("no-orphans", lambda good: replace(good, objects=frozenset())),
    "an answer that comes late": (
        "on-time",
        lambda good: replace(good, answers=(replace(TIMED_OUT, seconds=11.1),)),
    ),
    "a password in a log": (
        "no-secrets",
        lambda good: replace(good, logs={"gateway": "login with hunter2 failed"}),
    ),
}


def test_nothing_is_found_in_a_good_history() -> None:
    assert violations(GOOD) == []


@pytest.mark.parametrize(("rule", "plant"), PLANTED.values(), ids=PLANTED.keys())
def test_what_is_planted_is_found_under_its_rule(rule: str, plant: Plant) -> None:
    assert rule in {found.rule for found in violations(plant(GOOD))}


def test_of_jobs_before_the_stream_was_lost_no_event_is_missed() -> None:
    later = _events(LATE, 4, "created", "started", "finished", "result-kept")
    assert violations(replace(GOOD, events=tuple(later), events_since=_at(5))) == []


def test_most_running_counts_overlaps_and_no_handovers() -> None:
    assert most_running([DONE, LATE]) == 1
    assert most_running(iter([DONE, replace(DONE, started_at=_at(2)), replace(DONE, started_at=_at(3))])) == 2
    assert most_running([]) == 0
