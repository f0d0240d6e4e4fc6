"""Pictures on their way in and out: fetched, made fit for a provider, checked, brought into another format.

Bytes go from stream to disk and back. What has to be decoded is decoded on a few threads, and only as much at
once as the memory budget allows.
"""

import filecmp
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, Protocol

from photochanger_chassis.concurrency import ByteBudget, Workers, gathered
from photochanger_imaging.check import check_result
from photochanger_imaging.encode import transcode
from photochanger_imaging.errors import BlankImage, ImageError
from photochanger_imaging.formats import ImageFormat
from photochanger_imaging.info import DEFAULT_LIMITS, ImageInfo, PixelLimits
from photochanger_imaging.probe import HeaderProbe
from photochanger_imaging.scrub import Scrubber
from photochanger_imaging.upright import make_upright

from photochanger_providers.application.driver import Workspace
from photochanger_providers.application.ports import Incoming
from photochanger_providers.domain.errors import BadInput, BadProviderResponse, StorageUnavailable
from photochanger_providers.domain.picture import MimeType, Picture
from photochanger_providers.domain.repeat import Repeat

_BYTES_PER_PIXEL: Final = 8  # RGB or RGBA twice: decoded, and turned or encoded
_CHUNK_BYTES: Final = 256 * 1024
# Chunks come in the sizes of the network; a trip to a thread costs as much as hashing 150 KB.
_GATHERED_BYTES: Final = 1024 * 1024
_AT_ONCE: Final = timedelta()
_MIME_TYPES: Final[dict[ImageFormat, MimeType]] = {
    ImageFormat.JPEG: "image/jpeg",
    ImageFormat.PNG: "image/png",
    ImageFormat.WEBP: "image/webp",
}


