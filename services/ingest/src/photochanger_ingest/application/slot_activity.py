"""Tells what goes on in every slot now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from photochanger_chassis.clock import Clock

from photochanger_ingest.domain.activity import (
    RECENT_JOBS,
    SlotActivity,
    condition_of,
    last_failure_reason,
)
from photochanger_ingest.domain.ids import SlotId
from photochanger_ingest.domain.job import Job


@dataclass(frozen=True, slots=True)
class SlotLoad:
    """What is in a slot now, and how much may run at once."""

    slot_id: SlotId
    active: bool
    running: int
    waiting: int
    running_limit: int


@dataclass(frozen=True, slots=True)
class SlotJobs:
    """A slot's last cameras' jobs that ended by themselves, newest first; the last success, which may be older.

    `latest_result` is the newest sync job with an unexpired picture, of any source.
    """

    recent: Sequence[Job] = ()
    last_success_at: datetime | None = None
    latest_result: Job | None = None


class ActivityReader(Protocol):
    """What the database tells about all slots."""

    async def loads(self) -> Sequence[SlotLoad]:
        """Returns every slot's load, by id."""
        ...

    async def jobs(self, *, now: datetime, recent: int) -> Mapping[SlotId, SlotJobs]:
        """Returns the jobs of every slot that has some, at most `recent` recent ones each."""
        ...


class ListSlotActivity:
    """Reads all slots in two statements, which cost the same with a million jobs."""

    def __init__(self, activity: ActivityReader, clock: Clock) -> None:
        self._activity = activity
        self._clock = clock

    async def __call__(self) -> list[SlotActivity]:
        """Returns what goes on, by slot id."""
        now = self._clock.now()
        loads = await self._activity.loads()
        jobs = await self._activity.jobs(now=now, recent=RECENT_JOBS)
        return [_activity_of(load, jobs.get(load.slot_id, SlotJobs()), now) for load in loads]


def _activity_of(load: SlotLoad, jobs: SlotJobs, now: datetime) -> SlotActivity:
    return SlotActivity(
        slot_id=load.slot_id,
        condition=condition_of(
            active=load.active,
            running=load.running,
            waiting=load.waiting,
            running_limit=load.running_limit,
            recent=jobs.recent,
            now=now,
        ),
        running_jobs=load.running,
        waiting_jobs=load.waiting,
        last_success_at=jobs.last_success_at,
        latest_result=jobs.latest_result,
        last_failure_reason=last_failure_reason(jobs.recent),
    )
