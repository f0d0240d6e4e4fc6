"""WebP as a list of RIFF chunks: what the header says, and the file without what is not picture.

Source: RFC 9649 (WebP), sections 2.3 to 2.7; RFC 6386 section 9.1 (VP8 frame header).
"""

from collections.abc import Callable
from typing import Final

from photochanger_imaging._exif import EXIF_PREFIX, orientation_of
from photochanger_imaging._icc import MAX_PROFILE_BYTES, ProfileOutcome, clean_profile
from photochanger_imaging._intake import Emit, Intake, Steps
from photochanger_imaging.errors import AnimatedImage, BrokenImage, UnsupportedFormat
from photochanger_imaging.formats import ImageFormat
from photochanger_imaging.info import ImageInfo, PixelLimits

_MAX_CHUNKS: Final = 10_000
_MAX_METADATA_BYTES: Final = 1 << 20
_PIXEL_KINDS: Final = frozenset({b"VP8 ", b"VP8L"})
_FLAG_ANIMATED, _FLAG_EXIF, _FLAG_ALPHA, _FLAG_ICC = 0x02, 0x08, 0x10, 0x20
_CANVAS_BYTES: Final = 10
_FRAME_HEAD_BYTES: Final = 10


def probe_webp(
    intake: Intake, limits: PixelLimits, done: Callable[[ImageInfo], None], *, allow_animated: bool
) -> Steps[None]:
    """Reads the first chunk, and on to the EXIF chunk only where the header says there is one: it comes last.

    The size is checked as soon as it is seen, before that walk.
    """
    left = yield from _riff(intake)
    size, kind = yield from _chunk_head(intake, left)
    if kind in _PIXEL_KINDS:
        width_px, height_px, alpha = _frame_size(kind, (yield from intake.take(min(size, _FRAME_HEAD_BYTES))))
        limits.check(width_px, height_px)
        done(ImageInfo(format=ImageFormat.WEBP, width_px=width_px, height_px=height_px, has_alpha=alpha))
        return
    flags, width_px, height_px = _canvas(kind, (yield from intake.take(min(size, _CANVAS_BYTES))))
    limits.check(width_px, height_px)
    animated = bool(flags & _FLAG_ANIMATED)
    if animated and not allow_animated:
        raise AnimatedImage
    yield from intake.skip(size - _CANVAS_BYTES)
    left = yield from _skip_padding(intake, left - 8 - size, size)
    orientation = 1
    if flags & _FLAG_EXIF:
        orientation = yield from _find_orientation(intake, left)
    done(
        ImageInfo(
            format=ImageFormat.WEBP,
            width_px=width_px,
            height_px=height_px,
            orientation=orientation,
            animated=animated,
            has_alpha=bool(flags & _FLAG_ALPHA),
            has_color_profile=bool(flags & _FLAG_ICC),
        )
    )


