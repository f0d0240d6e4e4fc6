"""Google's Gemini: edits a photo by one `generateContent` call that answers with the picture.

POST {base}/models/{model}:generateContent, the key in `x-goog-api-key` (never in the URL: it would be
logged). Synchronous: no job id, no cancel; hanging up is the only way out, and may still be billed.
Source: https://ai.google.dev/api/generate-content (v1beta), read in November 2026.

Pictures go into the request from disk, and the answer's picture goes to disk: neither is ever whole in
memory, in base64 or otherwise.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Final
from urllib.parse import quote

import structlog
from photochanger_imaging.encode import downscale_to
from photochanger_imaging.errors import ImageError
from photochanger_imaging.probe import probe
from pydantic import ValidationError

from photochanger_providers.application.driver import DriverRequest, DriverResult
from photochanger_providers.domain.errors import (
    BadInput,
    BadProviderResponse,
    ProviderAuthFailed,
    ProviderError,
    ProviderFault,
    ProviderMisconfigured,
)
from photochanger_providers.domain.picture import Picture
from photochanger_providers.domain.repeat import Repeat
from photochanger_providers.drivers.big_json import BadJson, decoded_base64, read_big_json
from photochanger_providers.drivers.body import Base64Of, RequestBody
from photochanger_providers.drivers.entry import DriverEntry, DriverTools
from photochanger_providers.drivers.gemini_answers import (
    GeneratedContent,
    Refusal,
    chosen_image,
    facts_of,
    model_of,
    parse_refusal,
    refused,
    why_no_image,
)
from photochanger_providers.drivers.gemini_settings import AUTO, INFO, GeminiSettings
from photochanger_providers.drivers.http import ProviderAnswer
from photochanger_providers.drivers.waiting import parse_retry_after

MOST_BODY_BYTES: Final = 20 * 1024 * 1024
"""Of a whole request. More is refused: "Request payload size exceeds the limit: 20971520 bytes."."""
_ENVELOPE_BYTES: Final = 16 * 1024  # all of it but the pictures and the prompt
_MOST_ANSWER_BYTES: Final = 64 * 1024 * 1024  # a 4K PNG in base64, and the two thoughts before it
_LEAST_HALVED_SIDE_PX: Final = 1536
_ERROR_TEXT_CHARS: Final = 300
_UNREADABLE: Final = "Gemini's answer cannot be read."

_log = structlog.stdlib.get_logger(__name__)


class GeminiDriver:
    """Edits photos with Gemini's image models."""

    def __init__(self, tools: DriverTools) -> None:
        self._http = tools.http
        self._memory = tools.memory
        self._clock = tools.clock

    async def process(self, request: DriverRequest) -> DriverResult:
        """Sends the photo, then the templates, then the prompt; takes the picture out of the answer.

        A NO_IMAGE answer is repeated as the slot's settings say; it costs little, and comes within 2 s.
        """
        settings = GeminiSettings.model_validate(request.settings)
        if not settings.prompt.strip():
            raise ProviderMisconfigured(
                "The prompt is empty once the booth's fields are in it. Give them defaults.", provider_calls=0
            )
        pictures = await self._fitting(
            [request.photo, *(each.picture for each in request.templates)], request, settings
        )
        answer_file, picture_file = request.workspace.new_file(".json"), request.workspace.new_file(".image")
        # The table of Google's own SDK repeats these; a lost answer may be billed twice, which is accepted.
        broken = Repeat.backoff(2)
        async with self._http.request(
            "POST",
            f"/models/{quote(settings.model, safe='')}:generateContent",
            headers={"x-goog-api-key": request.api_key},
            body=_body(pictures, settings),
            if_not_sent=broken,
            if_lost=broken,
        ) as answer:
            if answer.status != HTTPStatus.OK:
                raise await self._refused(answer, settings.model, request.api_key)
            await answer.save(answer_file, _MOST_ANSWER_BYTES)
        return await asyncio.to_thread(_result, answer_file, picture_file, _no_image_repeat(settings))

    async def check_health(self, api_key: str) -> None:
        """Asks for one model's description."""
        async with self._http.request(
            "GET", "/models?pageSize=1", headers={"x-goog-api-key": api_key}
        ) as answer:
            if answer.status == HTTPStatus.OK:
                return
            error = refused(parse_refusal(await answer.read()), http_status=answer.status, model="")
        if isinstance(error, ProviderAuthFailed | ProviderFault):
            raise error

    async def close(self) -> None:
        """Nothing was opened."""

    async def _refused(self, answer: ProviderAnswer, model: str, api_key: str) -> ProviderError:
        refusal = parse_refusal(await answer.read())
        _log.info(
            "gemini.refused",
            model=model,
            http_status=answer.status,
            detail=_error_text(refusal, api_key),
        )
        retry_after = parse_retry_after(answer.headers.get("Retry-After"), now=self._clock.now())
        return refused(refusal, http_status=answer.status, model=model, retry_after=retry_after)

    async def _fitting(
        self, pictures: Sequence[Picture], request: DriverRequest, settings: GeminiSettings
    ) -> list[Picture]:
        """Makes pictures smaller where the slot or the size of the request asks for it."""
        side = settings.max_input_side_px
        fitting = [
            await self._smaller(picture, request, side_px=side) if 0 < side < _longest(picture) else picture
            for picture in pictures
        ]
        room = MOST_BODY_BYTES - _ENVELOPE_BYTES - len(json.dumps(settings.prompt))
        share = _share_of_each([picture.size_bytes for picture in fitting], room // 4 * 3)
        return [
            await self._smaller(picture, request, side_px=_halved(picture), most_bytes=share)
            if picture.size_bytes > share
            else picture
            for picture in fitting
        ]

    async def _smaller(
        self, picture: Picture, request: DriverRequest, *, side_px: int, most_bytes: int | None = None
    ) -> Picture:
        target = request.workspace.new_file(".jpg")
        async with self._memory.hold(_shrinking_bytes(picture, side_px)):
            try:
                return await asyncio.to_thread(_shrink, picture, target, side_px, most_bytes)
            except ImageError as error:
                raise BadInput(
                    "A picture cannot be made small enough for Gemini.", provider_calls=0
                ) from error


DRIVER: Final = DriverEntry(INFO, GeminiDriver)


def _body(pictures: Sequence[Picture], settings: GeminiSettings) -> RequestBody:
    """Writes the request around the pictures, which are encoded as they are sent."""
    parts: list[bytes | Base64Of] = [b'{"contents":[{"role":"user","parts":[']
    for picture in pictures:
        # `mime_type` is one of three that need no escaping, and is never the `image/jpg` Google refuses.
        head = f'{{"inlineData":{{"mimeType":"{picture.mime_type}","data":"'
        parts += [head.encode(), Base64Of(picture), b'"}},']
    options = {"generationConfig": _generation_config(settings), "safetySettings": _safety_settings(settings)}
    tail = "".join(f",{json.dumps(name)}:{json.dumps(value)}" for name, value in options.items() if value)
    parts.append(f'{{"text":{json.dumps(settings.prompt)}}}]}}]{tail}}}'.encode())
    return RequestBody("application/json", parts)


def _generation_config(settings: GeminiSettings) -> Mapping[str, object]:
    image = {"aspectRatio": settings.aspect_ratio, "imageSize": settings.image_size}
    chosen = {name: value for name, value in image.items() if value != AUTO}
    modalities = ["IMAGE"] if settings.response == "image" else ["TEXT", "IMAGE"]
    return {"responseModalities": modalities} | ({"imageConfig": chosen} if chosen else {})


def _safety_settings(settings: GeminiSettings) -> list[Mapping[str, str]]:
    thresholds = {
        "HARM_CATEGORY_HARASSMENT": settings.safety_harassment,
        "HARM_CATEGORY_HATE_SPEECH": settings.safety_hate_speech,
        "HARM_CATEGORY_SEXUALLY_EXPLICIT": settings.safety_sexually_explicit,
        "HARM_CATEGORY_DANGEROUS_CONTENT": settings.safety_dangerous_content,
    }
    return [
        {"category": category, "threshold": threshold}
        for category, threshold in thresholds.items()
        if threshold != "default"
    ]


def _no_image_repeat(settings: GeminiSettings) -> Repeat:
    pause = timedelta(seconds=settings.no_image_pause_seconds)
    return Repeat(pauses=(pause,) * settings.no_image_repeats)


def _result(answer_file: Path, picture_file: Path, no_image: Repeat) -> DriverResult:
    """Takes the picture out of a saved answer. For a thread."""
    try:
        document = read_big_json(answer_file)
        answer = GeneratedContent.model_validate(document.document)
    except (BadJson, ValidationError) as error:
        raise BadProviderResponse(_UNREADABLE, repeat=Repeat.once()) from error
    chosen = chosen_image(answer)
    if chosen is None:
        failure = why_no_image(answer, no_image=no_image)
        _log.info("gemini.no_image", reason=failure.reason, **facts_of(answer))
        raise failure
    try:
        with picture_file.open("xb") as file:
            file.writelines(decoded_base64(document.pieces(chosen)))
    except ValueError as error:
        raise BadProviderResponse("Gemini's picture is not proper base64.", repeat=Repeat.once()) from error
    answer_file.unlink()  # the workspace may be in memory, and this is the larger half
    return DriverResult(picture_file, model=model_of(answer), facts=facts_of(answer))


def _shrink(picture: Picture, target: Path, side_px: int, most_bytes: int | None) -> Picture:
    with picture.path.open("rb") as file:
        small = downscale_to(file, max_bytes=most_bytes, max_side_px=side_px)
    target.write_bytes(small)
    width_px, height_px = probe(small).upright_size
    return Picture(target, "image/jpeg", len(small), width_px, height_px)


def _share_of_each(sizes: Sequence[int], most: int) -> int:
    """Returns the size to which the largest have to come down so that all fit; the small ones stay."""
    left, share = most, most
    for number, size in enumerate(sorted(sizes)):
        share = left // (len(sizes) - number)
        if size > share:
            return share
        left -= size
    return max(share, *sizes)


def _longest(picture: Picture) -> int:
    return max(picture.width_px, picture.height_px)


def _halved(picture: Picture) -> int:
    """Returns half the longer side where that is still plenty: a JPEG is decoded at half its size for a
    quarter of the work, and the models look at less anyway.
    """
    half = _longest(picture) // 2
    return half if half >= _LEAST_HALVED_SIDE_PX else _longest(picture)


def _shrinking_bytes(picture: Picture, side_px: int) -> int:
    """Returns the memory it takes: the file twice, and the pixels decoded and resized or encoded."""
    halved = picture.mime_type == "image/jpeg" and side_px * 2 <= _longest(picture)
    pixels = picture.width_px * picture.height_px // (4 if halved else 1)
    return picture.size_bytes * 2 + pixels * 6


def _error_text(refusal: Refusal, api_key: str) -> str:
    """Returns Google's sentence for the log. That of a suspended key has the key in it."""
    text = refusal.message or ""
    return (text.replace(api_key, "***") if api_key else text)[:_ERROR_TEXT_CHARS]
