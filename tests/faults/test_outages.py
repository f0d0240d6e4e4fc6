"""A server is away for a while, or comes back empty."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from harness.platform import Platform
from harness.waiting import until
from photochanger_mockproviders import Match

_SLOT = "slot-002"


async def test_photos_are_edited_while_nats_is_away_and_their_events_come_later(platform: Platform) -> None:
    await platform.kill("nats")
    answers = [await platform.camera.send(_SLOT) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 200]
    assert (await platform.observer.outboxes())["ingest"] >= 6
    await platform.start("nats")
    await platform.check()

    async def previewed() -> bool:
        response, _ = await platform.camera.get(f"/public/results/{answers[0].job_id}/preview")
        return response.status == 200

    await until(previewed, "the preview of a photo from the outage")


async def test_an_empty_nats_loses_no_job_and_no_later_event(platform: Platform) -> None:
    await platform.check()
    await platform.observer.remember_events()
    gate = platform.gemini.hold(Match(prompt="snow"))
    async with platform.camera.sending(_SLOT) as sending:
        await platform.held(gate)
        await asyncio.to_thread(platform.stack.wipe_nats)
        emptied_at = datetime.now(UTC)
        gate.release()
        early = await sending
    later = await platform.camera.send(_SLOT)
    assert (early.status, later.status) == (200, 200)
    platform.events_since = emptied_at
    history = await platform.check()
    told = {event.job_id for event in history.events if event.what == "finished"}
    assert {early.job_id, later.job_id} <= told


async def test_without_its_bucket_a_photo_is_refused_with_a_time_to_come_again(platform: Platform) -> None:
    await platform.kill("s3")
    refused = await platform.camera.send(_SLOT)
    assert (refused.status, refused.reason) == (503, "storage_unavailable")
    assert int(refused.headers["Retry-After"]) >= 1
    await platform.start("s3")
    await platform.whole()
    assert (await platform.camera.send(_SLOT)).status == 200
    await platform.check()


async def test_without_its_database_a_photo_is_refused_and_nothing_needs_a_restart(
    platform: Platform,
) -> None:
    await platform.kill("postgres")
    refused = await platform.camera.send(_SLOT)
    assert refused.status == 503, (refused.status, refused.reason)
    assert int(refused.headers["Retry-After"]) >= 1
    await platform.start("postgres")
    await platform.whole()
    answer = await platform.camera.send(_SLOT)
    assert answer.status == 200, answer.reason
    await platform.check()


async def test_a_photo_waits_for_a_providers_service_that_is_away_for_a_moment(platform: Platform) -> None:
    await platform.kill("providers")
    async with platform.camera.sending(_SLOT) as sending:
        await platform.jobs_in(_SLOT, "running", count=1)
        await platform.start("providers")
        answer = await sending
    assert answer.status == 200, answer.reason
    await platform.check()
