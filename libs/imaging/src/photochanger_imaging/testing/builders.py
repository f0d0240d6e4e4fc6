"""Builds pictures, and puts into them by hand what no honest encoder would write."""

import io
import struct
import zlib
from typing import Final

from PIL import Image, ImageCms

MARKER: Final = b"PLANTED-4711"
"""What metadata says in these pictures; it must not be found in anything that becomes public."""


def a_picture(width_px: int = 96, height_px: int = 64, mode: str = "RGB") -> Image.Image:
    """A picture whose four corners differ, so that no turn or mirroring leaves it the same."""
    across = Image.linear_gradient("L").rotate(90).resize((width_px, height_px))
    down = Image.linear_gradient("L").resize((width_px, height_px))
    mixed = Image.radial_gradient("L").resize((width_px, height_px))
    picture = Image.merge("RGB", (across, down, mixed))
    if mode == "RGBA":
        picture.putalpha(mixed)
        return picture
    return picture.convert(mode)


def a_jpeg(
    picture: Image.Image | None = None, *, quality: int = 90, progressive: bool = False, subsampling: int = 2
) -> bytes:
    """A JPEG as Pillow writes it; `subsampling` 0, 1, 2 is 4:4:4, 4:2:2, 4:2:0."""
    out = io.BytesIO()
    (picture or a_picture()).save(
        out, "JPEG", quality=quality, progressive=progressive, subsampling=subsampling
    )
    return out.getvalue()


def a_png(picture: Image.Image | None = None) -> bytes:
    """A PNG as Pillow writes it."""
    out = io.BytesIO()
    (picture or a_picture()).save(out, "PNG")
    return out.getvalue()


def a_webp(picture: Image.Image | None = None, *, lossless: bool = False) -> bytes:
    """A WebP as Pillow writes it."""
    out = io.BytesIO()
    (picture or a_picture()).save(out, "WEBP", lossless=lossless)
    return out.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    """One JPEG segment."""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """A JPEG with more segments right behind SOI."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def before_marker(jpeg: bytes, marker: int, inserted: bytes) -> bytes:
    """A JPEG with bytes before the first occurrence of a marker."""
    at = jpeg.index(bytes((0xFF, marker)))
    return jpeg[:at] + inserted + jpeg[at:]


def exif(orientation: int = 1, *, order: str = ">") -> bytes:
    """A TIFF block with Orientation, camera make, GPS position and maker note; the texts hold the marker."""
    text = MARKER + b" make\x00"
    heap_at = 8 + 2 + 4 * 12 + 4
    gps_at = heap_at + len(text)
    gps = struct.pack(f"{order}HHHI4sI", 1, 1, 2, 2, b"N\x00\x00\x00", 0)
    note = MARKER + b" maker note"
    note_at = gps_at + len(gps)
    entries = struct.pack(f"{order}HHII", 0x010F, 2, len(text), heap_at)
    entries += struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    entries += struct.pack(f"{order}HHII", 0x8825, 4, 1, gps_at)
    entries += struct.pack(f"{order}HHII", 0x927C, 7, len(note), note_at)
    magic = b"MM\x00*" if order == ">" else b"II*\x00"
    head = magic + struct.pack(f"{order}I", 8) + struct.pack(f"{order}H", 4)
    return head + entries + bytes(4) + text + gps + note


def exif_segment(orientation: int = 1, *, order: str = ">") -> bytes:
    """The same as a JPEG APP1 segment."""
    return segment(0xE1, b"Exif\x00\x00" + exif(orientation, order=order))


def srgb_profile() -> bytes:
    """A matrix/TRC profile whose description and copyright hold the marker."""
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return with_profile_tag(plain, b"cprt", b"text\x00\x00\x00\x00" + MARKER + b"\x00")


def with_profile_tag(profile: bytes, name: bytes, data: bytes) -> bytes:
    """A profile with one tag replaced or added."""
    count = int.from_bytes(profile[128:132], "big")
    tags = [struct.unpack_from(">4sII", profile, 132 + 12 * index) for index in range(count)]
    blocks = [(tag, profile[at : at + size]) for tag, at, size in tags if tag != name]
    blocks.append((name, data))
    offset = 132 + 12 * len(blocks)
    table, heap = len(blocks).to_bytes(4, "big"), b""
    for tag, block in blocks:
        table += struct.pack(">4sII", tag, offset + len(heap), len(block))
        heap += block + bytes(-len(block) % 4)
    body = profile[4:128] + table + heap
    return (len(body) + 4).to_bytes(4, "big") + body


def icc_segments(profile: bytes, *, part_bytes: int = 60_000) -> list[bytes]:
    """A profile as JPEG APP2 segments."""
    parts = [profile[at : at + part_bytes] for at in range(0, len(profile), part_bytes)]
    return [
        segment(0xE2, b"ICC_PROFILE\x00" + bytes((number, len(parts))) + part)
        for number, part in enumerate(parts, 1)
    ]


def chunk(kind: bytes, body: bytes) -> bytes:
    """One PNG chunk."""
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def with_chunks(png: bytes, *chunks: bytes) -> bytes:
    """A PNG with more chunks right behind IHDR."""
    return png[:33] + b"".join(chunks) + png[33:]


def a_raw_png(
    width_px: int, height_px: int, pixels: bytes, *, color: int = 2, depth: int = 8, interlace: int = 0
) -> bytes:
    """A PNG whose header and filtered pixel rows are given, whatever they are."""
    header = struct.pack(">IIBBBBB", width_px, height_px, depth, color, 0, 0, interlace)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def riff_chunk(kind: bytes, body: bytes) -> bytes:
    """One WebP chunk."""
    return kind + len(body).to_bytes(4, "little") + body + bytes(len(body) % 2)


def a_riff(*chunks: bytes) -> bytes:
    """A WebP file of the given chunks."""
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def an_extended_webp(
    *,
    flags: int,
    before: bytes = b"",
    after: bytes = b"",
    header_extra: bytes = b"",
    size_px: tuple[int, int] = (96, 64),
) -> bytes:
    """A VP8X WebP around an ordinary frame, with chunks before and after the pixels, and bytes behind its header."""
    frame = a_webp(a_picture(*size_px))[12:]
    canvas = bytes((flags, 0, 0, 0)) + b"".join((side - 1).to_bytes(3, "little") for side in size_px)
    return a_riff(riff_chunk(b"VP8X", canvas + header_extra), before, frame, after)


def an_animation(image_format: str) -> bytes:
    """Two frames, as "PNG", "WEBP" or "GIF"."""
    out = io.BytesIO()
    frames = [a_picture(), a_picture().transpose(Image.Transpose.ROTATE_180)]
    frames[0].save(out, image_format, save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()
