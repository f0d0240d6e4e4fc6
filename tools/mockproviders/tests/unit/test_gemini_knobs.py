"""Every Gemini knob, seen through a real HTTP client."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json
from typing import Any

import aiohttp
import pytest
from photochanger_mockproviders import GeminiKnob, GeminiMock, Match
from PIL import Image

MODEL = "gemini-3.1-flash-image"


def a_request(photo: bytes, prompt: str = "make it snow", **config: object) -> dict[str, object]:
    image = {"inline_data": {"mime_type": "image/jpeg", "data": base64.b64encode(photo).decode()}}
    return {
        "contents": [{"role": "user", "parts": [image, {"text": prompt}]}],
        "generationConfig": {"responseModalities": ["IMAGE"], **config},
    }


async def ask(
    mock: GeminiMock, http: aiohttp.ClientSession, body: object, *, model: str = MODEL, **headers: str
) -> tuple[int, str, bytes]:
    async with http.post(
        f"{mock.base_url}/models/{model}:generateContent",
        json=body,
        headers={"x-goog-api-key": mock.api_key or "any", **headers},
    ) as response:
        return response.status, response.content_type, await response.read()


async def ask_json(
    mock: GeminiMock, http: aiohttp.ClientSession, body: object
) -> Any:  # documents, compared below
    status, _, answer = await ask(mock, http, body)
    assert status == 200
    return json.loads(answer)


def picture_of(part: dict[str, Any]) -> tuple[str, Image.Image, bytes]:
    data = base64.b64decode(part["inlineData"]["data"], validate=True)
    return part["inlineData"]["mimeType"], Image.open(io.BytesIO(data)), data


@pytest.mark.parametrize(
    ("knob", "mime_type", "file_format"),
    [
        (GeminiKnob.OK_PNG, "image/png", "PNG"),
        (GeminiKnob.OK_JPEG, "image/jpeg", "JPEG"),
        (GeminiKnob.MISLABELLED, "image/png", "JPEG"),
        (GeminiKnob.BLANK_IMAGE, "image/png", "PNG"),
    ],
)
async def test_a_good_answer_has_a_picture_of_the_size_asked_for(
    *,
    gemini: GeminiMock,
    http: aiohttp.ClientSession,
    photo: bytes,
    knob: GeminiKnob,
    mime_type: str,
    file_format: str,
) -> None:
    gemini.script(knob)
    answer = await ask_json(
        gemini, http, a_request(photo, imageConfig={"aspectRatio": "3:2", "imageSize": "1K"})
    )
    (candidate,) = answer["candidates"]
    assert (candidate["index"], candidate["finishReason"]) == (0, "STOP")
    text, image = candidate["content"]["parts"]
    assert "text" in text
    label, picture, data = picture_of(image)
    assert (label, picture.format, picture.size) == (mime_type, file_format, (1264, 848))
    assert (answer["modelVersion"], answer["responseId"]) == (MODEL, "mock-000001")
    assert {"modality": "IMAGE", "tokenCount": 1290} in answer["usageMetadata"]["promptTokensDetails"]
    assert gemini.calls[0].result_sha256 == hashlib.sha256(data).hexdigest()


async def test_the_edited_picture_keeps_the_middle_and_changes_the_corners(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    answer = await ask_json(gemini, http, a_request(photo, imageConfig={"aspectRatio": "4:3"}))
    _, picture, _ = picture_of(answer["candidates"][0]["content"]["parts"][1])
    before = Image.open(io.BytesIO(photo)).resize(picture.size).convert("RGB")
    middle, corner = (picture.width // 2, picture.height // 2), (40, 40)

    def change(at: tuple[int, int]) -> int:
        old, new = before.getpixel(at), picture.getpixel(at)
        assert isinstance(old, tuple)
        assert isinstance(new, tuple)
        return max(abs(a - b) for a, b in zip(old, new, strict=True))

    assert change(middle) < 12
    assert change(corner) > 40


async def test_without_an_aspect_ratio_the_answer_follows_the_photo(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    answer = await ask_json(gemini, http, a_request(photo))
    assert picture_of(answer["candidates"][0]["content"]["parts"][1])[1].size == (1200, 896)


async def test_same_image_answers_the_very_bytes_of_the_photo(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.SAME_IMAGE)
    answer = await ask_json(gemini, http, a_request(photo))
    assert picture_of(answer["candidates"][0]["content"]["parts"][1])[2] == photo


async def test_snake_case_renames_every_field_of_the_answer(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.SNAKE_CASE_RESPONSE)
    answer = await ask_json(gemini, http, a_request(photo))
    assert set(answer) == {"candidates", "usage_metadata", "model_version", "response_id"}
    assert answer["candidates"][0]["finish_reason"] == "STOP"
    assert answer["candidates"][0]["content"]["parts"][1]["inline_data"]["mime_type"] == "image/png"


async def test_thinking_models_show_two_interim_pictures_before_the_final_one(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.THOUGHT_THEN_FINAL)
    parts = (await ask_json(gemini, http, a_request(photo)))["candidates"][0]["content"]["parts"]
    images = [part for part in parts if "inlineData" in part]
    assert [part.get("thought", False) for part in images] == [True, True, False]
    assert "thoughtSignature" in images[-1]
    assert hashlib.sha256(picture_of(images[-1])[2]).hexdigest() == gemini.calls[0].result_sha256
    assert picture_of(images[0])[2] != picture_of(images[-1])[2]


async def test_the_only_picture_may_sit_in_a_thought(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.THOUGHT_ONLY)
    parts = (await ask_json(gemini, http, a_request(photo)))["candidates"][0]["content"]["parts"]
    assert [part["thought"] for part in parts] == [True, True]
    assert picture_of(parts[1])[1].format == "PNG"


@pytest.mark.parametrize(
    ("knob", "reason", "candidate"),
    [
        (GeminiKnob.NO_IMAGE, "", {"content": {}, "finishReason": "NO_IMAGE", "index": 0}),
        (GeminiKnob.PROHIBITED, "", {"finishReason": "PROHIBITED_CONTENT", "index": 0}),
        (
            GeminiKnob.CONTENT_WITHOUT_PARTS,
            "",
            {"content": {"role": "model"}, "finishReason": "STOP", "index": 0},
        ),
        (
            GeminiKnob.UNKNOWN_FINISH_REASON,
            "",
            {"finishReason": "REASON_NOBODY_HAS_HEARD_OF", "index": 0},
        ),
        (GeminiKnob.FINISH_REASON, "MAX_TOKENS", {"finishReason": "MAX_TOKENS", "index": 0}),
        (
            GeminiKnob.TEXT_ONLY_STOP,
            "",
            {
                "content": {
                    "role": "model",
                    "parts": [{"text": "I would rather describe the picture than draw it."}],
                },
                "finishReason": "STOP",
                "index": 0,
            },
        ),
    ],
)
async def test_answers_without_a_picture_are_http_200(
    *,
    gemini: GeminiMock,
    http: aiohttp.ClientSession,
    photo: bytes,
    knob: GeminiKnob,
    reason: str,
    candidate: dict[str, object],
) -> None:
    gemini.script(knob, reason=reason)
    answer = await ask_json(gemini, http, a_request(photo))
    assert answer["candidates"] == [candidate]
    assert "candidatesTokenCount" not in answer["usageMetadata"]


async def test_image_safety_has_a_message_and_no_content(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.IMAGE_SAFETY)
    (candidate,) = (await ask_json(gemini, http, a_request(photo)))["candidates"]
    assert set(candidate) == {"finishReason", "finishMessage", "index"}
    assert candidate["finishReason"] == "IMAGE_SAFETY"


async def test_a_blocked_prompt_has_feedback_and_no_candidates(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.PROMPT_BLOCKED, reason="SAFETY")
    answer = await ask_json(gemini, http, a_request(photo))
    assert answer["promptFeedback"] == {"blockReason": "SAFETY"}
    assert "candidates" not in answer


async def test_candidates_can_be_missing_without_feedback(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.CANDIDATES_MISSING)
    assert set(await ask_json(gemini, http, a_request(photo))) == {
        "usageMetadata",
        "modelVersion",
        "responseId",
    }


async def test_broken_pictures_are_broken(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.BAD_BASE64)
    gemini.script(GeminiKnob.UNDECODABLE_IMAGE)
    answers = [await ask_json(gemini, http, a_request(photo)) for _ in range(2)]
    first, second = (
        answer["candidates"][0]["content"]["parts"][0]["inlineData"]["data"] for answer in answers
    )
    with pytest.raises(ValueError, match=r"base64|data"):
        base64.b64decode(first, validate=True)
    assert base64.b64decode(second, validate=True).startswith(b"\x89PNG")
    with pytest.raises(OSError, match=r"(?i)identify|truncated|broken"):
        Image.open(io.BytesIO(base64.b64decode(second))).load()


@pytest.mark.parametrize(
    ("knob", "http_status", "status"),
    [
        (GeminiKnob.HTTP_429_RETRYINFO, 429, "RESOURCE_EXHAUSTED"),
        (GeminiKnob.HTTP_429_PER_DAY, 429, "RESOURCE_EXHAUSTED"),
        (GeminiKnob.HTTP_429_BARE, 429, "RESOURCE_EXHAUSTED"),
        (GeminiKnob.HTTP_400_API_KEY_INVALID, 400, "INVALID_ARGUMENT"),
        (GeminiKnob.HTTP_400_FAILED_PRECONDITION, 400, "FAILED_PRECONDITION"),
        (GeminiKnob.HTTP_403, 403, "PERMISSION_DENIED"),
        (GeminiKnob.HTTP_404_MODEL, 404, "NOT_FOUND"),
        (GeminiKnob.HTTP_500, 500, "INTERNAL"),
        (GeminiKnob.HTTP_503, 503, "UNAVAILABLE"),
        (GeminiKnob.HTTP_504, 504, "DEADLINE_EXCEEDED"),
    ],
)
@pytest.mark.parametrize("as_array", [False, True])
async def test_errors_have_googles_shape_alone_or_in_an_array(
    *,
    gemini: GeminiMock,
    http: aiohttp.ClientSession,
    photo: bytes,
    knob: GeminiKnob,
    http_status: int,
    status: str,
    as_array: bool,
) -> None:
    gemini.script(knob, *([GeminiKnob.ERROR_AS_ARRAY] if as_array else []))
    answered, content_type, body = await ask(gemini, http, a_request(photo))
    document = json.loads(body)
    if as_array:
        (document,) = document
    assert (answered, content_type) == (http_status, "application/json")
    assert (document["error"]["code"], document["error"]["status"]) == (http_status, status)
    assert document["error"]["message"]


async def details(gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes) -> dict[str, Any]:
    _, _, body = await ask(gemini, http, a_request(photo))
    return {item["@type"].rpartition(".")[2]: item for item in json.loads(body)["error"].get("details", [])}


async def test_quota_errors_tell_apart_a_minute_from_a_day(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.HTTP_429_RETRYINFO, retry_delay="0.25s")
    gemini.script(GeminiKnob.HTTP_429_PER_DAY)
    gemini.script(GeminiKnob.HTTP_429_BARE)
    minute, day, bare = [await details(gemini, http, photo) for _ in range(3)]
    assert minute["RetryInfo"]["retryDelay"] == "0.25s"
    assert "PerMinute" in minute["QuotaFailure"]["violations"][0]["quotaId"]
    assert "PerDay" in day["QuotaFailure"]["violations"][0]["quotaId"]
    assert bare == {}


async def test_a_bad_key_is_told_by_its_reason(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.HTTP_400_API_KEY_INVALID)
    assert (await details(gemini, http, photo))["ErrorInfo"]["reason"] == "API_KEY_INVALID"


async def test_a_proxy_answers_502_in_html(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.HTML_502)
    status, content_type, body = await ask(gemini, http, a_request(photo))
    assert (status, content_type) == (502, "text/html")
    assert body.startswith(b"<!DOCTYPE html>")


async def test_error_as_array_alone_is_a_503(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.ERROR_AS_ARRAY)
    status, _, body = await ask(gemini, http, a_request(photo))
    assert (status, json.loads(body)[0]["error"]["code"]) == (503, 503)


async def test_a_truncated_body_breaks_off_after_status_200(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.TRUNCATE_BODY)
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask(gemini, http, a_request(photo))
    assert gemini.calls[0].status == 200


async def test_disconnect_gives_no_answer_at_all(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.DISCONNECT)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await ask(gemini, http, a_request(photo))
    assert gemini.calls[0].status is None


async def test_slow_sleeps_on_the_injected_clock_before_it_answers(
    http: aiohttp.ClientSession, photo: bytes
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with GeminiMock(sleep=sleep, delay=2) as mock:
        mock.script(GeminiKnob.SLOW, GeminiKnob.NO_IMAGE, seconds=30)
        answer = await ask_json(mock, http, a_request(photo))
        await ask_json(mock, http, a_request(photo))
    assert answer["candidates"][0]["finishReason"] == "NO_IMAGE"
    assert slept == [32, 2]


async def test_a_script_ends_and_the_default_follows(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.by_default(GeminiKnob.HTTP_503)
    gemini.script(GeminiKnob.NO_IMAGE, times=2)
    gemini.script(GeminiKnob.HTTP_500)
    statuses = [(await ask(gemini, http, a_request(photo)))[0] for _ in range(4)]
    assert statuses == [200, 200, 500, 503]
    assert gemini.script_left == 0


async def test_a_script_waits_for_the_request_it_is_meant_for(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gemini.script(GeminiKnob.HTTP_500, matching=Match(prompt="mine"))
    gemini.script(GeminiKnob.HTTP_503, matching=Match(header=("X-Test", "a")))
    gemini.script(GeminiKnob.HTTP_504, matching=Match(model="gemini-3-pro-image"))
    others = await ask(gemini, http, a_request(photo))
    by_model = await ask(gemini, http, a_request(photo), model="gemini-3-pro-image")
    by_header = await ask(gemini, http, a_request(photo), **{"x-test": "a"})
    by_prompt = await ask(gemini, http, a_request(photo, "this is mine"))
    assert [others[0], by_model[0], by_header[0], by_prompt[0]] == [200, 504, 503, 500]


async def test_a_gate_holds_only_what_it_matches_until_it_is_released(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gate = gemini.hold(Match(prompt="wait"))
    async with asyncio.TaskGroup() as tasks:
        held = tasks.create_task(ask(gemini, http, a_request(photo, "wait here")))
        await gemini.until(lambda: gate.held == 1)
        assert (await ask(gemini, http, a_request(photo)))[0] == 200
        assert not held.done()
        gemini.release()
    assert held.result()[0] == 200


async def test_a_client_that_hangs_up_is_seen(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    gate = gemini.hold()
    held = asyncio.create_task(ask(gemini, http, a_request(photo)))
    await gemini.until(lambda: gate.held == 1)
    held.cancel()
    await gemini.until(lambda: gemini.calls[0].aborted)
    assert gate.held == 0


def test_contradicting_knobs_are_refused() -> None:
    mock = GeminiMock()
    with pytest.raises(ValueError, match="cannot be all"):
        mock.script(GeminiKnob.HTTP_500, GeminiKnob.NO_IMAGE)
    with pytest.raises(ValueError, match="seconds"):
        mock.script(GeminiKnob.SLOW)
