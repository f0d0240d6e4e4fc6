"""Checks of request fields."""

import json
import re
from collections.abc import Sequence
from typing import Any, Final, TypeAlias, TypeVar

import grpc
from photochanger_chassis.errors import FieldViolation, InvalidArgument

from photochanger_providers.domain.catalogue import JsonObject
from photochanger_providers.domain.order import JobId

_JOB_ID: Final = re.compile(r"[0-9a-f]{32}")
_LONGEST_SETTINGS: Final = 64 * 1024
_LARGEST_PAGE: Final = 100
_T = TypeVar("_T")

Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
"""A call's context; its two types are the generated code's business."""


def checked_job_id(text: str) -> JobId:
    """Returns the job id.

    Raises:
        InvalidArgument: it is none.
    """
    if _JOB_ID.fullmatch(text) is None:
        raise _invalid("job_id", "must be 32 lower-case hexadecimal digits")
    return JobId(text)


def json_object(text: str) -> JsonObject:
    """Reads a JSON object; an empty text is an empty one.

    Raises:
        InvalidArgument: it is something else.
    """
    if len(text) > _LONGEST_SETTINGS:
        raise _invalid("settings_json", f"must have at most {_LONGEST_SETTINGS} characters")
    try:
        value = json.loads(text or "{}")
    except (ValueError, RecursionError) as error:
        raise _invalid("settings_json", "must be JSON") from error
    if not isinstance(value, dict):
        raise _invalid("settings_json", "must be a JSON object")
    return value


def page(entries: Sequence[_T], *, page_size: int, page_token: str) -> tuple[Sequence[_T], str]:
    """Cuts a page out of a short list; returns it with the token of the next one.

    Raises:
        InvalidArgument: the size or the token is out of range.
    """
    if not 0 <= page_size <= _LARGEST_PAGE:
        raise _invalid("page_size", f"must be 0 to {_LARGEST_PAGE}")
    if page_token and not (page_token.isascii() and page_token.isdecimal()):
        raise _invalid("page_token", "must come from a former answer")
    start = int(page_token or "0")
    end = start + (page_size or _LARGEST_PAGE)
    return entries[start:end], str(end) if end < len(entries) else ""


def _invalid(field: str, description: str) -> InvalidArgument:
    return InvalidArgument(f"{field} {description}.", field_violations=(FieldViolation(field, description),))
