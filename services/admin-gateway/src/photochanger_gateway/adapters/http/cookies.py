"""The cookie of a browser's session."""

from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

NAME: Final = "photochanger"
SECURE_NAME: Final = "__Host-photochanger"
"""A browser takes a cookie of this name only over https, for this very host: no other host can plant one."""


def name_for(request: Request) -> str:
    """The cookie's name on the connection the request came by; the proxy in front says which that was."""
    return SECURE_NAME if request.url.scheme == "https" else NAME


def give(answer: Response, request: Request, token: str, lifetime: timedelta) -> None:
    """Hands the browser a session's token, out of reach for scripts."""
    answer.set_cookie(
        name_for(request),
        token,
        max_age=int(lifetime.total_seconds()),
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def take_back(answer: Response, request: Request) -> None:
    """Makes the browser forget it."""
    give(answer, request, "", timedelta(0))
