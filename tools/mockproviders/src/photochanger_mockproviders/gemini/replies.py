"""Builds every answer of the Gemini mock, byte for byte as documented."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..pictures import PictureFormat
from ..script import Behaviour
from ..server import Reply
from . import errors
from .errors import JSON_TYPE, ApiError
from .knobs import MODIFIERS, GeminiKnob

_BAD_GATEWAY = (
    b"<!DOCTYPE html>\n<html lang=en>\n<title>Error 502 (Server Error)!!1</title>\n"
    b"<p><b>502.</b> <ins>That\xe2\x80\x99s an error.</ins>\n"
)
_FILTERED = (
    "Unable to show the generated image. The image was filtered out because it violated the provider's"
    " policies. You will not be charged for filtered images. Try rephrasing the prompt."
)
PICTURED = frozenset(
    {
        GeminiKnob.OK_PNG,
        GeminiKnob.OK_JPEG,
        GeminiKnob.THOUGHT_THEN_FINAL,
        GeminiKnob.THOUGHT_ONLY,
        GeminiKnob.MISLABELLED,
        GeminiKnob.BLANK_IMAGE,
        GeminiKnob.SAME_IMAGE,
    }
)
"""Outcomes that need a picture to be drawn."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The answer's picture, and the interim one that thinking models show on their way to it."""

    final: bytes
    interim: bytes
    mime_type: str = PictureFormat.PNG.mime_type


NO_PICTURES = Pictures(b"", b"")


@dataclass(frozen=True, slots=True)
class Answered:
    """What the envelope around the candidates tells of the request."""

    model: str
    response_id: str
    input_images: int = 1


def outcome_of(behaviour: Behaviour[GeminiKnob]) -> GeminiKnob:
    """The knob that decides the content. Modifiers alone: a good picture; `error_as_array` alone: a 503."""
    for knob in sorted(behaviour.knobs - MODIFIERS):
        return knob
    return GeminiKnob.HTTP_503 if GeminiKnob.ERROR_AS_ARRAY in behaviour else GeminiKnob.OK_PNG


def build(behaviour: Behaviour[GeminiKnob], answered: Answered, pictures: Pictures) -> Reply:
    """The whole answer. `disconnect` has none and is not for this function."""
    knob = outcome_of(behaviour)
    if knob is GeminiKnob.HTML_502:
        return Reply(502, _BAD_GATEWAY, "text/html; charset=UTF-8")
    error = _error(knob, behaviour, answered.model)
    if error is not None:
        return error.reply(as_array=GeminiKnob.ERROR_AS_ARRAY in behaviour)
    document = _document(knob, behaviour, answered, pictures)
    if GeminiKnob.SNAKE_CASE_RESPONSE in behaviour:
        document = _renamed(document, _snake)
    reply = Reply(200, json.dumps(document).encode(), JSON_TYPE)
    return dataclasses.replace(reply, truncated=GeminiKnob.TRUNCATE_BODY in behaviour)


def _error(knob: GeminiKnob, behaviour: Behaviour[GeminiKnob], model: str) -> ApiError | None:
    makers: Mapping[GeminiKnob, Callable[[], ApiError]] = {
        GeminiKnob.HTTP_429_BARE: errors.quota,
        GeminiKnob.HTTP_400_API_KEY_INVALID: errors.api_key_invalid,
        GeminiKnob.HTTP_400_FAILED_PRECONDITION: errors.precondition_failed,
        GeminiKnob.HTTP_403: errors.permission_denied,
        GeminiKnob.HTTP_500: errors.internal,
        GeminiKnob.HTTP_503: errors.unavailable,
        GeminiKnob.HTTP_504: errors.deadline_exceeded,
        GeminiKnob.HTTP_404_MODEL: lambda: errors.model_not_found(model),
    }
    if knob in makers:
        return makers[knob]()
    if knob in {GeminiKnob.HTTP_429_RETRYINFO, GeminiKnob.HTTP_429_PER_DAY}:
        per_day = knob is GeminiKnob.HTTP_429_PER_DAY
        return errors.quota(errors.quota_details(model, per_day=per_day, retry_delay=behaviour.retry_delay))
    return None


