"""How the cameras' jobs went. Test runs are not counted."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class JobCounts:
    """How jobs ended within a window. `p50` and `p95` are of those that ended well; None: there are none."""

    finished: int = 0
    done: int = 0
    failed: int = 0
    timeout: int = 0
    cancelled: int = 0
    provider_errors: int = 0
    p50: timedelta | None = None
    p95: timedelta | None = None

    @property
    def success_rate(self) -> float | None:
        """The share that ended well, 0 to 1; None without jobs."""
        return self.done / self.finished if self.finished else None

    @property
    def timeout_rate(self) -> float | None:
        """The share that ran out of time, 0 to 1; None without jobs."""
        return self.timeout / self.finished if self.finished else None


@dataclass(frozen=True, slots=True)
class SlotStatistics:
    """One slot's figures."""

    slot_id: str
    counts: JobCounts
    last_success_at: datetime | None
    last_failure_reason: str | None


@dataclass(frozen=True, slots=True)
class RecentFailure:
    """A camera's job that did not end well."""

    job_id: str
    slot_id: str
    finished_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Statistics:
    """The figures of a window."""

    total: JobCounts
    finished_ever: int
    slots: tuple[SlotStatistics, ...]
    recent_failures: tuple[RecentFailure, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """The figures of one step of a series."""

    starts_at: datetime
    counts: JobCounts


@dataclass(frozen=True, slots=True)
class Series:
    """A window's figures, step by step."""

    step: timedelta
    steps: tuple[Step, ...]
