"""Photographs of an exact size in bytes, as cameras write them: real pictures with a sensor's noise."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops

PORTRAIT = Path(__file__).parents[1] / "tests" / "photos" / "portrait-dslr-16mp.jpg"
_SEGMENT_MAX = 65_533
_SEGMENT_MIN = 4
_QUALITIES = (30, 97)
MARK_BYTES = 40
"""What `marked` adds to a photo."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One size of photo: `size_bytes` exactly, `width_px` wide."""

    name: str
    size_bytes: int
    width_px: int
    noise: float


KINDS = (
    Kind("0.5 MB", 500_000, 1536, 8),
    Kind("5 MB", 5_000_000, 3456, 12),
    Kind("15 MB", 15_000_000, 4896, 14),
)
RESULT = Kind("result", 1_500_000, 1792, 12)


def photo(kind: Kind) -> bytes:
    """A photo of `kind` with room left for a mark: with it, it has exactly `size_bytes`."""
    return _sized(kind, kind.size_bytes - MARK_BYTES)


def result() -> bytes:
    """The picture the provider answers with."""
    return _sized(RESULT, RESULT.size_bytes)


def marked(photo: bytes, token: str) -> bytes:
    """The photo with `token` in a comment: other bytes, the same picture."""
    note = token.encode("ascii").ljust(MARK_BYTES - _SEGMENT_MIN)
    if len(note) != MARK_BYTES - _SEGMENT_MIN:
        raise ValueError("The token is too long.")
    return photo[:2] + b"\xff\xfe" + struct.pack(">H", len(note) + 2) + note + photo[2:]


def _sized(kind: Kind, size_bytes: int) -> bytes:
    """The best quality that fits, filled up with comments (a few percent)."""
    picture = _noisy(kind)
    low, high = _QUALITIES
    best = _encoded(picture, low)
    while low < high:
        middle = (low + high + 1) // 2
        candidate = _encoded(picture, middle)
        if len(candidate) <= size_bytes - _SEGMENT_MIN:
            low, best = middle, candidate
        else:
            high = middle - 1
    if not 0.7 * size_bytes < len(best) <= size_bytes - _SEGMENT_MIN:
        raise ValueError(f"{kind.name}: {len(best)} bytes at quality {low}; change its width or noise.")
    return best[:2] + _comments(size_bytes - len(best)) + best[2:]


def _noisy(kind: Kind) -> Image.Image:
    with Image.open(PORTRAIT) as source:
        height = round(source.height * kind.width_px / source.width)
        scaled = source.convert("RGB").resize((kind.width_px, height))
    noise = Image.effect_noise(scaled.size, kind.noise).convert("RGB")
    return ImageChops.add(scaled, noise, scale=1, offset=-128)


def _encoded(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Canon", 1  # maker; held level
    picture.save(out, "JPEG", quality=quality, exif=exif.tobytes())
    return out.getvalue()


def _comments(size: int) -> bytes:
    out = bytearray()
    while size:
        segment = min(size, _SEGMENT_MAX)
        if 0 < size - segment < _SEGMENT_MIN:
            segment -= _SEGMENT_MIN
        out += b"\xff\xfe" + struct.pack(">H", segment - 2) + bytes(segment - _SEGMENT_MIN)
        size -= segment
    return bytes(out)
