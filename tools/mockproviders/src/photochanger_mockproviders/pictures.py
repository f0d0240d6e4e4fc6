"""The pictures the mocks answer with: visibly edited ones, and fixed ones of an exact size for benchmarks."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from enum import StrEnum

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps, UnidentifiedImageError

_BAND = 0.08  # height of the label's band, as a share of the picture's
_JPEG_SEGMENT_MAX = 65_533
_JPEG_SEGMENT_MIN = 4


class PictureFormat(StrEnum):
    """File formats the mocks write."""

    PNG = "png"
    JPEG = "jpeg"

    @property
    def mime_type(self) -> str:
        """The media type of such a file."""
        return f"image/{self.value}"


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What the bytes of a picture are, whatever their label says."""

    mime_type: str
    width_px: int
    height_px: int


def inspect(data: bytes) -> PictureInfo:
    """Decodes a picture completely.

    HEIC and HEIF are told by their header only: Pillow cannot decode them, the providers can.

    Raises:
        ValueError: These bytes are no picture, or a broken one.
    """
    if data[4:8] == b"ftyp" and data[8:12] in {b"heic", b"heix", b"mif1", b"msf1"}:
        return PictureInfo("image/heic", 0, 0)
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            return PictureInfo(Image.MIME.get(image.format or "", ""), image.width, image.height)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError("not a readable picture") from error


def inspect_header(data: bytes) -> PictureInfo:
    """Reads a picture's type and size without decoding its pixels: enough, and cheap.

    Raises:
        ValueError: These bytes are no picture.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            return PictureInfo(Image.MIME.get(image.format or "", ""), image.width, image.height)
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError("not a readable picture") from error


def edit(
    photo: bytes | None, *, width_px: int, height_px: int, label: str, file_format: PictureFormat
) -> bytes:
    """Makes the "AI" result: the photo's middle kept, the surroundings blurred and tinted, a label below."""
    upright = _upright(photo, width_px, height_px)
    # Portraits have the face above the middle: a crop to a wider shape must not cut it off.
    person = ImageOps.fit(upright, (width_px, height_px), centering=(0.5, 0.2))
    tint = ImageOps.colorize(ImageOps.grayscale(person), black=(40, 0, 90), white=(255, 220, 120))
    scene = tint.resize((max(1, width_px // 16), max(1, height_px // 16))).resize((width_px, height_px))
    small = (max(8, width_px // 8), max(8, height_px // 8))
    mask = Image.new("L", small, 0)
    ImageDraw.Draw(mask).ellipse((small[0] * 0.2, small[1] * 0.05, small[0] * 0.8, small[1] * 1.15), fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(small[0] / 40)).resize((width_px, height_px))
    result = Image.composite(person, scene, mask)
    draw = ImageDraw.Draw(result)
    band = max(12, int(height_px * _BAND))
    draw.rectangle((0, height_px - band, width_px, height_px), fill=(40, 0, 90))
    draw.text((band // 3, height_px - band), label, fill="white", font=ImageFont.load_default(band * 0.6))
    draw.rectangle((0, 0, width_px - 1, height_px - 1), outline=(255, 120, 0), width=max(2, band // 6))
    return encode(result, file_format)


def _upright(photo: bytes | None, width_px: int, height_px: int) -> Image.Image:
    if photo is not None:
        try:
            with Image.open(io.BytesIO(photo)) as source:
                source.draft("RGB", (width_px, height_px))
                return ImageOps.exif_transpose(source).convert("RGB")
        except UnidentifiedImageError:  # HEIC; `inspect` has refused everything else
            pass
    return Image.linear_gradient("L").resize((width_px, height_px)).convert("RGB")


def blank(width_px: int, height_px: int, file_format: PictureFormat) -> bytes:
    """A picture of one colour: valid, and not worth printing."""
    return encode(Image.new("RGB", (width_px, height_px), "black"), file_format)


def fixed(size_bytes: int, file_format: PictureFormat = PictureFormat.JPEG) -> bytes:
    """A valid picture of exactly so many bytes: noise, then filled up with a comment decoders skip.

    Raises:
        ValueError: Fewer bytes than the smallest picture takes.
    """
    picture = b""
    for side in (64, 256, 512, 1024, 2048, 4096):
        # About half a byte per pixel is what a photograph of this quality takes.
        if picture and side * side * 0.5 > size_bytes:
            break
        noise = Image.effect_noise((side, side), 24).convert("RGB")
        candidate = encode(noise, file_format)
        if len(candidate) > size_bytes - _JPEG_SEGMENT_MIN:
            break
        picture = candidate
    if not picture:
        raise ValueError(f"No {file_format} of {size_bytes} bytes: at least 16 KiB are needed.")
    missing = size_bytes - len(picture)
    if file_format is PictureFormat.JPEG:
        return picture[:2] + _jpeg_comments(missing) + picture[2:]
    return _with_png_filler(picture, missing)


def encode(image: Image.Image, file_format: PictureFormat) -> bytes:
    """Writes a picture, quickly rather than small."""
    out = io.BytesIO()
    if file_format is PictureFormat.JPEG:
        image.save(out, "JPEG", quality=90)
    else:
        image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def fit_within(width_px: int, height_px: int, longest_px: int) -> tuple[int, int]:
    """The largest size of the same shape whose sides are multiples of 8 and at most `longest_px`."""
    scale = min(1.0, longest_px / max(width_px, height_px))
    return max(8, math.floor(width_px * scale / 8) * 8), max(8, math.floor(height_px * scale / 8) * 8)


def _jpeg_comments(size: int) -> bytes:
    out = bytearray()
    while size:
        segment = min(size, _JPEG_SEGMENT_MAX)
        if 0 < size - segment < _JPEG_SEGMENT_MIN:
            segment -= _JPEG_SEGMENT_MIN
        out += b"\xff\xfe" + (segment - 2).to_bytes(2, "big") + bytes(segment - _JPEG_SEGMENT_MIN)
        size -= segment
    return bytes(out)


def _with_png_filler(picture: bytes, size: int) -> bytes:
    # Bytes after IEND are ignored by every decoder, and need no checksum.
    return picture + bytes(size)
