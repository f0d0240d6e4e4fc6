"""Fetches the pictures a client points at, as the provider does: without following redirects."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp

from .. import pictures

_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fetch:
    """One GET of a submitted link. `problem` is empty when a picture came back; `status` 0 if nothing did."""

    field: str
    url: str
    status: int = 0
    content_type: str = ""
    size_bytes: int = 0
    sha256: str = ""
    problem: str = ""


async def fetch(session: aiohttp.ClientSession, field: str, url: str) -> tuple[Fetch, bytes]:
    """Gets a link. Never raises for what the other side does: the `problem` tells."""
    if not url.startswith(("http://", "https://")):
        return Fetch(field, url, problem="not an http link"), b""
    try:
        async with session.get(url, allow_redirects=False) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > MAX_BYTES:
                    return Fetch(field, url, response.status, problem="too large"), b""
            data = bytes(body)
            fetched = Fetch(
                field,
                url,
                response.status,
                response.content_type,
                len(data),
                hashlib.sha256(data).hexdigest(),
                _problem(response.status, response.content_type, data),
            )
            return fetched, data
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return Fetch(field, url, problem=f"cannot be fetched: {type(error).__name__}"), b""


def _problem(status: int, content_type: str, data: bytes) -> str:
    if status != HTTPStatus.OK:
        return f"HTTP {status}"
    if content_type not in _TYPES:
        return f"Content-Type {content_type}"
    try:
        actual = pictures.inspect_header(data)
    except ValueError:
        return "not a picture"
    return "" if actual.mime_type in _TYPES else f"a {actual.mime_type}"
