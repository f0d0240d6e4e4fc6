"""How a client stands with its limits, in headers of draft-ietf-httpapi-ratelimit-headers (version 10)."""

from collections.abc import Iterator
from contextlib import contextmanager
from math import ceil
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from photochanger_gateway.application.rate_limits import RateLimiter, Rule, Standing
from photochanger_gateway.domain.refusals import RateLimited

STANDING_HEADERS: Final[dict[str, Any]] = {
    "RateLimit-Policy": {
        "description": '`"async";q=20;w=60`: 20 in 60 seconds, and so for each limit that counts here.',
        "schema": {"type": "string", "maxLength": 256},
    },
    "RateLimit": {
        "description": '`"async";r=19;t=42`: 19 are left for the next 42 seconds.',
        "schema": {"type": "string", "maxLength": 256},
    },
}


async def take(request: Request, limiter: RateLimiter, rule: Rule, client: str) -> None:
    """Counts a request, whose answer will tell how the client stands. Raises `RateLimited`."""
    with _noted(request, rule):
        _standings(request).append(await limiter.take(rule, client))


def with_standings(request: Request, answer: Response) -> Response:
    """The answer, with the headers of the limits that were counted for it."""
    standings = _standings(request)
    if standings:
        answer.headers["RateLimit-Policy"] = ", ".join(
            f'"{item.rule.name}";q={item.rule.limit};w={item.rule.window.total_seconds():.0f}'
            for item in standings
        )
        answer.headers["RateLimit"] = ", ".join(
            f'"{item.rule.name}";r={item.remaining};t={max(1, ceil(item.resets_in.total_seconds()))}'
            for item in standings
        )
    return answer


@contextmanager
def _noted(request: Request, rule: Rule) -> Iterator[None]:
    try:
        yield
    except RateLimited as error:
        _standings(request).append(Standing(rule, 0, error.retry_after or rule.window))
        raise


def _standings(request: Request) -> list[Standing]:
    if not hasattr(request.state, "standings"):
        request.state.standings = []
    standings: list[Standing] = request.state.standings
    return standings
