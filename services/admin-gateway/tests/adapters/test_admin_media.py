"""Templates, temporary pictures and clean-ups."""

import asyncio
from datetime import timedelta

import pytest
from photochanger.media.v1 import media_object_pb2
from photochanger_chassis.errors import ErrorKind
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.testing.accounts import bearer
from photochanger_gateway.testing.admin_api import AdminApi
from photochanger_gateway.testing.builders import JPEG, a_refusal
from photochanger_gateway.testing.platform import Platform
from photochanger_gateway.testing.wire import BOUNDARY, ask, connected, form

FILE = ("file", JPEG)
REGISTER = "/api/template-media/register"


async def test_a_template_is_stored_seen_and_deleted(api: AdminApi, platform: Platform) -> None:
    answer = await api.post_form(REGISTER, ("slot_id", b"slot-003"), ("media_kind", b"template"), FILE)
    body = answer.json()
    assert (answer.status, body["media_kind"], body["mime"], body["size_bytes"]) == (
        201,
        "template",
        "image/jpeg",
        len(JPEG),
    )
    assert (body["width_px"], body["height_px"]) == (640, 480)
    (upload,) = platform.media.uploads
    assert (upload.header.kind, upload.header.slot_id) == (media_object_pb2.MEDIA_KIND_TEMPLATE, "slot-003")
    path = f"/api/template-media/{body['media_object_id']}"
    assert body["preview_url"].endswith(f"{path}/preview")
    for address in (path, f"{path}/preview"):
        seen = await api.get(address)
        assert (seen.status, seen.body) == (200, JPEG)
        assert seen.headers["cache-control"].startswith("private")
        again = await api.get(address, If_None_Match=seen.headers["etag"])
        assert (again.status, again.body) == (304, b"")
    gone = await api.delete(path)
    assert (gone.status, gone.body) == (204, b"")
    assert platform.slots.deleted_templates == [body["media_object_id"]]
    actions = [entry.action for entry in platform.audit.entries.values()]
    assert actions[-2:] == ["template.add", "template.delete"]


async def test_a_template_that_slots_use_stays(api: AdminApi, platform: Platform) -> None:
    platform.slots.templates_in_use["a" * 32] = "slot-001,slot-009"
    answer = await api.delete(f"/api/template-media/{'a' * 32}")
    assert (answer.status, answer.json()["failure_reason"]) == (409, "template_in_use")
    assert "slot-009" in answer.json()["details"]


async def test_what_is_no_template_is_not_found_as_one(
    api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    result = platform.media.store(expires_at=clock.now() + timedelta(hours=1))
    platform.slots.script.refusals["DeleteTemplate"] = a_refusal("MEDIA_NOT_FOUND", ErrorKind.NOT_FOUND)
    for media_id in (result.id, "b" * 32, "nonsense"):
        for answer in (
            await api.get(f"/api/template-media/{media_id}"),
            await api.get(f"/api/template-media/{media_id}/preview"),
            await api.delete(f"/api/template-media/{media_id}"),
        ):
            assert (answer.status, answer.json()["failure_reason"]) == (404, "template_not_found")


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ((("slot_id", b"slot-001"),), "file"),
        ((("slot_id", b"slot-016"), FILE), "slot_id"),
        ((FILE, ("slot_id", b"slot-016")), "slot_id"),
        ((FILE, ("media_kind", b"result")), "media_kind"),
        ((FILE, ("colour", b"green")), "colour"),
    ],
)
async def test_a_form_that_does_not_fit_is_refused_and_nothing_is_kept(
    api: AdminApi, platform: Platform, parts: tuple[tuple[str, bytes], ...], field: str
) -> None:
    answer = await api.post_form(REGISTER, *parts)
    assert (answer.status, answer.json()["failure_reason"]) == (422, "invalid_request_body")
    assert [item["field"] for item in answer.json()["errors"]] == [field]
    assert platform.media.deleted == [item.media_object_id for item in platform.media.uploads]


@pytest.mark.parametrize("parts", [(FILE, FILE), (("slot_id", b"slot-001"), ("slot_id", b"slot-002"), FILE)])
async def test_what_comes_twice_is_refused_and_nothing_is_kept(
    api: AdminApi, platform: Platform, parts: tuple[tuple[str, bytes], ...]
) -> None:
    answer = await api.post_form(REGISTER, *parts)
    assert (answer.status, answer.json()["failure_reason"]) == (400, "invalid_request")
    assert platform.media.deleted == [item.media_object_id for item in platform.media.uploads]


