"""What a camera gets: pictures, multipart, every failure, and answers that leave on time."""

import asyncio
import re
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from photochanger.ingest.v1 import job_pb2, job_service_pb2, slot_pb2
from photochanger_chassis.clock import SystemClock
from photochanger_chassis.errors import ErrorKind
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.testing.builders import JPEG, a_job, a_refusal
from photochanger_gateway.testing.platform import Gateway, Platform, a_gateway, a_platform, settings_for
from photochanger_gateway.testing.wire import FIELDS, PHOTO, ask, connected, form, post_photo

FAILURES = {
    "timeout": (504, "provider_timeout"),
    "provider_5xx": (502, "provider_error"),
    "bad_response": (502, "provider_error"),
    "quota": (503, "provider_error"),
    "network": (503, "provider_error"),
    "content_blocked": (502, "provider_error"),
    "no_image": (502, "provider_error"),
    "bad_input": (502, "provider_error"),
    "auth": (502, "provider_error"),
    "config": (502, "provider_error"),
    "storage": (503, "storage_unavailable"),
    "internal": (500, "internal_error"),
    "cancelled": (503, "provider_error"),
}
SERVER_TIMING = re.compile(r"[\w!#$%&'*+.^`|~-]+;dur=\d+(\.\d+)?(, [\w!#$%&'*+.^`|~-]+;dur=\d+(\.\d+)?)*")


async def test_an_edited_photo_comes_back_with_where_it_is_kept(
    gateway: Gateway, platform: Platform, clock: ManualClock
) -> None:
    platform.ingest.ending.stages.add(stage="provider").duration.FromMilliseconds(2100)
    answer = await post_photo(gateway.port, path="/api/ingest/slot-001")
    (request,) = platform.ingest.script.of("OpenJob")
    assert isinstance(request, job_service_pb2.OpenJobRequest)
    job_id = request.ticket.job_id
    assert (answer.status, answer.body) == (200, JPEG)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-job-id"] == job_id
    assert answer.headers["x-result-url"] == f"http://gateway/public/results/{job_id}"
    expires_at = (clock.now() + timedelta(hours=72)).isoformat(timespec="milliseconds")
    assert answer.headers["x-result-expires-at"] == expires_at.replace("+00:00", "Z")
    assert SERVER_TIMING.fullmatch(answer.headers["server-timing"])
    assert "provider;dur=2100.0" in answer.headers["server-timing"]
    assert "x-failure-reason" not in answer.headers
    assert "idempotency-replayed" not in answer.headers


async def test_a_slot_may_answer_in_multipart(gateway: Gateway, platform: Platform) -> None:
    platform.ingest.response_mode = slot_pb2.RESPONSE_MODE_MULTIPART
    answer = await post_photo(gateway.port)  # reads exactly Content-Length bytes
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + answer.body, policy=policy.HTTP)
    assert not message.defects
    facts, picture = message.iter_parts()
    assert facts.get_content_type() == "application/json"
    assert f'"job_id": "{answer.headers["x-job-id"]}"' in facts.as_string()
    assert picture.get_content_type() == "image/jpeg"
    assert picture.get_payload(decode=True) == JPEG
    assert int(picture["Content-Length"]) == len(JPEG)


async def test_a_replayed_outcome_says_so_and_its_photo_is_deleted(
    gateway: Gateway, platform: Platform
) -> None:
    platform.ingest.admission = job_service_pb2.ADMISSION_REPLAYED
    answer = await post_photo(gateway.port, Idempotency_Key="shot-17")
    assert (answer.status, answer.headers["idempotency-replayed"]) == (200, "true")
    assert answer.headers["x-job-id"] == platform.ingest.ending.id
    assert platform.media.deleted == [platform.media.uploads[0].media_object_id]
    assert platform.ingest.script.of("RunJob") == []


