"""Rows shared by replicas: two stores on one real database stand for two replicas."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from photochanger.providers.v1.processing_events_pb2 import ProcessingFinished
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.ids import RandomIds
from photochanger_chassis.postgres.pool import Pool, connection, open_pool
from photochanger_chassis.secret_box import SecretBox, SecretsNotConfigured
from photochanger_chassis.settings import PostgresSettings
from photochanger_chassis.testing import ManualClock
from photochanger_providers.adapters.outcome_codec import effort_message
from photochanger_providers.adapters.postgres.breakers import PostgresBreakerStore
from photochanger_providers.adapters.postgres.calls import PostgresCallStore
from photochanger_providers.adapters.postgres.keys import PostgresKeyStore
from photochanger_providers.application.ports import Claimed, Ended, HeldElsewhere
from photochanger_providers.application.provider_keys import StoredKey
from photochanger_providers.domain.breaker import BreakerPolicy, Verdict
from photochanger_providers.domain.catalogue import OperationId, ProviderId
from photochanger_providers.domain.order import Effort, Failed, JobId, Order, Stage

GEMINI, OTHER = ProviderId("gemini"), ProviderId("other")
LEASE = timedelta(seconds=15)
LOST = Failed("NETWORK", "The worker was lost.")
EFFORT = Effort(2, (Stage("fetch", timedelta(milliseconds=12)), Stage("provider", timedelta(seconds=3))))
BUSY = Failed("PROVIDER_BUSY", "Full.", timedelta(seconds=5), EFFORT)
CANARY = "canary-key-0123456789"


@pytest.fixture
async def pool(database: PostgresSettings) -> AsyncIterator[Pool]:
    async with open_pool(database, application="test") as opened:
        yield opened


@pytest.fixture
def calls(pool: Pool) -> PostgresCallStore:
    return PostgresCallStore(pool, RandomIds())


def an_order(clock: ManualClock, *, provider_id: ProviderId = GEMINI) -> Order:
    return Order(
        job_id=JobId(RandomIds().new_id()),
        slot_id="slot-001",
        provider_id=provider_id,
        operation_id=OperationId("edit"),
        settings={},
        input_media_object_id="1" * 32,
        templates=(),
        form_fields={},
        deadline=Deadline.after(clock.now(), timedelta(seconds=48)),
    )


async def claim(calls: PostgresCallStore, order: Order, clock: ManualClock, owner: str = "one") -> object:
    now = clock.now()
    return await calls.claim(order, owner=owner, now=now, lease_until=now + LEASE)


async def test_one_of_many_claims_at_once_wins(calls: PostgresCallStore) -> None:
    clock = ManualClock()
    order = an_order(clock)

    claims = await asyncio.gather(*(claim(calls, order, clock, f"owner-{n}") for n in range(8)))

    assert sorted(type(each).__name__ for each in claims) == ["Claimed"] + ["HeldElsewhere"] * 7


async def test_an_outcome_is_stored_once_with_its_event(calls: PostgresCallStore, pool: Pool) -> None:
    clock = ManualClock()
    order = an_order(clock)
    await claim(calls, order, clock)

    first = await calls.finish(order.job_id, BUSY, owner="one", now=clock.now())
    second = await calls.finish(order.job_id, LOST, owner="one", now=clock.now())

    assert (first, second) == (True, False)
    assert await claim(calls, order, clock, "two") == Ended(BUSY)
    async with connection(pool) as conn:
        rows = await (await conn.execute("SELECT subject, aggregate_id, data FROM outbox")).fetchall()
    ((subject, aggregate_id, data),) = rows
    assert (subject, aggregate_id) == ("events.providers.processing.finished", order.job_id)
    assert ProcessingFinished.FromString(data).failed.reason == "PROVIDER_BUSY"
    assert ProcessingFinished.FromString(data).failed.effort == effort_message(EFFORT)


async def test_a_job_whose_owner_died_is_ended_and_its_owner_cannot_come_back(
    calls: PostgresCallStore,
) -> None:
    clock = ManualClock()
    order = an_order(clock)
    await claim(calls, order, clock)

    clock.advance(LEASE - timedelta(seconds=1))
    assert await calls.end_lapsed(LOST, now=clock.now()) == 0
    clock.advance(timedelta(seconds=1))
    assert await calls.end_lapsed(LOST, now=clock.now()) == 1

    renewal = await calls.renew(
        frozenset({order.job_id}), owner="one", now=clock.now(), lease_until=clock.now() + LEASE
    )
    assert not renewal.held
    assert not await calls.finish(order.job_id, BUSY, owner="one", now=clock.now())
    assert await claim(calls, order, clock, "two") == Ended(LOST)


async def test_a_renewed_lease_holds(calls: PostgresCallStore) -> None:
    clock = ManualClock()
    order = an_order(clock)
    await claim(calls, order, clock)

    clock.advance(LEASE - timedelta(seconds=1))
    await calls.renew(
        frozenset({order.job_id}), owner="one", now=clock.now(), lease_until=clock.now() + LEASE
    )
    clock.advance(LEASE - timedelta(seconds=1))

    assert await calls.end_lapsed(LOST, now=clock.now()) == 0
    assert await claim(calls, order, clock, "two") == HeldElsewhere()


async def test_a_claim_whose_answer_was_lost_can_be_made_again_by_its_owner_only(
    calls: PostgresCallStore,
) -> None:
    clock = ManualClock()
    order = an_order(clock)
    await claim(calls, order, clock)

    assert await claim(calls, order, clock) == Claimed()
    assert await claim(calls, order, clock, "two") == HeldElsewhere()
    assert await calls.enter(order, owner="one", limit=1, now=clock.now())
    assert await claim(calls, order, clock) == HeldElsewhere()


async def test_places_go_to_who_came_first_and_never_beyond_the_limit(calls: PostgresCallStore) -> None:
    clock = ManualClock()
    orders = []
    for number in range(5):
        orders.append(an_order(clock))
        await claim(calls, orders[-1], clock, f"owner-{number % 2}")
        clock.advance(timedelta(milliseconds=1))

    async def enter(number: int) -> bool:
        return await calls.enter(orders[number], owner=f"owner-{number % 2}", limit=2, now=clock.now())

    entered = await asyncio.gather(*(enter(number) for number in range(5)))
    assert sum(entered) == 2
    first = entered.index(True)
    await calls.leave(orders[first], owner=f"owner-{first % 2}")
    waiting = [number for number in range(5) if not entered[number]]
    assert not await enter(waiting[-1])
    assert await enter(waiting[0])


async def test_a_place_whose_answer_was_lost_can_be_asked_for_again(calls: PostgresCallStore) -> None:
    clock = ManualClock()
    order = an_order(clock)
    await claim(calls, order, clock)

    for _ in range(2):
        assert await calls.enter(order, owner="one", limit=1, now=clock.now())
    assert not await calls.enter(order, owner="two", limit=1, now=clock.now())


async def test_the_place_of_a_dead_owner_is_free_again(calls: PostgresCallStore) -> None:
    clock = ManualClock()
    dead, alive = an_order(clock), an_order(clock)
    await claim(calls, dead, clock, "dead")
    assert await calls.enter(dead, owner="dead", limit=1, now=clock.now())
    clock.advance(LEASE)
    await claim(calls, alive, clock, "alive")

    assert await calls.enter(alive, owner="alive", limit=1, now=clock.now())


async def test_the_limit_is_each_providers_own(calls: PostgresCallStore) -> None:
    clock = ManualClock()
    one, other = an_order(clock), an_order(clock, provider_id=OTHER)
    for order in (one, other):
        await claim(calls, order, clock)
        assert await calls.enter(order, owner="one", limit=1, now=clock.now())


async def test_old_outcomes_are_forgotten(calls: PostgresCallStore) -> None:
    clock = ManualClock()
    order = an_order(clock)
    await claim(calls, order, clock)
    await calls.finish(order.job_id, LOST, owner="one", now=clock.now())

    assert await calls.forget(finished_before=clock.now()) == 0
    assert await calls.forget(finished_before=clock.now() + timedelta(seconds=1)) == 1
    assert await calls.outcome(order.job_id) is None


async def test_an_open_breaker_lets_one_trial_through_over_all_replicas(pool: Pool) -> None:
    clock, policy = ManualClock(), BreakerPolicy(threshold=3, pause=timedelta(seconds=10))
    replicas = [PostgresBreakerStore(pool, policy) for _ in range(2)]
    for number in range(3):
        assert await replicas[number % 2].enter(GEMINI, "m", now=clock.now()) is None
        await replicas[number % 2].record(GEMINI, "m", Verdict.FAILED, now=clock.now())
    assert await replicas[0].enter(GEMINI, "m", now=clock.now()) == timedelta(seconds=10)
    assert await replicas[1].any_open(GEMINI, now=clock.now())

    clock.advance(timedelta(seconds=10))
    answers = await asyncio.gather(*(replicas[n % 2].enter(GEMINI, "m", now=clock.now()) for n in range(6)))
    assert sum(answer is None for answer in answers) == 1

    await replicas[0].record(GEMINI, "m", Verdict.ALIVE, now=clock.now())
    assert await replicas[1].enter(GEMINI, "m", now=clock.now()) is None
    assert not await replicas[1].open_now(now=clock.now())


async def test_failures_at_the_same_moment_are_all_counted(pool: Pool) -> None:
    clock = ManualClock()
    store = PostgresBreakerStore(pool, BreakerPolicy(threshold=5))

    await asyncio.gather(*(store.record(GEMINI, "m", Verdict.FAILED, now=clock.now()) for _ in range(5)))

    assert await store.peek(GEMINI, "m", now=clock.now()) is not None


def box(*keys: int) -> SecretBox:
    return SecretBox([bytes([key]) * 32 for key in keys])


def a_key(text: str = CANARY) -> StoredKey:
    return StoredKey(text, datetime(2026, 1, 1, tzinfo=UTC), "admin")


async def test_a_stored_key_comes_back_and_is_not_in_the_database_in_plain(pool: Pool) -> None:
    store = PostgresKeyStore(pool, box(1))

    await store.put(GEMINI, a_key())

    assert await store.get(GEMINI) == a_key()
    async with connection(pool) as conn:
        (row,) = await (await conn.execute("SELECT provider_keys::text FROM provider_keys")).fetchall()
    assert CANARY not in row[0]
    assert CANARY.encode().hex() not in row[0]
    assert CANARY not in repr(a_key())


async def test_keys_whose_rows_were_swapped_do_not_decrypt(pool: Pool) -> None:
    store = PostgresKeyStore(pool, box(1))
    await store.put(GEMINI, a_key())
    await store.put(OTHER, a_key("another-key-0123456789"))

    async with connection(pool) as conn:
        await conn.execute(
            """
            UPDATE provider_keys AS mine SET nonce = other.nonce, ciphertext = other.ciphertext
            FROM provider_keys AS other WHERE mine.provider_id <> other.provider_id
            """
        )

    for provider in (GEMINI, OTHER):
        with pytest.raises(SecretsNotConfigured):
            await store.get(provider)


async def test_rotation_leaves_nothing_under_the_old_key_and_may_be_repeated(pool: Pool) -> None:
    await PostgresKeyStore(pool, box(1)).put(GEMINI, a_key())
    rotating = PostgresKeyStore(pool, box(2, 1))

    assert await rotating.get(GEMINI) == a_key()
    assert await rotating.rotate() == 1
    assert await rotating.rotate() == 0
    assert await PostgresKeyStore(pool, box(2)).get(GEMINI) == a_key()
    with pytest.raises(SecretsNotConfigured):
        await PostgresKeyStore(pool, box(1)).get(GEMINI)


async def test_without_an_encryption_key_nothing_is_stored(pool: Pool) -> None:
    with pytest.raises(SecretsNotConfigured):
        await PostgresKeyStore(pool, box()).put(GEMINI, a_key())