@pytest.mark.parametrize(
    ("reason", "kind", "status"),
    [
        ("UNSUPPORTED_MEDIA_TYPE", ErrorKind.INVALID_ARGUMENT, 415),
        ("PAYLOAD_TOO_LARGE", ErrorKind.INVALID_ARGUMENT, 413),
        ("BROKEN_IMAGE", ErrorKind.INVALID_ARGUMENT, 400),
    ],
)
async def test_what_media_refuses_is_told(
    api: AdminApi, platform: Platform, reason: str, kind: ErrorKind, status: int
) -> None:
    platform.media.script.refusals["Upload"] = a_refusal(reason, kind)
    assert (await api.post_form(REGISTER, FILE)).status == status


@pytest.mark.parametrize(("path", "megabytes"), [(REGISTER, 15), ("/api/media/register", 20)])
async def test_a_picture_that_is_too_large_is_refused_by_its_head(
    api: AdminApi, platform: Platform, path: str, megabytes: int
) -> None:
    head = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(megabytes * 1024 * 1024 + 200_000),
        "Expect": "100-continue",
    }
    answer = await ask(api.port, path, method="POST", headers=api.headers | head)
    assert (answer.status, answer.json()["failure_reason"]) == (413, "payload_too_large")
    assert platform.media.script.of("Upload") == []


async def test_a_picture_that_grows_too_large_is_refused_and_not_kept(
    api: AdminApi, platform: Platform
) -> None:
    body = form(("file", b"\xff" * (16 * 1024 * 1024)))
    head = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Transfer-Encoding": "chunked",
    }
    async with connected(api.port) as connection:
        await connection.send_head("POST", REGISTER, api.headers | head)
        await connection.send(b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
        answer = await connection.answer()
    assert (answer.status, answer.json()["failure_reason"]) == (413, "payload_too_large")
    assert all(not item.whole for item in platform.media.uploads)


async def test_a_temporary_picture_is_stored_and_seen_until_its_time_is_over(
    api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    answer = await api.post_form("/api/media/register", FILE)
    body = answer.json()
    assert answer.status == 201
    assert body["expires_at"] is not None
    path = f"/api/media/{body['media_object_id']}"
    assert body["preview_url"].endswith(path)
    assert (await api.get(path)).body == JPEG
    clock.advance(timedelta(minutes=59))
    assert (await api.get(path)).status == 200
    clock.advance(timedelta(minutes=1))
    again = AdminApi(api.port, await bearer(api.port))  # the token was for an hour, too
    gone = await again.get(path)
    assert (gone.status, gone.json()["failure_reason"]) == (410, "media_expired")
    for media_id in ("b" * 32, "nonsense"):
        missing = await again.get(f"/api/media/{media_id}")
        assert (missing.status, missing.json()["failure_reason"]) == (404, "media_not_found")


async def test_results_and_inputs_are_not_read_by_the_address_of_temporary_pictures(
    api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    for kind in (media_object_pb2.MEDIA_KIND_INPUT, media_object_pb2.MEDIA_KIND_TEMPLATE):
        stored = platform.media.store(kind=kind, expires_at=clock.now() + timedelta(hours=1))
        assert (await api.get(f"/api/media/{stored.id}")).status == 404


async def test_a_clean_up_is_accepted_at_once_and_done_after(api: AdminApi, platform: Platform) -> None:
    gate = platform.media.script.gates["RunCleanup"] = asyncio.Event()
    answer = await api.post("/api/slots/slot-003/cleanup")
    assert (answer.status, answer.json()) == (202, {"status": "accepted"})
    await platform.media.script.entering("RunCleanup").wait()
    for _ in range(3):
        assert (await api.post("/api/cleanup")).status == 202
    gate.set()
    async with asyncio.timeout(10):
        while len(platform.media.script.of("RunCleanup")) < 2:
            platform.media.script.entering("RunCleanup").clear()
            await platform.media.script.entering("RunCleanup").wait()
    asked = [request.slot_id for request in platform.media.script.of("RunCleanup")]  # type: ignore[attr-defined]
    assert asked == ["slot-003", ""]
    told = [(entry.action, entry.target) for entry in platform.audit.entries.values()]
    assert told[-4:] == [("media.cleanup", "slot-003"), *[("media.cleanup", "")] * 3]