async def test_a_duplicate_waits_for_the_first_job_until_its_own_deadline(
    gateway: Gateway, platform: Platform, clock: ManualClock
) -> None:
    platform.ingest.admission = job_service_pb2.ADMISSION_DUPLICATE
    answer = await post_photo(gateway.port)
    assert (answer.status, answer.headers["x-job-id"]) == (200, platform.ingest.ending.id)
    (run,) = platform.ingest.script.of("RunJob")
    assert isinstance(run, job_service_pb2.RunJobRequest)
    assert run.job_id == platform.ingest.ending.id
    assert run.wait_until.ToDatetime(tzinfo=clock.now().tzinfo) == clock.now() + platform.ingest.deadline
    assert len(platform.media.deleted) == 1


async def test_the_original_in_place_of_a_failed_result_says_so(gateway: Gateway, platform: Platform) -> None:
    ending = platform.ingest.ending
    ending.state = job_pb2.JOB_STATE_FAILED
    ending.failure.reason = "no_image"
    ending.result.origin = job_pb2.RESULT_ORIGIN_INPUT
    answer = await post_photo(gateway.port)
    assert (answer.status, answer.body) == (200, JPEG)
    assert answer.headers["x-result-origin"] == "original"
    assert answer.headers["x-failure-reason"] == "no_image"


@pytest.mark.parametrize("failure", sorted(FAILURES))
async def test_every_failure_of_a_job_has_its_status(
    gateway: Gateway, platform: Platform, failure: str
) -> None:
    platform.ingest.ending = a_job(state=job_pb2.JOB_STATE_FAILED, failure=failure)
    answer = await post_photo(gateway.port)
    body = answer.json()
    assert (answer.status, body["failure_reason"]) == FAILURES[failure]
    assert body["status"] == ("timeout" if answer.status == 504 else "error")
    assert body["job_id"] == platform.media.uploads[0].header.job_id
    assert ("retry-after" in answer.headers) == (answer.status == 503)
    assert set(body) <= {"status", "failure_reason", "details", "retry_after", "job_id"}


@pytest.mark.parametrize(
    ("reason", "kind", "status"),
    [
        ("INVALID_HASH", ErrorKind.INVALID_ARGUMENT, 400),
        ("IDEMPOTENCY_CONFLICT", ErrorKind.ABORTED, 409),
        ("IDEMPOTENCY_MISMATCH", ErrorKind.FAILED_PRECONDITION, 422),
        ("DEADLINE_CANNOT_BE_MET", ErrorKind.DEADLINE_EXCEEDED, 504),
        ("SLOT_BUSY", ErrorKind.RESOURCE_EXHAUSTED, 429),
    ],
)
async def test_what_ingest_refuses_to_open_leaves_no_photo(
    gateway: Gateway, platform: Platform, reason: str, kind: ErrorKind, status: int
) -> None:
    platform.ingest.script.refusals["OpenJob"] = a_refusal(reason, kind, retry_after=timedelta(seconds=7))
    answer = await post_photo(gateway.port)
    assert answer.status == status
    assert platform.media.deleted == [platform.media.uploads[0].media_object_id]
    if status == 429:
        assert (answer.headers["retry-after"], answer.json()["retry_after"]) == ("7", 7)


async def test_errors_keep_the_cameras_shape_whatever_accept_says(gateway: Gateway) -> None:
    for path in ("/api/ingest/slot-016", "/ingest/slot-016", "/ingest/slot-001"):
        answer = await ask(gateway.port, path, method="POST", body=b"x", Accept="application/problem+json")
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["status"] == "error"
    answer = await ask(gateway.port, "/ingest/slot-001", Accept="application/problem+json")
    assert (answer.status, answer.headers["content-type"]) == (405, "application/json")
    assert answer.headers["allow"] == "POST"


async def hung(platform: Platform, where: str, method: str, nats_url: str) -> tuple[Any, float]:
    """Posts a photo with a deadline of half a second while a method never answers."""
    platform.ingest.deadline = timedelta(milliseconds=500)
    script = platform.ingest.script if where == "ingest" else platform.media.script
    script.hanging.add(method)
    loop = asyncio.get_running_loop()
    async with a_gateway(settings_for(platform, nats_url), SystemClock()) as gateway:
        before = loop.time()
        answer = await post_photo(gateway.port)
        return answer, loop.time() - before


