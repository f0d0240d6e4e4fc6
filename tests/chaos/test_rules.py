"""The checker catches each violation planted into a good history, and nothing in the good one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chaos.history import Cancel, Effect, History, Ran, Row, Submission, Told
from chaos.rules import violations
from chaos.work import Label, Wish

DONE, REFUSED, STOPPED, WAITED = (
    Label(number, wish) for number, wish in enumerate((Wish.SUCCEED, Wish.REFUSE, Wish.SUCCEED, Wish.WAIT))
)
TWICE, UNKNOWN = Label(10, Wish.SUCCEED), Label(11, Wish.SUCCEED)


def life(task_id: str, first: int, *events: tuple[str, str, int]) -> tuple[Told, ...]:
    """A task's events, from that position on, in steps of ten."""
    return tuple(
        Told(
            position=first + 10 * place,
            id=f"{task_id}-{place}",
            task_id=task_id,
            what=what,
            state=state,
            attempt=attempt,
        )
        for place, (what, state, attempt) in enumerate(events)
    )


TOLD = (
    # Its first attempt was lost with its worker; the second ended it.
    *life(
        "done",
        1,
        ("created", "queued", 0),
        ("started", "running", 1),
        ("queued", "queued", 1),
        ("started", "running", 2),
        ("finished", "done", 2),
    ),
    *life("refused", 2, ("created", "queued", 0), ("started", "running", 1), ("finished", "failed", 1)),
    *life("stopped", 3, ("created", "queued", 0), ("finished", "cancelled", 0)),
    *life("waited", 104, ("created", "queued", 0), ("started", "running", 1), ("finished", "cancelled", 1)),
)
GOOD = History(
    submissions=(
        Submission(label=DONE, task_id="done", unique_key="key"),
        Submission(label=TWICE, task_id="done", created=False, unique_key="key"),
        Submission(label=REFUSED, task_id="refused"),
        Submission(label=STOPPED, task_id="stopped"),
        Submission(label=WAITED, task_id="waited", unique_key="key"),
        Submission(label=UNKNOWN),
    ),
    cancels=(
        Cancel(task_id="stopped", answer="at_once"),
        Cancel(task_id="waited"),
        Cancel(task_id="waited", answer="stopping"),
        Cancel(task_id="done", answer="too_late"),
    ),
    rows=(
        Row(id="done", label=DONE, state="done", attempt=2, unique_key="key"),
        Row(id="refused", label=REFUSED, state="failed", attempt=1),
        Row(id="stopped", label=STOPPED, state="cancelled", attempt=0, has_effect=False),
        Row(id="waited", label=WAITED, state="cancelled", attempt=1, unique_key="key"),
    ),
    told=TOLD,
    # The store was deleted after position 20: of what came before, it may have anything or nothing.
    streamed=("refused-2", "done-2", "done-3", "done-4", "waited-0", "waited-1", "waited-2"),
    stream_since=20,
    runs=(
        *(Ran(task_id="done", attempt=attempt) for attempt in (1, 2)),
        *(Ran(task_id=task_id, attempt=1) for task_id in ("refused", "waited")),
    ),
    effects=(
        Effect(task_id="done", attempt=2, state="done"),
        Effect(task_id="refused", attempt=1, state="failed"),
        Effect(task_id="waited", attempt=1, state="cancelled"),
    ),
)

Plant = Callable[[History], History]


def changed(history: History, **parts: Any) -> History:
    """Replaces parts named by a variable."""
    return replace(history, **parts)


def row(task_id: str, **changes: Any) -> Plant:
    """Changes a task's row."""
    return lambda history: replace(
        history,
        rows=tuple(replace(each, **changes) if each.id == task_id else each for each in history.rows),
    )


def event(event_id: str, **changes: Any) -> Plant:
    """Changes an event."""
    return lambda history: replace(
        history,
        told=tuple(replace(each, **changes) if each.id == event_id else each for each in history.told),
    )


def more(**items: Any) -> Plant:
    """Adds one item to each of these parts of the history."""
    return lambda history: changed(
        history, **{name: (*getattr(history, name), item) for name, item in items.items()}
    )


