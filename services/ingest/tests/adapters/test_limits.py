"""Limits over all replicas: never exceeded, first come first served, places never wasted."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from photochanger.ingest.v1 import job_pb2
from photochanger_ingest.testing.camera import Camera, a_photo, refused
from photochanger_ingest.testing.fakes import answer_at_once

if TYPE_CHECKING:
    from photochanger.providers.v1 import processing_service_pb2

    from .conftest import Platform

DONE = job_pb2.JOB_STATE_DONE


class Turnstile:
    """A provider that lets jobs out one at a time, in the order they came, and notes how many were in."""

    def __init__(self) -> None:
        self.came: list[str] = []
        self.inside: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.most_in_all = 0
        self.arrival = asyncio.Condition()
        self._out: dict[str, asyncio.Event] = {}

    async def __call__(
        self, request: "processing_service_pb2.ProcessRequest"
    ) -> "processing_service_pb2.ProcessResponse":
        out = self._out[request.job_id] = asyncio.Event()
        async with self.arrival:
            self.came.append(request.job_id)
            self.inside[request.slot_id] += 1
            self.most[request.slot_id] = max(self.most[request.slot_id], self.inside[request.slot_id])
            self.most_in_all = max(self.most_in_all, self.inside.total())
            self.arrival.notify_all()
        await out.wait()
        self.inside[request.slot_id] -= 1
        return await answer_at_once(request)

    async def full(self, count: int) -> None:
        """Waits until so many have come in all."""
        async with self.arrival:
            await self.arrival.wait_for(lambda: len(self.came) >= count)

    def let_out(self, position: int) -> None:
        """Lets out the one that came in at a position."""
        self._out[self.came[position]].set()


async def test_jobs_start_in_the_order_they_came_over_all_replicas(
    platform: "Platform", camera: Camera
) -> None:
    other = (await platform.start()).camera
    platform.outside.providers.script = turnstile = Turnstile()
    await platform.sql("UPDATE settings SET slot_running = 1")
    running: list[asyncio.Task[job_pb2.Job]] = []
    opened: list[str] = []
    for number in range(6):
        client = (camera, other)[number % 2]
        job_id = (await client.open(a_photo())).job.id
        opened.append(job_id)
        running.append(asyncio.create_task(client.run(job_id)))
        # In line before the next one comes.
        while not await platform.sql("SELECT 1 FROM jobs WHERE id = %s AND driver IS NOT NULL", job_id):
            await asyncio.wait(running, timeout=0.01)
    for number in range(6):
        await turnstile.full(number + 1)
        turnstile.let_out(number)
    assert [job.state for job in await asyncio.gather(*running)] == [DONE] * 6
    assert turnstile.came == opened
    assert turnstile.most_in_all == 1


@pytest.mark.parametrize(("slot_limit", "provider_limit"), [(2, 3), (1, 30), (4, 1)])
async def test_limits_hold_over_all_replicas(
    platform: "Platform", camera: Camera, slot_limit: int, provider_limit: int
) -> None:
    other = (await platform.start()).camera
    platform.outside.providers.script = turnstile = Turnstile()
    await platform.sql(
        "UPDATE settings SET slot_running = %s, slot_queue = 20,"
        " provider_running = jsonb_build_object('local', %s::int)",
        slot_limit,
        provider_limit,
    )
    sending = [
        asyncio.create_task((camera, other)[number % 2].send(slot_id=f"slot-00{number % 3 + 1}"))
        for number in range(18)
    ]
    for number in range(18):
        await turnstile.full(number + 1)
        turnstile.let_out(number)
    assert [job.state for job in await asyncio.gather(*sending)] == [DONE] * 18
    assert max(turnstile.most.values()) <= slot_limit
    assert turnstile.most_in_all <= provider_limit


async def test_a_slot_that_is_full_does_not_hold_up_others(platform: "Platform", camera: Camera) -> None:
    platform.outside.providers.script = turnstile = Turnstile()
    await platform.sql("UPDATE slots SET running_limit = 1 WHERE id = 'slot-001'")
    first = asyncio.create_task(camera.send())
    await turnstile.full(1)
    second = asyncio.create_task(camera.send())
    third = asyncio.create_task(camera.send(slot_id="slot-002"))
    await turnstile.full(2)
    turnstile.let_out(1)
    assert (await third).state == DONE
    assert not second.done()
    turnstile.let_out(0)
    await turnstile.full(3)
    turnstile.let_out(2)
    assert [job.state for job in await asyncio.gather(first, second)] == [DONE, DONE]


async def test_a_waiting_job_whose_driver_died_does_not_hold_up_others(
    platform: "Platform", camera: Camera
) -> None:
    platform.outside.providers.script = turnstile = Turnstile()
    await platform.sql("UPDATE settings SET slot_running = 1")
    orphan = await camera.open(a_photo())
    await platform.sql("UPDATE jobs SET driver = 'dead', driven_until = %s", platform.clock.now())
    living = asyncio.create_task(camera.send())
    await turnstile.full(1)
    turnstile.let_out(0)
    assert (await living).state == DONE
    assert (await camera.get(orphan.job.id)).state == job_pb2.JOB_STATE_PENDING


async def test_beyond_limit_and_queue_photos_are_refused_before_and_after_the_body(
    platform: "Platform", camera: Camera
) -> None:
    await platform.sql("UPDATE slots SET running_limit = 1, queue_length = 1 WHERE id = 'slot-001'")
    ticket = await camera.ticket()
    first = await camera.open(a_photo())
    await camera.open(a_photo())
    with refused("SLOT_BUSY") as refusal:
        await camera.ticket()
    assert refusal.error.retry_after is not None
    assert refusal.error.retry_after >= timedelta(seconds=1)
    with refused("SLOT_BUSY"):
        await camera.open(a_photo(), ticket=ticket)
    await camera.ticket("slot-002")
    await camera.run(first.job.id)
    await camera.open(a_photo(), ticket=ticket)


async def test_thirty_photos_at_once_over_all_slots_are_all_taken(
    platform: "Platform", camera: Camera
) -> None:
    other = (await platform.start()).camera
    jobs = await asyncio.gather(
        *((camera, other)[number % 2].send(slot_id=f"slot-{number % 15 + 1:03}") for number in range(30))
    )
    assert [job.state for job in jobs] == [DONE] * 30


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    slot_limit=st.integers(1, 3),
    queue=st.integers(0, 3),
    arrivals=st.lists(st.sampled_from(["slot-001", "slot-002"]), min_size=1, max_size=14),
)
def test_what_comes_in_at_once_never_exceeds_limit_and_queue(
    admissions: "Admissions", slot_limit: int, queue: int, arrivals: list[str]
) -> None:
    taken = admissions.run(slot_limit, queue, arrivals)
    for slot_id in set(arrivals):
        assert taken[slot_id] == min(arrivals.count(slot_id), slot_limit + queue)


class Admissions:
    """Opens jobs at once on two replicas and counts what was taken, on the fixtures' own loop."""

    def __init__(self, platform: "Platform", cameras: list[Camera], loop: asyncio.AbstractEventLoop) -> None:
        self._platform, self._cameras, self._loop = platform, cameras, loop

    def run(self, slot_limit: int, queue: int, arrivals: list[str]) -> Counter[str]:
        return self._loop.run_until_complete(self._open_all(slot_limit, queue, arrivals))

    async def _open_all(self, slot_limit: int, queue: int, arrivals: list[str]) -> Counter[str]:
        await self._platform.sql("DELETE FROM jobs")
        await self._platform.sql("UPDATE settings SET slot_running = 50, slot_queue = 100")
        tickets = [await self._cameras[0].ticket(slot_id) for slot_id in arrivals]
        await self._platform.sql("UPDATE settings SET slot_running = %s, slot_queue = %s", slot_limit, queue)
        answers = await asyncio.gather(
            *(
                self._cameras[number % 2].open(a_photo(), slot_id=slot_id, ticket=ticket)
                for number, (slot_id, ticket) in enumerate(zip(arrivals, tickets, strict=True))
            ),
            return_exceptions=True,
        )
        return Counter(answer.job.slot_id for answer in answers if not isinstance(answer, BaseException))


@pytest.fixture
async def admissions(platform: "Platform", camera: Camera) -> Admissions:
    other = (await platform.start()).camera
    return Admissions(platform, [camera, other], asyncio.get_running_loop())
