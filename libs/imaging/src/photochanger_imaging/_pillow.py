"""The only door to Pillow: decoding what our own parsers let through, encoding what we made.

Three choices keep a hostile file small here. Size and kind are checked from the header before Pillow sees a
byte; what Pillow gets is the scrubbed file, so its EXIF, XMP, MPF, APNG and text parsers have nothing to
parse; and the three decoders are called directly, never through `Image.open` with its forty others. No global
of Pillow is read or set (its own pixel limits warn through the process-wide `warnings`; ours raise).
"""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import BinaryIO, Final, TypeAlias

from PIL import Image, ImageCms, ImageFile
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from photochanger_imaging._icc import ProfileOutcome
from photochanger_imaging._intake import slices
from photochanger_imaging._webp import is_lossless
from photochanger_imaging.errors import BrokenImage, ImageError
from photochanger_imaging.formats import ImageFormat
from photochanger_imaging.info import ImageInfo, PixelLimits
from photochanger_imaging.probe import probe
from photochanger_imaging.scrub import Scrubber

Source: TypeAlias = bytes | BinaryIO
"""A picture file: its bytes, or an open binary file read from where it stands."""

_DECODERS: Final[dict[ImageFormat, type[ImageFile.ImageFile]]] = {
    ImageFormat.JPEG: JpegImageFile,
    ImageFormat.PNG: PngImageFile,
    ImageFormat.WEBP: WebPImageFile,
}
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MAX_BASELINE_STEP: Final = 255
_FULL_CHROMA_QUALITY: Final = 90
_PNG_LEVEL: Final = 2
_SAMPLING_444, _SAMPLING_422, _SAMPLING_420 = range(3)


@dataclass(frozen=True, slots=True)
class JpegStyle:
    """How strongly a JPEG is compressed: its quantisation tables per component, and its chroma sampling."""

    tables: tuple[tuple[int, ...], ...]
    sampling: int

    def transposed(self) -> "JpegStyle":
        """For a picture turned by 90 degrees: horizontal and vertical frequencies change places.

        4:2:2 would become 4:4:0, which Pillow cannot write; full chroma keeps the detail instead.
        """
        tables = tuple(
            tuple(table[column * 8 + row] for row in range(8) for column in range(8)) for table in self.tables
        )
        return JpegStyle(tables, _SAMPLING_444 if self.sampling == _SAMPLING_422 else self.sampling)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Pixels as they are meant to be seen: upright, in mode L, RGB or RGBA, with no metadata attached."""

    image: Image.Image
    info: ImageInfo
    profile: bytes | None
    """A cleaned ICC profile that fits the mode; without one the pixels are sRGB."""
    jpeg_style: JpegStyle | None
    """How to write the picture as a JPEG no worse and no larger than it came."""
    lossless: bool


def read(source: Source) -> bytes:
    """The whole file. Its size is bounded where uploads are, not here."""
    return source if isinstance(source, bytes) else source.read()


def decode(source: Source, limits: PixelLimits, *, enough_px: int | None = None) -> Decoded:
    """Decodes a picture whole, turns it upright and makes its colours plain.

    With `enough_px` a JPEG may come at 1/2, 1/4 or 1/8 of its size, its longer side no shorter than that:
    several times cheaper, and the whole file is still read. Raises ImageError.
    """
    data = read(source)
    info = probe(data, limits)
    scrubber = Scrubber(info.format)
    clean = b"".join((*map(scrubber.feed, slices(data)), scrubber.finish()))
    with _damage_named():
        picture = _DECODERS[info.format](io.BytesIO(clean))
        if picture.size != (info.width_px, info.height_px):
            raise BrokenImage("it declares two different sizes")
        style = _style_of(picture) if isinstance(picture, JpegImageFile) else None
        if enough_px is not None:
            picture.draft(None, _of_longest(picture.size, enough_px))
        picture.load()
        image, profile = _plain(picture, scrubber.profile)
        if info.orientation != 1:
            image = image.transpose(_TURNS[info.orientation])
            if style is not None and info.upright_size != (info.width_px, info.height_px):
                style = style.transposed()
    image.info = {}
    lossless = info.format is ImageFormat.PNG or (info.format is ImageFormat.WEBP and is_lossless(clean))
    return Decoded(image=image, info=info, profile=profile, jpeg_style=style, lossless=lossless)


def _of_longest(size: tuple[int, int], side_px: int) -> tuple[int, int]:
    """A size of the same shape whose longer side is `side_px`."""
    longest = max(size)
    return max(1, size[0] * side_px // longest), max(1, size[1] * side_px // longest)


def flatten(image: Image.Image, background: tuple[int, int, int] = (255, 255, 255)) -> Image.Image:
    """Puts a picture with transparency on a background; others are returned as they are."""
    if image.mode != "RGBA":
        return image
    canvas = Image.new("RGB", image.size, background)
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas


def encode_jpeg(
    image: Image.Image, *, quality: int, profile: bytes | None = None, style: JpegStyle | None = None
) -> bytes:
    """Writes a JPEG; transparency goes onto white. A `style` is used in place of `quality`.

    Without a style chroma is kept whole (4:4:4) from quality 90 up: red dresses and coloured hair smear
    otherwise.
    """
    out = io.BytesIO()
    picture = flatten(image)
    if style is not None:
        tables = [list(table) for table in style.tables]
        picture.save(out, "JPEG", qtables=tables, subsampling=style.sampling, icc_profile=profile)
    else:
        sampling = _SAMPLING_444 if quality >= _FULL_CHROMA_QUALITY else _SAMPLING_420
        picture.save(out, "JPEG", quality=quality, subsampling=sampling, icc_profile=profile)
    return out.getvalue()


def encode_png(image: Image.Image, *, profile: bytes | None = None) -> bytes:
    """Writes a PNG at a light compression level: the default takes 3.6 times as long to save a sixth."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=_PNG_LEVEL, icc_profile=profile)
    return out.getvalue()


