"""A camera posts a photo and the edited one comes back."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from harness.camera import PHOTOS, a_photo
from harness.pictures import corner, difference, face, metadata, orientation, pixels
from harness.platform import Platform
from harness.slots import PROMPT, a_plan, gemini
from photochanger.ingest.v1 import slot_pb2
from photochanger.providers.v1.processing_service_pb2 import OUTPUT_FORMAT_WEBP, TemplateMedia
from photochanger_mockproviders import GeminiKnob, Match, Step

_DSLR = PHOTOS / "portrait-dslr-16mp.jpg"
_UPRIGHT = PHOTOS / "portrait-1536.jpg"


async def test_the_local_provider_changes_the_background_and_leaves_the_face(platform: Platform) -> None:
    await platform.admin.use("slot-001", a_plan("local", "background_color", color="#00ff00"))
    photo = _UPRIGHT.read_bytes()
    answer = await platform.camera.send("slot-001", photo)
    assert answer.status == 200, answer.reason
    before, after = pixels(photo), pixels(answer.body)
    assert difference(face(before), face(after)) < 4
    assert difference(corner(before), corner(after)) > 40


async def test_gemini_answers_with_its_picture_and_sees_the_booths_fields(platform: Platform) -> None:
    await platform.admin.use("slot-002", gemini("Write {{guest|nobody}} on it. {{shot}}{{absent}}"))
    answer = await platform.camera.send("slot-002", fields={"guest": "Ada {{shot}}"})
    assert answer.status == 200, answer.reason
    (call,) = [call for call in platform.gemini.calls if answer.shot in call.request.prompt]
    assert call.request.prompt == f"Write Ada {{{{shot}}}} on it. {answer.shot}"
    assert call.request.part_kinds == ("image", "text")
    assert answer.content_type == "image/jpeg"
    assert difference(pixels(answer.body), pixels(platform.result)) < 2


async def test_an_answer_says_what_cameras_and_booths_need(platform: Platform) -> None:
    await platform.admin.use("slot-002", gemini())
    sent_at = datetime.now(UTC)
    answer = await platform.camera.send("slot-002")
    assert answer.headers["Cache-Control"] == "no-store"
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    assert answer.headers["X-Result-Url"].endswith(f"/public/results/{answer.job_id}")
    lives = datetime.fromisoformat(answer.headers["X-Result-Expires-At"]) - sent_at
    assert timedelta(hours=71) < lives < timedelta(hours=73)
    stages = {item.partition(";")[0].strip() for item in answer.headers["Server-Timing"].split(",")}
    assert {"admit", "receive", "open", "run", "provider", "total"} <= stages


async def test_a_slot_gets_the_format_it_asks_for(platform: Platform) -> None:
    await platform.admin.use("slot-002", gemini(), slot_pb2.Slot(output_format=OUTPUT_FORMAT_WEBP))
    answer = await platform.camera.send("slot-002")
    assert answer.content_type == "image/webp"
    assert answer.body[8:12] == b"WEBP"


async def test_turbotext_fetches_photo_and_template_from_public_links(platform: Platform) -> None:
    template = await platform.admin.add_template("slot-003", a_photo("portrait-1024.webp"))
    plan = a_plan("turbotext", "style_transfer", prompt=PROMPT)
    bound = slot_pb2.Slot(templates=[TemplateMedia(media_object_id=template, role="style")])
    await platform.admin.use("slot-003", plan, bound)
    answer = await platform.camera.send("slot-003")
    assert answer.status == 200, answer.reason
    assert difference(pixels(answer.body), pixels(platform.result)) < 2
    (call,) = [
        call
        for call in platform.turbotext.calls
        if call.step is Step.CREATE and answer.shot in call.fields.get("content", "")
    ]
    assert [fetch.problem for fetch in call.fetches] == ["", ""]


async def test_a_dslr_photo_is_upright_and_anonymous_for_the_provider_and_in_public(
    platform: Platform,
) -> None:
    photo = _DSLR.read_bytes()
    assert orientation(photo) == 6
    assert metadata(photo)
    await platform.admin.use("slot-003", a_plan("turbotext", "image_edit", prompt=PROMPT))
    await platform.admin.use("slot-002", gemini())
    await platform.admin.use("slot-001", a_plan("local", "background_color", color="#00ff00"))
    gate = platform.turbotext.hold(Match(step=Step.GET_RESULT))
    shot = uuid4().hex
    async with platform.camera.sending("slot-003", photo, shot=shot) as sending:
        await platform.held(gate)
        _, seen = await platform.camera.get(platform.submitted_link(shot))
        gate.release()
        assert (await sending).status == 200
    assert orientation(seen) == 1
    assert metadata(seen) == []
    assert difference(pixels(seen), pixels(_UPRIGHT.read_bytes())) < 4
    await platform.camera.send("slot-002", photo)
    assert platform.gemini.calls[-1].request.images[0].sha256 == hashlib.sha256(seen).hexdigest()
    local = await platform.camera.send("slot-001", photo)
    assert orientation(local.body) == 1
    assert metadata(local.body) == []
    assert difference(face(pixels(local.body)), face(pixels(_UPRIGHT.read_bytes()))) < 6


async def test_a_booth_that_asks_for_multipart_gets_the_facts_and_the_picture(platform: Platform) -> None:
    await platform.admin.use(
        "slot-004", gemini(), slot_pb2.Slot(response_mode=slot_pb2.RESPONSE_MODE_MULTIPART)
    )
    answer = await platform.camera.send("slot-004")
    assert answer.status == 200
    assert answer.content_type == "multipart/mixed"
    boundary = answer.headers["Content-Type"].partition("boundary=")[2].encode()
    _, facts, picture, end = answer.body.split(b"--" + boundary)
    assert json.loads(facts.partition(b"\r\n\r\n")[2])["job_id"] == answer.job_id
    _, again = await platform.camera.get(answer.headers["X-Result-Url"])
    assert picture.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") == again
    assert end.strip() == b"--"


async def test_a_provider_that_first_says_no_image_is_asked_again(platform: Platform) -> None:
    await platform.admin.use("slot-002", gemini())
    platform.gemini.script(GeminiKnob.NO_IMAGE, times=2, matching=Match(prompt="snow"))
    answer = await platform.camera.send("slot-002")
    assert answer.status == 200
    assert len([call for call in platform.gemini.calls if answer.shot in call.request.prompt]) == 3
