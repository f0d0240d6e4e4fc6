"""Checks and cleans a picture while it streams by, and stores it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, replace
from typing import IO, Final

from photochanger_chassis.concurrency import Workers
from photochanger_imaging.formats import ImageFormat
from photochanger_imaging.info import PixelLimits
from photochanger_imaging.probe import probe
from photochanger_imaging.upright import make_upright

from photochanger_media.application.reception import (
    DigestAlgorithm,
    Reception,
    ReceptionRules,
    picture_refusals,
)
from photochanger_media.application.storing import Place, Shelf, Storing
from photochanger_media.domain.media_object import MediaObject

_WRITE_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Received:
    """What was stored, and what had been received for it."""

    media_object: MediaObject
    digests: Mapping[DigestAlgorithm, str]
    received_bytes: int


class Receive:
    """Stores one picture from a stream; nothing stays of one that is refused or breaks off."""

    def __init__(self, storing: Storing, workers: Workers) -> None:
        self._storing = storing
        self._workers = workers

    async def __call__(self, place: Place, rules: ReceptionRules, chunks: AsyncIterator[bytes]) -> Received:
        """Reads `chunks` to the end and stores the picture.

        Raises:
            PayloadTooLarge, UnsupportedMediaType, BrokenPicture, TooManyPixels: the picture is not taken.
            StorageUnavailable: it could not be stored.
        """
        reception = Reception(rules)
        with closing(reception):
            async with AsyncExitStack() as stack:
                shelf: Shelf | None = None
                async for chunk in chunks:
                    for data in reception.take(chunk):
                        if shelf is None:
                            shelf = await self._open(stack, place, reception, reception.format)
                        await shelf.write(data)
                rest, info = reception.finish()
                if reception.redraw:
                    stored = await self._redraw(place, reception.spool, rules.pixel_limits)
                else:
                    if shelf is None:
                        shelf = await self._open(stack, place, reception, info.format)
                    for data in rest:
                        await shelf.write(data)
                    stored = await self._storing.commit(shelf, place, info, upright=rules.cleaned)
                if stored is None:
                    raise RuntimeError("Only previews may be left out.")
                return Received(stored, reception.digests, reception.received_bytes)

    async def _redraw(self, place: Place, spool: IO[bytes], limits: PixelLimits) -> MediaObject | None:
        """Draws the picture anew, upright and without metadata, and stores that."""
        spool.seek(0)
        with picture_refusals():
            upright = await self._workers.run(_upright, spool, limits)
            info = probe(upright, limits)
        async with self._storing.shelf(place, info.format) as shelf:
            for start in range(0, len(upright), _WRITE_BYTES):
                await shelf.write(upright[start : start + _WRITE_BYTES])
            return await self._storing.commit(shelf, place, replace(info, orientation=1), upright=True)

    async def _open(
        self, stack: AsyncExitStack, place: Place, reception: Reception, image_format: ImageFormat | None
    ) -> Shelf:
        if image_format is None:
            raise RuntimeError("Bytes are returned only once the format is known.")
        shelf = self._storing.shelf(place, image_format, reception.sha256_of_stored)
        return await stack.enter_async_context(shelf)


def _upright(original: IO[bytes], limits: PixelLimits) -> bytes:
    """Reads the picture only now, on the thread: what waits for a thread takes no memory."""
    return make_upright(original.read(), limits=limits)