def _document(
    knob: GeminiKnob, behaviour: Behaviour[GeminiKnob], answered: Answered, pictures: Pictures
) -> dict[str, object]:
    head: dict[str, object] = {}
    if knob is GeminiKnob.PROMPT_BLOCKED:
        head["promptFeedback"] = {"blockReason": behaviour.reason or "PROHIBITED_CONTENT"}
    elif knob is not GeminiKnob.CANDIDATES_MISSING:
        head["candidates"] = [{**_candidate(knob, behaviour, pictures), "index": 0}]
    produced = 1290 if knob in PICTURED else 0
    prompt_tokens = 30 + 1290 * answered.input_images
    details = [{"modality": "TEXT", "tokenCount": 30}]
    if answered.input_images:
        details.append({"modality": "IMAGE", "tokenCount": 1290 * answered.input_images})
    usage: dict[str, object] = {
        "promptTokenCount": prompt_tokens,
        "totalTokenCount": prompt_tokens + produced,
        "promptTokensDetails": details,
    }
    if produced:
        usage["candidatesTokenCount"] = produced
    return {
        **head,
        "usageMetadata": usage,
        "modelVersion": answered.model,
        "responseId": answered.response_id,
    }


def _candidate(knob: GeminiKnob, behaviour: Behaviour[GeminiKnob], pictures: Pictures) -> dict[str, object]:
    reason = behaviour.reason
    bare: Mapping[GeminiKnob, dict[str, object]] = {
        GeminiKnob.NO_IMAGE: {"content": {}, "finishReason": reason or "NO_IMAGE"},
        GeminiKnob.IMAGE_SAFETY: {"finishReason": "IMAGE_SAFETY", "finishMessage": _FILTERED},
        GeminiKnob.PROHIBITED: {"finishReason": "PROHIBITED_CONTENT"},
        GeminiKnob.FINISH_REASON: {"finishReason": reason or "OTHER"},
        GeminiKnob.UNKNOWN_FINISH_REASON: {"finishReason": reason or "REASON_NOBODY_HAS_HEARD_OF"},
        GeminiKnob.CONTENT_WITHOUT_PARTS: {"content": {"role": "model"}, "finishReason": "STOP"},
    }
    if knob in bare:
        return bare[knob]
    return {"content": {"role": "model", "parts": _parts(knob, pictures)}, "finishReason": "STOP"}


def _parts(knob: GeminiKnob, pictures: Pictures) -> list[dict[str, object]]:
    final = _picture(pictures.final, pictures.mime_type)
    interim = {**_picture(pictures.interim, pictures.mime_type), "thought": True}
    match knob:
        case GeminiKnob.TEXT_ONLY_STOP:
            return [{"text": "I would rather describe the picture than draw it."}]
        case GeminiKnob.BAD_BASE64:
            return [{"inlineData": {"mimeType": "image/png", "data": "%%% this is no base64 %%%"}}]
        case GeminiKnob.UNDECODABLE_IMAGE:
            return [_picture(b"\x89PNG\r\n\x1a\nand then nothing of the kind", "image/png")]
        case GeminiKnob.THOUGHT_ONLY:
            return [{"text": "Thinking.", "thought": True}, {**final, "thought": True}]
        case GeminiKnob.THOUGHT_THEN_FINAL:
            return [
                {"text": "First a sketch, then the light.", "thought": True},
                interim,
                interim,
                {"text": "Here is the edit."},
                {**final, "thoughtSignature": "c2lnbmF0dXJl"},
            ]
        case _ if knob in PICTURED:
            return [{"text": "Here is the edit."}, final]
        case _:
            raise ValueError(f"{knob} has no answer of its own")


def _picture(data: bytes, mime_type: str) -> dict[str, object]:
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode("ascii")}}


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: "_" + found[0].lower(), name)


def _renamed(value: dict[str, object], rename: Callable[[str], str]) -> dict[str, object]:
    def walk(item: object) -> object:
        if isinstance(item, dict):
            return {rename(key): walk(inner) for key, inner in item.items()}
        if isinstance(item, list | tuple):
            return [walk(inner) for inner in item]
        return item

    return {rename(key): walk(inner) for key, inner in value.items()}
