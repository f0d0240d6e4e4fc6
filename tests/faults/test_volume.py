"""Many cameras, and each service dies once meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.camera import PATIENCE_SECONDS, PHOTOS
from harness.history import Answer
from harness.platform import Platform
from harness.slots import ALL_SLOTS
from photochanger_devstack.camera.client import Target, send_all, shots

if TYPE_CHECKING:
    from photochanger_devstack.camera.client import Outcome

_COUNT, _PARALLEL = 60, 15
_VICTIMS = ("providers", "ingest", "gateway", "media")


async def test_sixty_photos_over_all_slots_lose_nothing_while_each_service_dies_once(
    platform: Platform,
) -> None:
    target = Target(
        platform.stack.plan.gateway_url,
        platform.stack.plan.secrets.ingest_password,
        timeout_seconds=PATIENCE_SECONDS,
        # A service is back in 2 s, or in 10 on a machine with much else to do.
        retries=40,
    )
    photos = shots((PHOTOS / "portrait-512.png").read_bytes(), ALL_SLOTS, _COUNT, same=False)
    answered = asyncio.Semaphore(0)

    async def kill_in_turn() -> None:
        for victim in _VICTIMS:
            # A tenth of the photos between two deaths: the next one always hits work under way.
            for _ in range(_COUNT // 10):
                await answered.acquire()
            await platform.crash(victim)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(kill_in_turn())
        sending = tasks.create_task(
            send_all(target, photos, parallel=_PARALLEL, done=lambda _: answered.release())
        )
    outcomes = sending.result()
    assert [outcome.failure for outcome in outcomes if outcome.failure] == []
    platform.camera.answers += [_answer(outcome) for outcome in outcomes]
    history = await platform.check()
    numbers = {answer.job_id for answer in map(_answer, outcomes)}
    assert len(numbers) == _COUNT
    repeats = sum(outcome.repeats for outcome in outcomes)
    extra = sum(job.shot.startswith("CY04") for job in history.jobs) - _COUNT
    assert extra <= repeats


def _answer(outcome: Outcome) -> Answer:
    return Answer(
        shot=f"CY04N068111304S2L_{outcome.shot.number:08d}.",
        slot_id=outcome.shot.slot,
        seconds=outcome.seconds,
        window_seconds=48,
        status=outcome.status,
        content_type=f"image/{outcome.extension}",
        body=outcome.picture,
        headers={"X-Job-Id": outcome.job_id},
    )
