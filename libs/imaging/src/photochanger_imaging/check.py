"""Decides whether a provider's answer is a picture worth giving to anybody."""

from typing import Final

from PIL import Image

from photochanger_imaging._pillow import Source, decode
from photochanger_imaging.errors import BlankImage
from photochanger_imaging.info import DEFAULT_LIMITS, ImageInfo, PixelLimits

BLANK_TOLERANCE: Final = 6
"""A picture is blank when no channel varies by more than this (of 255) over the whole picture, looked at in
blocks.

A flat colour keeps within 2 after JPEG. The palest real picture, a face on white or a few words, spans some
tens; a white sticker on transparency varies in its alpha channel.
"""

_ENOUGH_PX: Final = 64
_BLOCK_PX: Final = 512
"""Pictures are averaged down to about this many pixels on a side before they are looked at."""


def check_result(source: Source, *, limits: PixelLimits = DEFAULT_LIMITS) -> ImageInfo:
    """Reads a picture to its last byte and looks whether it shows anything.

    The kind is told by content. A JPEG's entropy-coded data is read whole, but turned into pixels only at 1/8
    size. Raises UnsupportedFormat, AnimatedImage, TooManyPixels, BrokenImage (truncated included) or
    BlankImage.
    """
    decoded = decode(source, limits, enough_px=_ENOUGH_PX)
    if is_blank(decoded.image):
        raise BlankImage
    return decoded.info


def is_blank(image: Image.Image) -> bool:
    """Whether an L, RGB or RGBA picture is one flat colour, or transparent throughout."""
    factor = max(1, min(image.size) // _BLOCK_PX)
    small = image.reduce(factor) if factor > 1 else image
    spans = [_span(channel) for channel in small.split()]
    if small.mode == "RGBA":
        lowest, highest = spans.pop()
        if highest <= BLANK_TOLERANCE:
            return True
        if highest - lowest > BLANK_TOLERANCE:
            return False
    return all(highest - lowest <= BLANK_TOLERANCE for lowest, highest in spans)


def _span(channel: Image.Image) -> tuple[float, float]:
    lowest, highest = channel.getextrema()
    if isinstance(lowest, tuple) or isinstance(highest, tuple):
        raise TypeError("a single channel is needed")
    return lowest, highest
