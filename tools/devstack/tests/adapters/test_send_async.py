"""`send --async` against an HTTP server that behaves as `/api/v1` does, and as it does on a bad day."""

from __future__ import annotations

import asyncio
import errno
import io
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from photochanger_devstack.program.api import Access, Refused, open_api
from photochanger_devstack.program.bulk import Bulk, Delivered, Photo
from photochanger_devstack.program.key import Admin, own_key
from photochanger_devstack.program.report import summarise
from PIL import Image

KEY = "pc_one"
ENDED = "2026-11-21T12:00:10Z"


def a_photo(kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(buffer, kind)
    return buffer.getvalue()


@dataclass
class Platform:
    """Jobs that are done once they have been looked at. `script` holds, by request, answers in place of the real ones;
    `cut` how often a submission is carried out and its connection cut."""

    url: str = ""
    good_keys: set[str] = field(default_factory=lambda: {KEY})
    script: dict[str, list[web.Response]] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    cut: int = 0
    keyless: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    picture: bytes = field(default_factory=a_photo)
    fate: str = "done"
    requests: list[str] = field(default_factory=list)
    uploads: list[bytes] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)
    """Ids of jobs by their idempotency keys, oldest first."""
    looks: int = 0

    def app(self) -> web.Application:
        @web.middleware
        async def before(request: web.Request, handler: Any) -> web.StreamResponse:
            return await self._before(request, handler)

        app = web.Application(middlewares=[before])
        app.router.add_post("/api/v1/media", self._upload)
        app.router.add_post("/api/v1/jobs/batch", self._submit)
        app.router.add_get("/api/v1/jobs", self._list)
        app.router.add_get("/api/v1/jobs/{id}", self._job)
        app.router.add_get("/api/v1/jobs/{id}/result", self._result)
        app.router.add_post("/api/login", self._login)
        app.router.add_post("/api/api-keys", self._make_key)
        return app

    async def _before(self, request: web.Request, handler: Any) -> web.StreamResponse:
        name = f"{request.method} {request.path}"
        self.requests.append(name)
        if request.path.startswith("/api/v1/") and self._key(request) not in self.good_keys:
            return refusal(401, "invalid_api_key")
        if self.script.get(name):
            await request.read()
            return self.script[name].pop(0)
        answer: web.StreamResponse = await handler(request)
        answer.headers.update(self.headers)
        return answer

    def _key(self, request: web.Request) -> str:
        return request.headers.get("Authorization", "").removeprefix("Bearer ")

    async def _upload(self, request: web.Request) -> web.Response:
        photo = (await request.post())["photo"]
        assert isinstance(photo, web.FileField)
        self.uploads.append(photo.file.read())
        return web.json_response({"media_object_id": f"{len(self.uploads):032x}"}, status=201)

    async def _submit(self, request: web.Request) -> web.Response:
        answers = []
        for order in (await request.json())["jobs"]:
            if self.items:
                answers.append(self.items.pop(0))
                continue
            key = f"{len(self.jobs)}" if self.keyless else order["idempotency_key"]
            job_id = self.jobs.setdefault(key, f"{len(self.jobs) + 1:032x}")
            answers.append({"job_id": job_id, "status": "pending", "status_url": "…"})
        if self.cut:
            self.cut -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"jobs": answers})

    async def _list(self, request: web.Request) -> web.Response:
        wanted = request.query.getall("status", [])
        if wanted:
            self.looks += 1
        unfinished = list(self.jobs.values())[: None if self.looks < 2 else 0] if wanted else []
        ids = unfinished if wanted else list(self.jobs.values())
        newest_first = ids[::-1]
        start, size = int(request.query.get("cursor") or 0), int(request.query["limit"])
        page = newest_first[start : start + size]
        more = str(start + size) if start + size < len(ids) else None
        return web.json_response(
            {"jobs": [{"job_id": job_id, "status": "running"} for job_id in page], "next_cursor": more}
        )

    async def _job(self, request: web.Request) -> web.Response:
        failure = None if self.fate == "done" else {"reason": "quota", "message": "used up"}
        return web.json_response(
            {
                "job_id": request.match_info["id"],
                "status": self.fate,
                "created_at": "2026-11-21T12:00:00Z",
                "started_at": "2026-11-21T12:00:04Z",
                "finished_at": ENDED,
                "attempts": 2,
                "failure": failure,
            }
        )

    async def _result(self, _: web.Request) -> web.Response:
        return web.Response(body=self.picture, content_type="image/png")

    async def _login(self, request: web.Request) -> web.Response:
        if (await request.json())["password"] != "right":
            return refusal(401, "invalid_credentials")
        return web.json_response({"access_token": "admin"})

    async def _make_key(self, request: web.Request) -> web.Response:
        assert self._key(request) == "admin"
        assert set((await request.json())["scopes"]) == {"jobs:read", "jobs:write"}
        key = f"pc_made_{len(self.requests)}"
        self.good_keys.add(key)
        return web.json_response({"key": key}, status=201)


