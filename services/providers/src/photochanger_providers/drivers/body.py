"""Request bodies that are read from disk while they are sent, with their exact length known before."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from photochanger_providers.domain.picture import Picture

_RAW_CHUNK_BYTES: Final = (
    3 * 128 * 1024
)  # a multiple of 3, so that base64 of the chunks is base64 of the whole


@dataclass(frozen=True, slots=True)
class Base64Of:
    """A picture's bytes in standard base64, as a part of a body."""

    picture: Picture

    @property
    def length(self) -> int:
        """Its number of characters, padding included."""
        return (self.picture.size_bytes + 2) // 3 * 4


class RequestBody:
    """A body made of parts: bytes as they are, and pictures in base64. It can be sent more than once."""

    def __init__(self, content_type: str, parts: Sequence[bytes | Base64Of]) -> None:
        self.content_type: Final = content_type
        self._parts: Final = tuple(parts)
        self.content_length: Final = sum(
            part.length if isinstance(part, Base64Of) else len(part) for part in self._parts
        )

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the body, holding at most about a megabyte of it."""
        for part in self._parts:
            if isinstance(part, Base64Of):
                async for chunk in _encoded(part.picture):
                    yield chunk
            else:
                yield part


async def _encoded(picture: Picture) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(picture.path.open, "rb")
    try:
        while chunk := await asyncio.to_thread(_next_encoded, file):
            yield chunk
    finally:
        file.close()


def _next_encoded(file: BinaryIO) -> bytes:
    return base64.b64encode(file.read(_RAW_CHUNK_BYTES))
