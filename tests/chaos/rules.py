"""The rules that hold whatever was killed. Pure: a history goes in, what breaks a rule comes out.

nothing-lost    what was acknowledged is there, once; what is there was submitted
ended-once      every task has ended, and its events say so once
as-wished       it ended as its handler wanted, or cancelled if somebody asked
cancelled       who was told that a task is cancelled, or will be, was told the truth
one-effect      an end has exactly the effect of the attempt that ended the task, nothing else has any
attempts        they are numbered 1, 2, 3…; a handler is called at most once for each, and for no other
event-order     a task's events are a life it can have
one-live-key    no two tasks with the same unique key live at the same time
on-stream       every event is on the stream, once, in its task's order; nothing else is; the outbox is empty
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from chaos.history import FINAL_STATES
from chaos.work import Wish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.history import Effect, History, Told

_ENDS = {
    Wish.SUCCEED: "done",
    Wish.FLAKY: "done",
    Wish.DEFER: "done",
    Wish.REFUSE: "failed",
    Wish.DOOMED: "dead",
    Wish.WAIT: "cancelled",
}
_PROMISED = {"at_once", "stopping"}
_NEXT = {
    "created": {"started", "finished"},
    "queued": {"started", "finished"},
    "started": {"progressed", "postponed", "queued", "finished"},
    "progressed": {"progressed", "postponed", "queued", "finished"},
    "postponed": {"queued", "finished"},
    "finished": set[str](),
}


@dataclass(frozen=True)
class Violation:
    """A broken rule, and by what."""

    rule: str
    what: str


def violations(history: History) -> list[Violation]:
    """Returns everything in `history` that breaks a rule; empty when all is well."""
    lives = _lives(history)
    found = [
        ("nothing-lost", _nothing_lost(history)),
        ("ended-once", _ended_once(history, lives)),
        ("as-wished", _as_wished(history)),
        ("cancelled", _cancelled(history)),
        ("one-effect", _one_effect(history)),
        ("attempts", _attempts(history, lives)),
        ("event-order", _event_order(history, lives)),
        ("one-live-key", _one_live_key(history, lives)),
        ("on-stream", _on_stream(history)),
    ]
    return [Violation(rule, what) for rule, items in found for what in items]


def _lives(history: History) -> dict[str, list[Told]]:
    """Each task's events in order."""
    lives: dict[str, list[Told]] = {row.id: [] for row in history.rows}
    for told in sorted(history.told, key=lambda event: event.position):
        lives.setdefault(told.task_id, []).append(told)
    return lives


def _nothing_lost(history: History) -> Iterator[str]:
    rows = {row.id: row for row in history.rows}
    there = Counter(row.label for row in history.rows)
    submitted = {submission.label: submission for submission in history.submissions}
    for submission in history.submissions:
        if submission.task_id is None:
            continue
        row = rows.get(submission.task_id)
        if row is None:
            yield f"task {submission.task_id} ({submission.label}) was acknowledged and is not there"
        elif submission.created and row.label != submission.label:
            yield f"submission {submission.label} was answered with task {row.id}, which is {row.label}"
        elif not submission.created and (row.unique_key is None or row.unique_key != submission.unique_key):
            yield f"submission {submission.label} was answered with task {row.id} of another key"
    for label, number in there.items():
        known = submitted.get(label)
        if known is None:
            yield f"nobody submitted {label}"
        elif number > 1 or not known.created:
            yield f"{label} is there {number} times, submitted once" + ("" if known.created else " in vain")


def _ended_once(history: History, lives: dict[str, list[Told]]) -> Iterator[str]:
    for row in history.rows:
        if row.state not in FINAL_STATES:
            yield f"task {row.id} is still {row.state}"
        ends = [told.state for told in lives[row.id] if told.what == "finished"]
        if ends != [row.state]:
            yield f"task {row.id} is {row.state}, its events say it ended {ends}"


def _as_wished(history: History) -> Iterator[str]:
    asked = {cancel.task_id for cancel in history.cancels if cancel.answer != "too_late"}
    for row in history.rows:
        cancelled = row.state == "cancelled" and row.id in asked
        if row.state != _ENDS[row.label.wish] and not cancelled:
            yield f"task {row.id} ({row.label}) is {row.state}"
        elif row.state == "cancelled" and not cancelled:
            yield f"task {row.id} is cancelled and nobody asked"


