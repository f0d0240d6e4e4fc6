"""Other forms of a picture: another format, a smaller file, a preview. All upright and without metadata."""

import io
import math

from PIL import Image

from photochanger_imaging._pillow import Source, decode, encode_jpeg, encode_png, encode_webp, flatten, read
from photochanger_imaging.errors import CannotShrink
from photochanger_imaging.formats import ImageFormat
from photochanger_imaging.info import DEFAULT_LIMITS, ImageInfo, PixelLimits
from photochanger_imaging.probe import probe
from photochanger_imaging.scrub import scrub_file

PREVIEW_SIDE_PX = 512
_PREVIEW_QUALITY = 80
_SHRINK_QUALITY = 90
_SHRINK_STEPS = 8
_SMALLEST_SIDE_PX = 64


def transcode(
    source: Source, to: ImageFormat, *, quality: int = 95, limits: PixelLimits = DEFAULT_LIMITS
) -> bytes:
    """Writes a picture in another format (or anew in its own). `quality`, 1 to 100, is for JPEG and lossy
    WebP.

    Transparency goes onto white in a JPEG. A WebP made of a lossless picture is lossy all the same: that is
    what one asks WebP for. Raises ImageError.
    """
    decoded = decode(source, limits)
    match to:
        case ImageFormat.JPEG:
            return encode_jpeg(decoded.image, quality=quality, profile=decoded.profile)
        case ImageFormat.PNG:
            return encode_png(decoded.image, profile=decoded.profile)
        case ImageFormat.WEBP:
            return encode_webp(decoded.image, quality=quality, profile=_web_profile(decoded.profile))


def downscale_to(
    source: Source,
    *,
    max_bytes: int | None = None,
    max_side_px: int | None = None,
    quality: int = _SHRINK_QUALITY,
    limits: PixelLimits = DEFAULT_LIMITS,
) -> bytes:
    """Makes a JPEG of at most `max_bytes` and at most `max_side_px` on its longer side, as large as these
    allow.

    A JPEG that already fits and is upright is only scrubbed: its pixels stay as they are. Pixels are given up
    before quality: a provider's model works at a fixed size anyway. Raises CannotShrink when even a 64 pixel
    picture is over `max_bytes`, ImageError for a bad source.
    """
    data = read(source)
    info = probe(data, limits)
    longest = max(info.width_px, info.height_px)
    if max_side_px is None or longest <= max_side_px:
        clean = _as_it_is(data, info)
        if clean is not None and (max_bytes is None or len(clean) <= max_bytes):
            return clean
    side = longest if max_side_px is None else min(longest, max_side_px)
    decoded = decode(data, limits, enough_px=side)
    picture = flatten(decoded.image)
    for _ in range(_SHRINK_STEPS):
        small = _fitted(picture, side)
        result = encode_jpeg(small, quality=quality, profile=decoded.profile)
        if max_bytes is None or len(result) <= max_bytes:
            return result
        # Bytes go with the area; a little more each time, because small pictures have more bits per pixel.
        side = min(side - 1, int(side * math.sqrt(max_bytes / len(result)) * 0.95))
        if side < _SMALLEST_SIDE_PX:
            break
    raise CannotShrink(max_bytes or 0)


def preview(source: Source, *, side_px: int = PREVIEW_SIDE_PX, limits: PixelLimits = DEFAULT_LIMITS) -> bytes:
    """Makes a small WebP for lists and galleries: at most `side_px` on its longer side, sRGB, never enlarged.

    A JPEG is decoded at a fraction of its size. Raises ImageError.
    """
    decoded = decode(source, limits, enough_px=side_px)
    # Half the work of Lanczos, and nobody can tell at this size.
    small = _fitted(decoded.image, side_px, Image.Resampling.HAMMING)
    return encode_webp(small, quality=_PREVIEW_QUALITY, profile=_web_profile(decoded.profile))


def _as_it_is(data: bytes, info: ImageInfo) -> bytes | None:
    """The scrubbed file, if that is an upright JPEG in colours everybody reads."""
    if info.format is not ImageFormat.JPEG or info.orientation != 1 or info.cmyk:
        return None
    clean = io.BytesIO()
    profile = scrub_file(io.BytesIO(data), clean)
    return None if profile.dropped else clean.getvalue()


def _web_profile(profile: bytes | None) -> bytes | None:
    """Keeps a colour profile unless it is for grey: WebP has no grey."""
    return profile if profile is not None and profile[16:20] == b"RGB " else None


def _fitted(
    picture: Image.Image, side_px: int, resampling: Image.Resampling = Image.Resampling.LANCZOS
) -> Image.Image:
    longest = max(picture.size)
    if longest <= side_px:
        return picture
    size = tuple(max(1, round(side * side_px / longest)) for side in picture.size)
    return picture.resize((size[0], size[1]), resampling, reducing_gap=2.0)
