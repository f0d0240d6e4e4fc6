"""Test runs: an admin's photo through values that are not saved, and what is told of a job."""

import asyncio
import hashlib
from datetime import UTC
from typing import TYPE_CHECKING

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from photochanger.ingest.v1 import job_pb2, job_service_pb2, slot_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger.providers.v1 import processing_service_pb2
from photochanger_ingest.testing.admin import activity_of, get_slot, update_slot
from photochanger_ingest.testing.camera import Camera, a_photo, refused

if TYPE_CHECKING:
    from .conftest import Platform

UI_TEST = job_pb2.JOB_SOURCE_UI_TEST
MASK = ("provider_id", "operation_id", "settings_json", "templates", "output_format")


async def ticket(
    camera: Camera, slot_id: str = "slot-001", size: int | None = None
) -> job_service_pb2.JobTicket:
    request = job_service_pb2.CheckAdmissionRequest(slot_id=slot_id, source=UI_TEST, declared_size_bytes=size)
    return (await camera.jobs.CheckAdmission(request, timeout=10)).ticket


async def open_test(
    camera: Camera,
    overrides: slot_pb2.Slot | None = None,
    *paths: str,
    slot_id: str = "slot-001",
    of: job_service_pb2.JobTicket | None = None,
    content: str = "photo",
    fields: dict[str, str] | None = None,
    size_bytes: int = 1000,
) -> job_pb2.Job:
    request = job_service_pb2.OpenTestJobRequest(
        ticket=of or await ticket(camera, slot_id),
        slot_id=slot_id,
        input_media_object_id="input",
        input_sha256=hashlib.sha256(content.encode()).hexdigest(),
        size_bytes=size_bytes,
        overrides=overrides,
        override_mask=FieldMask(paths=paths),
        form_fields=fields or {},
    )
    return (await camera.jobs.OpenTestJob(request, timeout=10)).job


async def details_of(camera: Camera, job_id: str) -> job_service_pb2.GetJobDetailsResponse:
    request = job_service_pb2.GetJobDetailsRequest(job_id=job_id)
    return await camera.jobs.GetJobDetails(request, timeout=10)


async def test_a_test_run_uses_values_that_are_not_saved(platform: "Platform", camera: Camera) -> None:
    platform.outside.media.kinds |= {
        "t1": media_object_pb2.MEDIA_KIND_TEMPLATE,
        "fresh": media_object_pb2.MEDIA_KIND_TEMPORARY,
    }
    before = await get_slot(camera)
    overrides = slot_pb2.Slot(
        display_name="ignored",
        provider_id="gemini",
        operation_id="image_edit",
        settings_json='{"prompt": "a suit for {name}"}',
        templates=[
            processing_service_pb2.TemplateMedia(media_object_id=name, role="background")
            for name in ("t1", "fresh")
        ],
        output_format=processing_service_pb2.OUTPUT_FORMAT_WEBP,
    )
    opened = await open_test(camera, overrides, *MASK, fields={"name": "Eva"})
    assert (opened.source, opened.state, opened.slot_version) == (UI_TEST, job_pb2.JOB_STATE_PENDING, 1)
    assert opened.hash_check == job_pb2.HASH_CHECK_UNSPECIFIED
    done = await camera.run(opened.id)
    assert done.state == job_pb2.JOB_STATE_DONE
    [request] = platform.outside.providers.requests
    assert (request.provider_id, request.operation_id) == ("gemini", "image_edit")
    assert request.settings_json == '{"prompt": "a suit for {name}"}'
    assert list(request.templates) == list(overrides.templates)
    assert request.output_format == processing_service_pb2.OUTPUT_FORMAT_WEBP
    assert dict(request.form_fields) == {"name": "Eva"}
    assert await get_slot(camera) == before
    details = await details_of(camera, opened.id)
    assert details.job == done
    assert details.settings_json == '{"prompt": "a suit for {name}"}'
    assert list(details.templates) == list(overrides.templates)


async def test_only_the_masked_values_are_tried(platform: "Platform", camera: Camera) -> None:
    overrides = slot_pb2.Slot(provider_id="gemini", operation_id="image_edit", settings_json='{"a": 1}')
    job = await open_test(camera, overrides, "settings_json")
    await camera.run(job.id)
    [request] = platform.outside.providers.requests
    slot = await get_slot(camera)
    assert (request.provider_id, request.operation_id) == (slot.provider_id, slot.operation_id)
    assert request.settings_json == '{"a": 1}'
    with refused("INVALID_ARGUMENT") as refusal:
        await open_test(camera, overrides, "running_limit")
    assert [violation.field for violation in refusal.error.field_violations] == ["override_mask"]


async def test_a_test_run_needs_no_password_and_no_slot_that_is_on(
    platform: "Platform", camera: Camera
) -> None:
    await platform.sql("UPDATE settings SET password_hash = NULL, password_rotated_at = NULL")
    await update_slot(camera, slot_pb2.Slot(id="slot-001"), "active")
    with refused("SLOT_DISABLED"):
        await camera.ticket()
    job = await open_test(camera)
    assert (await camera.run(job.id)).state == job_pb2.JOB_STATE_DONE


