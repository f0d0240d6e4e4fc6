"""Named pictures, each with what has to become of it."""

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass

from PIL import Image

from photochanger_imaging.errors import (
    AnimatedImage,
    BrokenImage,
    ImageError,
    TooManyPixels,
    UnsupportedFormat,
)
from photochanger_imaging.testing import builders as build
from photochanger_imaging.testing.builders import MARKER


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture. `probe` and `scrub` name the error of that step, None when it has to pass."""

    name: str
    data: bytes
    probe: type[ImageError] | None = None
    scrub: type[ImageError] | None = None
    plain: bytes = b""
    """The same picture without what was put into it, where something was."""


def usable() -> list[Sample]:
    """Pictures that have to be taken, most of them full of planted metadata."""
    return [*_usable_jpegs(), *_usable_pngs(), *_usable_webps()]


def hostile() -> list[Sample]:
    """Files that have to be refused, and by which step."""
    return [*_foreign(), *_hostile_jpegs(), *_hostile_pngs(), *_hostile_webps()]


def _usable_jpegs() -> list[Sample]:
    jpeg = build.a_jpeg()
    comment = build.segment(0xFE, b"<script>" + MARKER + b"</script>")
    cmyk = build.a_jpeg(build.a_picture(mode="CMYK"))
    icc = build.icc_segments(build.srgb_profile())
    pieces = build.icc_segments(build.srgb_profile(), part_bytes=100)
    thumbnail = b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x05\x01" + MARKER + b"xyz"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("payload.txt", MARKER)
    with_restarts = io.BytesIO()
    build.a_picture().save(with_restarts, "JPEG", restart_marker_blocks=2)
    orientations = [
        Sample(f"jpeg orientation {value}", build.with_segments(jpeg, build.exif_segment(value)))
        for value in range(1, 9)
    ]
    inserted = {
        "little-endian exif": build.exif_segment(6, order="<"),
        "nonsense orientation": build.exif_segment(77),
        "garbage exif": build.segment(0xE1, b"Exif\x00\x00" + MARKER * 9),
        "xmp": build.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00<x>" + MARKER + b"</x>"),
        "photoshop resources": build.segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + MARKER),
        "script in a comment": comment,
        "many comments": comment * 2000,
        "large segments": build.segment(0xE1, (MARKER * 6000)[:65_000]) * 40,
        "unknown app segment": build.segment(0xE9, MARKER),
        "jfxx thumbnail": build.segment(0xE0, b"JFXX\x00\x10" + build.a_jpeg() + MARKER),
        "icc with words": b"".join(icc),
        "icc in pieces": b"".join(pieces),
        "icc in pieces, shuffled": b"".join(reversed(pieces)),
        "icc with a piece missing": b"".join(pieces[:-1]),
        "icc with a piece twice": b"".join((pieces[0], *pieces)),
        "icc that is none": build.icc_segments(MARKER * 20)[0],
        "icc for grey": build.icc_segments(build.srgb_profile().replace(b"RGB ", b"GRAY", 1))[0],
        "adobe header with more": build.segment(0xEE, b"Adobe\x00\x64MARK\x01" + MARKER),
        "fill bytes": b"\xff" * 5000,
        "stray bytes": build.segment(0xFE, b"") + MARKER,
        "extra restart markers": build.segment(0xFE, b"") + b"\xff\xd0\xff\xd7",
    }
    return [
        Sample("jpeg", jpeg),
        Sample("jpeg progressive", build.a_jpeg(progressive=True)),
        Sample("jpeg grey", build.a_jpeg(build.a_picture(mode="L"))),
        Sample("jpeg 4:4:4", build.a_jpeg(subsampling=0)),
        Sample("jpeg 4:2:2", build.a_jpeg(subsampling=1)),
        Sample("jpeg with restart markers", with_restarts.getvalue()),
        Sample("jpeg of one pixel", build.a_jpeg(build.a_picture(1, 1))),
        Sample("jpeg cmyk", cmyk),
        Sample("jpeg cmyk with a wrong profile", build.with_segments(cmyk, *icc)),
        *orientations,
        *(
            Sample(f"jpeg with {name}", build.with_segments(jpeg, extra), plain=jpeg)
            for name, extra in inserted.items()
        ),
        Sample(
            "jpeg with a thumbnail in its header",
            build.before_marker(jpeg, 0xDB, build.segment(0xE0, thumbnail)),
        ),
        Sample("jpeg with a comment before its scan", build.before_marker(jpeg, 0xDA, comment)),
        Sample("progressive with comments between scans", _before_last_scan(comment)),
        Sample("jpeg with a zip archive behind it", jpeg + archive.getvalue()),
        Sample("jpeg with html behind it", jpeg + b"<html>" + MARKER),
        Sample("jpeg with a second picture", _multi_picture()),
    ]


def _usable_pngs() -> list[Sample]:
    png = build.a_png()
    packed_profile = b"name " + MARKER + b"\x00\x00" + zlib.compress(build.srgb_profile())
    grey16 = Image.new("I;16", (40, 30))
    grey16.putdata([index * 54 for index in range(1200)])
    see_through = io.BytesIO()
    build.a_picture(mode="P").save(see_through, "PNG", transparency=3)
    inserted = {
        "text": build.chunk(b"tEXt", b"Comment\x00" + MARKER),
        "packed text": build.chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(MARKER)),
        "international text": build.chunk(b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + MARKER),
        "exif orientation 6": build.chunk(b"eXIf", build.exif(6)),
        "time": build.chunk(b"tIME", b"\x07\xea\x0b\x15\x0e\x31\x00"),
        "private chunk": build.chunk(b"prVt", MARKER),
        "icc with words": build.chunk(b"iCCP", packed_profile),
        "icc bomb": build.chunk(b"iCCP", b"x\x00\x00" + zlib.compress(bytes(80_000_000))),
        "icc that is none": build.chunk(b"iCCP", MARKER),
        "overlong gamma": build.chunk(b"gAMA", MARKER),
        "wrong check sum on text": build.chunk(b"tEXt", MARKER)[:-1] + b"\x00",
        "many text chunks": build.chunk(b"tEXt", MARKER) * 3000,
    }
    rgb16 = b"".join(
        b"\x00" + struct.pack(">9H", *range(row * 900, row * 900 + 9000, 1000)) for row in range(4)
    )
    interlaced = build.a_raw_png(2, 1, b"\x00\xff\x00\x00" + b"\x00\x00\x00\xff", interlace=1)
    return [
        Sample("png", png),
        Sample("png grey", build.a_png(build.a_picture(mode="L"))),
        Sample("png with alpha", build.a_png(build.a_picture(mode="RGBA"))),
        Sample("png grey with alpha", build.a_png(build.a_picture(mode="LA"))),
        Sample("png palette", build.a_png(build.a_picture(mode="P"))),
        Sample("png palette, see-through", see_through.getvalue()),
        Sample("png 1 bit", build.a_png(build.a_picture(mode="1"))),
        Sample("png 16 bit grey", build.a_png(grey16)),
        Sample("png 16 bit colour", build.a_raw_png(3, 4, rgb16, depth=16)),
        Sample("png interlaced", interlaced),
        *(
            Sample(f"png with {name}", build.with_chunks(png, extra), plain=png)
            for name, extra in inserted.items()
        ),
        Sample("png with text behind its pixels", png[:-12] + build.chunk(b"tEXt", MARKER) + png[-12:]),
        Sample("png with html behind it", png + b"<html>" + MARKER),
    ]


def _usable_webps() -> list[Sample]:
    exif_chunk = build.riff_chunk(b"EXIF", build.exif(6))
    xmp = build.riff_chunk(b"XMP ", MARKER + b"!")
    icc = build.riff_chunk(b"ICCP", build.srgb_profile())
    unknown = build.riff_chunk(b"junk", MARKER)
    return [
        Sample("webp", build.a_webp()),
        Sample("webp lossless", build.a_webp(lossless=True)),
        Sample("webp with alpha", build.a_webp(build.a_picture(mode="RGBA"))),
        Sample("webp lossless with alpha", build.a_webp(build.a_picture(mode="RGBA"), lossless=True)),
        Sample("webp with exif orientation 6", build.an_extended_webp(flags=0x08, after=exif_chunk)),
        Sample("webp with xmp", build.an_extended_webp(flags=0x04, after=xmp)),
        Sample("webp with icc", build.an_extended_webp(flags=0x20, before=icc)),
        Sample(
            "webp with broken icc",
            build.an_extended_webp(flags=0x20, before=build.riff_chunk(b"ICCP", MARKER)),
        ),
        Sample(
            "webp with everything",
            build.an_extended_webp(flags=0x2C, before=icc + unknown, after=exif_chunk + xmp),
        ),
        Sample(
            "webp with an overlong header",
            build.an_extended_webp(flags=0, header_extra=MARKER),
            plain=build.an_extended_webp(flags=0),
        ),
        Sample("webp with bytes behind it", build.a_webp() + MARKER),
    ]


def _foreign() -> list[Sample]:
    bmp = io.BytesIO()
    build.a_picture().save(bmp, "BMP")
    tiff = io.BytesIO()
    build.a_picture().save(tiff, "TIFF")
    files = {
        "gif": build.an_animation("GIF"),
        "bmp": bmp.getvalue(),
        "tiff": tiff.getvalue(),
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        "html": b"\xef\xbb\xbf <!doctype html><title>x</title>",
        "pdf": b"%PDF-1.7 " + bytes(64),
        "zip": b"PK\x03\x04" + bytes(64),
        "heic": b"\x00\x00\x00\x18ftypheic" + bytes(64),
        "avif": b"\x00\x00\x00\x18ftypavif" + bytes(64),
        "mp4": b"\x00\x00\x00\x18ftypisom" + bytes(64),
        "json": b'{"image": "none"}',
        "zeros": bytes(4096),
        "one letter": b"x",
    }
    foreign = [Sample(name, data, UnsupportedFormat, UnsupportedFormat) for name, data in files.items()]
    return [*foreign, Sample("nothing", b"", BrokenImage, UnsupportedFormat)]


def _hostile_jpegs() -> list[Sample]:
    jpeg = build.a_jpeg()
    frame_at = jpeg.index(b"\xff\xc0")
    frame = jpeg[frame_at : frame_at + 19]
    tables_at = jpeg.index(b"\xff\xc4")

    def with_frame(new: bytes) -> bytes:
        return jpeg.replace(frame, new, 1)

    huge = with_frame(frame[:5] + struct.pack(">HH", 20_000, 20_000) + frame[9:])
    wide = with_frame(frame[:5] + struct.pack(">HH", 1, 65_535) + frame[9:])
    flat = with_frame(frame[:5] + struct.pack(">HH", 0, 96) + frame[9:])
    progressive = build.a_jpeg(progressive=True)
    scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    both = {
        "jpeg cut in its header": jpeg[:100],
        "jpeg of three bytes": jpeg[:3],
        "jpeg without height": flat,
        "jpeg without a frame": with_frame(b""),
        "jpeg with two frames": with_frame(frame + frame),
        "jpeg with a segment without length": build.with_segments(jpeg, b"\xff\xe1\x00\x00"),
        "jpeg with a second start": build.with_segments(jpeg, b"\xff\xd8"),
        "jpeg with a reserved marker": build.with_segments(jpeg, b"\xff\x05\x00\x02"),
        "jpeg with a malformed frame": with_frame(frame[:9] + b"\x07" + frame[10:]),
        "jpeg with fifty thousand segments": build.with_segments(jpeg, build.segment(0xFE, b"") * 50_000),
        "jpeg with fifty thousand stray markers": build.with_segments(jpeg, b"\xff\xd0" * 50_000),
    }
    later = {
        "jpeg cut in its scan": jpeg[: len(jpeg) * 2 // 3],
        "jpeg without an end": jpeg[:-2],
        "jpeg scan bomb": progressive[:-2] + scan * 200 + progressive[-2:],
        "jpeg with words in its tables": jpeg[:tables_at]
        + build.segment(0xC4, MARKER * 3)
        + jpeg[tables_at:],
        "jpeg with a frame between scans": progressive[:-2] + frame + progressive[-2:],
    }
    exotic = {
        "jpeg arithmetic": with_frame(b"\xff\xc9" + frame[2:]),
        "jpeg lossless": with_frame(b"\xff\xc3" + frame[2:]),
        "jpeg 12 bit": with_frame(frame[:4] + b"\x0c" + frame[5:]),
        "jpeg of two components": with_frame(b"\xff\xc0\x00\x0e" + frame[4:9] + b"\x02" + frame[10:16]),
    }
    return [
        Sample("jpeg of 400 megapixels", huge, TooManyPixels),
        Sample("jpeg 65535 pixels wide", wide, TooManyPixels),
        *(Sample(name, data, BrokenImage, BrokenImage) for name, data in both.items()),
        *(Sample(name, data, None, BrokenImage) for name, data in later.items()),
        *(Sample(name, data, UnsupportedFormat, UnsupportedFormat) for name, data in exotic.items()),
    ]


def _hostile_pngs() -> list[Sample]:
    png = build.a_png()
    text = build.chunk(b"tEXt", MARKER)
    half = png.index(b"IDAT") + 4 + 40
    pixels = zlib.compress(bytes(100))
    split = png[:33] + build.chunk(b"IDAT", pixels[:4]) + text + build.chunk(b"IDAT", pixels[4:]) + png[-12:]
    both = {
        "png cut in its header": png[:20],
        "png with a wrong header check sum": png[:29] + b"\x00" + png[30:],
        "png without pixels": png[:33] + png[-12:],
        "png of zero width": build.a_raw_png(0, 10, b""),
        "png of depth 3": build.a_raw_png(4, 4, b"", depth=3),
        "png with an endless chunk": png[:33] + b"\xff\xff\xff\xfftEXt" + png[33:],
        "png with a nameless chunk": png[:33] + b"\x00\x00\x00\x00\x00\x01\x02\x03" + png[33:],
    }
    later = {
        "png cut in its pixels": png[:half],
        "png without an end": png[:-12],
        "png with a wrong check sum": png[:half] + bytes((png[half] ^ 1,)) + png[half + 1 :],
        "png with text between pixels": split,
        "png with an unknown critical chunk": build.with_chunks(png, build.chunk(b"EvIL", MARKER)),
        "png with two palettes": build.with_chunks(png, build.chunk(b"PLTE", bytes(3)) * 2),
    }
    return [
        Sample("png of 400 megapixels", build.a_raw_png(20_000, 20_000, b""), TooManyPixels),
        Sample("png of exactly 100 megapixels", build.a_raw_png(10_000, 10_000, b""), TooManyPixels),
        Sample("png 40000 pixels high", build.a_raw_png(1, 40_000, b""), TooManyPixels),
        Sample("png animated", build.an_animation("PNG"), AnimatedImage),
        *(
            Sample(name, data, BrokenImage, BrokenImage if "zero" not in name else None)
            for name, data in both.items()
        ),
        *(Sample(name, data, None, BrokenImage) for name, data in later.items()),
    ]


def _hostile_webps() -> list[Sample]:
    webp = build.a_webp()
    canvas = bytes(4) + (16_000).to_bytes(3, "little") * 2
    huge = build.a_riff(build.riff_chunk(b"VP8X", canvas), webp[12:])
    return [
        Sample("webp animated", build.an_animation("WEBP"), AnimatedImage, AnimatedImage),
        Sample("webp of 256 megapixels", huge, TooManyPixels),
        Sample("webp cut short", webp[:-50], None, BrokenImage),
        Sample("webp cut in its header", webp[:17], BrokenImage, BrokenImage),
        Sample(
            "webp that starts with pixels of nothing",
            build.a_riff(build.riff_chunk(b"VP8 ", bytes(20))),
            BrokenImage,
        ),
        Sample(
            "webp with an unknown first chunk",
            build.a_riff(build.riff_chunk(b"junk", MARKER)),
            UnsupportedFormat,
            UnsupportedFormat,
        ),
        Sample("webp without pixels", build.a_riff(build.riff_chunk(b"VP8X", bytes(10))), None, BrokenImage),
        Sample(
            "webp with a chunk longer than itself",
            webp[:16] + b"\xff\xff\xff\x7f" + webp[20:],
            BrokenImage,
            BrokenImage,
        ),
    ]


def _before_last_scan(inserted: bytes) -> bytes:
    progressive = build.a_jpeg(progressive=True)
    at = progressive.rindex(b"\xff\xda")
    return progressive[:at] + inserted + progressive[at:]


def _multi_picture() -> bytes:
    out = io.BytesIO()
    build.a_picture().save(out, "MPO", save_all=True, append_images=[build.a_picture()])
    return out.getvalue() + MARKER
