"""What happened in a storm, as plain values: what the submitter was told, and what the engine kept."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.work import Label

FINAL_STATES = frozenset({"done", "failed", "dead", "cancelled"})


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A submission and its answer. `task_id` None: there was no answer, so the task may be there or not."""

    label: Label
    task_id: str | None = None
    created: bool = True
    unique_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class Cancel:
    """A wish to cancel a task and its answer, `at_once`, `stopping` or `too_late`; None: it may have counted or not."""

    task_id: str
    answer: str | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """A task as the database has it in the end."""

    id: str
    label: Label
    state: str
    attempt: int
    unique_key: str | None = None
    has_effect: bool = True


@dataclass(frozen=True, kw_only=True)
class Told:
    """An event that was committed. Positions of one task's events follow the order of its commits."""

    position: int
    id: str
    task_id: str
    what: str
    state: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Ran:
    """A handler was called for this attempt."""

    task_id: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What a task's end left behind in its own transaction."""

    task_id: str
    attempt: int
    state: str


@dataclass(frozen=True, kw_only=True)
class History:
    """Everything the rules are about, read when nothing was under way any more.

    `streamed`: ids of events in the order the stream has them. `stream_since`: only events of a higher position must
    be there, the store was deleted before. `unpublished`: events left in the outbox.
    """

    submissions: tuple[Submission, ...] = ()
    cancels: tuple[Cancel, ...] = ()
    rows: tuple[Row, ...] = ()
    told: tuple[Told, ...] = ()
    streamed: tuple[str, ...] = ()
    stream_since: int = 0
    unpublished: int = 0
    runs: tuple[Ran, ...] = ()
    effects: tuple[Effect, ...] = ()