async def test_each_test_run_is_a_job_of_its_own_and_answers_no_camera(camera: Camera) -> None:
    photo = a_photo()
    taken = await camera.open(photo)
    first, second = [await open_test(camera, content=photo.content) for _ in range(2)]
    assert len({taken.job.id, first.id, second.id}) == 3
    other = a_photo()
    tried = await open_test(camera, content=other.content)
    opened = await camera.open(other)
    assert opened.job.id != tried.id
    assert opened.admission == job_service_pb2.ADMISSION_OPENED


async def test_repeating_the_call_returns_the_same_job(platform: "Platform", camera: Camera) -> None:
    other = (await platform.start()).camera
    of = await ticket(camera)
    jobs = await asyncio.gather(*(open_test(client, of=of) for client in (camera, other, camera)))
    assert {job.id for job in jobs} == {of.job_id}
    [(count,)] = await platform.sql("SELECT count(*) FROM jobs")
    assert count == 1
    done = await camera.run(of.job_id)
    # Whatever it says: the job is there.
    again = await open_test(camera, slot_pb2.Slot(settings_json='{"wrong": 1}'), "settings_json", of=of)
    assert again == done


@pytest.mark.parametrize(
    ("overrides", "reason", "field"),
    [
        (slot_pb2.Slot(settings_json='{"wrong": 1}'), "INVALID_SETTINGS", "settings.wrong"),
        (slot_pb2.Slot(settings_json="["), "INVALID_ARGUMENT", "overrides.settings_json"),
        (slot_pb2.Slot(output_format=99), "INVALID_ARGUMENT", "overrides.output_format"),  # type: ignore[arg-type]  # wrong on purpose
    ],
)
async def test_overrides_are_checked_as_a_change_is(
    platform: "Platform", camera: Camera, overrides: slot_pb2.Slot, reason: str, field: str
) -> None:
    with refused(reason) as refusal:
        await open_test(camera, overrides, "settings_json", "output_format")
    assert [violation.field for violation in refusal.error.field_violations] == [field]
    assert await platform.sql("SELECT 1 FROM jobs") == []


@pytest.mark.parametrize("name", ["gone", "result"])
async def test_templates_of_a_test_run_have_to_be_there(
    platform: "Platform", camera: Camera, name: str
) -> None:
    platform.outside.media.kinds["result"] = media_object_pb2.MEDIA_KIND_RESULT
    overrides = slot_pb2.Slot(
        templates=[processing_service_pb2.TemplateMedia(media_object_id=name, role="style")]
    )
    with refused("TEMPLATE_NOT_FOUND") as refusal:
        await open_test(camera, overrides, "templates")
    assert refusal.error.metadata["mediaObjectId"] == name


async def test_limits_hold_for_test_runs(platform: "Platform", camera: Camera) -> None:
    of = await ticket(camera)
    with refused("PAYLOAD_TOO_LARGE"):
        await ticket(camera, size=100 * 1_048_576)
    with refused("PAYLOAD_TOO_LARGE"):
        await open_test(camera, of=of, size_bytes=100 * 1_048_576)
    await platform.sql("UPDATE settings SET slot_running = 1, slot_queue = 0")
    await camera.open(a_photo())
    with refused("SLOT_BUSY"):
        await ticket(camera)
    with refused("SLOT_BUSY"):
        await open_test(camera, of=of)
    platform.clock.advance(of.deadline.ToDatetime(UTC) - platform.clock.now())
    with refused("DEADLINE_CANNOT_BE_MET"):
        await open_test(camera, of=of)
    with refused("SLOT_NOT_FOUND"):
        await ticket(camera, "slot-016")
    with refused("SLOT_NOT_FOUND"):
        await open_test(camera, slot_id="slot-016", of=of)


async def test_test_runs_say_nothing_about_a_slot_but_their_picture_is_shown(camera: Camera) -> None:
    tried = await camera.run((await open_test(camera)).id)
    activity = await activity_of(camera)
    assert not activity.HasField("last_success_at")
    assert activity.latest_result == tried


async def test_details_tell_what_a_cameras_job_was_asked_to_do(platform: "Platform", camera: Camera) -> None:
    new = slot_pb2.Slot(id="slot-001", settings_json='{"a": "ö"}', late_results=slot_pb2.LATE_RESULTS_KEEP)
    await update_slot(camera, new, "settings_json", "late_results")
    photo = a_photo()
    opened = await camera.open(photo, fields={"name": "Eva"}, size_bytes=1234)
    await update_slot(
        camera, slot_pb2.Slot(id="slot-001", display_name="Later"), "display_name", "settings_json"
    )
    details = await details_of(camera, opened.job.id)
    assert details.job == opened.job
    assert details.slot_display_name == "Later"
    assert details.settings_json == '{"a": "ö"}'
    assert dict(details.form_fields) == {"name": "Eva"}
    assert (details.input_sha256, details.input_size_bytes) == (photo.sha256, 1234)
    assert details.late_until.ToDatetime() > opened.job.deadline.ToDatetime()
    done = await camera.run(opened.job.id)
    assert not (await details_of(camera, done.id)).HasField("late_until")
    with refused("JOB_NOT_FOUND"):
        await details_of(camera, "0" * 32)
