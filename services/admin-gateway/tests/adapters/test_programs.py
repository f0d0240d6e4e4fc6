"""Programs submit photos, ask about their jobs, stop and repeat them."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from photochanger.ingest.v1 import api_key_service_pb2, job_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger_chassis.errors import ErrorKind
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.testing.builders import JPEG, a_job, a_refusal
from photochanger_gateway.testing.platform import Gateway, Platform, a_gateway, settings_for
from photochanger_gateway.testing.program import EXPLICIT, PHOTO, SLOT, Program
from photochanger_gateway.testing.wire import Answer, Part, ask


@pytest.fixture
async def gateway(platform: Platform, clock: ManualClock, nats_url: str) -> AsyncIterator[Gateway]:
    """Nobody is in a hurry here but those whose limits are tried."""
    settings = settings_for(
        platform, nats_url, api_submissions_per_minute=1000, api_waiting_submissions_per_minute=1000
    )
    async with a_gateway(settings, clock) as gateway:
        yield gateway


@pytest.fixture
def program(gateway: Gateway, platform: Platform) -> Program:
    return Program(gateway.port, platform.api_keys.add(client_id="books"))


@pytest.fixture
def other(gateway: Gateway, platform: Platform) -> Program:
    return Program(gateway.port, platform.api_keys.add(client_id="prints"))


def done(platform: Platform, clock: ManualClock, job_id: str, *, client_id: str = "books") -> job_pb2.Job:
    """The job as it ends well."""
    stored = platform.media.store(expires_at=clock.now() + timedelta(hours=72))
    job = a_job(job_id=job_id, result=stored, source=job_pb2.JOB_SOURCE_API, at=clock.now())
    job.mode, job.client_id, job.progress_percent, job.attempts = job_pb2.JOB_MODE_ASYNC, client_id, 100, 1
    return job


def refused(answer: Answer) -> tuple[int, str, list[str]]:
    """Status, reason and the fields named."""
    body = answer.json()
    return answer.status, body["failure_reason"], [item["field"] for item in body.get("errors", [])]


async def test_a_photo_is_submitted_and_its_job_asked_about_until_it_is_done(
    program: Program, platform: Platform, clock: ManualClock
) -> None:
    accepted = await program.submit()
    assert accepted.status == 202
    job_id = accepted.json()["job_id"]
    url = f"http://gateway/api/v1/jobs/{job_id}"
    assert accepted.json() == {
        "job_id": job_id,
        "status": "pending",
        "status_url": url,
        "result_url": f"{url}/result",
        "cancel_url": f"{url}/cancel",
        "events_url": f"{url}/events",
    }
    assert (accepted.headers["location"], accepted.headers["retry-after"]) == (url, "2")
    assert "preference-applied" not in accepted.headers
    (upload,) = platform.media.uploads
    order = platform.async_jobs.orders[job_id]
    assert (bytes(upload.data), upload.header.job_id, upload.header.slot_id) == (JPEG, job_id, "slot-001")
    assert (order.client_id, order.slot_id, order.input_media_object_id) == (
        "books",
        "slot-001",
        upload.media_object_id,
    )
    assert not order.HasField("priority")
    assert not order.HasField("time_limit")

    waiting = await program.get(f"/api/v1/jobs/{job_id}")
    assert (waiting.status, waiting.json()["status"], waiting.json()["queue_position"]) == (202, "pending", 3)
    assert (await program.get(f"/api/v1/jobs/{job_id}/result")).json()["failure_reason"] == "result_not_found"

    await platform.async_jobs.finish(done(platform, clock, job_id))
    final = await program.get(f"/api/v1/jobs/{job_id}")
    told = final.json()
    assert (final.status, told["status"], told["progress"], told["queue_position"]) == (
        200,
        "done",
        100,
        None,
    )
    assert (told["result_url"], told["public_result_url"]) == (
        f"{url}/result",
        f"http://gateway/public/results/{job_id}",
    )
    picture = await program.get(f"/api/v1/jobs/{job_id}/result")
    assert (picture.status, picture.headers["content-type"], picture.body) == (200, "image/jpeg", JPEG)
    again = await program.get(f"/api/v1/jobs/{job_id}/result", If_None_Match=picture.headers["etag"])
    assert again.status == 304
    clock.advance(timedelta(hours=73))
    assert refused(await program.get(f"/api/v1/jobs/{job_id}/result"))[:2] == (410, "result_expired")


async def test_an_order_names_what_a_slot_would(program: Program, platform: Platform) -> None:
    parts: tuple[Part, ...] = (
        PHOTO,
        *EXPLICIT,
        ("settings", b'{"radius": 3}'),
        ("template_media", json.dumps([{"media_object_id": "a" * 32, "role": "background"}]).encode()),
        ("output_format", b"webp"),
        ("form_fields", b'{"name": "Olga"}'),
        ("priority", b"0"),
        ("deadline_seconds", b"600"),
        ("webhook_url", b"https://books.example/hook"),
    )
    await program.post("/api/v1/webhooks/secret")
    accepted = await program.submit(*parts)
    assert accepted.status == 202
    order = platform.async_jobs.orders[accepted.json()["job_id"]]
    assert (order.explicit.provider_id, order.explicit.operation_id) == ("local", "blur")
    assert json.loads(order.explicit.settings_json) == {"radius": 3}
    assert [(item.media_object_id, item.role) for item in order.explicit.templates] == [
        ("a" * 32, "background")
    ]
    assert dict(order.form_fields) == {"name": "Olga"}
    assert (order.HasField("priority"), order.priority) == (True, 0)
    assert order.time_limit.ToTimedelta() == timedelta(minutes=10)
    assert order.webhook_url == "https://books.example/hook"
    assert platform.media.uploads[0].header.slot_id == "api"  # the form told only after the photo


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        ((SLOT,), ["photo"]),
        ((SLOT, PHOTO, ("media_object_id", b"a" * 32)), ["photo"]),
        ((PHOTO,), ["provider", "operation"]),
        ((PHOTO, SLOT, *EXPLICIT), ["provider", "operation"]),
        ((PHOTO, SLOT, ("settings", b"{}")), ["settings"]),
        ((PHOTO, *EXPLICIT, ("settings", b"{")), ["settings"]),
        ((PHOTO, *EXPLICIT, ("settings", b'{"a": NaN}')), ["settings"]),
        ((PHOTO, SLOT, ("priority", b"10")), ["priority"]),
        ((PHOTO, SLOT, ("priority", b"high")), ["priority"]),
        ((PHOTO, SLOT, ("deadline_seconds", b"59")), ["deadline_seconds"]),
        ((PHOTO, ("slot_id", b"slot-099")), ["slot_id"]),
        ((PHOTO, SLOT, ("webhook_url", b"ftp://books.example")), ["webhook_url"]),
        ((PHOTO, SLOT, ("colour", b"blue")), ["colour"]),
        ((SLOT, ("media_object_id", b"mine")), ["media_object_id"]),
    ],
)
async def test_what_is_wrong_with_an_order_is_named_and_its_photo_not_kept(
    program: Program, platform: Platform, parts: tuple[Part, ...], fields: list[str]
) -> None:
    assert refused(await program.submit(*parts)) == (422, "invalid_request_body", fields)
    assert platform.async_jobs.jobs == {}
    assert platform.media.deleted == [upload.media_object_id for upload in platform.media.uploads]


async def test_a_photo_uploaded_before_serves_several_jobs(program: Program, platform: Platform) -> None:
    stored = await program.post_form("/api/v1/media", PHOTO)
    assert stored.status == 201
    assert set(stored.json()) == {"media_object_id", "expires_at"}
    photo_id = stored.json()["media_object_id"]
    assert platform.media.objects[photo_id][0].kind == media_object_pb2.MEDIA_KIND_TEMPORARY
    for _ in range(2):
        accepted = await program.submit(SLOT, ("media_object_id", photo_id.encode()))
        assert accepted.status == 202
        order = platform.async_jobs.orders[accepted.json()["job_id"]]
        assert order.input_media_object_id == photo_id
    assert platform.media.deleted == []
    assert refused(await program.post_form("/api/v1/media", SLOT, PHOTO)) == (
        422,
        "invalid_request_body",
        ["slot_id"],
    )


async def test_a_submission_that_waits_is_answered_with_the_final_job(
    program: Program, platform: Platform, clock: ManualClock
) -> None:
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(program.submit(Prefer="respond-async, wait=20"))
        await platform.async_jobs.script.entering("GetAsyncJob").wait()
        (job_id,) = platform.async_jobs.jobs
        await platform.async_jobs.finish(done(platform, clock, job_id))
    answer = asking.result()
    assert (answer.status, answer.json()["status"]) == (200, "done")
    assert answer.headers["preference-applied"] == "wait=20"
    assert answer.headers["location"].endswith(job_id)


async def test_a_wait_that_is_too_short_ends_with_the_accepted_job(
    program: Program, platform: Platform
) -> None:
    answer = await program.submit(Prefer="wait=600")
    assert (answer.status, answer.headers["preference-applied"]) == (202, "wait=60")
    asked = await program.get(f"/api/v1/jobs/{answer.json()['job_id']}", Prefer='wait="1"')
    assert (asked.status, asked.headers["preference-applied"]) == (202, "wait=1")
    for ignored in ("wait=soon", "wait=-1", "wait", "wait=0", "handling=strict"):
        told = await program.get(f"/api/v1/jobs/{answer.json()['job_id']}", Prefer=ignored)
        assert (told.status, "preference-applied" in told.headers) == (202, False)
    platform.async_jobs.script.refusals["GetAsyncJob"] = a_refusal("UNAVAILABLE", ErrorKind.UNAVAILABLE)
    assert (await program.submit(Prefer="wait=5")).status == 202  # accepted, whatever happens to the waiting


async def test_a_key_of_the_clients_own_makes_one_job(
    program: Program, other: Program, platform: Platform
) -> None:
    first = await program.submit(Idempotency_Key="order-7")
    second = await program.submit(Idempotency_Key="order-7")
    assert (second.status, second.json()) == (202, first.json())
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    assert platform.media.deleted == [platform.media.uploads[1].media_object_id]
    others = await other.submit(Idempotency_Key="order-7")
    assert others.json()["job_id"] != first.json()["job_id"]
    assert refused(await program.submit(Idempotency_Key="ключ".encode().decode("latin-1")))[:2] == (
        400,
        "invalid_request",
    )


async def test_a_photo_is_kept_where_nobody_knows_whether_its_job_was_opened(
    program: Program, platform: Platform
) -> None:
    platform.async_jobs.script.refusals["OpenAsyncJob"] = a_refusal(
        "DEADLINE_PASSED", ErrorKind.DEADLINE_EXCEEDED
    )
    assert (await program.submit()).status == 504
    assert platform.media.deleted == []
    platform.async_jobs.script.refusals["OpenAsyncJob"] = a_refusal("SLOT_DISABLED", ErrorKind.NOT_FOUND)
    assert refused(await program.submit())[:2] == (404, "slot_disabled")
    assert platform.media.deleted == [platform.media.uploads[1].media_object_id]


async def test_each_job_of_a_batch_is_accepted_or_refused_by_itself(
    program: Program, platform: Platform
) -> None:
    photo_id = (await program.post_form("/api/v1/media", PHOTO)).json()["media_object_id"]
    item = {"media_object_id": photo_id, "slot_id": "slot-001"}
    own = item | {"idempotency_key": "mine"}
    answer = await program.post("/api/v1/jobs/batch", {"jobs": [item, own]}, Idempotency_Key="page-1")
    assert answer.status == 200
    ids = [job["job_id"] for job in answer.json()["jobs"]]
    assert [platform.async_jobs.orders[job_id].idempotency_key for job_id in ids] == ["page-1.0", "mine"]
    platform.async_jobs.script.refusals["OpenAsyncJob"] = a_refusal("INPUT_NOT_FOUND", ErrorKind.NOT_FOUND)
    (gone,) = (await program.post("/api/v1/jobs/batch", {"jobs": [item]})).json()["jobs"]
    assert (gone["status"], gone["failure_reason"]) == ("error", "input_not_found")
    wrong = await program.post("/api/v1/jobs/batch", {"jobs": [item, {"media_object_id": photo_id}]})
    assert refused(wrong) == (422, "invalid_request_body", ["jobs.1.provider", "jobs.1.operation"])
    assert refused(await program.post("/api/v1/jobs/batch", {"jobs": []}))[2] == ["jobs"]
    assert refused(await program.post("/api/v1/jobs/batch", {"jobs": [item] * 101}))[2] == ["jobs"]
    long_key = await program.post("/api/v1/jobs/batch", {"jobs": [item]}, Idempotency_Key="k" * 251)
    assert refused(long_key)[:2] == (400, "invalid_request")


async def test_a_batch_may_be_larger_than_other_bodies(program: Program) -> None:
    item = {"media_object_id": "a" * 32, "slot_id": "slot-001", "form_fields": {"text": "x" * 4000}}
    answer = await program.post("/api/v1/jobs/batch", {"jobs": [item] * 100})
    assert (answer.status, len(answer.json()["jobs"])) == (200, 100)


async def test_a_job_is_stopped_once_and_not_after_its_end(
    program: Program, platform: Platform, clock: ManualClock
) -> None:
    job_id = (await program.submit()).json()["job_id"]
    for _ in range(2):
        answer = await program.post(f"/api/v1/jobs/{job_id}/cancel")
        assert (answer.status, answer.json()["status"]) == (200, "cancelled")
    ended = (await program.submit()).json()["job_id"]
    await platform.async_jobs.finish(done(platform, clock, ended))
    assert refused(await program.post(f"/api/v1/jobs/{ended}/cancel"))[:2] == (409, "job_already_final")


async def test_a_job_is_repeated_after_its_end(program: Program, platform: Platform) -> None:
    job_id = (await program.submit()).json()["job_id"]
    assert refused(await program.post(f"/api/v1/jobs/{job_id}/retry"))[:2] == (409, "job_not_final")
    await program.post(f"/api/v1/jobs/{job_id}/cancel")
    again = await program.post(
        f"/api/v1/jobs/{job_id}/retry", {"deadline_seconds": 120}, Idempotency_Key="again-1"
    )
    assert again.status == 202
    told = await program.get(f"/api/v1/jobs/{again.json()['job_id']}")
    assert told.json()["retry_of"] == job_id
    request = platform.async_jobs.script.of("RetryJob")[-1]
    assert str(request).count("again-1") == 1
    platform.async_jobs.script.refusals["RetryJob"] = a_refusal("INPUT_NOT_FOUND", ErrorKind.NOT_FOUND)
    assert refused(await program.post(f"/api/v1/jobs/{job_id}/retry"))[:2] == (410, "input_expired")


async def test_another_clients_key_sees_nothing(program: Program, other: Program, platform: Platform) -> None:
    job_id = (await program.submit()).json()["job_id"]
    second_key = Program(program.port, platform.api_keys.add(client_id="books"))
    assert (await second_key.get(f"/api/v1/jobs/{job_id}")).status == 202
    for path in ("", "/result", "/events"):
        assert refused(await other.get(f"/api/v1/jobs/{job_id}{path}"))[:2] == (404, "job_not_found")
    for path in ("/cancel", "/retry"):
        assert refused(await other.post(f"/api/v1/jobs/{job_id}{path}"))[:2] == (404, "job_not_found")
    assert (await other.get("/api/v1/jobs")).json() == {"jobs": [], "next_cursor": None}
    assert platform.async_jobs.jobs[job_id].state == job_pb2.JOB_STATE_PENDING


async def test_a_client_lists_its_jobs(program: Program, other: Program) -> None:
    ids = [(await program.submit()).json()["job_id"] for _ in range(3)]
    await other.submit()
    page = (await program.get("/api/v1/jobs?limit=2")).json()
    assert [job["job_id"] for job in page["jobs"]] == [ids[2], ids[1]]
    rest = (await program.get(f"/api/v1/jobs?cursor={page['next_cursor']}")).json()
    assert ([job["job_id"] for job in rest["jobs"]], rest["next_cursor"]) == ([ids[0]], None)
    assert (await program.get("/api/v1/jobs?status=done&status=failed")).json()["jobs"] == []


async def test_a_key_opens_what_its_scopes_say(gateway: Gateway, platform: Platform) -> None:
    reading = Program(gateway.port, platform.api_keys.add(scopes=(api_key_service_pb2.API_SCOPE_JOBS_READ,)))
    writing = Program(gateway.port, platform.api_keys.add(scopes=(api_key_service_pb2.API_SCOPE_JOBS_WRITE,)))
    job_id = (await writing.submit()).json()["job_id"]
    for answer, scope in (
        (await reading.submit(), "jobs:write"),
        (await reading.post(f"/api/v1/jobs/{job_id}/cancel"), "jobs:write"),
        (await writing.get(f"/api/v1/jobs/{job_id}"), "jobs:read"),
    ):
        assert refused(answer)[:2] == (403, "insufficient_scope")
        assert answer.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{scope}"'
    assert len(platform.media.uploads) == 1


async def test_a_revoked_key_opens_nothing(
    program: Program, platform: Platform, log_lines: list[str]
) -> None:
    assert (await program.get("/api/v1/jobs")).status == 200
    platform.api_keys.keys[program.key].revoked_at.GetCurrentTime()
    answer = await program.get("/api/v1/jobs")
    assert refused(answer)[:2] == (401, "invalid_api_key")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert not any(program.key in line for line in log_lines)


async def test_a_key_may_come_in_a_header_of_its_own(program: Program) -> None:
    for headers in (
        {"X-API-Key": program.key},
        {"X-API-Key": program.key, "Authorization": "Basic Ym9vdGg6c2VjcmV0"},
        {"Authorization": f"bearer {program.key}", "X-API-Key": "nonsense"},
    ):
        assert (await ask(program.port, "/api/v1/jobs", headers=headers)).status == 200
