"""The rules that hold whatever was killed. Pure: a history goes in, what breaks a rule comes out.

final-state     every job reaches exactly one final state by its deadline and some grace, and never changes it
stored-result   every 200 has its result stored, and its link gives the same bytes
paid-once       no provider is called twice for one admitted job
no-event-lost   every state change of every job is on the stream, once, in order, no progress after its end; the
                outboxes are empty
no-orphans      no object without a row, no row without its object
on-time         every camera is answered within its window and a second
no-secrets      nothing secret or personal is in a log
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from harness.history import FINAL_STATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.history import Event, History, JobRow

GRACE = timedelta(seconds=5)
"""How long past its deadline a job may stay unfinished: its driver died, and the sweeper ends it."""
ANSWER_SLACK_SECONDS = 1.0
_OK = 200
_ORDER = ("created", "started", "finished", "result-kept")


@dataclass(frozen=True)
class Violation:
    """A broken rule, and by what."""

    rule: str
    what: str


def violations(history: History, *, grace: timedelta = GRACE) -> list[Violation]:
    """Returns everything in `history` that breaks a rule; empty when all is well."""
    found = [
        ("final-state", _final_states(history, grace)),
        ("stored-result", _stored_results(history)),
        ("paid-once", _paid_once(history)),
        ("no-event-lost", _events(history)),
        ("no-orphans", _orphans(history)),
        ("on-time", _on_time(history)),
        ("no-secrets", _secrets(history)),
    ]
    return [Violation(rule, what) for rule, items in found for what in items]


def _final_states(history: History, grace: timedelta) -> Iterator[str]:
    told = defaultdict(set)
    for event in history.events:
        if event.state in FINAL_STATES:
            told[event.job_id].add(event.state)
    for job in history.jobs:
        if job.state not in FINAL_STATES or job.finished_at is None:
            yield f"job {job.id} is still {job.state}"
            continue
        if job.finished_at > job.deadline + grace:
            yield f"job {job.id} ended {job.finished_at - job.deadline} after its deadline"
        if len(states := told[job.id] | {job.state}) > 1:
            yield f"job {job.id} has had the final states {', '.join(sorted(states))}"


def _stored_results(history: History) -> Iterator[str]:
    jobs = {job.id: job for job in history.jobs}
    fetched = {item.job_id: item for item in history.fetched}
    for answer in history.answers:
        if answer.status != _OK:
            continue
        job, again = jobs.get(answer.job_id), fetched.get(answer.job_id)
        if job is None:
            yield f"the 200 for shot {answer.shot} names no job there is"
        elif job.origin is None:
            yield f"job {job.id} was answered 200 and has no result"
        elif again is None or again.status != _OK:
            yield f"the result of job {job.id} cannot be fetched: {again.status if again else 'not tried'}"
        elif (
            answer.content_type.startswith("image/")
            and again.sha256 != hashlib.sha256(answer.body).hexdigest()
        ):
            yield f"the link of job {job.id} gives other bytes than its answer had"


def _paid_once(history: History) -> Iterator[str]:
    admitted = Counter(job.shot for job in history.jobs if job.started_at is not None)
    for shot, number in Counter(call.shot for call in history.provider_calls).items():
        if number > admitted[shot]:
            yield f"shot {shot} was started as {admitted[shot]} jobs and cost {number} provider calls"


def _events(history: History) -> Iterator[str]:
    for event_id, number in Counter(event.id for event in history.events).items():
        if number > 1:
            yield f"event {event_id} is on the stream {number} times"
    for service, waiting in history.outboxes.items():
        if waiting:
            yield f"{waiting} events of {service} were never published"
    by_job: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(history.events, key=lambda item: item.number):
        by_job[event.job_id].append(event)
    known = {job.id for job in history.jobs}
    for job_id in by_job.keys() - known:
        yield f"the stream tells of job {job_id}, which there is not"
    for job in history.jobs:
        if history.events_since is None or job.created_at >= history.events_since:
            told = [event.what for event in by_job[job.id]]
            # Any number of them, but of nothing that has ended.
            if "finished" in told and "progressed" in told[told.index("finished") :]:
                yield f"job {job.id} ({job.state}): the stream tells of progress after its end"
            said, due = [what for what in told if what != "progressed"], _changes_of(job)
            if said != due:
                yield f"job {job.id} ({job.state}): the stream says {said}, not {due}"


def _changes_of(job: JobRow) -> list[str]:
    happened = {
        "created": True,
        "started": job.started_at is not None,
        "finished": job.state in FINAL_STATES,
        "result-kept": job.origin == "late",
    }
    return [what for what in _ORDER if happened[what]]


def _orphans(history: History) -> Iterator[str]:
    rows = Counter(row.key for row in history.rows if not row.purged)
    for key in history.objects - rows.keys():
        yield f"object {key} has no row"
    for row in history.rows:
        if not row.ended and row.key not in history.objects:
            yield f"the row of {row.key} has no object"


def _on_time(history: History) -> Iterator[str]:
    for answer in history.answers:
        late = answer.seconds - answer.window_seconds
        if answer.status is not None and late > ANSWER_SLACK_SECONDS:
            yield f"shot {answer.shot} was answered {answer.status} {late:.2f} s after its window"


def _secrets(history: History) -> Iterator[str]:
    for process, text in history.logs.items():
        for name, value in history.secrets.items():
            if value in text:
                yield f"the log of {process} has {name} in it"
