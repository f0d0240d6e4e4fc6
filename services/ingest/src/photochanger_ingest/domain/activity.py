"""What goes on in a slot, in one word: the word on its pill."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from statistics import median
from typing import Final

from photochanger_ingest.domain.ids import SlotId
from photochanger_ingest.domain.job import Job, JobState

RECENT_JOBS: Final = 5
"""How many of a slot's last jobs are looked at: enough to see past one hiccup, few enough to notice a cure."""

_RECENT: Final = timedelta(hours=1)
"""Older jobs say little about now: between two events a studio is quiet for hours, and providers recover."""

_FAILING_AFTER: Final = 3
"""So many failures in a row are no accident. While there are fewer recent jobs, all of them have to have failed: after
a setting was changed an admin sends one photo, and wants to see what came of it."""

_MOST_OF_THE_TIME: Final = 0.8
"""A median above this share of the camera's wait leaves less room than providers' usual spread needs."""


class SlotCondition(StrEnum):
    """How a slot does."""

    ACTIVE = "active"
    OFF = "off"
    BUSY = "busy"
    DELAYED = "delayed"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class SlotActivity:
    """What goes on in one slot.

    `last_success_at` is when a camera's job last ended well, None where none is remembered; `latest_result` the newest
    job with an unexpired picture, of any source; `last_failure_reason` why the last camera's job failed, empty when it
    did not.
    """

    slot_id: SlotId
    condition: SlotCondition
    running_jobs: int
    waiting_jobs: int
    last_success_at: datetime | None = None
    latest_result: Job | None = None
    last_failure_reason: str = ""


def condition_of(
    *, active: bool, running: int, waiting: int, running_limit: int, recent: Sequence[Job], now: datetime
) -> SlotCondition:
    """Returns the first of these that holds: off, failing, busy, delayed, active.

    `running_limit` is the slot's, or the platform's for it. `recent` are the last `RECENT_JOBS` cameras' jobs that
    ended by themselves, newest first; test runs try what is not saved, and a cancelled job says nothing.
    """
    if not active:
        return SlotCondition.OFF
    fresh = [job for job in recent if job.finished_at is not None and now - job.finished_at <= _RECENT]
    last = fresh[:_FAILING_AFTER]
    if last and all(job.state is not JobState.DONE for job in last):
        return SlotCondition.FAILING
    if waiting > 0 or running >= running_limit:
        return SlotCondition.BUSY
    if _is_delayed(fresh):
        return SlotCondition.DELAYED
    return SlotCondition.ACTIVE


def last_failure_reason(recent: Sequence[Job]) -> str:
    """Returns why the last job failed, empty when it went well. `recent` as in `condition_of`."""
    failure = recent[0].failure if recent else None
    return "" if failure is None else failure.reason


def _is_delayed(fresh: Sequence[Job]) -> bool:
    if any(job.state is JobState.TIMEOUT for job in fresh):
        return True
    # Each job against its own time: the slot's may have been changed since.
    shares = [
        (job.finished_at - job.received_at) / (job.deadline - job.received_at)
        for job in fresh
        if job.state is JobState.DONE and job.finished_at is not None
    ]
    return bool(shares) and median(shares) > _MOST_OF_THE_TIME