@pytest.mark.parametrize(
    ("where", "method"),
    [("ingest", "OpenJob"), ("ingest", "RunJob"), ("ingest", "VerifyPassword"), ("media", "Download")],
)
async def test_a_504_leaves_within_a_second_of_the_deadline_whatever_hangs(
    nats_url: str, where: str, method: str
) -> None:
    async with a_platform(SystemClock()) as platform:
        answer, seconds = await hung(platform, where, method, nats_url)
    assert (answer.status, answer.json()["status"]) == (504, "timeout")
    # Not a measurement: what hangs would else be waited for 5 s or more.
    assert seconds < 4


async def test_a_504_does_not_wait_for_a_media_service_that_hangs_too(nats_url: str) -> None:
    async with a_platform(SystemClock()) as platform:
        platform.media.script.hanging.add("DeleteMediaObject")
        answer, seconds = await hung(platform, "ingest", "OpenJob", nats_url)
    assert answer.status == 504
    assert seconds < 4


@pytest.mark.parametrize("method", ["OpenJob", "RunJob"])
async def test_a_camera_gets_its_picture_though_ingest_restarts_in_the_middle(
    nats_url: str, method: str
) -> None:
    clock = SystemClock()
    async with a_platform(clock) as platform, a_gateway(settings_for(platform, nats_url), clock) as gateway:
        script = platform.ingest.script
        script.hanging.add(method)
        async with asyncio.TaskGroup() as tasks:
            photo = tasks.create_task(post_photo(gateway.port))
            await script.entering(method).wait()
            await platform.ingest_server.stop()
            script.hanging.clear()
            await platform.ingest_server.start()
        assert photo.result().status == 200
        repeated = script.of(method)
        assert len(repeated) >= 2
        assert all(request == repeated[0] for request in repeated)


async def test_ingest_that_stays_away_is_a_timeout_by_the_deadline(nats_url: str) -> None:
    clock = SystemClock()
    async with a_platform(clock) as platform, a_gateway(settings_for(platform, nats_url), clock) as gateway:
        platform.ingest.deadline = timedelta(seconds=1)
        platform.ingest.script.hanging.add("RunJob")
        async with asyncio.TaskGroup() as tasks:
            photo = tasks.create_task(post_photo(gateway.port))
            await platform.ingest.script.entering("RunJob").wait()
            await platform.ingest_server.stop()
        assert photo.result().status == 504


async def test_a_picture_that_breaks_off_in_media_cuts_the_connection(
    gateway: Gateway, platform: Platform
) -> None:
    big = platform.media.store(JPEG + b"x" * 1_000_000)
    platform.ingest.ending.result.media_object.CopyFrom(big)
    platform.media.break_after = 300_000
    body = form(*FIELDS, PHOTO)
    async with connected(gateway.port) as connection:
        await connection.send_photo_head(Content_Length=str(len(body)))
        await connection.send(body)
        with pytest.raises(asyncio.IncompleteReadError):
            await connection.answer()


async def test_storage_away_at_the_download_is_a_503(gateway: Gateway, platform: Platform) -> None:
    platform.media.script.refusals["Download"] = a_refusal("STORAGE_UNAVAILABLE", ErrorKind.UNAVAILABLE)
    answer = await post_photo(gateway.port)
    assert (answer.status, answer.json()["failure_reason"]) == (503, "storage_unavailable")
    assert "retry-after" in answer.headers
    assert "x-result-url" not in answer.headers


async def test_an_earlier_jobs_picture_that_has_just_expired_is_worth_another_try(
    gateway: Gateway, platform: Platform
) -> None:
    platform.ingest.admission = job_service_pb2.ADMISSION_REPLAYED
    platform.media.objects.clear()
    answer = await post_photo(gateway.port, Idempotency_Key="shot-17")
    assert (answer.status, answer.json()["failure_reason"]) == (503, "storage_unavailable")
