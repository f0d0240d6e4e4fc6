"""How much may run and wait at once, on one gateway and on two."""

from __future__ import annotations

from contextlib import AsyncExitStack

from harness.history import most_running
from harness.platform import Platform
from harness.slots import gemini
from photochanger.ingest.v1 import settings_service_pb2, slot_pb2
from photochanger_mockproviders import Match


async def test_a_photo_waits_for_its_place_and_one_too_many_is_told_when_to_come_again(
    platform: Platform,
) -> None:
    slot = "slot-007"
    await platform.admin.use(
        slot, gemini("Seventh. {{shot}}"), slot_pb2.Slot(running_limit=1, queue_length=1)
    )
    gate = platform.gemini.hold(Match(prompt="Seventh"))
    async with platform.camera.sending(slot) as first:
        await platform.held(gate)
        async with platform.camera.sending(slot) as second:
            await platform.jobs_in(slot, "pending", count=1)
            third = await platform.camera.send(slot)
            assert (third.status, third.reason) == (429, "rate_limited")
            assert int(third.headers["Retry-After"]) >= 1
            assert gate.held == 1
            gate.release()
            assert [(await first).status, (await second).status] == [200, 200]


async def test_two_replicas_together_keep_to_the_slots_limit(platform: Platform) -> None:
    await platform.add_replicas()
    slot = "slot-008"
    await platform.admin.use(slot, gemini("Eighth. {{shot}}"), slot_pb2.Slot(running_limit=3, queue_length=9))
    gate = platform.gemini.hold(Match(prompt="Eighth"))
    async with AsyncExitStack() as stack:
        sending = [
            await stack.enter_async_context(
                platform.camera.sending(slot, gateway_url=platform.stack.gateways[number % 2])
            )
            for number in range(12)
        ]
        await platform.jobs_in(slot, "pending", count=9)
        await platform.held(gate, count=3)
        refused = [
            await platform.camera.send(slot, gateway_url=gateway) for gateway in platform.stack.gateways
        ]
        assert [answer.status for answer in refused] == [429, 429]
        assert gate.held == 3
        gate.release()
        answers = [await item for item in sending]
    assert [answer.status for answer in answers] == [200] * 12
    assert most_running(job for job in await platform.observer.jobs() if job.slot_id == slot) == 3


async def test_a_change_of_a_slot_counts_for_the_next_photo_on_every_replica(platform: Platform) -> None:
    await platform.add_replicas()
    slot = "slot-008"
    for season in ("spring", "summer", "autumn"):
        await platform.admin.use(slot, gemini(f"Make it {season}. {{{{shot}}}}"))
        answers = [
            await platform.camera.send(slot, gateway_url=gateway) for gateway in platform.stack.gateways
        ]
        for answer in answers:
            assert answer.status == 200
            (call,) = [call for call in platform.gemini.calls if answer.shot in call.request.prompt]
            assert season in call.request.prompt


async def test_a_providers_limit_holds_over_slots_and_changes_with_the_settings(platform: Platform) -> None:
    slots = ("slot-007", "slot-008")
    limits = (await platform.admin.settings()).limits
    tight = settings_service_pb2.Limits()
    tight.CopyFrom(limits)
    tight.provider_running["gemini"] = 1
    for slot in slots:
        await platform.admin.use(slot, gemini("Limit. {{shot}}"))
    gate = platform.gemini.hold(Match(prompt="Limit"))
    try:
        await platform.admin.change_settings(settings_service_pb2.Settings(limits=tight), "limits")
        async with platform.camera.sending(slots[0]) as first:
            await platform.held(gate)
            async with platform.camera.sending(slots[1]) as second:
                await platform.jobs_in(slots[1], "pending", count=1)
                assert gate.held == 1
                await platform.admin.change_settings(settings_service_pb2.Settings(limits=limits), "limits")
                await platform.held(gate, count=2)
                gate.release()
                assert [(await first).status, (await second).status] == [200, 200]
    finally:
        await platform.admin.change_settings(settings_service_pb2.Settings(limits=limits), "limits")
