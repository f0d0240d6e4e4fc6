"""The `Range` header of RFC 9110, as far as files need it: one range of bytes."""

import re
from dataclasses import dataclass
from typing import Final

_RANGE: Final = re.compile(r"bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """First byte and number of bytes; a negative offset counts from the end, a length of 0 goes to the end."""

    offset: int
    length: int = 0


def parse_range(header: str | None) -> ByteRange | None:
    """Reads a `Range` header. What is not one single range of bytes is ignored, as RFC 9110 allows (§14.2)."""
    match = _RANGE.fullmatch(header.replace(" ", "")) if header else None
    if match is None:
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        return ByteRange(-int(suffix)) if int(suffix) else None
    if last is None:
        return ByteRange(int(first))
    length = int(last) - int(first) + 1
    return ByteRange(int(first), length) if length > 0 else None
