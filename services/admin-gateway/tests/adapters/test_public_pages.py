"""What guests get: files with everything HTTP offers for them, galleries, and nothing past its time."""

import json
from datetime import timedelta

import pytest
from photochanger.ingest.v1 import job_pb2
from photochanger_chassis.errors import ErrorKind
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.testing.builders import a_job, a_refusal
from photochanger_gateway.testing.platform import Gateway, Platform, a_gateway, settings_for
from photochanger_gateway.testing.wire import Answer, ask

PICTURE = bytes(range(256)) * 4
SIZE = len(PICTURE)
UNKNOWN = "0" * 32
SECURITY_HEADERS = ("content-security-policy", "referrer-policy", "x-robots-tag", "x-request-id")


def a_finished_job(platform: Platform, *, lives: timedelta = timedelta(hours=72)) -> job_pb2.Job:
    """A job with a picture and a preview."""
    now = platform.clock.now()
    stored = platform.media.store(PICTURE, expires_at=now + lives)
    platform.media.previews[stored.id] = b"RIFF preview"
    job = platform.ingest.keep(a_job(result=stored, at=now))
    platform.ingest.galleries.setdefault(job.slot_id, []).append(job)
    return job


async def get(gateway: Gateway, job: job_pb2.Job, suffix: str = "", **headers: str) -> Answer:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return await ask(gateway.port, f"/public/results/{job.id}{suffix}", headers=sent)


async def test_a_picture_is_a_download_that_is_shown_and_never_run(
    gateway: Gateway, platform: Platform
) -> None:
    job = a_finished_job(platform)
    answer = await get(gateway, job)
    assert (answer.status, answer.body) == (200, PICTURE)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"] == f'attachment; filename="photo-{job.id[:8]}.jpg"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["cache-control"] == "private, max-age=3600"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_unchanged_picture_is_not_sent_again(gateway: Gateway, platform: Platform) -> None:
    job = a_finished_job(platform)
    etag = (await get(gateway, job)).headers["etag"]
    for header in (etag, f'W/{etag}, "other"', "*"):
        answer = await get(gateway, job, If_None_Match=header)
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)
    assert (await get(gateway, job, If_None_Match='"other"')).status == 200
    assert (await get(gateway, job, "/preview", If_None_Match=etag)).status == 200


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-9", slice(0, 10)),
        ("bytes=1000-", slice(1000, SIZE)),
        ("bytes=-24", slice(SIZE - 24, SIZE)),
        ("bytes=1000-99999", slice(1000, SIZE)),
        ("bytes=-99999", slice(0, SIZE)),
        ("bytes=0-", slice(0, SIZE)),
    ],
)
async def test_a_range_is_answered_with_that_part(
    gateway: Gateway, platform: Platform, header: str, part: slice
) -> None:
    answer = await get(gateway, a_finished_job(platform), Range=header)
    assert (answer.status, answer.body) == (206, PICTURE[part])
    assert answer.headers["content-range"] == f"bytes {part.start}-{part.stop - 1}/{SIZE}"


async def test_a_range_outside_the_file_is_told_the_files_size(gateway: Gateway, platform: Platform) -> None:
    answer = await get(gateway, a_finished_job(platform), Range=f"bytes={SIZE}-")
    assert answer.status == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"
    assert answer.json()["failure_reason"] == "range_not_satisfiable"


async def test_a_range_counts_only_while_the_picture_is_the_same(
    gateway: Gateway, platform: Platform
) -> None:
    job = a_finished_job(platform)
    etag = (await get(gateway, job)).headers["etag"]
    assert (await get(gateway, job, Range="bytes=0-9", If_Range=etag)).status == 206
    assert (await get(gateway, job, Range="bytes=0-9", If_Range='"other"')).body == PICTURE
    assert (await get(gateway, job, Range="bytes=0-9", If_Range=f"W/{etag}")).status == 200


@pytest.mark.parametrize("suffix", ["", "/preview"])
async def test_head_has_the_headers_of_get_and_no_body(
    gateway: Gateway, platform: Platform, suffix: str
) -> None:
    job = a_finished_job(platform)
    whole = await get(gateway, job, suffix)
    for extra in ({}, {"Range": "bytes=0-9"}):  # a range means nothing for HEAD
        head = await ask(gateway.port, f"/public/results/{job.id}{suffix}", method="HEAD", headers=extra)
        assert head.status == 200
        changing = {"x-request-id", "date"}
        assert {k: v for k, v in head.headers.items() if k not in changing} == {
            k: v for k, v in whole.headers.items() if k not in changing
        }


