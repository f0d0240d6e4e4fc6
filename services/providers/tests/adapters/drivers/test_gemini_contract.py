"""The Gemini driver against a server with every documented oddity: what comes of it, and after how many calls.

Where a row says so, the provider goes on answering like that; the number of calls is then the driver's and
the retry layer's decision.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from photochanger_mockproviders import GeminiKnob, GeminiMock
from photochanger_providers.domain.breaker import Verdict
from photochanger_providers.domain.errors import ProviderError
from photochanger_providers.domain.picture import Picture
from photochanger_providers.drivers import gemini
from photochanger_providers.testing.driver_bench import DriverBench

_PROMPT = {"prompt": "a snowy street"}
_BACKOFF = 3
_NO_IMAGE_CALLS = 6
_BLOCKING = (
    "SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION", "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "ESCALATION",
)  # fmt: skip
_USELESS = (
    "MAX_TOKENS", "OTHER", "LANGUAGE", "MALFORMED_FUNCTION_CALL", "CONTINUATION", "TOO_MANY_TOOL_CALLS",
    "UNEXPECTED_TOOL_CALL", "FINISH_REASON_UNSPECIFIED",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A provider that always answers so (`sent`: its own reason): what it is to us, and after how many calls."""

    knobs: tuple[GeminiKnob, ...]
    reason: str
    calls: int
    sent: str = ""

    def __str__(self) -> str:
        return "+".join([*self.knobs, self.sent]).removesuffix("+")


FAILURES = [
    Row((GeminiKnob.PROMPT_BLOCKED,), "CONTENT_BLOCKED", 1),
    *(
        Row((GeminiKnob.PROMPT_BLOCKED,), "CONTENT_BLOCKED", 1, reason)
        for reason in ("SAFETY", "BLOCKLIST", "IMAGE_SAFETY", "OTHER", "SOMETHING_NEW")
    ),
    Row((GeminiKnob.IMAGE_SAFETY,), "CONTENT_BLOCKED", 1),
    Row((GeminiKnob.PROHIBITED,), "CONTENT_BLOCKED", 1),
    *(Row((GeminiKnob.FINISH_REASON,), "CONTENT_BLOCKED", 1, name) for name in _BLOCKING),
    Row((GeminiKnob.NO_IMAGE,), "NO_IMAGE", _NO_IMAGE_CALLS),
    Row((GeminiKnob.NO_IMAGE,), "NO_IMAGE", _NO_IMAGE_CALLS, "IMAGE_OTHER"),
    Row((GeminiKnob.TEXT_ONLY_STOP,), "NO_IMAGE", 2),
    Row((GeminiKnob.CONTENT_WITHOUT_PARTS,), "NO_IMAGE", 2),
    *(Row((GeminiKnob.FINISH_REASON,), "BAD_RESPONSE", 2, name) for name in _USELESS),
    Row((GeminiKnob.UNKNOWN_FINISH_REASON,), "BAD_RESPONSE", 2),
    Row((GeminiKnob.FINISH_REASON,), "AUTH", 1, "PUP_LIMITED_DISABLED"),
    Row((GeminiKnob.CANDIDATES_MISSING,), "BAD_RESPONSE", 2),
    Row((GeminiKnob.BAD_BASE64,), "BAD_RESPONSE", 2),
    Row((GeminiKnob.UNDECODABLE_IMAGE,), "BAD_RESPONSE", 2),
    Row((GeminiKnob.BLANK_IMAGE,), "BAD_RESPONSE", 2),
    Row((GeminiKnob.SAME_IMAGE,), "BAD_RESPONSE", 2),
    Row((GeminiKnob.HTTP_400_API_KEY_INVALID,), "AUTH", 1),
    Row((GeminiKnob.HTTP_400_API_KEY_INVALID, GeminiKnob.ERROR_AS_ARRAY), "AUTH", 1),
    Row((GeminiKnob.HTTP_400_FAILED_PRECONDITION,), "CONFIG", 1),
    Row((GeminiKnob.HTTP_403,), "AUTH", 1),
    Row((GeminiKnob.HTTP_404_MODEL,), "CONFIG", 1),
    Row((GeminiKnob.HTTP_429_RETRYINFO,), "QUOTA", 2),
    Row((GeminiKnob.HTTP_429_PER_DAY,), "QUOTA", 1),
    Row((GeminiKnob.HTTP_429_PER_DAY, GeminiKnob.ERROR_AS_ARRAY), "QUOTA", 1),
    Row((GeminiKnob.HTTP_429_BARE,), "QUOTA", _BACKOFF),
    Row((GeminiKnob.HTTP_500,), "PROVIDER_5XX", _BACKOFF),
    Row((GeminiKnob.HTTP_503,), "PROVIDER_5XX", _BACKOFF),
    Row((GeminiKnob.ERROR_AS_ARRAY,), "PROVIDER_5XX", _BACKOFF),
    Row((GeminiKnob.HTML_502,), "PROVIDER_5XX", _BACKOFF),
    Row((GeminiKnob.HTTP_504,), "TIMEOUT", 2),
    Row((GeminiKnob.DISCONNECT,), "NETWORK", _BACKOFF),
    Row((GeminiKnob.TRUNCATE_BODY,), "NETWORK", _BACKOFF),
]
PICTURES = [
    (GeminiKnob.OK_PNG,),
    (GeminiKnob.OK_JPEG,),
    (GeminiKnob.SNAKE_CASE_RESPONSE,),
    (GeminiKnob.THOUGHT_THEN_FINAL,),
    (GeminiKnob.THOUGHT_THEN_FINAL, GeminiKnob.SNAKE_CASE_RESPONSE),
    (GeminiKnob.THOUGHT_ONLY,),
    (GeminiKnob.MISLABELLED,),
]


