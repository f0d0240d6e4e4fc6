"""Places: who may come in, who starts next, and when it is worth trying again.

Limits hold over all replicas, so these rules look at every unfinished job there is, in order of admission.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from photochanger_ingest.domain.errors import DeadlineCannotBeMet, ProviderBusy, SlotBusy
from photochanger_ingest.domain.form import HashCheck
from photochanger_ingest.domain.ids import JobId, MediaObjectId, ProviderId, SlotId
from photochanger_ingest.domain.job import Job, JobSource, JobState
from photochanger_ingest.domain.settings import Terms
from photochanger_ingest.domain.slot import LateResults, Slot
from photochanger_ingest.domain.timing import Ticket

_USUAL_DURATION: Final = timedelta(seconds=5)
"""What a job is thought to take while none has ended lately."""
_SHORTEST_RETRY: Final = timedelta(seconds=1)
_LONGEST_RETRY: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Load:
    """Unfinished jobs, running and waiting, and how long a quick one took lately (None: unknown)."""

    slot_unfinished: int
    provider_unfinished: int
    recent_duration: timedelta | None = None


def require_place(
    slot_id: SlotId, provider_id: ProviderId, terms: Terms, load: Load, *, now: datetime, deadline: datetime
) -> None:
    """Lets one more job in, or says why not.

    A job that has to wait comes in only when its turn can still end in time, going by how long quick jobs took
    lately.

    Raises:
        SlotBusy: the slot's running and waiting jobs are at their limit, or its queue is too slow.
        ProviderBusy: the same for the provider, over all slots.
    """
    if load.slot_unfinished >= terms.slot_running + terms.slot_queue or not _ends_in_time(
        load.slot_unfinished, terms.slot_running, load, now, deadline
    ):
        wait = _retry_after(load.slot_unfinished, terms.slot_running, load)
        raise SlotBusy(slot_id, unfinished=load.slot_unfinished, retry_after=wait)
    if not _ends_in_time(load.provider_unfinished, terms.provider_running, load, now, deadline):
        wait = _retry_after(load.provider_unfinished, terms.provider_running, load)
        raise ProviderBusy(provider_id, unfinished=load.provider_unfinished, retry_after=wait)


def require_time(now: datetime, deadline: datetime, *, at_least: timedelta) -> None:
    """Raises `DeadlineCannotBeMet` when less than `at_least` is left."""
    if deadline - now < at_least:
        raise DeadlineCannotBeMet(deadline - now)


def _ends_in_time(unfinished: int, running_limit: int, load: Load, now: datetime, deadline: datetime) -> bool:
    rounds = unfinished // running_limit
    if rounds == 0 or load.recent_duration is None:
        return True
    # The jobs running now may end this very moment: only the rounds behind them are sure to take their time.
    return now + load.recent_duration * rounds <= deadline


def _retry_after(unfinished: int, running_limit: int, load: Load) -> timedelta:
    # Jobs leave one after another: a place comes free after about this long.
    usual = load.recent_duration or _USUAL_DURATION
    waiting = max(unfinished - running_limit, 0) + 1
    return min(max(usual * waiting / running_limit, _SHORTEST_RETRY), _LONGEST_RETRY)


def admitted(
    ticket: Ticket,
    slot: Slot,
    *,
    source: JobSource,
    input_media_object_id: MediaObjectId,
    hash_check: HashCheck,
    now: datetime,
    late_window: timedelta,
) -> Job:
    """Returns the new job of a photo. `late_window`: how long a late picture is awaited where the slot keeps them."""
    keeps_late = slot.plan.late_results is LateResults.KEEP
    return Job(
        id=ticket.job_id,
        slot_id=slot.id,
        slot_version=slot.version,
        state=JobState.PENDING,
        source=source,
        provider_id=slot.plan.provider_id,
        operation_id=slot.plan.operation_id,
        received_at=ticket.received_at,
        created_at=now,
        deadline=ticket.deadline,
        input_media_object_id=input_media_object_id,
        hash_check=hash_check,
        late_until=ticket.deadline + late_window if keeps_late else None,
    )


@dataclass(frozen=True, slots=True)
class Place:
    """An unfinished job, and how many may run at once in its slot and with its provider.

    `ready` tells whether it waits and somebody is there to drive it.
    """

    job_id: JobId
    slot_id: SlotId
    provider_id: ProviderId
    slot_limit: int
    provider_limit: int
    running: bool
    ready: bool


def next_to_start(places: Iterable[Place]) -> list[JobId]:
    """Returns the waiting jobs that may start now, first come first served.

    A job whose slot is full lets others pass; one that nobody drives takes no place. `places` are all
    unfinished jobs in order of admission.
    """
    waiting = []
    in_slot: Counter[SlotId] = Counter()
    with_provider: Counter[ProviderId] = Counter()
    for place in places:
        if place.running:
            in_slot[place.slot_id] += 1
            with_provider[place.provider_id] += 1
        elif place.ready:
            waiting.append(place)
    starting = []
    for place in waiting:
        slot_free = in_slot[place.slot_id] < place.slot_limit
        provider_free = with_provider[place.provider_id] < place.provider_limit
        if slot_free and provider_free:
            in_slot[place.slot_id] += 1
            with_provider[place.provider_id] += 1
            starting.append(place.job_id)
    return starting