async def test_a_preview_is_webp(gateway: Gateway, platform: Platform) -> None:
    job = a_finished_job(platform)
    answer = await get(gateway, job, "/preview")
    assert (answer.body, answer.headers["content-type"]) == (b"RIFF preview", "image/webp")
    assert answer.headers["content-disposition"].endswith('.webp"')
    assert answer.headers["etag"] != (await get(gateway, job)).headers["etag"]


async def test_a_cache_keeps_a_picture_no_longer_than_its_link_lives(
    gateway: Gateway, platform: Platform, clock: ManualClock
) -> None:
    job = a_finished_job(platform, lives=timedelta(minutes=30))
    assert (await get(gateway, job)).headers["cache-control"] == "private, max-age=1800"
    clock.advance(timedelta(minutes=29, seconds=59.5))
    assert (await get(gateway, job)).headers["cache-control"] == "private, max-age=0"


@pytest.mark.parametrize("suffix", ["", "/preview"])
async def test_a_picture_past_its_time_is_gone_though_it_is_still_stored(
    gateway: Gateway, platform: Platform, clock: ManualClock, suffix: str
) -> None:
    job = a_finished_job(platform, lives=timedelta(minutes=30))
    clock.advance(timedelta(minutes=30))
    answer = await get(gateway, job, suffix)
    assert answer.status == 410
    assert answer.json() | {"details": ""} == {
        "status": "error",
        "failure_reason": "result_expired",
        "details": "",
    }
    assert platform.media.script.of("Download") == []


@pytest.mark.parametrize("suffix", ["", "/preview"])
@pytest.mark.parametrize("job_id", [UNKNOWN, "not-an-id", "A" * 32])
async def test_an_unknown_picture_is_not_found(gateway: Gateway, job_id: str, suffix: str) -> None:
    answer = await ask(gateway.port, f"/public/results/{job_id}{suffix}")
    assert answer.status == 404
    assert answer.json() | {"details": ""} == {
        "status": "error",
        "failure_reason": "result_not_found",
        "details": "",
    }


async def test_a_picture_that_is_not_ready_is_not_found(gateway: Gateway, platform: Platform) -> None:
    job = platform.ingest.keep(a_job(state=job_pb2.JOB_STATE_RUNNING))
    assert (await get(gateway, job)).status == 404


async def test_a_preview_that_is_not_made_yet_is_not_found(gateway: Gateway, platform: Platform) -> None:
    job = a_finished_job(platform)
    platform.media.previews.clear()
    answer = await get(gateway, job, "/preview")
    assert (answer.status, answer.json()["failure_reason"]) == (404, "result_not_found")


async def test_a_job_tells_whoever_knows_its_id(gateway: Gateway, platform: Platform) -> None:
    job = a_finished_job(platform)
    body = (await ask(gateway.port, f"/api/jobs/{job.id}")).json()
    assert set(body) == {
        "job_id",
        "slot_id",
        "status",
        "source",
        "provider",
        "started_at",
        "finished_at",
        "duration_ms",
        "failure_reason",
        "result_url",
        "result_expires_at",
    }
    assert (body["status"], body["duration_ms"]) == ("done", 2000)
    assert body["result_url"] == f"http://gateway/public/results/{job.id}"
    for unknown in (UNKNOWN, "nope"):
        answer = await ask(gateway.port, f"/api/jobs/{unknown}")
        assert (answer.status, answer.json()["failure_reason"]) == (404, "job_not_found")