def test_every_knob_of_the_mock_is_turned() -> None:
    turned = {knob for row in FAILURES for knob in row.knobs} | {knob for knobs in PICTURES for knob in knobs}
    assert turned | {GeminiKnob.SLOW} == set(GeminiKnob)


@pytest.mark.parametrize("row", FAILURES, ids=str)
async def test_an_answer_without_a_picture_is_named_and_repeated_as_documented(
    row: Row, bench: DriverBench, gemini_mock: GeminiMock, photo: Picture
) -> None:
    gemini_mock.by_default(*row.knobs, reason=row.sent)
    with pytest.raises(ProviderError) as caught:
        await bench.run("image_edit", photo, _PROMPT)
    assert (caught.value.reason, len(gemini_mock.calls)) == (row.reason, row.calls)


@pytest.mark.parametrize("knobs", PICTURES, ids="+".join)
async def test_the_right_picture_is_taken_whatever_it_comes_with(
    knobs: tuple[GeminiKnob, ...], bench: DriverBench, gemini_mock: GeminiMock, photo: Picture
) -> None:
    gemini_mock.script(*knobs)
    answer = await bench.run("image_edit", photo, _PROMPT)
    assert hashlib.sha256(answer.picture.path.read_bytes()).hexdigest() == gemini_mock.calls[0].result_sha256
    assert (bench.log.provider_calls, answer.model) == (1, "gemini-3.1-flash-image")
    is_jpeg = {GeminiKnob.OK_JPEG, GeminiKnob.MISLABELLED} & set(knobs)
    assert answer.picture.mime_type == ("image/jpeg" if is_jpeg else "image/png")
    assert bench.verdicts == [Verdict.ALIVE]


async def test_a_model_that_makes_no_picture_is_asked_again_as_the_slot_says(
    bench: DriverBench, gemini_mock: GeminiMock, photo: Picture
) -> None:
    gemini_mock.script(GeminiKnob.NO_IMAGE, times=2)
    await bench.run("image_edit", photo, _PROMPT)
    assert (bench.log.provider_calls, bench.pauses) == (3, [3.0, 3.0])


async def test_the_slot_chooses_how_often_no_image_is_repeated(
    bench: DriverBench, gemini_mock: GeminiMock, photo: Picture
) -> None:
    gemini_mock.by_default(GeminiKnob.NO_IMAGE)
    with pytest.raises(ProviderError) as caught:
        await bench.run(
            "image_edit", photo, {**_PROMPT, "no_image_repeats": 1, "no_image_pause_seconds": 0.5}
        )
    assert (caught.value.reason, bench.pauses, len(gemini_mock.calls)) == ("NO_IMAGE", [0.5], 2)


async def test_no_image_is_not_repeated_beyond_the_deadline(
    bench: DriverBench, gemini_mock: GeminiMock, photo: Picture
) -> None:
    gemini_mock.by_default(GeminiKnob.NO_IMAGE)
    with pytest.raises(ProviderError) as caught:
        await bench.run("image_edit", photo, _PROMPT, seconds=9)
    assert (caught.value.reason, bench.pauses) == ("NO_IMAGE", [3.0, 3.0])


@pytest.mark.parametrize(("delay", "waited"), [("26s", 26.0), ("0.5s", 0.5), ("3.25s", 3.25)])
async def test_a_quota_that_comes_back_in_time_is_waited_for(
    delay: str, waited: float, bench: DriverBench, gemini_mock: GeminiMock, photo: Picture
) -> None:
    gemini_mock.script(GeminiKnob.HTTP_429_RETRYINFO, retry_delay=delay)
    await bench.run("image_edit", photo, _PROMPT)
    (pause,) = bench.pauses
    assert waited <= pause <= waited * 1.1