def scrub_webp(intake: Intake, emit: Emit, on_profile: Callable[[ProfileOutcome], None]) -> Steps[None]:
    """Passes on pixels, alpha and colour profile; drops the rest and all that follows the RIFF block.

    The RIFF header says the size of all that follows, so everything kept is held until the end.
    """
    left = yield from _riff(intake)
    size, kind = yield from _chunk_head(intake, left)
    canvas: bytes | None = None
    if kind not in _PIXEL_KINDS:
        canvas = yield from intake.take(size)
        flags, _, _ = _canvas(kind, canvas)
        if flags & _FLAG_ANIMATED:
            raise AnimatedImage
        left = yield from _skip_padding(intake, left - 8 - size, size)
    profile = ProfileOutcome()
    alpha = b""
    for _ in range(_MAX_CHUNKS):
        if canvas is not None:
            if left < 8:  # noqa: PLR2004 (a chunk head)
                raise BrokenImage("it has no pixels")
            size, kind = yield from _chunk_head(intake, left)
        if kind in _PIXEL_KINDS:
            pixels = _chunk(kind, (yield from intake.take(size)))
            yield from intake.skip(left - 8 - size)
            break
        if kind == b"ALPH" and not alpha:
            alpha = _chunk(kind, (yield from intake.take(size)))
        elif kind == b"ICCP" and not profile.found and size <= MAX_PROFILE_BYTES:
            original = yield from intake.take(size)
            profile = ProfileOutcome(
                found=True, original=original, cleaned=clean_profile(original, channels=3)
            )
        else:
            yield from intake.skip(size)
        left = yield from _skip_padding(intake, left - 8 - size, size)
    else:
        raise BrokenImage("it has too many chunks")
    chunks = [pixels]
    if canvas is not None:
        icc = b"" if profile.cleaned is None else _chunk(b"ICCP", profile.cleaned)
        flags = canvas[0] & _FLAG_ALPHA | (_FLAG_ICC if icc else 0)
        chunks = [_chunk(b"VP8X", bytes((flags, 0, 0, 0)) + canvas[4:_CANVAS_BYTES]), icc, alpha, pixels]
    body = b"".join(chunks)
    on_profile(profile)
    emit(b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WEBP" + body)


def _riff(intake: Intake) -> Steps[int]:
    """Returns how many bytes of chunks follow."""
    head = yield from intake.take(12)
    left = int.from_bytes(head[4:8], "little") - 4
    if head[:4] != b"RIFF" or head[8:] != b"WEBP" or left < 8:  # noqa: PLR2004 (a chunk head)
        raise BrokenImage("it does not start as a WebP")
    return left


def _chunk_head(intake: Intake, left: int) -> Steps[tuple[int, bytes]]:
    head = yield from intake.take(8)
    kind, size = head[:4], int.from_bytes(head[4:], "little")
    # Some writers leave out the last padding byte, and decoders do not mind.
    if 8 + size > left:
        raise BrokenImage("a WebP chunk is longer than its file")
    return size, kind


def _find_orientation(intake: Intake, left: int) -> Steps[int]:
    for _ in range(_MAX_CHUNKS):
        if left < 8:  # noqa: PLR2004 (a chunk head)
            return 1
        size, kind = yield from _chunk_head(intake, left)
        if kind == b"EXIF" and size <= _MAX_METADATA_BYTES:
            return orientation_of((yield from intake.take(size)).removeprefix(EXIF_PREFIX))
        yield from intake.skip(size)
        left = yield from _skip_padding(intake, left - 8 - size, size)
    raise BrokenImage("it has too many chunks")


def _canvas(kind: bytes, body: bytes) -> tuple[int, int, int]:
    """(flags, width, height) of VP8X."""
    if kind != b"VP8X":
        raise UnsupportedFormat
    if len(body) < _CANVAS_BYTES:
        raise BrokenImage("its WebP header is malformed")
    return body[0], 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")


def _frame_size(kind: bytes, head: bytes) -> tuple[int, int, bool]:
    """(width, height, alpha) of a bare VP8 or VP8L bitstream."""
    if kind == b"VP8L" and len(head) >= 5 and head[0] == 0x2F:  # noqa: PLR2004 (fixed layout)
        bits = int.from_bytes(head[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), bool(bits >> 28 & 1)
    if kind == b"VP8 " and head[3:6] == b"\x9d\x01\x2a" and len(head) == _FRAME_HEAD_BYTES:
        return (
            int.from_bytes(head[6:8], "little") & 0x3FFF,
            int.from_bytes(head[8:10], "little") & 0x3FFF,
            False,
        )
    raise BrokenImage("its WebP header is malformed")


def _skip_padding(intake: Intake, left: int, size: int) -> Steps[int]:
    """Skips the byte behind a chunk of odd size, if the file has not ended; returns what is left then."""
    padding = min(left, size % 2)
    yield from intake.skip(padding)
    return left - padding


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + b"\x00" * (len(body) % 2)


def is_lossless(scrubbed: bytes) -> bool:
    """Whether a scrubbed WebP holds its pixels losslessly."""
    at = 12
    while at < len(scrubbed):
        kind, size = scrubbed[at : at + 4], int.from_bytes(scrubbed[at + 4 : at + 8], "little")
        if kind in _PIXEL_KINDS:
            return kind == b"VP8L"
        at += 8 + size + size % 2
    return False
