"""Photos that are not taken, and why."""

from __future__ import annotations

import hashlib

import pytest
from harness.camera import a_photo
from harness.platform import Platform
from harness.slots import gemini
from photochanger.ingest.v1 import settings_service_pb2

_SLOT = "slot-006"


async def test_a_wrong_password_is_refused_and_nothing_is_kept(platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini())
    answer = await platform.camera.send(_SLOT, password="canary-wrong-password")
    assert (answer.status, answer.reason) == (401, "invalid_password")
    history = await platform.history()
    assert answer.shot not in {job.shot for job in history.jobs}
    assert not any("canary-wrong-password" in log for log in history.logs.values())
    assert not [row for row in history.rows if f"/{_SLOT}/" in row.key and not row.ended]


async def test_a_slot_that_is_off_or_unknown_takes_nothing(platform: Platform) -> None:
    off = gemini()
    off.active = False
    await platform.admin.use(_SLOT, off)
    answer = await platform.camera.send(_SLOT)
    assert (answer.status, answer.reason) == (404, "slot_disabled")
    await platform.admin.use(_SLOT, gemini())
    answer = await platform.camera.send("slot-099")
    assert (answer.status, answer.reason) == (404, "slot_not_found")


@pytest.mark.parametrize(
    ("photo", "status", "reason"),
    [
        (b"GIF89a" + bytes(2000), 415, "unsupported_media_type"),
        (b"\xff\xd8\xff\xe0" + bytes(2000), 400, "invalid_request"),
        (b"\xff\xd8\xff" + bytes(16_000_000), 413, "payload_too_large"),
    ],
    ids=["no picture's type", "no picture", "too large"],
)
async def test_what_is_no_photo_is_refused(
    platform: Platform, photo: bytes, status: int, reason: str
) -> None:
    await platform.admin.use(_SLOT, gemini())
    answer = await platform.camera.send(_SLOT, photo)
    assert (answer.status, answer.reason) == (status, reason)


async def test_the_hash_policy_decides_what_a_wrong_or_absent_hash_leads_to(platform: Platform) -> None:
    await platform.admin.use(_SLOT, gemini())
    photo = a_photo()
    right = {"hash": hashlib.md5(photo, usedforsecurity=False).hexdigest()}
    wrong = {"hash": "0" * 40}
    absent: dict[str, str | None] = {"hash": None}
    statuses = {}
    try:
        for policy in ("WARN", "ENFORCE", "IGNORE"):
            value = settings_service_pb2.HashPolicy.Value(f"HASH_POLICY_{policy}")
            await platform.admin.change_settings(
                settings_service_pb2.Settings(hash_policy=value), "hash_policy"
            )
            statuses[policy] = [
                (await platform.camera.send(_SLOT, photo, fields=fields)).status
                for fields in (right, wrong, absent)
            ]
    finally:
        await platform.admin.change_settings(
            settings_service_pb2.Settings(hash_policy=settings_service_pb2.HASH_POLICY_WARN), "hash_policy"
        )
    assert statuses == {"WARN": [200, 200, 400], "ENFORCE": [200, 400, 400], "IGNORE": [200, 200, 200]}