async def test_a_quota_that_comes_back_too_late_fails_at_once_and_says_when(
    bench: DriverBench, gemini_mock: GeminiMock, photo: Picture
) -> None:
    gemini_mock.script(GeminiKnob.HTTP_429_RETRYINFO, retry_delay="26s")
    with pytest.raises(ProviderError) as caught:
        await bench.run("image_edit", photo, _PROMPT, seconds=20)
    assert caught.value.retry_after is not None
    assert (caught.value.retry_after.total_seconds(), bench.pauses) == (26.0, [])


@pytest.mark.parametrize("knob", [GeminiKnob.HTTP_429_PER_DAY, GeminiKnob.HTTP_403])
async def test_what_will_not_pass_soon_is_told_to_the_breaker(
    knob: GeminiKnob, bench: DriverBench, gemini_mock: GeminiMock, photo: Picture
) -> None:
    gemini_mock.script(knob)
    with pytest.raises(ProviderError):
        await bench.run("image_edit", photo, _PROMPT)
    assert bench.verdicts == [Verdict.LONG_OUTAGE]


async def test_a_timeout_of_theirs_is_not_repeated_when_little_time_is_left(
    bench: DriverBench, gemini_mock: GeminiMock, photo: Picture
) -> None:
    gemini_mock.script(GeminiKnob.HTTP_504)
    with pytest.raises(ProviderError) as caught:
        await bench.run("image_edit", photo, _PROMPT, seconds=10)
    assert (caught.value.reason, len(gemini_mock.calls)) == ("TIMEOUT", 1)


async def test_a_slow_answer_is_waited_for(tmp_path: Path, photo: Picture) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with GeminiMock(sleep=sleep) as mock, _bench_for(mock, tmp_path) as bench:
        mock.script(GeminiKnob.SLOW, seconds=12)
        await bench.run("image_edit", photo, _PROMPT)
    assert (waited, bench.log.provider_calls) == ([12], 1)


async def test_at_the_deadline_the_driver_hangs_up(
    bench: DriverBench, gemini_mock: GeminiMock, photo: Picture
) -> None:
    gate = gemini_mock.hold()
    with pytest.raises(ProviderError) as caught:
        await bench.run("image_edit", photo, _PROMPT, seconds=1)
    assert caught.value.reason == "TIMEOUT"
    await gemini_mock.until(lambda: any(call.aborted for call in gemini_mock.calls))
    assert gate.held == 0


async def test_a_cancelled_job_hangs_up(bench: DriverBench, gemini_mock: GeminiMock, photo: Picture) -> None:
    gate = gemini_mock.hold()
    job = asyncio.create_task(bench.run("image_edit", photo, _PROMPT))
    await gemini_mock.until(lambda: gate.held == 1)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    await gemini_mock.until(lambda: any(call.aborted for call in gemini_mock.calls))


async def test_nobody_listening_is_a_network_failure_that_was_no_call(tmp_path: Path, photo: Picture) -> None:
    async with GeminiMock() as mock:
        gone = mock.base_url
    async with DriverBench(gemini.DRIVER, base_url=gone, api_key="key", directory=tmp_path) as bench:
        with pytest.raises(ProviderError) as caught:
            await bench.run("image_edit", photo, _PROMPT)
    assert (caught.value.reason, caught.value.provider_calls, len(bench.pauses)) == ("NETWORK", 0, 2)


async def test_a_wrong_key_is_named(tmp_path: Path, photo: Picture) -> None:
    async with (
        GeminiMock() as mock,
        DriverBench(gemini.DRIVER, base_url=mock.base_url, api_key="wrong", directory=tmp_path) as bench,
    ):
        with pytest.raises(ProviderError) as caught:
            await bench.run("image_edit", photo, _PROMPT)
    assert (caught.value.reason, len(mock.calls)) == ("AUTH", 1)


async def test_any_answer_but_a_refusal_is_a_sign_of_life(bench: DriverBench) -> None:
    await bench.check_health()  # this server lists no models, and says 404


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, b'{"error": {"details": [{"reason": "API_KEY_INVALID"}]}}', "AUTH"),
        (503, b"<html>", "PROVIDER_5XX"),
    ],
)
async def test_a_refused_key_and_a_broken_provider_are_no_signs_of_life(
    status: int, body: bytes, reason: str, tmp_path: Path
) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert "key" not in request.query
        assert request.headers["x-goog-api-key"] == "some-key"
        return web.Response(status=status, body=body)

    app = web.Application()
    app.router.add_get("/v1beta/models", answer)
    async with (
        TestServer(app) as server,
        DriverBench(
            gemini.DRIVER, base_url=str(server.make_url("/v1beta")), api_key="some-key", directory=tmp_path
        ) as bench,
    ):
        with pytest.raises(ProviderError) as caught:
            await bench.check_health()
    assert caught.value.reason == reason


def _bench_for(mock: GeminiMock, directory: Path) -> DriverBench:
    return DriverBench(gemini.DRIVER, base_url=mock.base_url, api_key=mock.api_key or "", directory=directory)