def encode_webp(
    image: Image.Image, *, quality: int, lossless: bool = False, profile: bytes | None = None
) -> bytes:
    """Writes a WebP with effort 2 of 6, a lossless one with 0: more takes four times as long for a tenth."""
    out = io.BytesIO()
    if lossless:
        image.save(out, "WEBP", lossless=True, quality=0, method=0, exact=True, icc_profile=profile)
    else:
        image.save(out, "WEBP", quality=quality, method=2, icc_profile=profile)
    return out.getvalue()


@contextmanager
def _damage_named() -> Iterator[None]:
    """Turns whatever a decoder raises on damaged bytes into BrokenImage."""
    try:
        yield
    except ImageError:
        raise
    except (
        OSError,  # truncated, broken data stream, decoder error
        SyntaxError,  # Pillow's word for "not such a file"
        ValueError,
        struct.error,
        zlib.error,
        EOFError,
        LookupError,
        OverflowError,
        TypeError,
        ZeroDivisionError,
        Image.DecompressionBombError,
    ) as error:
        raise BrokenImage("it cannot be decoded") from error


def _style_of(picture: JpegImageFile) -> JpegStyle | None:
    """The source's own compression, unless it cannot be repeated (CMYK, grey, 16-bit tables, odd
    sampling).
    """
    if picture.mode not in {"RGB", "L"}:
        return None
    sampling = _SAMPLING_444 if picture.mode == "L" else get_sampling(picture)
    tables = tuple(tuple(picture.quantization.get(layer[3], ())) for layer in picture.layer)
    writable = all(len(table) == 64 and max(table) <= _MAX_BASELINE_STEP for table in tables)  # noqa: PLR2004 (8 x 8)
    return JpegStyle(tables, sampling) if writable and sampling >= 0 else None


def _plain(picture: Image.Image, outcome: ProfileOutcome) -> tuple[Image.Image, bytes | None]:
    """The picture in mode L, RGB or RGBA, and the profile that still describes it."""
    if outcome.original is not None and outcome.cleaned is None and picture.mode in {"RGB", "RGBA", "CMYK"}:
        converted = _to_srgb(picture, outcome.original)
        if converted is not None:
            return converted, None
    match picture.mode:
        case "I;16" | "I":
            image = picture.convert("I").point(lambda value: value / 257).convert("L")
        case "1":
            image = picture.convert("L")
        case "L" | "RGB" | "RGBA" if "transparency" not in picture.info:
            image = picture
        case _:
            image = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    space = b"GRAY" if image.mode == "L" else b"RGB "
    fits = outcome.cleaned is not None and outcome.cleaned[16:20] == space
    return image, outcome.cleaned if fits else None


def _to_srgb(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """Converts by a profile that cannot be kept. None: the profile is of no use, the colours are taken as
    they are.
    """
    mode = "RGB" if picture.mode == "CMYK" else picture.mode
    with suppress(ImageCms.PyCMSError, OSError, ValueError):
        return ImageCms.profileToProfile(
            picture,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode=mode,
        )
    return None
