"""PNG as a stream of chunks: what the header says, and the file without what is not picture.

Source: PNG third edition (W3C, 2025), sections 5, 11 and 13.
"""

import zlib
from collections.abc import Callable
from typing import Final

from photochanger_imaging._exif import EXIF_PREFIX, orientation_of
from photochanger_imaging._icc import MAX_PROFILE_BYTES, ProfileOutcome, clean_profile
from photochanger_imaging._intake import Emit, Intake, Steps
from photochanger_imaging.errors import AnimatedImage, BrokenImage
from photochanger_imaging.formats import ImageFormat
from photochanger_imaging.info import ImageInfo, PixelLimits

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_MAX_CHUNK_BYTES: Final = (1 << 31) - 1
_MAX_CHUNKS: Final = 100_000
"""A 20 MB file in 4 KiB IDAT chunks has 5,000."""
_MAX_METADATA_BYTES: Final = 1 << 20

_GREY, _COLOR, _PALETTE, _GREY_ALPHA, _COLOR_ALPHA = 0, 2, 3, 4, 6
_BIT_DEPTHS: Final = {
    _GREY: {1, 2, 4, 8, 16},
    _COLOR: {8, 16},
    _PALETTE: {1, 2, 4, 8},
    _GREY_ALPHA: {8, 16},
    _COLOR_ALPHA: {8, 16},
}
_KEPT_SIZES: Final = {
    b"gAMA": range(4, 5),
    b"cHRM": range(32, 33),
    b"sRGB": range(1, 2),
    b"cICP": range(4, 5),
    b"pHYs": range(9, 10),
    b"sBIT": range(1, 5),
    b"tRNS": range(1, 257),
}
"""Small chunks that decide how pixels look, with the sizes they may have; of another size they are
dropped.
"""
_MAX_PALETTE_BYTES: Final = 3 * 256


def probe_png(
    intake: Intake, limits: PixelLimits, done: Callable[[ImageInfo], None], *, allow_animated: bool
) -> Steps[None]:
    """Reads up to the first IDAT. The size is checked as soon as it is seen.

    EXIF behind the pixels, where the standard allows it but hardly anybody writes it, is not looked for.
    """
    width_px, height_px, color, interlaced = yield from _header(intake, None)
    limits.check(width_px, height_px)
    orientation = 1
    profile = animated = transparent = False
    for _ in range(_MAX_CHUNKS):
        size, kind = yield from _chunk_head(intake)
        match kind:
            case b"IDAT":
                if animated and not allow_animated:
                    raise AnimatedImage
                done(
                    ImageInfo(
                        format=ImageFormat.PNG,
                        width_px=width_px,
                        height_px=height_px,
                        orientation=orientation,
                        animated=animated,
                        has_alpha=transparent or color in {_GREY_ALPHA, _COLOR_ALPHA},
                        has_color_profile=profile,
                        progressive=interlaced,
                    )
                )
                return
            case b"IEND":
                raise BrokenImage("it has no pixels")
            case b"eXIf" if size <= _MAX_METADATA_BYTES:
                orientation = orientation_of((yield from intake.take(size)).removeprefix(EXIF_PREFIX))
                size = 0
            case b"acTL" if size == 8:  # noqa: PLR2004 (fixed layout)
                animated = int.from_bytes((yield from intake.take(size))[:4], "big") > 1
                size = 0
            case b"iCCP":
                profile = True
            case b"tRNS":
                transparent = True
        yield from intake.skip(size + 4)
    raise BrokenImage("it has too many chunks")


def scrub_png(intake: Intake, emit: Emit, on_profile: Callable[[ProfileOutcome], None]) -> Steps[None]:
    """Passes on header, palette, pixels and colour interpretation; drops the rest and all that follows IEND.

    Of an animation the default picture stays. Check sums of what is kept are verified.
    """
    _, _, color, _ = yield from _header(intake, emit)
    yield from _scrub_before_pixels(intake, emit, on_profile, grey=color in {_GREY, _GREY_ALPHA})
    pixels_ended = False
    for _ in range(_MAX_CHUNKS):
        size, kind = yield from _chunk_head(intake)
        pixels_ended = pixels_ended or kind != b"IDAT"
        if kind == b"IEND":
            if size:
                raise BrokenImage("its last PNG chunk is malformed")
            yield from _pass_on_chunk(intake, size, kind, emit)
            return
        elif kind == b"IDAT" and not pixels_ended:
            yield from _pass_on_chunk(intake, size, kind, emit)
        elif _is_critical(kind):
            raise BrokenImage("a PNG chunk is out of place")
        else:
            yield from intake.skip(size + 4)
    raise BrokenImage("it has too many chunks")


