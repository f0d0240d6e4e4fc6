"""What the platform's answers say, as every client of it reads them."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

if TYPE_CHECKING:
    from collections.abc import Mapping

EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
"""The formats there are, and how their files' names end."""
_MIME = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}


def picture_extension(content_type: str, body: bytes, *, decode: bool = False) -> str | None:
    """How the file of a picture should end; None where the body is no picture of this type.

    `decode` reads every pixel, which takes some tens of milliseconds; else the head has to do.
    """
    try:
        with Image.open(io.BytesIO(body), formats=list(EXTENSIONS)) as picture:
            picture.load() if decode else picture.verify()
            kind = picture.format
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError):
        return None
    return EXTENSIONS[kind] if kind is not None and _MIME.get(content_type) == kind else None


def reason_of(status: int, body: bytes) -> str:
    """Why a request was refused, in the platform's words."""
    try:
        return f"{status} {refusal(json.loads(body))}"
    except (ValueError, KeyError, TypeError):
        return f"{status} without a reason"


def refusal(answer: Mapping[str, object]) -> str:
    """The reason and its details of an error in JSON. Raises `KeyError` where it is none."""
    details = answer.get("details")
    return f"{answer['failure_reason']}" + (f": {details}" if details else "")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds the answer asks to wait; None where it does not say."""
    try:
        return max(0.0, float(headers["Retry-After"]))
    except (KeyError, ValueError):
        return None


def first_line(error: BaseException) -> str:
    """What an exception says, short."""
    return (str(error) or type(error).__name__).splitlines()[0]
