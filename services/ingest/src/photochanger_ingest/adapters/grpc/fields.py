"""Reads what requests have in common: pages, masks, enums."""

from collections.abc import Collection, Mapping
from typing import Final, TypeVar

from google.protobuf.field_mask_pb2 import FieldMask
from photochanger_chassis.errors import FieldViolation, InvalidArgument

_Number = TypeVar("_Number", bound=int)
_Value = TypeVar("_Value")
_POSITION_DIGITS: Final = 18


def invalid(field: str, wanted: str) -> InvalidArgument:
    """Returns the error for one wrong field."""
    return InvalidArgument("The request is wrong.", field_violations=(FieldViolation(field, wanted),))


def page_size(value: int, *, default: int, most: int) -> int:
    """Returns how many to list. Raises `InvalidArgument` outside 0 to `most`."""
    if not 0 <= value <= most:
        raise invalid("page_size", f"0 to {most}")
    return value or default


def position(page_token: str) -> int | None:
    """Returns the position a page token stands for."""
    if not page_token:
        return None
    if not page_token.isascii() or not page_token.isdecimal() or len(page_token) > _POSITION_DIGITS:
        raise invalid("page_token", "one from a former answer")
    return int(page_token)


def page_token(position: int | None) -> str:
    """Returns the page token for what follows a position."""
    return "" if position is None else str(position)


def masked(mask: FieldMask, known: Collection[str], *, field: str = "update_mask") -> frozenset[str]:
    """Returns the fields of a mask. Raises `InvalidArgument` for one that cannot be changed."""
    unknown = [path for path in mask.paths if path not in known]
    if unknown:
        raise invalid(field, f"only {', '.join(sorted(known))}")
    return frozenset(mask.paths)


def value_of(values: Mapping[_Number, _Value], number: int, *, field: str, unset: _Value) -> _Value:
    """Returns what an enum's number stands for; 0 is `unset`."""
    if number == 0:
        return unset
    for known, value in values.items():
        if known == number:
            return value
    raise invalid(field, "one of the values of its enum")
