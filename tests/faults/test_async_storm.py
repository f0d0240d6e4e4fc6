"""A bulk client's photos, while workers come and go and everything else dies once under them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from harness.camera import PHOTOS
from harness.platform import Platform
from harness.program import Program, a_program
from photochanger_devstack.program.api import Access, open_api
from photochanger_devstack.program.bulk import Bulk, Photo
from photochanger_devstack.program.report import summarise
from photochanger_mockproviders import GeminiKnob, Match

if TYPE_CHECKING:
    from photochanger_devstack.program.bulk import Delivered, Standing

_COUNT, _OF_ONE_WORKER = 60, 10
_SLOTS = ("slot-011", "slot-012")


@pytest.mark.timeout(300)  # two rounds of processes start, on a machine that is busy with other tests
async def test_sixty_jobs_get_one_picture_each_whatever_dies_meanwhile(platform: Platform) -> None:
    gate = platform.gemini.hold(Match(prompt="snow"))
    platform.gemini.by_default(GeminiKnob.SLOW, seconds=0.3)
    ended = asyncio.Semaphore(0)

    async def storm() -> None:
        await platform.held(gate, count=_OF_ONE_WORKER)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.to_thread(platform.stack.add_worker, 2))
            tasks.create_task(platform.crash("worker-1"))
            tasks.create_task(platform.crash("ingest"))
        gate.release()
        for _ in range(_COUNT // 6):
            await ended.acquire()
        await asyncio.gather(*(platform.crash(victim) for victim in ("worker-2", "gateway", "providers")))

    try:
        async with a_program(platform) as program, asyncio.TaskGroup() as tasks:
            tasks.create_task(storm())
            bulk = tasks.create_task(_deliver(platform, program, ended))
    finally:
        platform.gemini.by_default()
        await asyncio.to_thread(platform.stack.remove, "worker-2")
    report = summarise(bulk.result(), wall_seconds=1)
    assert (report.failures, report.strangers, report.states) == ({}, 0, {"done": _COUNT})
    assert max(report.attempts) > 1  # some were taken from the dead
    jobs = {delivery.job_id for delivery in bulk.result().deliveries}
    assert await platform.observer.results_of(jobs) == dict.fromkeys(jobs, 1)
    await platform.check()


async def _deliver(platform: Platform, program: Program, ended: asyncio.Semaphore) -> Delivered:
    access = Access(platform.stack.plan.gateway_url, program.key, retries=40)
    seen = 0

    def tell(now: Standing) -> None:
        nonlocal seen
        while seen < now.done + now.failed:
            seen += 1
            ended.release()

    async def pause(seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.5))

    async with open_api(access, connections=5, pause=pause) as api:
        bulk = Bulk(
            api,
            (PHOTOS / "portrait-512.png").read_bytes(),
            parallel=4,
            keep=lambda *_: None,
            tell=tell,
            pause=pause,
        )
        photos = [Photo(number, _SLOTS[number % len(_SLOTS)]) for number in range(1, _COUNT + 1)]
        return await bulk.deliver(photos)
