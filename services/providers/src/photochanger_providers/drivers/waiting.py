"""How long providers ask us to wait."""

import re
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

_SECONDS: Final = re.compile(r"(\d{1,7})(?:\.(\d{1,9}))?", re.ASCII)
_MICROSECOND_DIGITS: Final = 6


def parse_retry_after(value: str | None, *, now: datetime) -> timedelta | None:
    """Reads a `Retry-After` header (RFC 9110, 10.2.3): seconds or a date. None: absent or nonsense."""
    if value is None:
        return None
    text = value.strip()
    if seconds := _SECONDS.fullmatch(text):
        return _length(seconds)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(at - now, timedelta()) if at.tzinfo is not None else None


def parse_duration(value: object) -> timedelta | None:
    """Reads a `google.protobuf.Duration` in its JSON form: `26s`, `0.250s`. None: anything else."""
    if not isinstance(value, str) or not value.endswith("s"):
        return None
    found = _SECONDS.fullmatch(value[:-1])
    return _length(found) if found else None


def _length(found: re.Match[str]) -> timedelta:
    fraction = (found[2] or "").ljust(_MICROSECOND_DIGITS, "0")[:_MICROSECOND_DIGITS]
    return timedelta(seconds=int(found[1]), microseconds=int(fraction))
