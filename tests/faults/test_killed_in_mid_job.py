"""A process dies (SIGKILL) while a provider works on a photo. "Mid-job" is exact: the provider is held at a gate."""

from __future__ import annotations

import asyncio

import pytest
from harness.camera import a_photo
from harness.platform import Platform
from photochanger_mockproviders import Match

_SLOT = "slot-001"


def _calls(platform: Platform, shot: str) -> int:
    return sum(shot in call.request.prompt for call in platform.gemini.calls)


@pytest.mark.parametrize("victim", ["ingest", "media", "nats", "postgres", "s3"])
async def test_the_camera_that_waits_gets_its_picture_all_the_same(platform: Platform, victim: str) -> None:
    gate = platform.gemini.hold(Match(prompt="snow"))
    async with platform.camera.sending(_SLOT) as sending:
        await platform.held(gate)
        await platform.crash(victim)
        gate.release()
        answer = await sending
    assert answer.status == 200, answer.reason
    assert _calls(platform, answer.shot) == 1
    await platform.check()


@pytest.mark.parametrize("victim", ["media", "nats", "postgres", "s3"])
async def test_a_picture_that_cannot_be_stored_at_once_is_stored_when_the_dead_one_is_back(
    platform: Platform, victim: str
) -> None:
    gate = platform.gemini.hold(Match(prompt="snow"))
    async with platform.camera.sending(_SLOT) as sending:
        await platform.held(gate)
        await platform.kill(victim)
        call = platform.gemini.calls[-1]
        gate.release()
        async with asyncio.timeout(20):
            await platform.gemini.until(lambda: call.status == 200)
        await platform.start(victim)
        answer = await sending
    assert answer.status == 200, answer.reason
    assert _calls(platform, answer.shot) == 1
    await platform.check()


async def test_a_dead_gateway_cuts_the_camera_off_and_its_repeat_finds_the_paid_picture(
    platform: Platform,
) -> None:
    photo = a_photo()
    gate = platform.gemini.hold(Match(prompt="snow"))
    async with platform.camera.sending(_SLOT, photo) as sending:
        await platform.held(gate)
        await platform.kill("gateway")
        cut_off = await sending
    assert cut_off.status is None
    gate.release()
    await platform.start("gateway")
    await platform.whole()
    again = await platform.camera.send(_SLOT, photo)
    assert again.status == 200, again.reason
    assert (_calls(platform, cut_off.shot), _calls(platform, again.shot)) == (1, 0)
    await platform.check()


async def test_a_dead_providers_process_fails_its_jobs_and_a_repeat_is_a_new_one(platform: Platform) -> None:
    photo = a_photo()
    gate = platform.gemini.hold(Match(prompt="snow"))
    async with platform.camera.sending(_SLOT, photo) as sending:
        await platform.held(gate)
        await platform.crash("providers")
        lost = await sending
    assert (lost.status, lost.reason) == (503, "provider_error")
    assert int(lost.headers["Retry-After"]) >= 1
    gate.release()
    await platform.whole()
    again = await platform.camera.send(_SLOT, photo)
    assert again.status == 200, again.reason
    assert (_calls(platform, lost.shot), _calls(platform, again.shot)) == (1, 1)
    await platform.check()


async def test_ingest_dying_between_an_events_publication_and_its_note_tells_it_once(
    platform: Platform,
) -> None:
    await platform.kill("ingest")
    await platform.start("ingest", crash_at="outbox.after_publish")
    await platform.whole()
    async with platform.camera.sending(_SLOT) as sending:
        await platform.dies("ingest")
        await platform.start("ingest")
        answer = await sending
    assert answer.status == 200, answer.reason
    history = await platform.check()
    assert [event.what for event in history.events if event.job_id == answer.job_id] == [
        "created",
        "started",
        "finished",
    ]