class Pictures:
    """Does the work on picture files."""

    def __init__(self, *, threads: Workers, memory: ByteBudget, limits: PixelLimits = DEFAULT_LIMITS) -> None:
        self._threads = threads
        self._memory = memory
        self._limits = limits

    async def take_in(
        self, opened: Callable[[], AbstractAsyncContextManager[Incoming]], workspace: Workspace
    ) -> Picture:
        """Writes an incoming picture to disk: upright, without metadata, losslessly where possible.

        It is opened a second time when only its pixels tell its true colours (CMYK, a table-based profile).

        Raises:
            StorageUnavailable: other bytes came than were stored (worth another try).
            BadInput: it cannot be decoded.
        """
        try:
            async with opened() as incoming:
                if incoming.orientation == 1:
                    path = workspace.new_file(f".{incoming.image_format.extension}")
                    if await self._received(incoming, _Scrub(path, incoming.image_format)):
                        return _picture(path, await self._threads.run(_header_of, path, self._limits))
            async with opened() as incoming:
                return await self._written_anew(incoming, workspace)
        except ImageError as error:
            raise BadInput(f"The photo cannot be used. {error}", provider_calls=0) from error

    async def check(self, path: Path, *, photo: Picture) -> Picture:
        """Looks whether a provider's picture is one, and not merely the photo sent back.

        Raises:
            BadProviderResponse: it is not worth giving to anybody; worth asking once more.
        """
        try:
            info = await self._threads.run(_header_of, path, self._limits)
            async with self._memory.hold(info.pixels * _BYTES_PER_PIXEL // 2):
                await self._threads.run(_check_file, path, self._limits)
        except BlankImage as error:
            raise BadProviderResponse("The provider's picture is blank.", repeat=Repeat.once()) from error
        except ImageError as error:
            raise BadProviderResponse(
                f"The provider's picture cannot be used. {error}", repeat=Repeat.once()
            ) from error
        picture = _picture(path, info)
        if picture.size_bytes == photo.size_bytes and await self._threads.run(_same_bytes, path, photo.path):
            raise BadProviderResponse("The provider returned the photo it was sent.", repeat=Repeat.once())
        return picture

    async def in_format(self, picture: Picture, wanted: ImageFormat | None, workspace: Workspace) -> Picture:
        """Returns the picture in the wanted format; as it is when it has that, or none is wanted."""
        if wanted is None or _MIME_TYPES[wanted] == picture.mime_type:
            return picture
        target = workspace.new_file(f".{wanted.extension}")
        async with self._decoding(picture.width_px * picture.height_px):
            await self._threads.run(_transcode_file, picture.path, wanted, target, self._limits)
        return _picture(target, await self._threads.run(_header_of, target, self._limits))

    async def _written_anew(self, incoming: Incoming, workspace: Workspace) -> Picture:
        extension = f".{incoming.image_format.extension}"
        raw, target = workspace.new_file(extension), workspace.new_file(extension)
        await self._received(incoming, _Copy(raw))
        async with self._decoding(incoming.pixels):
            await self._threads.run(_upright_file, raw, target, self._limits)
        return _picture(target, await self._threads.run(_header_of, target, self._limits))

    async def _received(self, incoming: Incoming, intake: "_Intake") -> bool:
        digest = hashlib.sha256()

        def take(chunks: Sequence[bytes]) -> None:
            for chunk in chunks:
                digest.update(chunk)
                intake.feed(chunk)

        try:
            async for chunks in gathered(incoming.chunks(), _GATHERED_BYTES):
                await self._threads.run(take, chunks)
            complete = await self._threads.run(intake.finish)
        finally:
            intake.close()
        if digest.hexdigest() != incoming.sha256:
            raise StorageUnavailable("The picture did not arrive as it was stored.", retry_after=_AT_ONCE)
        return complete

    @asynccontextmanager
    async def _decoding(self, pixels: int) -> AsyncIterator[None]:
        async with self._memory.hold(pixels * _BYTES_PER_PIXEL):
            yield


class _Intake(Protocol):
    def feed(self, chunk: bytes) -> None: ...

    def finish(self) -> bool:
        """Ends the file. False: it is not the picture that was wanted."""
        ...

    def close(self) -> None: ...


class _Copy:
    """Keeps the bytes."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("xb")

    def feed(self, chunk: bytes) -> None:
        self._file.write(chunk)

    def finish(self) -> bool:
        self._file.flush()
        return True

    def close(self) -> None:
        self._file.close()


class _Scrub:
    """Removes everything that is not picture, in passing. False where the colours would change by it."""

    def __init__(self, path: Path, image_format: ImageFormat) -> None:
        self._file = path.open("xb")
        self._scrubber = Scrubber(image_format)

    def feed(self, chunk: bytes) -> None:
        self._file.write(self._scrubber.feed(chunk))

    def finish(self) -> bool:
        self._file.write(self._scrubber.finish())
        self._file.flush()
        return not self._scrubber.profile.dropped

    def close(self) -> None:
        self._file.close()


def _header_of(path: Path, limits: PixelLimits) -> ImageInfo:
    reader = HeaderProbe(limits)
    with path.open("rb") as file:
        while reader.info is None and (chunk := file.read(_CHUNK_BYTES)):
            reader.feed(chunk)
    return reader.info or reader.finish()


def _check_file(path: Path, limits: PixelLimits) -> None:
    with path.open("rb") as file:
        check_result(file, limits=limits)


def _upright_file(path: Path, target: Path, limits: PixelLimits) -> None:
    with path.open("rb") as file:
        target.write_bytes(make_upright(file, limits=limits))


def _transcode_file(path: Path, wanted: ImageFormat, target: Path, limits: PixelLimits) -> None:
    with path.open("rb") as file:
        target.write_bytes(transcode(file, wanted, limits=limits))


def _same_bytes(one: Path, other: Path) -> bool:
    return filecmp.cmp(one, other, shallow=False)


def _picture(path: Path, info: ImageInfo) -> Picture:
    width_px, height_px = info.upright_size
    return Picture(
        path=path,
        mime_type=_MIME_TYPES[info.format],
        size_bytes=path.stat().st_size,
        width_px=width_px,
        height_px=height_px,
    )
