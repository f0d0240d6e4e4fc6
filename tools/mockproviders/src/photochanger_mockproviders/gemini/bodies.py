"""Receives request bodies as a stream, so that a body over the limit is never held in memory."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from aiohttp import web

from .errors import invalid, too_large

LIMIT_BYTES = 20 * 1024 * 1024
_DRAIN_BYTES = 64 * 1024 * 1024
_EDGE_BYTES = 64 * 1024
_TEXT_PART = re.compile(rb'"text"\s*:\s*("(?:[^"\\]|\\.)*")')


@dataclass(slots=True)
class BodySize:
    """How many bytes have arrived so far."""

    received: int = 0


async def read_whole(request: web.Request, size: BodySize, *, limit_bytes: int, too_large_http: int) -> bytes:
    """The whole body, for a request that will be taken apart.

    Raises:
        ApiError: It is larger than the limit. The rest is read and dropped, up to 64 MiB, so that the client
            gets to read the refusal.
    """
    body = bytearray()
    async for chunk in request.content.iter_any():
        size.received += len(chunk)
        if size.received <= limit_bytes:
            body += chunk
        elif size.received > _DRAIN_BYTES:
            break
    if size.received > limit_bytes:
        raise too_large(limit_bytes, too_large_http)
    return bytes(body)


async def skim(request: web.Request, size: BodySize, *, limit_bytes: int, too_large_http: int) -> str:
    """Counts the bytes and looks at both ends only: cheap at any size, for benchmarks.

    Returns the last text part, if it lies in the last 64 KiB.

    Raises:
        ApiError: Too large, or this cannot be a generateContent request.
    """
    head, tail = bytearray(), b""
    async for chunk in request.content.iter_any():
        size.received += len(chunk)
        if len(head) < _EDGE_BYTES:
            head += chunk[:_EDGE_BYTES]
        tail = chunk[-_EDGE_BYTES:] if len(chunk) >= _EDGE_BYTES else (tail + chunk)[-_EDGE_BYTES:]
        if size.received > _DRAIN_BYTES:
            break
    if size.received > limit_bytes:
        raise too_large(limit_bytes, too_large_http)
    framed = head.lstrip().startswith(b"{") and tail.rstrip().endswith(b"}")
    if not framed or (b'"contents"' not in head and b'"contents"' not in tail):
        raise invalid("Invalid JSON payload received. Unexpected token.")
    texts = _TEXT_PART.findall(tail)
    try:
        return str(json.loads(texts[-1])) if texts else ""
    except ValueError as error:
        raise invalid("Invalid JSON payload received. Unexpected token.") from error
