"""Forms with a picture, as OpenAPI tells of them."""

from collections.abc import Iterable, Mapping
from typing import Any


def picture_field(most: str) -> dict[str, Any]:
    """A part with a picture; `most` is how large it may be, in words."""
    return {"type": "string", "format": "binary", "description": f"JPEG, PNG or WebP, at most {most}."}


def multipart(
    properties: Mapping[str, object],
    *,
    required: Iterable[str] = (),
    of_json: Iterable[str] = (),
    words: str = "",
) -> dict[str, Any]:
    """The `requestBody` of a route. `of_json` names the fields that hold JSON."""
    schema: dict[str, Any] = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if words:
        schema["description"] = words
    if names := list(required):
        schema["required"] = names
    media: dict[str, Any] = {"schema": schema}
    if encoding := {name: {"contentType": "application/json"} for name in of_json}:
        media["encoding"] = encoding
    return {"requestBody": {"required": True, "content": {"multipart/form-data": media}}}
