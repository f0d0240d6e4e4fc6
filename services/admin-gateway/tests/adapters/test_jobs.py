"""Jobs, as admins look at them."""

from datetime import timedelta

import pytest
from photochanger.ingest.v1 import job_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger.providers.v1 import processing_service_pb2
from photochanger_chassis.errors import ErrorKind
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.adapters.clients.translate import timestamp
from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.testing.admin_api import AdminApi
from photochanger_gateway.testing.builders import JPEG, a_job, a_refusal
from photochanger_gateway.testing.platform import Platform


async def test_jobs_are_listed_newest_first_in_pages_and_by_what_is_asked(
    api: AdminApi, platform: Platform
) -> None:
    ids = [f"{number:032x}" for number in range(5)]
    for number, job_id in enumerate(ids):
        state = job_pb2.JOB_STATE_FAILED if number % 2 else job_pb2.JOB_STATE_DONE
        source = job_pb2.JOB_SOURCE_UI_TEST if number == 4 else job_pb2.JOB_SOURCE_INGEST
        job = a_job(job_id=job_id, state=state, slot_id=f"slot-00{number + 1}", source=source)
        platform.ingest.keep(job)
    page = (await api.get("/api/jobs?limit=3")).json()
    assert [row["job_id"] for row in page["jobs"]] == ids[:1:-1]
    rest = (await api.get(f"/api/jobs?limit=3&cursor={page['next_cursor']}")).json()
    assert [row["job_id"] for row in rest["jobs"]] == ids[1::-1]
    assert rest["next_cursor"] is None
    assert page["jobs"][0]["slot_display_name"] == "Booth 05"
    assert page["jobs"][0]["operation"] == "blur"

    async def found(query: str) -> list[str]:
        return [row["job_id"] for row in (await api.get(f"/api/jobs?{query}")).json()["jobs"]]

    assert await found("status=failed") == [ids[3], ids[1]]
    assert await found("status=failed&status=done") == ids[::-1]
    assert await found("source=ui_test") == [ids[4]]
    assert await found("slot_id=slot-002") == [ids[1]]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "status=lost", "slot_id=slot-016", "source=fax", "cursor=none-of-ours"],
)
async def test_a_filter_that_is_none_is_refused(api: AdminApi, query: str) -> None:
    answer = await api.get(f"/api/jobs?{query}")
    assert (answer.status, answer.json()["failure_reason"]) == (400, "invalid_request")