def _cancelled(history: History) -> Iterator[str]:
    rows = {row.id: row for row in history.rows}
    for cancel in history.cancels:
        row = rows.get(cancel.task_id)
        if cancel.answer in _PROMISED and row is not None and row.state != "cancelled":
            yield f"task {row.id} is {row.state}; its cancel was answered {cancel.answer}"


def _one_effect(history: History) -> Iterator[str]:
    effects: dict[str, list[Effect]] = defaultdict(list)
    for effect in history.effects:
        effects[effect.task_id].append(effect)
    for row in history.rows:
        found = [(effect.attempt, effect.state) for effect in effects.pop(row.id, [])]
        due = [(row.attempt, row.state)] if row.has_effect else []
        if found != due:
            yield f"task {row.id} ({row.state}) has the effects {found}, not {due}"
    for task_id in effects:
        yield f"there is an effect of task {task_id}, which there is not"


def _attempts(history: History, lives: dict[str, list[Told]]) -> Iterator[str]:
    calls: dict[str, Counter[int]] = defaultdict(Counter)
    for run in history.runs:
        calls[run.task_id][run.attempt] += 1
    for row in history.rows:
        started = [told.attempt for told in lives[row.id] if told.what == "started"]
        if started != list(range(1, row.attempt + 1)):
            yield f"task {row.id} has had {row.attempt} attempts, its events say {started}"
        for attempt, number in calls.pop(row.id, Counter()).items():
            if number > 1:
                yield f"attempt {attempt} of task {row.id} ran {number} times"
            if attempt not in started:
                yield f"attempt {attempt} of task {row.id} ran and never started"
    for task_id in calls:
        yield f"task {task_id} ran, and there is no such task"


def _event_order(history: History, lives: dict[str, list[Told]]) -> Iterator[str]:
    known = {row.id for row in history.rows}
    for task_id, life in lives.items():
        whats = [told.what for told in life]
        if task_id not in known:
            yield f"events tell of task {task_id}, which there is not"
        elif whats[:1] != ["created"] or any(after not in _NEXT[before] for before, after in pairwise(whats)):
            yield f"no task lives like {task_id}: {whats}"
        elif any(
            after.attempt != before.attempt + (after.what == "started") for before, after in pairwise(life)
        ):
            yield f"the attempts of task {task_id} go {[told.attempt for told in life]}"


def _one_live_key(history: History, lives: dict[str, list[Told]]) -> Iterator[str]:
    spans: dict[str, list[tuple[int, int, str]]] = defaultdict(list)
    for row in history.rows:
        if row.unique_key is not None and lives[row.id]:
            life = lives[row.id]
            spans[row.unique_key].append((life[0].position, life[-1].position, row.id))
    for key, lived in spans.items():
        for (_, ended, first), (began, _, second) in pairwise(sorted(lived)):
            if began < ended:
                yield f"tasks {first} and {second} both lived with the key {key}"


def _on_stream(history: History) -> Iterator[str]:
    if history.unpublished:
        yield f"{history.unpublished} events were never published"
    told = {event.id: event for event in history.told}
    for event_id, number in Counter(history.streamed).items():
        if event_id not in told:
            yield f"event {event_id} is on the stream and was never committed"
        elif number > 1:
            yield f"event {event_id} is on the stream {number} times"
    due: dict[str, list[str]] = defaultdict(list)
    for event in sorted(history.told, key=lambda each: each.position):
        if event.position > history.stream_since:
            due[event.task_id].append(event.id)
    said: dict[str, list[str]] = defaultdict(list)
    for event_id in dict.fromkeys(history.streamed):
        known = told.get(event_id)
        if known is not None and known.position > history.stream_since:
            said[known.task_id].append(event_id)
    for task_id, ids in due.items():
        if said[task_id] != ids:
            whats = ([told[each].what for each in said[task_id]], [told[each].what for each in ids])
            yield f"of task {task_id} the stream says {whats[0]}, not {whats[1]}"
