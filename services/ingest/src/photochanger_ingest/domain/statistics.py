"""How cameras' jobs ended, counted by periods, and how long the good ones took.

Durations are kept as counts of `BUCKETS` buckets of equal ratio between `SHORTEST` and `LONGEST`. A bucket stands for
the value that is off by the same share at both its ends: at most `PRECISION`. Method: DDSketch,
https://www.vldb.org/pvldb/vol12/p2195-masson.pdf.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from photochanger_ingest.domain.ids import SlotId
from photochanger_ingest.domain.job import FailureReason

BUCKETS: Final = 80
SHORTEST: Final = timedelta(milliseconds=50)
"""Anything quicker counts as this."""
LONGEST: Final = timedelta(seconds=120)
"""Anything slower counts as this; no job may take half as long."""
_RATIO: Final[float] = (LONGEST / SHORTEST) ** (1 / BUCKETS)
PRECISION: Final = (_RATIO - 1) / (_RATIO + 1)
"""By which share of the true value a percentile may be off: 4.9 %."""

PROVIDER_ERRORS: Final = frozenset(
    {
        FailureReason.PROVIDER_5XX,
        FailureReason.BAD_RESPONSE,
        FailureReason.QUOTA,
        FailureReason.NETWORK,
        FailureReason.CONTENT_BLOCKED,
        FailureReason.NO_IMAGE,
        FailureReason.AUTH,
    }
)
"""Failures that the provider is to blame for. The database counts by the same list."""

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
SHORTEST_WINDOW: Final = timedelta(minutes=5)
LONGEST_WINDOW: Final = timedelta(days=3)
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class JobCounts:
    """How jobs ended. `durations` counts the `done` ones by bucket; empty: there are none."""

    finished: int = 0
    done: int = 0
    failed: int = 0
    timeout: int = 0
    cancelled: int = 0
    provider_errors: int = 0
    durations: tuple[int, ...] = field(default=(), repr=False)

    def percentile(self, share: float) -> timedelta | None:
        """Returns the duration of the nearest rank among the `done` jobs, None without any.

        Off by `PRECISION` at most, for durations between `SHORTEST` and `LONGEST`.
        """
        return percentile(self.durations, share)


def total(counts: Sequence[JobCounts]) -> JobCounts:
    """Adds up counts."""
    return JobCounts(
        finished=sum(each.finished for each in counts),
        done=sum(each.done for each in counts),
        failed=sum(each.failed for each in counts),
        timeout=sum(each.timeout for each in counts),
        cancelled=sum(each.cancelled for each in counts),
        provider_errors=sum(each.provider_errors for each in counts),
        durations=tuple(
            map(sum, zip(*(each.durations for each in counts if each.durations), strict=True)),
        ),
    )


def bucket_of(duration: timedelta) -> int:
    """Returns the bucket, from 0, that a duration counts in. The database's `duration_bucket` is this plus one."""
    if duration <= SHORTEST:
        return 0
    return min(math.ceil(math.log(duration / SHORTEST) / math.log(_RATIO)), BUCKETS) - 1


def percentile(durations: Sequence[int], share: float) -> timedelta | None:
    """Returns the duration of the nearest rank, given the counts of all buckets; None when all are zero.

    The nearest rank of a share (0 < share <= 1) is the smallest value that this share of all values does not exceed.
    """
    rank = math.ceil(sum(durations) * share)
    for bucket, count in enumerate(durations):
        rank -= count
        if rank <= 0 < count:
            upper = math.pow(_RATIO, bucket + 1)
            return SHORTEST * (upper * 2 / (1 + _RATIO))
    return None


@dataclass(frozen=True, slots=True)
class Window:
    """The time before an instant, from a whole minute on. It is as long as asked for, and the minute that runs now."""

    starts_at: datetime
    ends_at: datetime

    @classmethod
    def before(cls, now: datetime, length: timedelta) -> "Window":
        """Returns the window of a length, which is cut to whole minutes."""
        return cls(floor(now, MINUTE) - floor_length(length, MINUTE), now)

    @property
    def step(self) -> timedelta:
        """How finely a chart shows it: at most 73 steps."""
        length = floor(self.ends_at, MINUTE) - self.starts_at
        if length <= HOUR:
            return MINUTE
        return 5 * MINUTE if length <= 6 * HOUR else HOUR

    @property
    def steps(self) -> tuple[datetime, ...]:
        """Where its steps begin, whole multiples of `step`. Of the first and the last only what is inside counts."""
        first, last = floor(self.starts_at, self.step), floor(self.ends_at, self.step)
        return tuple(first + number * self.step for number in range((last - first) // self.step + 1))

    @property
    def whole_hours_from(self) -> datetime:
        """Where its first whole hour begins; minutes before it are counted one by one."""
        return _EPOCH - floor_length(_EPOCH - self.starts_at, HOUR)


def floor(instant: datetime, step: timedelta) -> datetime:
    """Returns the last whole multiple of `step`, counted from 1970 in UTC."""
    return _EPOCH + floor_length(instant - _EPOCH, step)


def floor_length(length: timedelta, step: timedelta) -> timedelta:
    """Cuts a length to whole steps."""
    return length // step * step


@dataclass(frozen=True, slots=True)
class SlotStatistics:
    """One slot's figures. `last_failure_reason` is of the window, `last_success_at` of all jobs that are kept."""

    slot_id: SlotId
    counts: JobCounts
    last_success_at: datetime | None
    last_failure_reason: FailureReason | None


@dataclass(frozen=True, slots=True)
class Step:
    """The figures of one step."""

    starts_at: datetime
    counts: JobCounts
