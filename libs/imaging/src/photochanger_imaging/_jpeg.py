"""JPEG as a stream of segments: what the header says, and the file without what is not picture.

Source: ITU-T T.81 annex B; JFIF 1.02; ICC.1 annex B.4; CIPA DC-007 (MPF). Tolerances are those of libjpeg-
turbo (jdmarker.c): fill bytes and stray bytes between segments are skipped, everything after EOI is not read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from photochanger_imaging._exif import EXIF_PREFIX, orientation_of
from photochanger_imaging._icc import MAX_PROFILE_BYTES, ProfileOutcome, clean_profile
from photochanger_imaging._intake import Emit, Intake, Steps
from photochanger_imaging.errors import BrokenImage, UnsupportedFormat
from photochanger_imaging.formats import ImageFormat
from photochanger_imaging.info import ImageInfo, PixelLimits

_SOF0, _SOF1, _SOF2, _DHT, _SOI, _EOI, _SOS = 0xC0, 0xC1, 0xC2, 0xC4, 0xD8, 0xD9, 0xDA
_DQT, _DNL, _DRI, _APP0, _APP1, _APP2, _APP14, _APP15, _COM = (
    0xDB,
    0xDC,
    0xDD,
    0xE0,
    0xE1,
    0xE2,
    0xEE,
    0xEF,
    0xFE,
)
_SHOWN_FRAMES: Final = frozenset({_SOF0, _SOF1, _SOF2})
_OTHER_FRAMES: Final = frozenset(range(0xC3, 0xD0)) - {_DHT}
"""Lossless, hierarchical and arithmetic-coded frames (and DAC): browsers and providers do not show them."""
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
"""TEM and RSTn have no length."""

_MARKER: Final = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_AFTER_SCAN: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
"""Ends entropy-coded data: not a stuffed FF00, not a restart marker, not a fill byte."""

_ICC_PREFIX: Final = b"ICC_PROFILE\x00"
_ICC_HEADER_BYTES: Final = 14
_MAX_SEGMENTS: Final = 10_000
_MAX_SCANS: Final = 100
"""A progressive photo has about ten; each further one makes the decoder walk all pixels again (a "scan
bomb").
"""
_MAX_HEADER_BYTES: Final = 1 << 20
_BITS_PER_SAMPLE: Final = 8
_CMYK_COMPONENTS: Final = 4
_COMPONENTS: Final = frozenset({1, 3, _CMYK_COMPONENTS})


@dataclass(frozen=True, slots=True)
class _Frame:
    width_px: int
    height_px: int
    components: int


def probe_jpeg(intake: Intake, limits: PixelLimits, done: Callable[[ImageInfo], None]) -> Steps[None]:
    """Reads up to the first scan. The size is checked as soon as it is seen."""
    yield from _start(intake)
    frame: _Frame | None = None
    orientation: int | None = None
    profile = progressive = False
    for _ in range(_MAX_SEGMENTS):
        marker = yield from _next_segment(intake)
        if marker == _SOS:
            if frame is None:
                raise BrokenImage("a scan comes before its frame header")
            done(
                ImageInfo(
                    format=ImageFormat.JPEG,
                    width_px=frame.width_px,
                    height_px=frame.height_px,
                    orientation=orientation or 1,
                    has_color_profile=profile,
                    cmyk=frame.components == _CMYK_COMPONENTS,
                    progressive=progressive,
                )
            )
            return
        size = yield from _body_size(intake)
        if marker in _SHOWN_FRAMES:
            if frame is not None:
                raise BrokenImage("it has two frame headers")
            frame = _frame((yield from intake.take(size)))
            limits.check(frame.width_px, frame.height_px)
            progressive = marker == _SOF2
        elif marker == _APP1 and orientation is None:
            body = yield from intake.take(size)
            if body.startswith(EXIF_PREFIX):
                orientation = orientation_of(body[len(EXIF_PREFIX) :])
        elif marker == _APP2 and not profile:
            profile = (yield from intake.take(size)).startswith(_ICC_PREFIX)
        else:
            yield from intake.skip(size)
    raise BrokenImage("it has too many segments")


@dataclass(slots=True)
class _Head:
    """The segments before the first scan that stay, in the order decoders expect."""

    frame: _Frame | None = None
    jfif: bytes = b""
    adobe: bytes = b""
    tables: list[bytes] = field(default_factory=list)
    table_bytes: int = 0
    icc: dict[int, bytes] = field(default_factory=dict)
    icc_total: int = 0
    icc_seen: bool = False
    icc_sane: bool = True

    def keep(self, marker: int, body: bytes) -> None:
        self.tables.append(_segment(marker, body))
        self.table_bytes += len(body)
        if self.table_bytes > _MAX_HEADER_BYTES:
            raise BrokenImage("its tables are too large")

    def add_application_data(self, marker: int, body: bytes) -> None:
        """Rewrites the three kinds that decide how pixels look; a JFIF thumbnail and spare bytes stay
        behind.
        """
        if marker == _APP0 and body.startswith(b"JFIF\x00") and len(body) >= 14:  # noqa: PLR2004 (fixed layout)
            self.jfif = _segment(_APP0, body[:12] + b"\x00\x00")
        elif marker == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:  # noqa: PLR2004 (fixed layout)
            self.adobe = _segment(_APP14, b"Adobe\x00\x64\x00\x00\x00\x00" + body[11:12])
        elif marker == _APP2 and body.startswith(_ICC_PREFIX) and len(body) > _ICC_HEADER_BYTES:
            self._add_profile_part(number=body[12], total=body[13], part=body[_ICC_HEADER_BYTES:])

    def _add_profile_part(self, *, number: int, total: int, part: bytes) -> None:
        agrees = not self.icc_seen or total == self.icc_total
        fits = sum(map(len, self.icc.values())) + len(part) <= MAX_PROFILE_BYTES
        self.icc_seen, self.icc_total = True, total
        self.icc_sane = self.icc_sane and agrees and fits and number not in self.icc
        if self.icc_sane:
            self.icc[number] = part
        else:
            self.icc.clear()

    def profile(self, frame: _Frame) -> ProfileOutcome:
        """The embedded profile, put together and cleaned."""
        if not self.icc_seen:
            return ProfileOutcome()
        if not self.icc_sane or sorted(self.icc) != list(range(1, self.icc_total + 1)):
            return ProfileOutcome(found=True)
        original = b"".join(part for _, part in sorted(self.icc.items()))
        return ProfileOutcome(
            found=True, original=original, cleaned=clean_profile(original, channels=frame.components)
        )

    def assemble(self, profile: bytes | None) -> bytes:
        icc = b"" if profile is None else _profile_segments(profile)
        return b"".join((b"\xff\xd8", self.jfif, self.adobe, icc, *self.tables))


def scrub_jpeg(intake: Intake, emit: Emit, on_profile: Callable[[ProfileOutcome], None]) -> Steps[None]:
    """Passes on frame, tables, scans and colour interpretation; drops the rest and all that follows EOI."""
    yield from _start(intake)
    head = _Head()
    segments = 0
    while True:
        segments += 1
        if segments > _MAX_SEGMENTS:
            raise BrokenImage("it has too many segments")
        marker = yield from _next_segment(intake)
        if marker == _SOS:
            break
        size = yield from _body_size(intake)
        if marker in _SHOWN_FRAMES:
            if head.frame is not None:
                raise BrokenImage("it has two frame headers")
            body = yield from intake.take(size)
            head.frame = _frame(body)
            head.keep(marker, body)
        elif marker in {_DHT, _DQT, _DRI}:
            head.keep(marker, _checked_table(marker, (yield from intake.take(size))))
        elif marker in {_APP0, _APP2, _APP14}:
            head.add_application_data(marker, (yield from intake.take(size)))
        else:
            yield from intake.skip(size)
    if head.frame is None:
        raise BrokenImage("a scan comes before its frame header")
    outcome = head.profile(head.frame)
    on_profile(outcome)
    emit(head.assemble(outcome.cleaned))
    yield from _scrub_scans(intake, emit, first_segment=segments)


def _scrub_scans(intake: Intake, emit: Emit, *, first_segment: int) -> Steps[None]:
    """From behind the first SOS marker to EOI."""
    marker = _SOS
    scans = 0
    for _ in range(first_segment, _MAX_SEGMENTS):
        if marker == _EOI:
            emit(b"\xff\xd9")
            return
        size = yield from _body_size(intake)
        if marker == _SOS:
            scans += 1
            if scans > _MAX_SCANS:
                raise BrokenImage("it has too many scans")
            emit(_segment(_SOS, _checked_scan((yield from intake.take(size)))))
            marker = yield from intake.until_marker(_AFTER_SCAN, emit)
            _refuse_misplaced(marker, in_scans=True)
            continue
        if marker in {_DHT, _DQT, _DRI}:
            emit(_segment(marker, _checked_table(marker, (yield from intake.take(size)))))
        else:
            yield from intake.skip(size)
        marker = yield from _next_segment(intake, in_scans=True)
    raise BrokenImage("it has too many segments")


def _start(intake: Intake) -> Steps[None]:
    if (yield from intake.take(2)) != b"\xff\xd8":
        raise BrokenImage("it does not start as a JPEG")


def _next_segment(intake: Intake, *, in_scans: bool = False) -> Steps[int]:
    for _ in range(_MAX_SEGMENTS):
        marker = yield from intake.until_marker(_MARKER)
        if marker not in _BARE:
            _refuse_misplaced(marker, in_scans=in_scans)
            return marker
    raise BrokenImage("it has too many stray markers")


def _refuse_misplaced(marker: int, *, in_scans: bool) -> None:
    if marker in _OTHER_FRAMES:
        raise UnsupportedFormat("a lossless, hierarchical or arithmetic-coded JPEG")
    known = marker in {_DHT, _SOS, _DQT, _DNL, _DRI, _COM} or _APP0 <= marker <= _APP15
    allowed = known or (marker == _EOI if in_scans else marker in _SHOWN_FRAMES)
    if not allowed:
        raise BrokenImage(f"the JPEG marker {marker:02X} is out of place")


def _body_size(intake: Intake) -> Steps[int]:
    size = int.from_bytes((yield from intake.take(2)), "big") - 2
    if size < 0:
        raise BrokenImage("a JPEG segment has no length")
    return size


def _frame(body: bytes) -> _Frame:
    components = body[5] if len(body) > 5 else 0  # noqa: PLR2004 (fixed layout)
    if len(body) != 6 + 3 * components:
        raise BrokenImage("its JPEG frame header is malformed")
    if body[0] != _BITS_PER_SAMPLE:
        raise UnsupportedFormat(f"a JPEG with {body[0]} bits per sample")
    if components not in _COMPONENTS:
        raise UnsupportedFormat(f"a JPEG with {components} colour components")
    height_px, width_px = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    if not width_px or not height_px:
        raise BrokenImage("it has no pixels")
    return _Frame(width_px=width_px, height_px=height_px, components=components)


def _checked_table(marker: int, body: bytes) -> bytes:
    """Lets only tables through whose contents fill the segment exactly, as libjpeg does: nothing can ride
    along.
    """
    at = 0
    match marker:
        case 0xDB:  # DQT
            while at < len(body):
                at += 129 if body[at] >> 4 else 65
        case 0xC4:  # DHT
            while at < len(body):
                at += 17 + sum(body[at + 1 : at + 17])
        case _:  # DRI
            at = 2
    if at != len(body):
        raise BrokenImage("a JPEG table is malformed")
    return body


def _checked_scan(body: bytes) -> bytes:
    if not body or len(body) != 4 + 2 * body[0]:
        raise BrokenImage("a JPEG scan header is malformed")
    return body


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def _profile_segments(profile: bytes) -> bytes:
    part_size = 65_533 - _ICC_HEADER_BYTES
    parts = [profile[at : at + part_size] for at in range(0, len(profile), part_size)]
    return b"".join(
        _segment(_APP2, _ICC_PREFIX + bytes((number, len(parts))) + part)
        for number, part in enumerate(parts, 1)
    )
