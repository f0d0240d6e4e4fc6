"""Builds every answer of the Turbotext mock."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from ..script import Behaviour, Step
from ..server import Reply
from .forms import METHODS, Fields
from .knobs import ERRORS, MOVABLE, TurbotextKnob

JSON_TYPE = "application/json"
HTML = Reply(
    200,
    b"<!DOCTYPE html><html><head><title>Turbotext</title></head><body>Technical works</body></html>",
    "text/html; charset=utf-8",
)
UNAUTHORIZED = Reply(401, b'{"success": false, "error": "auth_error"}', JSON_TYPE)
_UNAVAILABLE = Reply(503, b"<html><body><h1>503 Service Unavailable</h1></body></html>", "text/html")
# A comma too many: an example on the provider's own page cannot be parsed either.
_MALFORMED = Reply(
    200, b'{"success": true, "error": "", "queueid": 12345, "data": {"image": ["x.png"],}}', JSON_TYPE
)
_HICCUPS: Mapping[TurbotextKnob, Reply] = MappingProxyType(
    {
        TurbotextKnob.HTTP_503_THEN_OK: _UNAVAILABLE,
        TurbotextKnob.HTML_200: HTML,
        TurbotextKnob.HTTP_403: Reply(403, b'{"success": false, "error": "forbidden"}', JSON_TYPE),
        TurbotextKnob.HTTP_429: Reply(
            429, b"Too Many Requests", "text/plain", headers=(("Retry-After", "3"),)
        ),
    }
)
NOT_FOUND = Reply(404, b"<html><body><h1>404 Not Found</h1></body></html>", "text/html")


@dataclass(frozen=True, slots=True)
class ResultLink:
    """Where a finished picture can be had: below the site's root, absolute once `origin` is put before it."""

    origin: str
    name: str

    def __str__(self) -> str:
        return f"{self.origin}/download.php?f={self.name}"

    @property
    def relative(self) -> str:
        """The other form links are given in."""
        return f"image/{self.name}"


def as_json(document: object) -> Reply:
    """HTTP 200, whatever it says: the provider documents no other status."""
    return Reply(200, json.dumps(document, ensure_ascii=False).encode(), JSON_TYPE)


def failure(text: str) -> Reply:
    """`success: false` with the provider's word for the reason."""
    return as_json({"success": False, "error": text})


def happens_at(behaviour: Behaviour[TurbotextKnob], knob: TurbotextKnob, step: Step) -> bool:
    """Tells whether the behaviour has this knob, for this step."""
    return knob in behaviour and (behaviour.at or MOVABLE[knob]) is step


def scripted_failure(behaviour: Behaviour[TurbotextKnob], step: Step) -> Reply | None:
    """The refusal the behaviour has for this step, if it has one."""
    for knob, (_, text) in ERRORS.items():
        if happens_at(behaviour, knob, step):
            if knob is TurbotextKnob.OTHER_ERROR:
                return as_json({"success": False, "message": behaviour.reason or text})
            return failure(text)
    return None


def hiccup(behaviour: Behaviour[TurbotextKnob], step: Step) -> Reply | None:
    """An answer of the web server rather than of the API, which may be gone the next time."""
    for knob, reply in _HICCUPS.items():
        if happens_at(behaviour, knob, step):
            return reply
    return None


def spoiled_download(behaviour: Behaviour[TurbotextKnob], good: Reply) -> Reply:
    """What comes instead of the picture, if the behaviour has a knob for that."""
    if TurbotextKnob.DOWNLOAD_404_THEN_OK in behaviour:
        return NOT_FOUND
    if TurbotextKnob.DOWNLOAD_HTML in behaviour:
        return HTML
    return replace(good, truncated=happens_at(behaviour, TurbotextKnob.LOST_ANSWER, Step.DOWNLOAD))


def created(behaviour: Behaviour[TurbotextKnob], queue_id: int) -> Reply:
    """The job is accepted."""
    if happens_at(behaviour, TurbotextKnob.MALFORMED_JSON, Step.CREATE):
        return _MALFORMED
    if TurbotextKnob.NO_QUEUEID in behaviour:
        return as_json({"success": _bool(behaviour, True)})
    shown: int | str = str(queue_id) if TurbotextKnob.QUEUEID_AS_STRING in behaviour else queue_id
    return as_json({"success": _bool(behaviour, True), "queueid": shown})


def reconnect(behaviour: Behaviour[TurbotextKnob]) -> Reply:
    """The job is not done: ask again."""
    document: dict[str, object] = {"action": "reconnect"}
    if TurbotextKnob.RECONNECT_WITH_SUCCESS_FALSE in behaviour:
        document["success"] = _bool(behaviour, False)
    return as_json(document)


def methods_available(behaviour: Behaviour[TurbotextKnob]) -> Reply:
    """The result of `available_api`."""
    return as_json({"success": _bool(behaviour, True), "error": "", "available_api": sorted(METHODS)})


def finished(
    behaviour: Behaviour[TurbotextKnob], method: str, fields: Fields, size: tuple[int, int], link: ResultLink
) -> Reply:
    """The result; without a `result_*` knob in the shape the provider's page shows for the method."""
    if happens_at(behaviour, TurbotextKnob.MALFORMED_JSON, Step.GET_RESULT):
        return _MALFORMED
    data: dict[str, object] = {"width": size[0], "height": size[1]}
    document: dict[str, object] = {"success": _bool(behaviour, True), "error": "", "data": data}
    if method == "deepfake_photo":
        data["forbidden_content"] = _bool(behaviour, False)
        data["face_restore"] = fields.get("face_restore", "False")
    else:
        data["prompt"] = fields.get("content", "")
        data["strength"] = int(fields.get("strength", "40"))
    if method == "generate_image2image":
        data["user_id"] = int(fields.get("user_id", "1"))
        data["scale"] = float(fields.get("scale", "7.5"))
        data["seed"] = int(fields.get("seed", "99"))
        data["original_language"] = fields.get("original_language", "ru")
    if TurbotextKnob.FORBIDDEN_CONTENT in behaviour:
        data["forbidden_content"] = _bool(behaviour, True)
    if TurbotextKnob.NO_IMAGE_LINK not in behaviour:
        _put_link(behaviour, method, document, data, link)
    return as_json(document)


def _put_link(
    behaviour: Behaviour[TurbotextKnob],
    method: str,
    document: dict[str, object],
    data: dict[str, object],
    link: ResultLink,
) -> None:
    shown = link.relative if TurbotextKnob.RESULT_RELATIVE_PATH in behaviour else str(link)
    if TurbotextKnob.RESULT_TOP_LEVEL in behaviour:
        document["uploaded_image"] = shown
    elif TurbotextKnob.RESULT_IN_DATA in behaviour:
        data["uploaded_image"] = shown
    elif TurbotextKnob.RESULT_IN_IMAGE_LIST in behaviour or TurbotextKnob.RESULT_RELATIVE_PATH in behaviour:
        data["image"] = [shown]
    elif method == "generate_image2image":
        data["image"] = [link.relative]
    else:
        document["uploaded_image"] = shown
        if method == "deepfake_photo":
            data["image"] = [shown]


def _bool(behaviour: Behaviour[TurbotextKnob], value: bool) -> bool | str:
    return str(value) if TurbotextKnob.BOOLEANS_AS_STRINGS in behaviour else value