def refusal(status: int, reason: str, **headers: str) -> web.Response:
    body = {"status": "error", "failure_reason": reason, "details": "so"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.json_response(body, status=status, headers=named)


@asynccontextmanager
async def a_platform(**how: Any) -> AsyncIterator[Platform]:
    platform = Platform(**how)
    runner = web.AppRunner(platform.app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    platform.url = f"http://{host}:{port}"
    try:
        yield platform
    finally:
        await runner.cleanup()


@dataclass
class Run:
    """What came of it. `pauses` are those that were asked for; none takes any time."""

    delivered: Delivered
    kept: dict[int, bytes]
    pauses: list[float]


async def send(
    platform: Platform, count: int, *, key: str = KEY, retries: int = 3, same: bool = False
) -> Run:
    kept: dict[int, bytes] = {}
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        await asyncio.sleep(0)

    async with open_api(Access(platform.url, key, retries=retries), connections=4, pause=pause) as api:
        bulk = Bulk(
            api,
            a_photo(),
            parallel=4,
            keep=lambda photo, _, picture: kept.update({photo.number: picture}),
            pause=pause,
            same=same,
        )
        delivered = await bulk.deliver([Photo(number, "slot-001") for number in range(1, count + 1)])
    return Run(delivered, kept, pauses)


async def test_each_photo_is_uploaded_once_and_handed_in_by_the_hundred() -> None:
    async with a_platform() as platform:
        run = await send(platform, 250)
    assert [delivery.failure for delivery in run.delivered.deliveries] == [None] * 250
    assert platform.requests.count("POST /api/v1/jobs/batch") == 3
    assert len(set(platform.uploads)) == len(platform.uploads) == 250
    assert len({delivery.job_id for delivery in run.delivered.deliveries}) == 250
    assert run.kept == dict.fromkeys(range(1, 251), platform.picture)
    assert run.delivered.strangers == frozenset()


async def test_one_upload_serves_all_jobs_of_the_same_photo() -> None:
    async with a_platform() as platform:
        run = await send(platform, 12, same=True)
    assert len(platform.uploads) == 1
    assert [delivery.failure for delivery in run.delivered.deliveries] == [None] * 12


async def test_a_cut_connection_makes_no_second_job() -> None:
    async with a_platform(cut=2) as platform:
        run = await send(platform, 3)
    assert (len(platform.jobs), run.delivered.repeats) == (3, 2)
    assert summarise(run.delivered, wall_seconds=1).complete


async def test_jobs_that_no_answer_named_are_told() -> None:
    async with a_platform(cut=1, keyless=True) as platform:
        run = await send(platform, 3)
    report = summarise(run.delivered, wall_seconds=1)
    assert (report.pictures, report.strangers, report.complete) == (3, 3, False)


async def test_a_limit_is_waited_for_as_long_as_it_says_and_does_not_use_up_repeats() -> None:
    limited = [refusal(429, "rate_limited", Retry_After="41") for _ in range(3)]
    async with a_platform(script={"POST /api/v1/jobs/batch": limited}) as platform:
        run = await send(platform, 1, retries=0)
    assert len([seconds for seconds in run.pauses if 40 < seconds <= 41]) == 3
    assert run.delivered.deliveries[0].failure is None


async def test_who_has_nothing_left_waits_before_he_is_refused() -> None:
    headers = {"RateLimit": '"requests";r=9;t=5, "async";r=0;t=17'}
    async with a_platform(headers=headers) as platform:
        run = await send(platform, 101)
    assert any(16 < seconds <= 17 for seconds in run.pauses)
    assert summarise(run.delivered, wall_seconds=1).complete


async def test_a_gateway_that_restarts_is_waited_for_with_growing_pauses() -> None:
    away = [refusal(503, "service_unavailable", Retry_After="0") for _ in range(3)]
    async with a_platform(script={"POST /api/v1/jobs/batch": away}) as platform:
        run = await send(platform, 1)
    assert [seconds for seconds in run.pauses if seconds > 1] == [2, 4]
    assert run.delivered.deliveries[0].failure is None


async def test_repeats_end_when_they_are_used_up() -> None:
    away = [refusal(503, "service_unavailable") for _ in range(3)]
    async with a_platform(script={"POST /api/v1/jobs/batch": away}) as platform:
        run = await send(platform, 2, retries=2)
    assert {delivery.failure for delivery in run.delivered.deliveries} == {
        "not accepted: 503 service_unavailable: so"
    }


async def test_a_job_that_is_refused_for_the_moment_is_handed_in_again_alone() -> None:
    busy = {"status": "error", "failure_reason": "service_unavailable", "retry_after": 1}
    late = {"status": "timeout", "failure_reason": "deadline_exceeded", "retry_after": None}
    async with a_platform(items=[busy, late]) as platform:
        run = await send(platform, 5)
    assert platform.requests.count("POST /api/v1/jobs/batch") == 2
    assert (len(platform.jobs), summarise(run.delivered, wall_seconds=1).complete) == (5, True)


async def test_a_job_that_is_refused_for_good_is_told_and_the_others_go_on() -> None:
    off = {"status": "error", "failure_reason": "slot_disabled", "details": "It is off.", "retry_after": None}
    async with a_platform(items=[off]) as platform:
        run = await send(platform, 3)
    assert [delivery.failure for delivery in run.delivered.deliveries] == [
        "not accepted: slot_disabled: It is off.",
        None,
        None,
    ]


async def test_two_photos_with_one_job_are_told() -> None:
    one = {"job_id": f"{1:032x}", "status": "pending", "status_url": "…"}
    async with a_platform(items=[one, one]) as platform:
        run = await send(platform, 2)
    assert [delivery.failure for delivery in run.delivered.deliveries] == [
        None,
        "its job is that of photo 1",
    ]


async def test_a_failed_job_is_told_with_its_reason_and_times() -> None:
    async with a_platform(fate="failed") as platform:
        run = await send(platform, 2)
    report = summarise(run.delivered, wall_seconds=1)
    assert (report.failures, report.states, report.attempts) == (
        {"quota: used up": 2},
        {"failed": 2},
        {2: 2},
    )
    assert report.to_start is not None
    assert report.to_end is not None
    assert (report.to_start.p50, report.to_end.p95) == (4, 10)


@pytest.mark.parametrize(
    "picture",
    [b"<html>", a_photo("JPEG"), a_photo()[:-300], b""],
    ids=["not a picture", "another type than it says", "cut off", "empty"],
)
async def test_a_result_that_does_not_decode_is_a_failure(picture: bytes) -> None:
    async with a_platform(picture=picture) as platform:
        run = await send(platform, 1)
    failure = run.delivered.deliveries[0].failure
    assert failure is not None
    assert "no picture" in failure
    assert run.kept == {}


async def test_a_picture_that_cannot_be_written_is_a_failure_of_its_own() -> None:
    def full(photo: Photo, extension: str, picture: bytes) -> None:
        if photo.number == 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    async def at_once(_: float) -> None:
        await asyncio.sleep(0)

    async with a_platform() as platform, open_api(Access(platform.url, KEY), connections=2) as api:
        bulk = Bulk(api, a_photo(), parallel=2, keep=full, pause=at_once)
        delivered = await bulk.deliver([Photo(1, "slot-001"), Photo(2, "slot-001")])
    assert [delivery.failure for delivery in delivered.deliveries] == [
        "its picture could not be written: No space left on device",
        None,
    ]


async def test_a_key_that_opens_nothing_sends_nothing() -> None:
    async with a_platform() as platform:
        with pytest.raises(Refused, match="Nothing was sent: 401 invalid_api_key"):
            await send(platform, 1, key="pc_other")
    assert platform.uploads == []


async def test_a_key_is_made_once_kept_for_its_owner_and_made_anew_when_it_is_revoked(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "api-key"
    async with a_platform() as platform:
        admin = Admin(platform.url, "serg", "right")
        first = await asyncio.to_thread(own_key, admin, path)
        again = await asyncio.to_thread(own_key, admin, path)
        platform.good_keys.remove(first)
        anew = await asyncio.to_thread(own_key, admin, path)
    assert again == first
    assert anew != first
    assert path.read_text() == f"{anew}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert platform.requests.count("POST /api/api-keys") == 2


async def test_an_admin_who_may_not_gets_no_key(tmp_path: Path) -> None:
    async with a_platform() as platform:
        with pytest.raises(Refused, match="invalid_credentials"):
            await asyncio.to_thread(own_key, Admin(platform.url, "serg", "wrong"), tmp_path / "api-key")
    assert not (tmp_path / "api-key").exists()
