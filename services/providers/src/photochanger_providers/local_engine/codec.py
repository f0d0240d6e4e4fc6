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
_STRIP_ROWS = 64
"""OpenCV copies what it changes in place; a strip's copy stays in the cache."""
_FORMATS = ("JPEG", "PNG", "WEBP")
"""What is decoded at all; Pillow knows forty more, most of them never meant for strangers' bytes."""


_REDUCED = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
}
"""How to decode a JPEG at a whole share of its size: most of the work falls away, not only most of the pixels."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """A picture, upright, and the ICC profile its numbers are meant in (empty: sRGB).

    `size` is the width and height the picture has in its file; `pixels` may be fewer when fewer were enough.
    """

    pixels: Bytes8
    size: tuple[int, int]
    icc_profile: bytes = b""


def read_photo(content: bytes, *, enough_px: int = MAX_PIXELS) -> Decoded:
    """Decodes a photo: JPEG, PNG or WebP, upright by its EXIF orientation, transparency laid on white.

    A JPEG may come out smaller, down to a longer side of `enough_px`.

    Raises:
        UnreadablePhoto: Not such a file, damaged, or its size is out of bounds.
    """
    return _decode(content, UnreadablePhoto, "The photo", enough_px=enough_px)


def read_template(content: bytes) -> Decoded:
    """Decodes a template picture as `read_photo` does a photo.

    Raises:
        UnreadableTemplate: Not such a file, damaged, or its size is out of bounds.
    """
    return _decode(content, UnreadableTemplate, "The template")


def write_jpeg(pixels: Bytes8, *, icc_profile: bytes = b"") -> bytes:
    """Encodes RGB as JPEG at a quality made for print. The pixels' channel order is turned in place."""
    _swap_red_and_blue(pixels)
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
    # Measured: half the time and a sixth smaller than zlib's level 1 with libpng's own choice of filters.
    parameters = [
        cv2.IMWRITE_PNG_COMPRESSION,
        1,
        cv2.IMWRITE_PNG_STRATEGY,
        cv2.IMWRITE_PNG_STRATEGY_RLE,
        cv2.IMWRITE_PNG_FILTER,
        cv2.IMWRITE_PNG_FILTER_AVG,
    ]
    _, encoded = cv2.imencode(".png", pixels, parameters)
    return encoded.tobytes()


def _decode(
    content: bytes, error: type[LocalEngineError], what: str, *, enough_px: int = MAX_PIXELS
) -> Decoded:
    try:
        with _opened(content) as header:
            width, height = header.size
            profile = header.info.get("icc_profile") or b""
            transparent = header.has_transparency_data
            jpeg = header.format == "JPEG"
            grey = header.mode in {"L", "LA", "1", "I", "I;16"}
            if min(width, height) < MIN_SIDE_PX or width * height > MAX_PIXELS:
                raise error(
                    f"{what} is {width} x {height} px; at least {MIN_SIDE_PX} px a side, at most 100 MP."
                )
            if transparent:
                whole = _on_white(header)
                return Decoded(whole, (whole.shape[1], whole.shape[0]), profile)
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as cause:
        raise error(f"{what} is not a readable JPEG, PNG or WebP file.") from cause
    longest = max(width, height)
    share = next((share for share in _REDUCED if jpeg and longest >= share * enough_px), 1)
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), _REDUCED.get(share, cv2.IMREAD_COLOR_RGB))
    if decoded is None:
        raise error(f"{what} is damaged: its header is fine, its pixels cannot be decoded.")
    # A grey profile does not describe the three channels that come out.
    profile = b"" if grey else profile
    pixels = np.asarray(decoded, np.uint8)
    if share == 1:
        return Decoded(pixels, (pixels.shape[1], pixels.shape[0]), profile)
    _swap_red_and_blue(pixels)
    turned = (pixels.shape[1] > pixels.shape[0]) != (width > height)
    return Decoded(pixels, (height, width) if turned else (width, height), profile)


def _swap_red_and_blue(pixels: Bytes8) -> None:
    for top in range(0, len(pixels), _STRIP_ROWS):
        strip = pixels[top : top + _STRIP_ROWS]
        cv2.cvtColor(strip, cv2.COLOR_RGB2BGR, dst=strip)


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