async def test_details_tell_what_a_job_was_asked_and_where_its_time_went(
    api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    photo = platform.media.store(
        kind=media_object_pb2.MEDIA_KIND_INPUT, expires_at=clock.now() + timedelta(1)
    )
    job = a_job(
        state=job_pb2.JOB_STATE_FAILED,
        failure="no_image",
        result=platform.media.store(expires_at=clock.now() + timedelta(hours=1)),
        origin=job_pb2.RESULT_ORIGIN_INPUT,
    )
    job.input_media_object_id = photo.id
    job.hash_check = job_pb2.HASH_CHECK_MISMATCH
    job.provider_calls = 3
    stage = processing_service_pb2.StageDuration(stage="provider")
    stage.duration.FromTimedelta(timedelta(milliseconds=1234.56))
    job.stages.append(stage)
    platform.ingest.keep(job)
    details = platform.ingest.details
    details.settings_json = '{"prompt": "snow"}'
    details.form_fields["guest"] = "Ada"
    details.templates.add(media_object_id="c" * 32, role="background")
    details.input_size_bytes, details.input_sha256 = 1234, "d" * 64
    details.late_until.CopyFrom(timestamp(clock.now()))
    body = (await api.get(f"/api/jobs/{job.id}/details")).json()
    assert body["failure"] == {"reason": "no_image", "message": "It failed: no_image."}
    assert body["settings"] == {"prompt": "snow"}
    assert body["form_fields"] == {"guest": "Ada"}
    assert body["template_media"][0]["role"] == "background"
    assert body["stages"] == [{"stage": "provider", "milliseconds": 1234.6}]
    assert [item["event"] for item in body["timeline"]] == ["received", "admitted", "finished"]
    assert (body["hash_check"], body["provider_calls"], body["result_origin"]) == ("mismatch", 3, "original")
    assert body["http_status"] == 200
    assert body["input"]["kept"] is True
    assert body["input"]["url"].endswith(f"/api/jobs/{job.id}/input")
    assert (body["input"]["size_bytes"], body["input"]["sha256"]) == (1234, "d" * 64)
    assert (body["result"]["width_px"], body["result"]["height_px"]) == (640, 480)
    seen = await api.get(f"/api/jobs/{job.id}/input")
    assert (seen.status, seen.body, seen.headers["cache-control"]) == (200, JPEG, "private, no-store")


@pytest.mark.parametrize(
    ("job", "status"),
    [
        (a_job(state=job_pb2.JOB_STATE_RUNNING), None),
        (a_job(state=job_pb2.JOB_STATE_DONE), 200),
        (a_job(state=job_pb2.JOB_STATE_TIMEOUT, failure="timeout"), 504),
        (a_job(state=job_pb2.JOB_STATE_FAILED, failure="quota"), 503),
        (a_job(state=job_pb2.JOB_STATE_FAILED, failure="auth"), 502),
        (a_job(state=job_pb2.JOB_STATE_CANCELLED), 503),
    ],
)
async def test_details_tell_what_the_camera_was_answered(
    api: AdminApi, platform: Platform, job: job_pb2.Job, status: int | None
) -> None:
    platform.ingest.keep(job)
    assert (await api.get(f"/api/jobs/{job.id}/details")).json()["http_status"] == status


async def test_details_tell_where_a_clients_job_waits_until_it_is_over(
    api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    waiting = a_job(state=job_pb2.JOB_STATE_PENDING, source=job_pb2.JOB_SOURCE_API)
    waiting.mode, waiting.progress_percent, waiting.stage = job_pb2.JOB_MODE_ASYNC, 40, "Painting"
    platform.async_jobs.jobs[waiting.id] = platform.ingest.keep(waiting)
    body = (await api.get(f"/api/jobs/{waiting.id}/details")).json()
    assert (body["queue_position"], body["expected_start"]) == (3, rfc3339(clock.now()))
    assert (body["progress"], body["stage"]) == (40, "Painting")
    waiting.state = job_pb2.JOB_STATE_DONE
    cameras = platform.ingest.keep(a_job(state=job_pb2.JOB_STATE_PENDING))
    for job in (waiting, cameras):
        body = (await api.get(f"/api/jobs/{job.id}/details")).json()
        assert (body["queue_position"], body["expected_start"]) == (None, None)


async def test_a_photo_that_is_no_longer_kept_is_told_so(
    api: AdminApi, platform: Platform, clock: ManualClock
) -> None:
    gone = platform.media.store(expires_at=clock.now())
    for input_id in (gone.id, "e" * 32, ""):
        job = a_job()
        job.input_media_object_id = input_id
        platform.ingest.keep(job)
        body = (await api.get(f"/api/jobs/{job.id}/details")).json()
        assert body["input"]["kept"] is False
        assert body["input"]["url"] is None
        for method in ("GET", "POST"):
            path = f"/api/jobs/{job.id}/{'input' if method == 'GET' else 'rerun'}"
            answer = await api.send(method, path, b"")
            assert (answer.status, answer.json()["failure_reason"]) == (410, "input_expired")


@pytest.mark.parametrize("path", ["details", "input", "rerun"])
async def test_an_unknown_job_is_told_so(api: AdminApi, path: str) -> None:
    for job_id in ("f" * 32, "nonsense"):
        method = "POST" if path == "rerun" else "GET"
        answer = await api.send(method, f"/api/jobs/{job_id}/{path}", b"")
        assert (answer.status, answer.json()["failure_reason"]) == (404, "job_not_found")


async def test_details_wait_for_media_rather_than_say_what_nobody_knows(
    api: AdminApi, platform: Platform
) -> None:
    job = a_job()
    job.input_media_object_id = "a" * 32
    platform.ingest.keep(job)
    platform.media.script.refusals["GetMediaObject"] = a_refusal("STORAGE_UNAVAILABLE", ErrorKind.UNAVAILABLE)
    assert (await api.get(f"/api/jobs/{job.id}/details")).status == 503
