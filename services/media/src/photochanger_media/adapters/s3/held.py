"""Bytes held in memory, within bounds: of parts on their way to the bucket, and of objects just stored in it."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Final

from photochanger_media.domain.byte_range import Span

_SEND_BYTES: Final = 256 * 1024
_REMEMBERED_SECONDS: Final = 60.0


class PartMemory:
    """How many bytes of parts this process holds in memory, all uploads together."""

    def __init__(self, total_bytes: int) -> None:
        self._free = total_bytes

    def take(self, size: int) -> bool:
        """Reserves `size` bytes; False when they are not free."""
        if size > self._free:
            return False
        self._free -= size
        return True

    def give(self, size: int) -> None:
        """Ends a reservation."""
        self._free += size


class Part:
    """Bytes that wait to be sent: in memory while there is some left, then in a file without a name.

    So memory does not grow with the number of uploads, nor with how slowly their clients send.
    """

    def __init__(self, memory: PartMemory) -> None:
        self.size = 0
        self._memory = memory
        self._pieces: list[bytes] = []
        self._held = 0
        self._file: IO[bytes] | None = None

    @property
    def pieces(self) -> tuple[bytes, ...] | None:
        """The bytes, if all of them are in memory."""
        return tuple(self._pieces) if self._file is None else None

    def add(self, data: bytes) -> None:
        """Takes the next bytes."""
        self.size += len(data)
        if self._file is None and self._memory.take(len(data)):
            self._held += len(data)
            self._pieces.append(data)
            return
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115 - closed by close()
            self._file.writelines(self._pieces)
            self._let_go()
        self._file.write(data)

    def close(self) -> None:
        """Lets go of the bytes."""
        self._let_go()
        if self._file is not None:
            self._file.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yields everything, from the start each time: aiohttp repeats a PUT that met a stale connection."""
        if self._file is None:
            for piece in self._pieces:
                yield piece
            return
        self._file.seek(0)
        # Reads come from the page cache, in well under a millisecond.
        while chunk := self._file.read(_SEND_BYTES):
            yield chunk

    def _let_go(self) -> None:
        self._pieces.clear()
        self._memory.give(self._held)
        self._held = 0


@dataclass(frozen=True, slots=True)
class _Recent:
    tag: str
    pieces: tuple[bytes, ...]
    size: int
    forgotten: asyncio.TimerHandle


class RecentObjects:
    """Objects stored a moment ago by this process, for those who read them next: the camera, the preview's maker.

    An object is known by key and tag, so what is held is what the bucket has under that tag. Whether it may be
    read is decided elsewhere, as for any other. The oldest go first, and all after a minute.
    """

    def __init__(self, total_bytes: int, *, largest_bytes: int) -> None:
        self._free = total_bytes
        self._largest: Final = min(largest_bytes, total_bytes)
        self._objects: OrderedDict[str, _Recent] = OrderedDict()

    def keep(self, key: str, tag: str, pieces: Sequence[bytes]) -> None:
        """Remembers an object, in place of an earlier one under its key; one that is too large is not kept."""
        self.forget(key)
        size = sum(map(len, pieces))
        if size > self._largest:
            return
        while size > self._free:
            self.forget(next(iter(self._objects)))
        forgotten = asyncio.get_running_loop().call_later(_REMEMBERED_SECONDS, self.forget, key)
        self._objects[key] = _Recent(tag, tuple(pieces), size, forgotten)
        self._free -= size

    def pieces(self, key: str, tag: str, span: Span) -> list[bytes] | None:
        """Returns bytes of an object in pieces of at most 256 KiB, None when it is not held."""
        found = self._objects.get(key)
        if found is None or found.tag != tag or span.offset + span.length > found.size:
            return None
        wanted: list[bytes] = []
        begin, end, at = span.offset, span.offset + span.length, 0
        for piece in found.pieces:
            first, last = max(begin - at, 0), min(end - at, len(piece))
            wanted += [piece[cut : min(cut + _SEND_BYTES, last)] for cut in range(first, last, _SEND_BYTES)]
            at += len(piece)
        return wanted

    def forget(self, key: str) -> None:
        """Lets go of an object."""
        found = self._objects.pop(key, None)
        if found is not None:
            found.forgotten.cancel()
            self._free += found.size
