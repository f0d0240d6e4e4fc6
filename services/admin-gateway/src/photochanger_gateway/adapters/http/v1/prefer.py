"""How long a program would wait for its job: `Prefer: wait=N` (RFC 7240 §4.3)."""

from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request

LONGEST_WAIT: Final = timedelta(seconds=60)
WAIT_PARAMETER: Final[dict[str, Any]] = {
    "name": "Prefer",
    "in": "header",
    "required": False,
    "description": "`wait=N`: the answer comes when the job is final, or after N seconds; 60 at most. "
    "What cannot be read is ignored.",
    "schema": {"type": "string"},
}
APPLIED: Final[dict[str, Any]] = {
    "Preference-Applied": {
        "description": "`wait=N`, as long as was waited at most; absent: nobody waited.",
        "schema": {"type": "string", "maxLength": 16},
    }
}
_NOT_AT_ALL: Final = timedelta(0)
_MOST_DIGITS: Final = 9


def wanted_wait(request: Request) -> timedelta:
    """How long to wait; zero: not at all. The first `wait` counts."""
    for preference in ",".join(request.headers.getlist("prefer")).split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            seconds = value.strip().strip('"')
            if not (seconds.isascii() and seconds.isdecimal() and len(seconds) <= _MOST_DIGITS):
                return _NOT_AT_ALL
            return min(LONGEST_WAIT, timedelta(seconds=int(seconds)))
    return _NOT_AT_ALL


def applied(wait: timedelta) -> dict[str, str]:
    """The header that says what was made of the wish."""
    return {"Preference-Applied": f"wait={wait.total_seconds():.0f}"} if wait else {}
