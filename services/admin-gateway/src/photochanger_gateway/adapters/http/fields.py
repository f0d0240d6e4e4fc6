"""Kinds of fields that several bodies have, each with its bounds."""

import re
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from photochanger_chassis.errors import FieldViolation
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.adapters.http.models import JOB_ID_PATTERN, SLOT_ID_PATTERN

MEDIA_ID_PATTERN: Final = JOB_ID_PATTERN
_NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9_.-]*$"
_NO_NUL_PATTERN: Final = r"^[^\x00]*$"
_DEEPEST: Final = 16
_MOST_VALUES: Final = 1000
_NO_TEXT: Final = re.compile(r"[\x00\ud800-\udfff]")
_LARGEST_NUMBER: Final = sys.float_info.max
"""What a number of JSON can be for all who read it."""

Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, max_length=40)]
SlotId = Annotated[str, Field(pattern=SLOT_ID_PATTERN)]
JobId = Annotated[str, Field(pattern=JOB_ID_PATTERN)]
MediaObjectId = Annotated[str, Field(pattern=MEDIA_ID_PATTERN)]
Name = Annotated[str, Field(pattern=_NAME_PATTERN, min_length=1, max_length=64)]
"""A provider's, an operation's or a template role's id."""
Text = Annotated[str, Field(pattern=_NO_NUL_PATTERN)]
"""A string of the client's that the database can hold. Give it its bounds where it is used."""
Url = Annotated[str, Field(max_length=2048)]
Cursor = Annotated[str, Field(max_length=512)]


def whole_number(value: object) -> object:
    """JSON Schema's integer: 15 and 15.0, but no text that looks like one."""
    if isinstance(value, str | bytes | bool):
        raise ValueError("a whole number is wanted")  # noqa: TRY004 - pydantic's way to refuse
    return value


Whole = Annotated[int, BeforeValidator(whole_number)]
"""A whole number of the client's. Give it its bounds where it is used."""
Count = Annotated[int, Field(ge=0)]
Version = Annotated[int, Field(ge=0, le=2**62)]


class Body(BaseModel):
    """What all bodies have in common."""

    # An input in an error would be in the log: ids in it open pictures, and some fields are passwords.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema.get("properties", {}).values():
        field.pop("default", None)


class Change(Body):
    """A change: a field that is absent stays as it is. `model_fields_set` tells which were there."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)


def _plain_json(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Refuses what JSON has no words for, or no database takes: NaN, NUL, numbers beyond all measure, a maze."""
    waiting: list[tuple[JsonValue, int]] = [(value, 1)]
    seen = 0
    while waiting:
        item, depth = waiting.pop()
        seen += 1
        if depth > _DEEPEST or seen > _MOST_VALUES:
            raise ValueError(f"at most {_DEEPEST} levels and {_MOST_VALUES} values")
        if isinstance(item, dict):
            waiting += [(inner, depth + 1) for inner in item.values()]
            waiting += [(name, depth + 1) for name in item]
        elif isinstance(item, list):
            waiting += [(inner, depth + 1) for inner in item]
        elif isinstance(item, str) and _NO_TEXT.search(item):
            raise ValueError("no NUL characters and no halves of characters")
        elif isinstance(item, int | float) and not abs(item) <= _LARGEST_NUMBER:  # NaN is not
            raise ValueError(f"no number beyond {_LARGEST_NUMBER:.0e}")
    return value


NO_OTHER_NAMES: Final[dict[str, JsonValue]] = {"additionalProperties": False}
"""What pydantic enforces of a mapping with names of one kind and forgets to tell."""

JsonObject = Annotated[dict[str, JsonValue], AfterValidator(_plain_json)]
"""An object of the client's whose fields a JSON Schema of the provider's describes."""
StoredJsonObject = dict[str, JsonValue]
"""The same as a service keeps it; it was looked at when it came."""


def instant(at: datetime) -> str:
    """An instant that is always there."""
    return rfc3339(at) or ""


def plain(value: Mapping[str, object]) -> dict[str, JsonValue]:
    """A JSON object that came from a service, for a body."""
    return dict(value)  # type: ignore[arg-type]  # it was parsed from JSON


def violations_of(errors: Iterable[Mapping[str, Any]], *, whole: str = "body") -> tuple[FieldViolation, ...]:
    """What pydantic found wrong, field by field; `whole` names what none of the fields is."""
    return tuple(
        FieldViolation(
            ".".join(str(part) for part in error["loc"]) or whole,
            str(error["msg"]).removeprefix("Value error, "),
        )
        for error in errors
    )
