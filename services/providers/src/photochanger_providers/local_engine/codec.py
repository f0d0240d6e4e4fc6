"""Bytes to pixels and back: upright, RGB, without metadata but the colour profile."""

import io
import warnings
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from photochanger_providers.local_engine.arrays import MIN_SIDE_PX, Bytes8
from photochanger_providers.local_engine.errors import LocalEngineError, UnreadablePhoto, UnreadableTemplate

MAX_PIXELS = 100_000_000
JPEG_QUALITY = 93

_MOST_ICC_PARTS = 255
_FORMATS = ("JPEG", "PNG", "WEBP")
"""What is decoded at all; Pillow knows forty more, most of them never meant for strangers' bytes."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture, upright, and the ICC profile its numbers are meant in (empty: sRGB)."""

    pixels: Bytes8
    icc_profile: bytes = b""


def read_photo(content: bytes) -> Decoded:
    """Decodes a photo: JPEG, PNG or WebP, upright by its EXIF orientation, transparency laid on white.

    Raises:
        UnreadablePhoto: Not such a file, damaged, or its size is out of bounds.
    """
    return _decode(content, UnreadablePhoto, "The photo")


def read_template(content: bytes) -> Decoded:
    """Decodes a template picture as `read_photo` does a photo.

    Raises:
        UnreadableTemplate: Not such a file, damaged, or its size is out of bounds.
    """
    return _decode(content, UnreadableTemplate, "The template")


def write_jpeg(pixels: Bytes8, *, icc_profile: bytes = b"") -> bytes:
    """Encodes RGB as JPEG at a quality made for print. The pixels' channel order is turned in place."""
    cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR, dst=pixels)
    parameters = [
        cv2.IMWRITE_JPEG_QUALITY,
        JPEG_QUALITY,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    _, encoded = cv2.imencode(".jpg", pixels, parameters)
    return _with_profile(encoded.tobytes(), icc_profile)


def write_png(pixels: Bytes8) -> bytes:
    """Encodes RGBA as PNG. The pixels' channel order is turned in place."""
    cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA, dst=pixels)
    _, encoded = cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return encoded.tobytes()


def _decode(content: bytes, error: type[LocalEngineError], what: str) -> Decoded:
    try:
        with _opened(content) as header:
            width, height = header.size
            profile = header.info.get("icc_profile") or b""
            transparent = header.has_transparency_data
            grey = header.mode in {"L", "LA", "1", "I", "I;16"}
            if min(width, height) < MIN_SIDE_PX or width * height > MAX_PIXELS:
                raise error(
                    f"{what} is {width} x {height} px; at least {MIN_SIDE_PX} px a side, at most 100 MP."
                )
            if transparent:
                return Decoded(_on_white(header), profile)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as cause:
        raise error(f"{what} is not a readable JPEG, PNG or WebP file.") from cause
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB)
    if pixels is None:
        raise error(f"{what} is damaged: its header is fine, its pixels cannot be decoded.")
    # A grey profile does not describe the three channels that come out.
    return Decoded(np.asarray(pixels, np.uint8), b"" if grey else profile)


def _opened(content: bytes) -> Image.Image:
    with warnings.catch_warnings():
        # Pillow warns from 89 MP on; the bound that counts here is checked by the caller.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(content), formats=_FORMATS)


def _on_white(image: Image.Image) -> Bytes8:
    whole = ImageOps.exif_transpose(image).convert("RGBA")
    white = Image.new("RGBA", whole.size, (255, 255, 255, 255))
    return np.array(Image.alpha_composite(white, whole).convert("RGB"), np.uint8)


def _with_profile(jpeg: bytes, profile: bytes) -> bytes:
    """Returns a JPEG with an ICC profile in APP2 segments behind its JFIF header (ICC.1:2010, annex B.4)."""
    if not profile:
        return jpeg
    largest = 65_533 - 14
    parts = [profile[start : start + largest] for start in range(0, len(profile), largest)]
    if len(parts) > _MOST_ICC_PARTS or jpeg[2:4] != b"\xff\xe0":
        return jpeg
    segments = b"".join(
        b"\xff\xe2"
        + (len(part) + 16).to_bytes(2, "big")
        + b"ICC_PROFILE\x00"
        + bytes((number, len(parts)))
        + part
        for number, part in enumerate(parts, start=1)
    )
    behind_jfif = 4 + int.from_bytes(jpeg[4:6], "big")
    return jpeg[:behind_jfif] + segments + jpeg[behind_jfif:]
