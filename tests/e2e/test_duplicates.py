"""The same photo twice, and requests that carry an Idempotency-Key."""

from __future__ import annotations

from uuid import uuid4

from harness.camera import a_photo
from harness.platform import Platform
from harness.slots import gemini
from harness.waiting import until
from photochanger.ingest.v1 import slot_pb2
from photochanger_mockproviders import GeminiKnob, Match

_SLOT = "slot-005"


def _calls(platform: Platform, *shots: str) -> int:
    prompts = [call.request.prompt for call in platform.gemini.calls]
    return sum(shot in prompt for prompt in prompts for shot in shots)


async def test_the_same_photo_again_gets_the_first_picture_without_a_provider_call(
    platform: Platform,
) -> None:
    await platform.admin.use(_SLOT, gemini())
    photo = a_photo()
    first = await platform.camera.send(_SLOT, photo)
    second = await platform.camera.send(_SLOT, photo)
    assert (first.status, second.status) == (200, 200)
    assert second.job_id == first.job_id
    assert second.body == first.body
    assert second.headers["X-Duplicate"] == "true"
    assert _calls(platform, first.shot, second.shot) == 1


async def test_the_same_photo_at_the_same_time_waits_for_the_one_job(platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini())
    photo = a_photo()
    gate = platform.gemini.hold(Match(prompt="snow"))

    async def both_joined() -> bool:
        return await platform.observer.dropped_inputs(photo) == 2

    async with platform.camera.sending(_SLOT, photo) as first:
        await platform.held(gate)
        async with (
            platform.camera.sending(_SLOT, photo) as second,
            platform.camera.sending(_SLOT, photo) as third,
        ):
            await until(both_joined, "two photos found to be the first one's duplicates")
            gate.release()
            answers = [await first, await second, await third]
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert len({answer.job_id for answer in answers}) == 1
    assert _calls(platform, *(answer.shot for answer in answers)) == 1


async def test_a_photo_is_a_new_job_after_the_slot_has_changed_and_where_dedupe_is_off(
    platform: Platform,
) -> None:
    photo = a_photo()
    await platform.admin.use(_SLOT, gemini())
    first = await platform.camera.send(_SLOT, photo)
    await platform.admin.use(_SLOT, gemini(), slot_pb2.Slot(dedupe=False))
    second = await platform.camera.send(_SLOT, photo)
    third = await platform.camera.send(_SLOT, photo)
    assert len({first.job_id, second.job_id, third.job_id}) == 3


async def test_a_failed_photo_may_be_sent_again(platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini())
    photo = a_photo()
    platform.gemini.script(GeminiKnob.IMAGE_SAFETY, matching=Match(prompt="snow"))
    first = await platform.camera.send(_SLOT, photo)
    assert (first.status, first.reason) == (502, "provider_error")
    second = await platform.camera.send(_SLOT, photo)
    assert second.status == 200


async def test_a_repeated_key_replays_the_outcome_with_the_same_form_only(platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini())
    photo, key, shot = a_photo(), f"key-{uuid4().hex}", uuid4().hex
    gate = platform.gemini.hold(Match(prompt=shot))
    async with platform.camera.sending(_SLOT, photo, idempotency_key=key, shot=shot) as sending:
        await platform.held(gate)
        early = await platform.camera.send(_SLOT, photo, idempotency_key=key, shot=shot)
        assert (early.status, early.reason) == (409, "idempotency_conflict")
        gate.release()
        first = await sending
    again = await platform.camera.send(_SLOT, photo, idempotency_key=key, shot=shot)
    assert (again.status, again.job_id, again.body) == (200, first.job_id, first.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = await platform.camera.send(_SLOT, a_photo(), idempotency_key=key, shot=shot)
    assert (other.status, other.reason) == (422, "idempotency_mismatch")
    assert _calls(platform, shot) == 1


async def test_a_replayed_failure_is_the_same_failure(platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini())
    photo, key, shot = a_photo(), f"key-{uuid4().hex}", uuid4().hex
    platform.gemini.script(GeminiKnob.PROHIBITED, matching=Match(prompt=shot))
    first = await platform.camera.send(_SLOT, photo, idempotency_key=key, shot=shot)
    again = await platform.camera.send(_SLOT, photo, idempotency_key=key, shot=shot)
    assert (first.status, first.reason) == (again.status, again.reason) == (502, "provider_error")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert _calls(platform, shot) == 1
