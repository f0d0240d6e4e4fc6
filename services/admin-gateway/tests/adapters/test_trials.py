"""Test runs, and photos that run again."""

import json
from datetime import timedelta

import pytest
from photochanger.ingest.v1 import job_pb2, job_service_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger_chassis.errors import ErrorKind, FieldViolation, RemoteError
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.testing.admin_api import AdminApi
from photochanger_gateway.testing.builders import JPEG, a_job, a_refusal
from photochanger_gateway.testing.fake_media import Received
from photochanger_gateway.testing.platform import Platform

PATH = "/api/slots/slot-002/test-run"
PHOTO = ("test_image", JPEG)


def opened(platform: Platform) -> job_service_pb2.OpenTestJobRequest:
    (request,) = platform.ingest.script.of("OpenTestJob")
    assert isinstance(request, job_service_pb2.OpenTestJobRequest)
    return request


def payload(**values: object) -> tuple[str, bytes]:
    return ("slot_payload", json.dumps(values).encode())


def stored_input(platform: Platform) -> Received:
    (upload,) = [
        item for item in platform.media.uploads if item.header.kind == media_object_pb2.MEDIA_KIND_INPUT
    ]
    return upload


async def test_a_photo_runs_through_a_slot_with_values_that_are_not_saved(
    api: AdminApi, platform: Platform
) -> None:
    overrides = payload(
        provider="gemini",
        operation="image_edit",
        settings={"prompt": "{{guest}} in snow"},
        template_media=[{"media_object_id": "a" * 32, "role": "style"}],
        output_format="webp",
        form_fields={"guest": "Ada", "Имя гостя": "Ада"},
    )
    answer = await api.post_form(PATH, PHOTO, overrides)
    body = answer.json()
    request = opened(platform)
    assert (answer.status, body["status"], body["job_id"]) == (200, "done", request.ticket.job_id)
    assert body["public_result_url"].endswith(f"/public/results/{request.ticket.job_id}")
    assert body["completed_in_seconds"] == 2
    assert [item["stage"] for item in body["stages"]][:3] == ["admit", "receive", "open"]
    assert sorted(request.override_mask.paths) == [
        "operation_id",
        "output_format",
        "provider_id",
        "settings_json",
        "templates",
    ]
    assert json.loads(request.overrides.settings_json) == {"prompt": "{{guest}} in snow"}
    assert dict(request.form_fields) == {"guest": "Ada", "Имя гостя": "Ада"}
    assert bytes(stored_input(platform).data) == JPEG
    assert request.size_bytes == len(JPEG)
    (check,) = platform.ingest.script.of("CheckAdmission")
    assert check.source == job_pb2.JOB_SOURCE_UI_TEST  # type: ignore[attr-defined]


async def test_without_a_payload_the_slot_is_tried_as_it_is(api: AdminApi, platform: Platform) -> None:
    assert (await api.post_form(PATH, PHOTO)).status == 200
    assert list(opened(platform).override_mask.paths) == []


async def test_a_picture_uploaded_before_is_tried_as_often_as_wanted(
    api: AdminApi, platform: Platform
) -> None:
    registered = (await api.post_form("/api/media/register", ("file", JPEG))).json()
    for _ in range(2):
        answer = await api.post_form(PATH, ("media_object_id", registered["media_object_id"].encode()))
        assert answer.status == 200
    copies = [
        item for item in platform.media.uploads if item.header.kind == media_object_pb2.MEDIA_KIND_INPUT
    ]
    assert [bytes(item.data) for item in copies] == [JPEG, JPEG]
    assert len({item.header.job_id for item in copies}) == 2


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        ((payload(),), {"test_image"}),
        ((PHOTO, ("media_object_id", b"a" * 32)), {"test_image"}),
        ((("media_object_id", b"nonsense"),), {"media_object_id"}),
        ((("media_object_id", b"a" * 32),), {"media_object_id"}),
        ((PHOTO, ("slot_payload", b"{")), {"slot_payload"}),
        ((PHOTO, ("slot_payload", b"[]")), {"slot_payload"}),
        ((PHOTO, payload(settings=3, display_name="x")), {"settings", "display_name"}),
        ((PHOTO, ("slot_payload", b'{"settings": {"a": NaN}}')), {"settings"}),
        ((PHOTO, ("slot_payload", b'{"settings": ' + b'{"a":' * 400 + b"1" + b"}" * 401)), {"slot_payload"}),
        ((PHOTO, ("colour", b"green")), {"colour"}),
    ],
)
async def test_a_form_that_does_not_fit_is_refused_field_by_field_and_its_photo_is_dropped(
    api: AdminApi, platform: Platform, parts: tuple[tuple[str, bytes], ...], fields: set[str]
) -> None:
    answer = await api.post_form(PATH, *parts)
    assert (answer.status, answer.json()["failure_reason"]) == (422, "invalid_request_body"), answer.body
    assert {item["field"] for item in answer.json()["errors"]} == fields
    assert platform.ingest.script.of("OpenTestJob") == []
    assert platform.media.deleted == [item.media_object_id for item in platform.media.uploads]