def less(part: str, place: int) -> Plant:
    """Takes one item away."""
    return lambda history: changed(
        history, **{part: tuple(x for at, x in enumerate(getattr(history, part)) if at != place)}
    )


def swapped(part: str, place: int) -> Plant:
    """Swaps an item and the next one."""

    def swap(history: History) -> History:
        items = list(getattr(history, part))
        items[place], items[place + 1] = items[place + 1], items[place]
        return changed(history, **{part: tuple(items)})

    return swap


def test_a_good_history_breaks_no_rule() -> None:
    assert violations(GOOD) == []


@pytest.mark.parametrize(
    ("rule", "plant"),
    [
        pytest.param("nothing-lost", less("rows", 1), id="an acknowledged task is gone"),
        pytest.param("nothing-lost", row("refused", label=STOPPED), id="another task was acknowledged"),
        pytest.param(
            "nothing-lost", row("done", unique_key="other"), id="a task of another key was returned"
        ),
        pytest.param("nothing-lost", less("submissions", 2), id="a task nobody submitted"),
        pytest.param("nothing-lost", row("stopped", label=TWICE), id="a refused submission is there"),
        pytest.param(
            "nothing-lost", more(rows=replace(GOOD.rows[1], id="again")), id="one submission became two tasks"
        ),
        pytest.param("ended-once", row("done", state="running"), id="a task never ended"),
        pytest.param("ended-once", row("done", state="failed"), id="a task ended otherwise than it was told"),
        pytest.param(
            "ended-once",
            more(told=replace(TOLD[4], id="again", position=99)),
            id="a task ended a second time",
        ),
        pytest.param("as-wished", row("refused", state="done"), id="a refused task is done"),
        pytest.param("as-wished", less("cancels", 0), id="cancelled and nobody asked"),
        pytest.param("as-wished", row("done", state="dead"), id="a task that was to succeed is dead"),
        pytest.param("cancelled", row("stopped", state="done"), id="done after its cancel was acknowledged"),
        pytest.param("one-effect", less("effects", 0), id="an end without its effect"),
        pytest.param(
            "one-effect",
            more(effects=Effect(task_id="done", attempt=1, state="done")),
            id="the effect of an overtaken attempt",
        ),
        pytest.param("one-effect", more(effects=GOOD.effects[0]), id="an effect twice"),
        pytest.param(
            "one-effect",
            more(effects=Effect(task_id="stopped", attempt=1, state="done")),
            id="an effect after the cancel",
        ),
        pytest.param(
            "one-effect", more(effects=Effect(task_id="no", attempt=1, state="done")), id="nobody's effect"
        ),
        pytest.param("attempts", event("done-3", attempt=1), id="an attempt's number used again"),
        pytest.param("attempts", row("done", attempt=3), id="an attempt that was never told"),
        pytest.param("attempts", more(runs=Ran(task_id="done", attempt=2)), id="one attempt ran twice"),
        pytest.param("attempts", more(runs=Ran(task_id="stopped", attempt=1)), id="it ran while cancelled"),
        pytest.param("attempts", more(runs=Ran(task_id="no", attempt=1)), id="a task ran that is not there"),
        pytest.param("event-order", event("done-1", position=12_000), id="started after its end"),
        pytest.param("event-order", less("told", 0), id="never created"),
        pytest.param("event-order", event("done-2", what="started"), id="started while it runs"),
        pytest.param("event-order", event("done-2", attempt=2), id="an attempt before its start"),
        pytest.param("event-order", less("rows", 1), id="events of no task"),
        pytest.param("one-live-key", event("done-4", position=105), id="two live tasks with one key"),
        pytest.param("on-stream", less("streamed", 6), id="an event is missing"),
        pytest.param("on-stream", more(streamed="waited-2"), id="an event is there twice"),
        pytest.param("on-stream", more(streamed="never"), id="an event that was never committed"),
        pytest.param("on-stream", swapped("streamed", 2), id="a task's events the wrong way round"),
        pytest.param(
            "on-stream", lambda history: replace(history, unpublished=1), id="an event was never published"
        ),
    ],
)
def test_a_planted_violation_is_found(rule: str, plant: Plant) -> None:
    assert rule in {violation.rule for violation in violations(plant(GOOD))}