async def test_a_provider_fetches_a_linked_picture_until_the_link_ends(
    gateway: Gateway, platform: Platform
) -> None:
    platform.media.links["t" * 43] = platform.media.store(PICTURE).id
    answer = await ask(gateway.port, f"/public/provider-media/{'t' * 43}")
    assert (answer.status, answer.body, answer.headers["cache-control"]) == (200, PICTURE, "no-store")
    part = await ask(gateway.port, f"/public/provider-media/{'t' * 43}", Range="bytes=0-3")
    assert (part.status, part.body) == (206, PICTURE[:4])
    assert (await ask(gateway.port, f"/public/provider-media/{'u' * 43}")).status == 404
    assert (await ask(gateway.port, "/public/provider-media/x")).status == 404
    platform.media.script.refusals["DownloadLink"] = a_refusal("LINK_EXPIRED", ErrorKind.FAILED_PRECONDITION)
    gone = await ask(gateway.port, f"/public/provider-media/{'t' * 43}")
    assert (gone.status, gone.json()["failure_reason"]) == (410, "link_expired")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/docs",
        "/openapi.json",
        "/livez",
        "/readyz",
        "/healthz",
        "/metrics",
        "/public/slots/slot-001",
        "/public/slots/slot-999",
        f"/public/results/{UNKNOWN}",
        f"/api/jobs/{UNKNOWN}",
        "/pub/gallery",
        "/pubgallery",
        "/api/me",
        "/no/such/page",
        "/ingest/slot-001",
    ],
)
async def test_every_answer_has_the_security_headers(gateway: Gateway, path: str) -> None:
    headers = (await ask(gateway.port, path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "noindex" in headers["x-robots-tag"]
    assert "default-src 'none'" in headers["content-security-policy"]
    assert all(name in headers for name in SECURITY_HEADERS)


async def test_an_answer_to_a_fault_of_ours_is_as_safe_as_any(gateway: Gateway, platform: Platform) -> None:
    platform.ingest.galleries["slot-001"] = [a_job(job_id="not hex", result=platform.media.store())]
    answer = await ask(gateway.port, "/public/slots/slot-001", X_Request_Id="guest-request-1")
    assert (answer.status, answer.json()["failure_reason"]) == (500, "internal_error")
    assert "not hex" not in answer.body.decode()
    assert answer.headers["x-request-id"] == "guest-request-1"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_errors_are_problems_where_accept_asks_for_them(gateway: Gateway) -> None:
    answer = await ask(gateway.port, f"/public/results/{UNKNOWN}", Accept="application/problem+json")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == 404
    assert answer.json()["type"] == "urn:photochanger:result_not_found"
    assert answer.json()["failure_reason"] == "result_not_found"


async def test_a_browser_gets_a_page_and_a_script_gets_json(gateway: Gateway, platform: Platform) -> None:
    job = a_finished_job(platform)
    platform.ingest.display_name = '<script>alert("booth")</script>'
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    page = await ask(gateway.port, "/public/slots/slot-001", Accept=browser)
    assert page.headers["content-type"].startswith("text/html")
    assert "<script" not in page.body.decode()
    assert "&lt;script&gt;" in page.body.decode()
    assert f"/public/results/{job.id}/preview" in page.body.decode()
    assert "script-src" not in page.headers["content-security-policy"]
    for accept in ("application/json", "*/*", "application/json, text/html"):
        answer = await ask(gateway.port, "/public/slots/slot-001", Accept=accept)
        assert answer.headers["content-type"] == "application/json"
        assert "Accept" in answer.headers["vary"]
        assert [item["job_id"] for item in answer.json()["results"]] == [job.id]


@pytest.mark.parametrize(("language", "words"), [("ru-RU", "фотографии"), ("en", "photos"), ("xx", "photos")])
async def test_pages_speak_the_readers_language(gateway: Gateway, language: str, words: str) -> None:
    page = await ask(gateway.port, "/public/slots/slot-001", Accept="text/html", Accept_Language=language)
    assert words in page.body.decode()
    assert "Accept-Language" in page.headers["vary"]


@pytest.mark.parametrize("slot_id", ["slot-000", "slot-016", "slot-1", "slot-001x", "x"])
async def test_a_gallery_of_no_slot_is_not_found(gateway: Gateway, slot_id: str) -> None:
    answer = await ask(gateway.port, f"/public/slots/{slot_id}")
    assert (answer.status, answer.json()["failure_reason"]) == (404, "slot_not_found")


async def test_percent_encoded_paths_are_read_as_what_they_mean(gateway: Gateway) -> None:
    assert (await ask(gateway.port, "/public/slots/slot%2D001")).status == 200
    for path in (
        "/public/slots/slot-001%2F..",
        "/public/slots/%ff",
        "/public/slots/%00",
        "/%2e%2e/etc/passwd",
    ):
        assert (await ask(gateway.port, path)).status == 404


async def test_shared_galleries_are_open_only_while_an_admin_shares_them(
    gateway: Gateway, platform: Platform
) -> None:
    job = a_finished_job(platform)
    closed = await ask(gateway.port, "/pub/gallery")
    assert (closed.status, closed.json()["failure_reason"]) == (403, "gallery_not_shared")
    assert (await ask(gateway.port, "/pubgallery")).status == 403
    platform.ingest.shared = True
    body = (await ask(gateway.port, "/pub/gallery")).json()
    assert body["status"] == "ok"
    assert body["slots"][0]["results"][0]["job_id"] == job.id
    page = await ask(gateway.port, "/pubgallery")
    assert (page.status, job.id in page.body.decode()) == (200, True)


async def test_shared_galleries_are_asked_for_30_times_a_minute_at_most(
    gateway: Gateway, platform: Platform, clock: ManualClock
) -> None:
    platform.ingest.shared = True
    statuses = [(await ask(gateway.port, "/pub/gallery")).status for _ in range(31)]
    assert statuses == [200] * 30 + [429]
    answer = await ask(gateway.port, "/pub/gallery")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    clock.advance(timedelta(minutes=1))
    assert (await ask(gateway.port, "/pub/gallery")).status == 200


async def test_public_requests_are_counted_by_the_address_a_trusted_proxy_names(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    async def status(port: int, forwarded_for: str) -> int:
        answer = await ask(port, "/public/slots/slot-001", X_Forwarded_For=forwarded_for)
        return answer.status

    settings = settings_for(
        platform, nats_url, public_rate_per_minute=1, trusted_proxies="127.0.0.1, 10.1.2.3/8"
    )
    async with a_gateway(settings, clock) as gateway:
        assert await status(gateway.port, "198.51.100.1") == 200
        assert await status(gateway.port, "198.51.100.1") == 429
        assert await status(gateway.port, "198.51.100.2, 10.9.9.9") == 200
        assert (
            await status(gateway.port, "203.0.113.9, 198.51.100.2") == 429
        )  # the first is the client's own word
        # One IPv6 subscriber has a whole /64, and an IPv4 address has two spellings.
        assert await status(gateway.port, "2001:db8:1:2::1") == 200
        assert await status(gateway.port, "2001:db8:1:2::2") == 429
        assert await status(gateway.port, "2001:db8:1:3::1") == 200
        assert await status(gateway.port, "::ffff:198.51.100.1") == 429


async def test_an_untrusted_client_does_not_choose_its_address(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    settings = settings_for(platform, nats_url, public_rate_per_minute=1, trusted_proxies="10.0.0.0/8")
    async with a_gateway(settings, clock) as gateway:
        assert (await ask(gateway.port, "/public/slots/slot-001", X_Forwarded_For="1.1.1.1")).status == 200
        assert (await ask(gateway.port, "/public/slots/slot-001", X_Forwarded_For="2.2.2.2")).status == 429


async def test_links_use_the_public_address_where_one_is_set(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    job = a_finished_job(platform)
    settings = settings_for(platform, nats_url, public_media_base_url="https://photos.example/")
    async with a_gateway(settings, clock) as gateway:
        body = (await ask(gateway.port, f"/api/jobs/{job.id}")).json()
    assert body["result_url"] == f"https://photos.example/public/results/{job.id}"


async def test_links_follow_the_scheme_a_trusted_proxy_names(gateway: Gateway, platform: Platform) -> None:
    job = a_finished_job(platform)
    answer = await ask(gateway.port, f"/api/jobs/{job.id}", X_Forwarded_Proto="https")
    assert answer.json()["result_url"].startswith("https://gateway/")


@pytest.mark.parametrize("host", ["[::1", "a b", "x" * 3000, "h\xf6st", "a/b?c#d"])
async def test_a_host_that_is_none_is_refused(gateway: Gateway, platform: Platform, host: str) -> None:
    job = a_finished_job(platform)
    for path in (f"/api/jobs/{job.id}", "/public/slots/slot-001", f"/public/results/{job.id}"):
        answer = await ask(gateway.port, path, Host=host)
        assert answer.status in {200, 400}, (path, answer.body)
        if answer.status == 400:
            assert json.loads(answer.body)["failure_reason"] == "invalid_request"