def _scrub_before_pixels(
    intake: Intake, emit: Emit, on_profile: Callable[[ProfileOutcome], None], *, grey: bool
) -> Steps[None]:
    """From behind IHDR through the first IDAT."""
    profile = ProfileOutcome()
    passed: set[bytes] = set()
    for _ in range(_MAX_CHUNKS):
        size, kind = yield from _chunk_head(intake)
        if kind == b"IDAT":
            on_profile(profile)
            yield from _pass_on_chunk(intake, size, kind, emit)
            return
        if kind == b"PLTE":
            if kind in passed or not 0 < size <= _MAX_PALETTE_BYTES or size % 3:
                raise BrokenImage("its PNG palette is malformed")
            passed.add(kind)
            yield from _pass_on_chunk(intake, size, kind, emit)
        elif _is_critical(kind):
            raise BrokenImage("a PNG chunk is unknown or out of place")
        elif kind == b"iCCP" and not profile.found and size <= MAX_PROFILE_BYTES:
            profile = _profile((yield from intake.take(size)), channels=1 if grey else 3)
            yield from intake.skip(4)
            if profile.cleaned is not None:
                emit(_chunk(kind, b"icc\x00\x00" + zlib.compress(profile.cleaned)))
        elif size in _KEPT_SIZES.get(kind, ()) and kind not in passed:
            passed.add(kind)
            yield from _pass_on_chunk(intake, size, kind, emit)
        else:
            yield from intake.skip(size + 4)
    raise BrokenImage("it has too many chunks")


def _header(intake: Intake, emit: Emit | None) -> Steps[tuple[int, int, int, bool]]:
    """Signature and IHDR: (width, height, colour type, interlaced)."""
    if (yield from intake.take(len(SIGNATURE))) != SIGNATURE:
        raise BrokenImage("it does not start as a PNG")
    size, kind = yield from _chunk_head(intake)
    if kind != b"IHDR" or size != 13:  # noqa: PLR2004 (fixed layout)
        raise BrokenImage("its PNG header is malformed")
    body = yield from intake.take(size)
    checksum = yield from intake.take(4)
    whole = _chunk(kind, body)
    if whole[-4:] != checksum:
        raise BrokenImage("a PNG check sum is wrong")
    depth, color, compression, filtering, interlace = body[8:]
    if depth not in _BIT_DEPTHS.get(color, ()) or compression or filtering or interlace > 1:
        raise BrokenImage("its PNG header is malformed")
    if emit is not None:
        emit(SIGNATURE + whole)
    return int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big"), color, interlace == 1


def _chunk_head(intake: Intake) -> Steps[tuple[int, bytes]]:
    head = yield from intake.take(8)
    size, kind = int.from_bytes(head[:4], "big"), head[4:]
    if size > _MAX_CHUNK_BYTES or not kind.isalpha():
        raise BrokenImage("a PNG chunk is malformed")
    return size, kind


def _is_critical(kind: bytes) -> bool:
    return kind[:1].isupper()


def _pass_on_chunk(intake: Intake, size: int, kind: bytes, emit: Emit) -> Steps[None]:
    """Passes one chunk on while it comes, however large it is."""
    checksum = zlib.crc32(kind)

    def emit_counted(piece: bytes) -> None:
        nonlocal checksum
        checksum = zlib.crc32(piece, checksum)
        emit(piece)

    emit(size.to_bytes(4, "big") + kind)
    yield from intake.pass_on(size, emit_counted)
    stored = yield from intake.take(4)
    if int.from_bytes(stored, "big") != checksum:
        raise BrokenImage("a PNG check sum is wrong")
    emit(stored)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def _profile(body: bytes, *, channels: int) -> ProfileOutcome:
    """Unpacks iCCP: name, zero, method 0, deflated profile; never more than a sane profile's size."""
    _, separator, rest = body.partition(b"\x00")
    unpacker = zlib.decompressobj()
    try:
        original = unpacker.decompress(rest[1:], MAX_PROFILE_BYTES)
    except zlib.error:
        return ProfileOutcome(found=True)
    if not separator or not unpacker.eof:
        return ProfileOutcome(found=True)
    return ProfileOutcome(found=True, original=original, cleaned=clean_profile(original, channels=channels))