async def test_a_result_is_no_picture_to_try(api: AdminApi, platform: Platform, clock: ManualClock) -> None:
    result = platform.media.store(expires_at=clock.now() + timedelta(hours=1))
    answer = await api.post_form(PATH, ("media_object_id", result.id.encode()))
    assert [item["field"] for item in answer.json()["errors"]] == ["media_object_id"]


async def test_settings_that_the_schema_refuses_are_told_field_by_field(
    api: AdminApi, platform: Platform
) -> None:
    platform.ingest.script.refusals["OpenTestJob"] = RemoteError(
        "No.",
        kind=ErrorKind.INVALID_ARGUMENT,
        reason="INVALID_SETTINGS",
        domain="photochanger.providers",
        metadata={},
        field_violations=(FieldViolation("settings.prompt", "is required"),),
    )
    answer = await api.post_form(PATH, PHOTO, payload(settings={}))
    assert (answer.status, answer.json()["failure_reason"]) == (422, "invalid_settings")
    assert answer.json()["errors"] == [{"field": "settings.prompt", "message": "is required"}]
    assert platform.media.deleted == [stored_input(platform).media_object_id]


@pytest.mark.parametrize(
    ("ending", "status", "reason"),
    [
        (a_job(state=job_pb2.JOB_STATE_FAILED, failure="no_image"), 502, "provider_error"),
        (a_job(state=job_pb2.JOB_STATE_TIMEOUT, failure="timeout"), 504, "provider_timeout"),
        (a_job(state=job_pb2.JOB_STATE_FAILED, failure="quota"), 503, "provider_error"),
    ],
)
async def test_a_test_that_fails_is_told_like_a_cameras_with_its_job(
    api: AdminApi, platform: Platform, ending: job_pb2.Job, status: int, reason: str
) -> None:
    platform.ingest.ending = ending
    answer = await api.post_form(PATH, PHOTO)
    assert (answer.status, answer.json()["failure_reason"]) == (status, reason)
    assert answer.json()["job_id"] == opened(platform).ticket.job_id


async def test_a_failure_that_gave_the_camera_its_own_photo_is_a_failure_to_an_admin(
    api: AdminApi, platform: Platform
) -> None:
    ending = a_job(state=job_pb2.JOB_STATE_FAILED, failure="auth", result=platform.media.store())
    ending.result.origin = job_pb2.RESULT_ORIGIN_INPUT
    platform.ingest.ending = ending
    assert (await api.post_form(PATH, PHOTO)).status == 502


async def test_a_busy_slot_says_when_to_come_again(api: AdminApi, platform: Platform) -> None:
    platform.ingest.script.refusals["CheckAdmission"] = a_refusal(
        "SLOT_BUSY", ErrorKind.RESOURCE_EXHAUSTED, retry_after=timedelta(seconds=7)
    )
    answer = await api.post_form(PATH, PHOTO)
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")


async def test_a_photo_larger_than_the_slot_takes_is_refused(api: AdminApi, platform: Platform) -> None:
    platform.ingest.size_limit_bytes = 1024 * 1024
    answer = await api.post_form(PATH, ("test_image", JPEG * 200))
    assert (answer.status, answer.json()["failure_reason"]) == (413, "payload_too_large")
    assert platform.media.uploads == []


async def test_a_job_runs_again_with_its_photo_and_form_and_the_slot_as_it_is(
    api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    photo = platform.media.store(
        JPEG * 50, kind=media_object_pb2.MEDIA_KIND_INPUT, expires_at=clock.now() + timedelta(hours=1)
    )
    job = a_job(slot_id="slot-007")
    job.input_media_object_id = photo.id
    platform.ingest.keep(job)
    platform.ingest.details.form_fields["guest"] = "Ada"
    answer = await api.post(f"/api/jobs/{job.id}/rerun")
    request = opened(platform)
    assert (answer.status, answer.json()["job_id"]) == (200, request.ticket.job_id)
    assert (request.slot_id, dict(request.form_fields)) == ("slot-007", {"guest": "Ada"})
    assert list(request.override_mask.paths) == []
    assert bytes(stored_input(platform).data) == JPEG * 50
    assert request.input_media_object_id != photo.id


async def test_tests_are_on_record_with_what_they_changed_and_how_they_ended(
    api: AdminApi, platform: Platform
) -> None:
    await api.post_form(PATH, PHOTO, payload(settings={"prompt": "about Ada"}))
    platform.ingest.script.refusals["CheckAdmission"] = a_refusal("SLOT_BUSY", ErrorKind.RESOURCE_EXHAUSTED)
    await api.post_form(PATH, PHOTO)
    done, refused = [item for item in platform.audit.entries.values() if item.action == "slot.test-run"]
    assert (done.target, done.facts["fields"], done.facts["state"]) == ("slot-002", "settings", "done")
    assert refused.refusal == "slot_busy"
    assert "Ada" not in str(platform.audit.entries)
