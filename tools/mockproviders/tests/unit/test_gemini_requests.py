"""What the Gemini mock refuses, and what it writes down."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from datetime import UTC, datetime

import aiohttp
import pytest
from photochanger_mockproviders import MODELS, GeminiKnob, GeminiMock, ImageModel, fixed

MODEL = "gemini-3.1-flash-image"


def blob(data: bytes, mime_type: str = "image/jpeg") -> dict[str, object]:
    return {"inline_data": {"mime_type": mime_type, "data": base64.b64encode(data).decode()}}


def a_body(*parts: object, **fields: object) -> dict[str, object]:
    return {"contents": [{"role": "user", "parts": list(parts) or [{"text": "snow"}]}], **fields}


async def ask(
    mock: GeminiMock,
    http: aiohttp.ClientSession,
    body: object,
    *,
    model: str = MODEL,
    key: str | None = "mock-gemini-key",
    query: str = "",
) -> tuple[int, str, str]:
    """HTTP status, canonical status and message; the last two are empty after a success."""
    headers = {"Content-Type": "application/json"} | ({"x-goog-api-key": key} if key else {})
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    url = f"{mock.base_url}/models/{model}:generateContent{query}"
    async with http.post(url, data=io.BytesIO(data), headers=headers) as response:
        error = json.loads(await response.read()).get("error", {})
        return response.status, error.get("status", ""), error.get("message", "")


@pytest.mark.parametrize(
    ("generation_config", "says"),
    [
        ({"imageConfig": {"outputMimeType": "image/jpeg"}}, 'Unknown name "outputMimeType"'),
        ({"imageConfig": {"personGeneration": "ALLOW_ALL"}}, 'Unknown name "personGeneration"'),
        ({"imageConfig": {"outputCompressionQuality": 80}}, 'Unknown name "outputCompressionQuality"'),
        ({"output_mime_type": "image/png"}, 'Unknown name "output_mime_type"'),
        ({"responseMimeType": "image/png"}, "allowed mimetypes"),
        ({"imageConfig": {"aspectRatio": "7:5"}}, "aspect_ratio must be one of"),
        ({"imageConfig": {"imageSize": "8K"}}, "Image size 8K"),
        ({"imageConfig": {"imageSize": "1k"}}, "Image size 1k"),
        ({"imageConfig": {"imageSize": 1}}, "Invalid value"),
        ({"responseModalities": ["VIDEO"]}, "Invalid value"),
        ({"responseModalities": "IMAGE"}, "Invalid value"),
        ({"temperature": "hot"}, "Invalid value"),
        ([], "Invalid value"),
    ],
)
async def test_options_this_endpoint_does_not_know_are_400(
    gemini: GeminiMock, http: aiohttp.ClientSession, generation_config: object, says: str
) -> None:
    status, name, message = await ask(gemini, http, a_body(generationConfig=generation_config))
    assert (status, name) == (400, "INVALID_ARGUMENT")
    assert says in message


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{not json", "Invalid JSON"),
        ([1], "Invalid value"),
        ({}, "contents is not specified"),
        ({"contents": []}, "contents is not specified"),
        (a_body({}), "oneof field 'data'"),
        (a_body({"text": "a", "inlineData": {}}), "already set"),
        (a_body({"text": 5}), "Invalid value"),
        (a_body({"words": "a"}), 'Unknown name "words"'),
        (a_body(prompt="x"), 'Unknown name "prompt"'),
        ({"contents": [{"role": "robot", "parts": [{"text": "a"}]}]}, "valid role"),
        ({"contents": [{"parts": []}]}, "must not be empty"),
        (a_body({"inlineData": {"mimeType": "image/png", "data": "§"}}), "Base64 decoding failed"),
        (a_body({"inlineData": {"mimeType": "image/png", "data": ""}}), "oneof field 'data'"),
        (a_body(blob(b"no picture", "image/png")), "Unable to process input image"),
        (a_body(safetySettings=[{"category": "HARM_CATEGORY_X", "threshold": "OFF"}]), "Invalid value"),
        (
            a_body(safetySettings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "SOME"}]),
            "Invalid value",
        ),
    ],
)
async def test_malformed_requests_are_400(
    gemini: GeminiMock, http: aiohttp.ClientSession, body: object, says: str
) -> None:
    status, name, message = await ask(gemini, http, body)
    assert (status, name) == (400, "INVALID_ARGUMENT")
    assert says in message


async def test_the_type_image_jpg_is_refused(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    answer = await ask(gemini, http, a_body(blob(photo, "image/jpg")))
    assert answer == (400, "INVALID_ARGUMENT", "Unsupported MIME type: image/jpg")


async def test_both_spellings_and_url_safe_base64_are_taken(
    gemini: GeminiMock, http: aiohttp.ClientSession, photo: bytes
) -> None:
    data = base64.urlsafe_b64encode(photo).decode().rstrip("=")
    part = {"inlineData": {"mimeType": "image/jpeg", "data": data}}
    body = a_body(part, {"text": "x"}, generation_config={"image_config": {"aspect_ratio": "1:1"}})
    assert (await ask(gemini, http, body))[0] == 200
    assert gemini.calls[0].request.aspect_ratio == "1:1"


async def test_a_wrong_key_is_400_and_a_missing_one_403(
    gemini: GeminiMock, http: aiohttp.ClientSession
) -> None:
    assert (await ask(gemini, http, a_body(), key="other"))[:2] == (400, "INVALID_ARGUMENT")
    assert (await ask(gemini, http, a_body(), key=None))[:2] == (403, "PERMISSION_DENIED")
    assert [call.status for call in gemini.calls] == [400, 403]


async def test_a_key_in_the_url_works_and_is_held_against_the_client(
    gemini: GeminiMock, http: aiohttp.ClientSession
) -> None:
    assert (await ask(gemini, http, a_body(), key=None, query="?key=mock-gemini-key"))[0] == 200
    assert gemini.violations == ["call 1: the API key is in the URL"]


async def test_any_key_will_do_when_none_is_named(http: aiohttp.ClientSession) -> None:
    async with GeminiMock(api_key=None) as mock:
        assert (await ask(mock, http, a_body(), key="whatever"))[0] == 200


@pytest.mark.parametrize(
    "model", ["gemini-2.5-flash-image", "gemini-2.5-flash-image-preview", "gemini-3-pro-image-preview", "gpt"]
)
async def test_retired_and_unknown_models_are_404(
    gemini: GeminiMock, http: aiohttp.ClientSession, model: str
) -> None:
    status, name, message = await ask(gemini, http, a_body(), model=model)
    assert (status, name) == (404, "NOT_FOUND")
    assert f"models/{model} is not found" in message


async def test_options_are_checked_per_model(http: aiohttp.ClientSession) -> None:
    old = ImageModel("gemini-2.5-flash-image", max_input_images=1)
    async with GeminiMock(models=(*MODELS, old)) as mock:
        large = a_body(generationConfig={"imageConfig": {"imageSize": "1K"}})
        refused = [
            await ask(mock, http, large, model=name)
            for name in ("gemini-3.1-flash-lite-image", "gemini-2.5-flash-image")
        ]
        assert [answer[0] for answer in refused] == [400, 400]
        assert (await ask(mock, http, large, model="gemini-3-pro-image"))[0] == 200
        two = a_body(*[blob(fixed(16_384))] * 2)
        assert (await ask(mock, http, two, model="gemini-2.5-flash-image"))[0] == 400


@pytest.mark.parametrize("http_status", [400, 413])
@pytest.mark.parametrize("fast", [False, True])
async def test_a_body_over_20_mb_is_refused_after_it_was_read(
    http: aiohttp.ClientSession, http_status: int, fast: bool
) -> None:
    result = fixed(20_000)
    async with GeminiMock(too_large_http=http_status, fast=fast, result=result) as mock:
        body = json.dumps(a_body({"text": "a" * 21_000_000})).encode()
        status, name, message = await ask(mock, http, body)
        assert (status, name) == (http_status, "INVALID_ARGUMENT")
        assert message == "Request payload size exceeds the limit: 20971520 bytes."
        assert mock.calls[0].body_bytes == len(body)


async def test_a_call_is_written_down_with_all_a_test_may_ask_for(
    http: aiohttp.ClientSession, photo: bytes
) -> None:
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    template = fixed(16_384)
    config = {"responseModalities": ["IMAGE"], "imageConfig": {"aspectRatio": "3:2", "imageSize": "1K"}}
    safety = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}]
    body = a_body(
        blob(photo), blob(template), {"text": "snow"}, generationConfig=config, safetySettings=safety
    )
    async with GeminiMock(clock=lambda: now) as mock:
        mock.script(GeminiKnob.NO_IMAGE)
        await ask(mock, http, body)
        (call,) = mock.calls
    assert (call.number, call.at, call.model, call.status) == (1, now, MODEL, 200)
    assert call.body_bytes == len(json.dumps(body))
    assert call.request.part_kinds == ("image", "image", "text")
    assert call.request.prompt == "snow"
    assert call.request.generation_config == config
    assert call.request.safety_settings == (("HARM_CATEGORY_HARASSMENT", "BLOCK_ONLY_HIGH"),)
    assert [(image.sha256, image.size_bytes) for image in call.request.images] == [
        (hashlib.sha256(data).hexdigest(), len(data)) for data in (photo, template)
    ]
    assert call.request.images[0].actual.width_px == 320
    assert call.behaviour is not None
    assert GeminiKnob.NO_IMAGE in call.behaviour


async def test_a_refused_request_uses_up_no_script(gemini: GeminiMock, http: aiohttp.ClientSession) -> None:
    gemini.script(GeminiKnob.HTTP_500)
    await ask(gemini, http, {})
    assert gemini.script_left == 1


async def test_text_only_modalities_give_no_picture(gemini: GeminiMock, http: aiohttp.ClientSession) -> None:
    url = f"{gemini.base_url}/models/{MODEL}:generateContent"
    body = a_body(generationConfig={"responseModalities": ["TEXT"]})
    async with http.post(url, json=body, headers={"x-goog-api-key": "mock-gemini-key"}) as response:
        parts = (await response.json())["candidates"][0]["content"]["parts"]
    assert [set(part) for part in parts] == [{"text"}]


async def test_fast_mode_answers_the_fixed_picture_and_checks_only_the_frame(
    http: aiohttp.ClientSession,
) -> None:
    result = fixed(200_000)
    async with GeminiMock(fast=True, result=result) as mock:
        url = f"{mock.base_url}/models/{MODEL}:generateContent"
        photo = {"inlineData": {"mimeType": "image/jpg", "data": "A" * 5_000_000}}
        body = json.dumps(a_body(photo, {"text": 'snow, "please"'})).encode()
        headers = {"x-goog-api-key": "mock-gemini-key", "Content-Type": "application/json"}
        for _ in range(2):
            async with http.post(url, data=io.BytesIO(body), headers=headers) as response:
                part = (await response.json())["candidates"][0]["content"]["parts"][1]
                assert base64.b64decode(part["inlineData"]["data"]) == result
                assert part["inlineData"]["mimeType"] == "image/jpeg"
        assert [call.body_bytes for call in mock.calls] == [len(body)] * 2
        assert {call.request.prompt for call in mock.calls} == {'snow, "please"'}
        assert (await ask(mock, http, b'{"contents": [{"parts": [{"text": "\\q"}]}]}'))[0] == 400
        assert (await ask(mock, http, b'{"contents": '))[0] == 400
        assert (await ask(mock, http, b'{"content": []}'))[0] == 400
        assert (await ask(mock, http, a_body(), key="wrong"))[0] == 400
