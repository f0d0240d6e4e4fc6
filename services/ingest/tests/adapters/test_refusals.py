"""What is refused, and in which words."""

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from photochanger.ingest.v1 import job_pb2, job_service_pb2, settings_service_pb2
from photochanger_ingest.domain.slot import MEGABYTE
from photochanger_ingest.testing.camera import PASSWORD, Camera, a_photo, refused

if TYPE_CHECKING:
    from .conftest import Platform, Replica

LIMIT = 15 * MEGABYTE


async def check(camera: Camera, **request: object) -> job_service_pb2.CheckAdmissionResponse:
    wanted = job_service_pb2.CheckAdmissionRequest(**{"slot_id": "slot-001", **request})  # type: ignore[arg-type]  # of several types
    return await camera.jobs.CheckAdmission(wanted, timeout=5)


async def verify(camera: Camera, password: str, slot_id: str = "slot-001") -> None:
    request = job_service_pb2.VerifyPasswordRequest(slot_id=slot_id, password=password)
    await camera.jobs.VerifyPassword(request, timeout=5)


@pytest.mark.parametrize("slot_id", ["slot-016", "", "'; DROP TABLE slots; --", "slot-001\n"])
async def test_an_unknown_slot_is_refused(camera: Camera, slot_id: str) -> None:
    with refused("SLOT_NOT_FOUND"):
        await check(camera, slot_id=slot_id)
    with refused("SLOT_NOT_FOUND"):
        await verify(camera, PASSWORD, slot_id)
    with refused("SLOT_NOT_FOUND"):
        await camera.open(a_photo(), slot_id=slot_id, ticket=await camera.ticket())


async def test_a_slot_switched_off_is_refused(platform: "Platform", camera: Camera) -> None:
    ticket = await camera.ticket()
    await platform.sql("UPDATE slots SET active = false WHERE id = 'slot-001'")
    with refused("SLOT_DISABLED"):
        await check(camera)
    with refused("SLOT_DISABLED"):
        await camera.open(a_photo(), ticket=ticket)
    await check(camera, slot_id="slot-002")


async def test_a_declared_size_over_the_limit_is_refused_but_for_the_forms_own_bytes(camera: Camera) -> None:
    answer = await check(camera, declared_size_bytes=LIMIT + 100_000)
    assert answer.size_limit_bytes == LIMIT
    with refused("PAYLOAD_TOO_LARGE") as refusal:
        await check(camera, declared_size_bytes=LIMIT + 200_000)
    assert refusal.error.metadata == {"sizeBytes": str(LIMIT + 200_000), "limitBytes": str(LIMIT)}


async def test_a_photo_over_the_limit_is_refused(camera: Camera) -> None:
    assert (await camera.open(a_photo(), size_bytes=LIMIT)).job.id
    with refused("PAYLOAD_TOO_LARGE"):
        await camera.open(a_photo(), size_bytes=LIMIT + 1)


async def test_a_wrong_password_is_refused(camera: Camera) -> None:
    for password in ("wrong password", "", PASSWORD + " "):
        with refused("INVALID_PASSWORD"):
            await camera.open(a_photo(), password=password)
        with refused("INVALID_PASSWORD"):
            await verify(camera, password)
    await verify(camera, PASSWORD)


async def test_a_new_password_counts_at_once_on_every_replica(platform: "Platform", camera: Camera) -> None:
    other = (await platform.start()).camera
    await verify(camera, PASSWORD)
    await verify(other, PASSWORD)
    request = settings_service_pb2.UpdateSettingsRequest(
        ingest_password="a newer password", updated_by="igor"
    )
    await camera.settings.UpdateSettings(request, timeout=5)
    for client in (camera, other):
        with refused("INVALID_PASSWORD"):
            await client.open(a_photo())
        await client.open(a_photo(), password="a newer password")


async def test_without_a_password_no_photo_is_taken(platform: "Platform", camera: Camera) -> None:
    await platform.sql("UPDATE settings SET password_hash = NULL, password_rotated_at = NULL")
    with refused("INVALID_PASSWORD"):
        await camera.open(a_photo())


@pytest.mark.parametrize(
    ("policy", "hash_field", "reason"),
    [
        ("WARN", "", "INVALID_HASH"),
        ("WARN", "123456", "INVALID_HASH"),
        ("ENFORCE", "", "INVALID_HASH"),
        ("ENFORCE", "a" * 40, "HASH_MISMATCH"),
    ],
)
async def test_a_wrong_hash_is_refused_by_policy(
    camera: Camera, policy: str, hash_field: str, reason: str
) -> None:
    await set_hash_policy(camera, policy)
    with refused(reason):
        await camera.open(a_photo(), hash_field=hash_field)


@pytest.mark.parametrize(
    ("policy", "hash_field", "found"),
    [
        ("WARN", "a" * 40, job_pb2.HASH_CHECK_MISMATCH),
        ("WARN", None, job_pb2.HASH_CHECK_MATCH),
        ("ENFORCE", None, job_pb2.HASH_CHECK_MATCH),
        ("IGNORE", "", job_pb2.HASH_CHECK_UNSPECIFIED),
    ],
)
async def test_what_the_hash_was_is_kept_with_the_job(
    replica: "Replica", policy: str, hash_field: str | None, found: job_pb2.HashCheck.ValueType
) -> None:
    await set_hash_policy(replica.camera, policy)
    opened = await replica.camera.open(a_photo(), hash_field=hash_field)
    assert (await replica.camera.get(opened.job.id)).hash_check == found
    counted = replica.registry.get_sample_value("ingest_hash_mismatches_total", {"slot": "slot-001"})
    assert counted == (1 if found == job_pb2.HASH_CHECK_MISMATCH else None)


async def test_a_photo_that_took_too_long_to_arrive_is_refused(platform: "Platform", camera: Camera) -> None:
    ticket = await camera.ticket()
    platform.clock.advance(timedelta(seconds=47))
    with refused("DEADLINE_CANNOT_BE_MET") as refusal:
        await camera.open(a_photo(), ticket=ticket)
    assert refusal.error.metadata == {"leftMilliseconds": "1000"}


async def test_a_ticket_made_by_somebody_else_is_refused(camera: Camera) -> None:
    ticket = await camera.ticket()
    ticket.deadline.seconds += 3600
    with refused("INVALID_ARGUMENT"):
        await camera.open(a_photo(), ticket=ticket)


async def test_a_refused_photo_leaves_nothing_behind(platform: "Platform", camera: Camera) -> None:
    with refused("INVALID_PASSWORD"):
        await camera.open(a_photo(), password="wrong password", key="key")
    with refused("INVALID_HASH"):
        await camera.open(a_photo(), hash_field="", key="key")
    for table in ("jobs", "idempotency_keys", "outbox"):
        assert await platform.sql(f"SELECT count(*) FROM {table}") == [(0,)]


async def test_an_unknown_job_is_refused(camera: Camera) -> None:
    for job_id in ("0" * 32, "", "%"):
        with refused("JOB_NOT_FOUND"):
            await camera.get(job_id)
        with refused("JOB_NOT_FOUND"):
            await camera.run(job_id)


async def set_hash_policy(camera: Camera, policy: str) -> None:
    request = settings_service_pb2.UpdateSettingsRequest(
        settings=settings_service_pb2.Settings(
            hash_policy=settings_service_pb2.HashPolicy.Value(f"HASH_POLICY_{policy}")
        ),
        update_mask=FieldMask(paths=["hash_policy"]),
        updated_by="igor",
    )
    await camera.settings.UpdateSettings(request, timeout=5)
