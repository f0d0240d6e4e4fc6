"""Stores a photo the way up it is seen, so that nobody needs its metadata any more."""

from photochanger_imaging._pillow import Decoded, Source, decode, encode_jpeg, encode_png, encode_webp
from photochanger_imaging.formats import ImageFormat
from photochanger_imaging.info import DEFAULT_LIMITS, ImageInfo, PixelLimits

FALLBACK_QUALITY = 95


def is_upright(info: ImageInfo) -> bool:
    """Whether the pixels are stored as they are seen: then scrubbing is enough, and loses nothing."""
    return info.orientation == 1


def make_upright(
    source: Source, *, quality: int | None = None, limits: PixelLimits = DEFAULT_LIMITS
) -> bytes:
    """Decodes a picture and writes it anew in its own format: upright, without metadata, colours kept true.

    An RGB matrix profile is kept (wide gamuts stay wide); CMYK and table-based profiles are converted to
    sRGB, 16-bit and palette pictures become 8-bit. By default a JPEG is written with the source's own
    quantisation tables and chroma sampling, turned with the picture: the loss is then that of rounding, and
    the size stays about the same, while a fixed quality would either lose detail or inflate the file.
    `quality` (1 to 100) overrides that, and for a lossy WebP its 95. PNG and lossless WebP stay lossless.
    Raises ImageError.
    """
    decoded = decode(source, limits)
    return encode_like(decoded, quality=quality)


def encode_like(decoded: Decoded, *, quality: int | None = None) -> bytes:
    """Writes decoded pixels in the format they came in."""
    image, profile = decoded.image, decoded.profile
    chosen = FALLBACK_QUALITY if quality is None else quality
    match decoded.info.format:
        case ImageFormat.JPEG:
            style = decoded.jpeg_style if quality is None else None
            return encode_jpeg(image, quality=chosen, profile=profile, style=style)
        case ImageFormat.PNG:
            return encode_png(image, profile=profile)
        case ImageFormat.WEBP:
            return encode_webp(image, quality=chosen, lossless=decoded.lossless, profile=profile)
