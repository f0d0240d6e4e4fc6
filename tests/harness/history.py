"""What happened in a stack, as plain values: what cameras saw, and what the platform kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

FINAL_STATES = frozenset({"done", "failed", "timeout", "cancelled"})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One request of a camera and its answer; `status` None: the connection broke before there was one.

    `shot` is the value of the form's field `shot`, different for every request unless a test repeats it. `seconds`
    runs from connecting to the answer's last byte; `window_seconds` is what the slot allowed.
    """

    shot: str
    slot_id: str
    seconds: float
    window_seconds: float
    status: int | None = None
    reason: str = ""
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def job_id(self) -> str:
        """The job that answers it, empty where the answer names none."""
        return self.headers.get("X-Job-Id", "")


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """An answered job's picture, fetched again from its public link."""

    job_id: str
    status: int
    sha256: str = ""


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A job as ingest's database has it."""

    id: str
    slot_id: str
    state: str
    created_at: datetime
    deadline: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    origin: str | None = None
    shot: str = ""


@dataclass(frozen=True, kw_only=True)
class Event:
    """A state change of a job as the stream has it; `number` is its place in the stream."""

    id: str
    number: int
    what: str
    job_id: str
    state: str


@dataclass(frozen=True, kw_only=True)
class ProviderCall:
    """A request a provider answered or began to work on; repeats inside one call of ours count once."""

    provider: str
    shot: str


@dataclass(frozen=True, kw_only=True)
class StoredRow:
    """A media object's row. `purged`: its bytes are known to be gone; `ended`: nobody may read it any more."""

    key: str
    ended: bool = False
    purged: bool = False


@dataclass(frozen=True, kw_only=True)
class History:
    """Everything the rules are about, read when nothing was under way any more.

    `events_since`: of jobs admitted before it the stream may know nothing (its store was lost). `outboxes`: events
    not yet published, by service. `secrets`: names and values that must not be in any of the `logs`.
    """

    answers: tuple[Answer, ...] = ()
    fetched: tuple[Fetched, ...] = ()
    jobs: tuple[JobRow, ...] = ()
    events: tuple[Event, ...] = ()
    events_since: datetime | None = None
    outboxes: Mapping[str, int] = field(default_factory=dict)
    provider_calls: tuple[ProviderCall, ...] = ()
    rows: tuple[StoredRow, ...] = ()
    objects: frozenset[str] = frozenset()
    logs: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


def most_running(jobs: Iterable[JobRow]) -> int:
    """How many of the jobs ran at once at most, by the platform's own instants."""
    moments = [
        (instant, change)
        for job in jobs
        if job.started_at is not None
        for instant, change in ((job.started_at, 1), (job.finished_at, -1))
        if instant is not None
    ]
    # At one instant, the one that ends makes room for the one that starts.
    return max(accumulate((change for _, change in sorted(moments))), default=0)
