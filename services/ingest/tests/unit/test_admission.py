from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_ingest.domain.admission import Load, Place, next_to_start, require_place, require_time
from photochanger_ingest.domain.errors import DeadlineCannotBeMet, ProviderBusy, SlotBusy
from photochanger_ingest.domain.ids import JobId, ProviderId, SlotId
from photochanger_ingest.domain.settings import Terms
from photochanger_ingest.testing.builders import NOW

SLOT = SlotId("slot-001")
PROVIDER = ProviderId("gemini")
DEADLINE = NOW + timedelta(seconds=48)

ROWS = st.lists(
    st.builds(
        lambda slot, provider, running, ready: (slot, provider, running, ready and not running),
        st.sampled_from(["slot-001", "slot-002", "slot-003"]),
        st.sampled_from(["gemini", "local"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=30,
).map(
    lambda rows: [
        (JobId(str(number)), SlotId(slot), ProviderId(provider), running, ready)
        for number, (slot, provider, running, ready) in enumerate(rows)
    ]
)

PLACES = st.builds(
    lambda rows, slot_limit, provider_limit: [
        Place(
            job,
            slot,
            provider,
            slot_limit=slot_limit,
            provider_limit=provider_limit,
            running=running,
            ready=ready,
        )
        for job, slot, provider, running, ready in rows
    ],
    ROWS,
    st.integers(1, 5),
    st.integers(1, 8),
)


def terms(*, running: int = 4, queue: int = 8, provider: int = 30) -> Terms:
    return Terms(
        sync_response=timedelta(seconds=48),
        dedupe=True,
        slot_running=running,
        slot_queue=queue,
        provider_running=provider,
        password_hash=None,
    )


@given(PLACES)
def test_starting_never_exceeds_a_limit_and_never_leaves_a_place_empty(places: list[Place]) -> None:
    started = set(next_to_start(places))
    before_slot = Counter(place.slot_id for place in places if place.running)
    before_provider = Counter(place.provider_id for place in places if place.running)
    after_slot = before_slot + Counter(place.slot_id for place in places if place.job_id in started)
    after_provider = before_provider + Counter(
        place.provider_id for place in places if place.job_id in started
    )
    for place in places:
        if place.job_id in started:
            assert place.ready
            assert after_slot[place.slot_id] <= place.slot_limit
            assert after_provider[place.provider_id] <= place.provider_limit
        elif place.ready:
            full = (
                after_slot[place.slot_id] >= place.slot_limit
                or after_provider[place.provider_id] >= place.provider_limit
            )
            assert full, "a job waits although there is a place"


@given(PLACES)
def test_within_a_slot_and_provider_nobody_is_overtaken(places: list[Place]) -> None:
    started = set(next_to_start(places))
    waiting: set[tuple[SlotId, ProviderId]] = set()
    for place in places:
        if not place.ready:
            continue
        if place.job_id in started:
            assert (place.slot_id, place.provider_id) not in waiting
        else:
            waiting.add((place.slot_id, place.provider_id))


@pytest.mark.parametrize("unfinished", [0, 3, 4, 11])
def test_a_job_comes_in_while_there_is_room_in_the_queue(unfinished: int) -> None:
    require_place(SLOT, PROVIDER, terms(), Load(unfinished, unfinished), now=NOW, deadline=DEADLINE)


def test_a_full_queue_refuses_with_a_time_to_come_back() -> None:
    with pytest.raises(SlotBusy) as refused:
        require_place(SLOT, PROVIDER, terms(), Load(12, 12), now=NOW, deadline=DEADLINE)
    assert refused.value.retry_after is not None
    assert timedelta(seconds=1) <= refused.value.retry_after <= timedelta(seconds=60)


def test_a_slot_without_a_queue_takes_only_what_it_can_run() -> None:
    require_place(SLOT, PROVIDER, terms(running=1, queue=0), Load(0, 0), now=NOW, deadline=DEADLINE)
    with pytest.raises(SlotBusy):
        require_place(SLOT, PROVIDER, terms(running=1, queue=0), Load(1, 1), now=NOW, deadline=DEADLINE)


def test_a_queue_too_slow_for_the_deadline_refuses_at_once() -> None:
    slow = timedelta(seconds=20)
    require_place(SLOT, PROVIDER, terms(), Load(8, 8, slow), now=NOW, deadline=DEADLINE)
    with pytest.raises(SlotBusy):
        require_place(SLOT, PROVIDER, terms(queue=20), Load(12, 12, slow), now=NOW, deadline=DEADLINE)


def test_a_provider_too_busy_for_the_deadline_refuses_at_once() -> None:
    with pytest.raises(ProviderBusy) as refused:
        require_place(
            SLOT,
            PROVIDER,
            terms(provider=2),
            Load(0, 6, timedelta(seconds=20)),
            now=NOW,
            deadline=DEADLINE,
        )
    assert refused.value.metadata["unfinished"] == "6"


def test_a_slow_provider_alone_refuses_nobody() -> None:
    require_place(SLOT, PROVIDER, terms(), Load(3, 3, timedelta(minutes=2)), now=NOW, deadline=DEADLINE)


def test_too_little_time_is_refused() -> None:
    require_time(NOW, NOW + timedelta(seconds=2), at_least=timedelta(seconds=2))
    with pytest.raises(DeadlineCannotBeMet):
        require_time(NOW, NOW + timedelta(seconds=1), at_least=timedelta(seconds=2))
