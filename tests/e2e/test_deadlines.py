"""A provider that hangs: cameras are answered on time, each slot in its own way."""

from __future__ import annotations

import asyncio

from google.protobuf.duration_pb2 import Duration
from harness.camera import a_photo
from harness.pictures import difference, pixels
from harness.platform import Platform
from harness.slots import PROMPT, a_plan, gemini
from harness.waiting import until
from photochanger.ingest.v1 import slot_pb2
from photochanger_mockproviders import Match

_WINDOW_SECONDS = 10
_SHORT = slot_pb2.Slot(sync_response=Duration(seconds=_WINDOW_SECONDS))


async def test_a_hanging_provider_costs_no_camera_more_than_its_window(platform: Platform) -> None:
    # One wait of ten seconds for everything that needs a deadline to pass.
    keep = slot_pb2.Slot(late_results=slot_pb2.LATE_RESULTS_KEEP)
    original = slot_pb2.Slot(on_failure=slot_pb2.FAILURE_MODE_ORIGINAL)
    await platform.admin.use("slot-009", gemini("Hang. {{shot}}"), _SHORT)
    await platform.admin.use("slot-010", gemini("Hang. {{shot}}"), _SHORT, keep)
    await platform.admin.use("slot-011", gemini("Hang. {{shot}}"), _SHORT, original)
    await platform.admin.use(
        "slot-012", gemini("Hang. {{shot}}"), _SHORT, slot_pb2.Slot(running_limit=1, queue_length=2)
    )
    await platform.admin.use("slot-015", a_plan("turbotext", "image_edit", prompt=PROMPT), _SHORT)
    linked = await platform.camera.send("slot-015", window_seconds=_WINDOW_SECONDS)
    link = platform.submitted_link(linked.shot)
    assert (await platform.camera.get(link))[0].status == 200
    photo = a_photo()
    gate = platform.gemini.hold(Match(prompt="Hang"))
    slots = ("slot-009", "slot-010", "slot-011", "slot-012", "slot-012")
    # The two of slot-012 differ, and the second never gets its place.
    photos = (photo, photo, photo, photo, a_photo())
    plain, late, kept, running, queued = await asyncio.gather(
        *(
            platform.camera.send(slot, content, window_seconds=_WINDOW_SECONDS)
            for slot, content in zip(slots, photos, strict=True)
        )
    )
    for answer in (plain, late, running, queued):
        assert (answer.status, answer.reason) == (504, "provider_timeout")
    assert kept.status == 200
    assert kept.headers["X-Result-Origin"] == "original"
    assert kept.headers["X-Failure-Reason"] == "timeout"
    assert difference(pixels(kept.body), pixels(photo)) < 2
    assert (await platform.camera.get(link))[0].status == 410
    # Only the slot that keeps late pictures still waits for one.
    await platform.held(gate)
    gate.release()
    jobs = {job.shot: job for job in await platform.observer.jobs()}

    async def arrived() -> bool:
        response, _ = await platform.camera.get(f"/public/results/{jobs[late.shot].id}")
        return response.status == 200

    await until(arrived, "the late picture")
    again = await platform.camera.send("slot-010", photo, window_seconds=_WINDOW_SECONDS)
    assert (again.status, again.job_id) == (200, jobs[late.shot].id)
    assert again.headers["X-Result-Origin"] == "late"
    assert difference(pixels(again.body), pixels(platform.result)) < 2
    gallery = await platform.gallery("slot-010")
    assert [item["job_id"] for item in gallery] == [again.job_id]
    assert jobs[late.shot].state == jobs[plain.shot].state == "timeout"
