"""Judging results, and making smaller or other forms of a picture."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from photochanger_imaging.check import check_result
from photochanger_imaging.encode import downscale_to, preview, transcode
from photochanger_imaging.errors import BlankImage, BrokenImage, CannotShrink, TooManyPixels
from photochanger_imaging.formats import ImageFormat
from photochanger_imaging.info import PixelLimits
from photochanger_imaging.probe import probe
from photochanger_imaging.scrub import scrub
from photochanger_imaging.testing import builders as build
from PIL import Image, ImageDraw
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

PHOTOS = Path(__file__).parents[4] / "tests" / "photos"
DSLR = (PHOTOS / "portrait-dslr-16mp.jpg").read_bytes()
SIZE = (1200, 900)


def a_high_key_picture() -> Image.Image:
    """Pale skin on white: hardly darker than the background."""
    picture = Image.new("RGB", SIZE, (255, 255, 255))
    ImageDraw.Draw(picture).ellipse((500, 300, 700, 600), fill=(240, 230, 225))
    return picture


def a_sticker() -> Image.Image:
    """A white shape on transparency."""
    picture = Image.new("RGBA", SIZE, (255, 255, 255, 0))
    ImageDraw.Draw(picture).ellipse((500, 300, 700, 600), fill=(255, 255, 255, 255))
    return picture


@pytest.mark.parametrize(
    "name", ["portrait-512.png", "portrait-1536.jpg", "portrait-1024.webp", "portrait-dslr-16mp.jpg"]
)
def test_real_photographs_pass(name: str) -> None:
    data = (PHOTOS / name).read_bytes()
    assert check_result(data) == probe(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(build.a_jpeg(a_high_key_picture()), id="high key"),
        pytest.param(build.a_png(a_sticker()), id="white sticker"),
        pytest.param(build.a_webp(a_sticker()), id="white sticker, webp"),
        pytest.param(build.a_png(a_high_key_picture().convert("L")), id="grey"),
    ],
)
def test_pale_pictures_are_not_blank(data: bytes) -> None:
    check_result(data)


@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (127, 127, 127), (3, 200, 77)])
@pytest.mark.parametrize("encode", [build.a_jpeg, build.a_png, build.a_webp])
def test_a_picture_of_one_colour_is_blank(
    color: tuple[int, int, int], encode: Callable[[Image.Image], bytes]
) -> None:
    with pytest.raises(BlankImage):
        check_result(encode(Image.new("RGB", SIZE, color)))


def test_a_fully_transparent_picture_is_blank_whatever_its_hidden_colours() -> None:
    hidden = build.a_picture(mode="RGB").convert("RGBA")
    hidden.putalpha(0)
    with pytest.raises(BlankImage):
        check_result(build.a_png(hidden))


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("name", ["portrait-512.png", "portrait-1536.jpg", "portrait-1024.webp"])
def test_a_truncated_result_is_broken(name: str, kept: float) -> None:
    data = (PHOTOS / name).read_bytes()
    with pytest.raises(BrokenImage):
        check_result(data[: int(len(data) * kept)])


def test_a_png_whose_pixels_end_early_is_broken() -> None:
    png = build.a_png()
    pixels = png[png.index(b"IDAT") + 4 : -16]
    cut = png[:33] + build.chunk(b"IDAT", pixels[: len(pixels) // 2]) + png[-12:]
    with pytest.raises(BrokenImage):
        check_result(cut)


def test_limits_are_the_callers() -> None:
    with pytest.raises(TooManyPixels) as refusal:
        check_result(DSLR, limits=PixelLimits(max_side_px=3999))
    assert (refusal.value.width_px, refusal.value.height_px) == (4000, 4000)


@pytest.mark.parametrize("max_bytes", [1_000_000, 300_000, 20_000])
def test_a_photo_is_made_to_fit_a_request(max_bytes: int) -> None:
    result = downscale_to(DSLR, max_bytes=max_bytes)
    assert max_bytes / 3 < len(result) <= max_bytes
    info = probe(result)
    assert (info.format, info.orientation) == (ImageFormat.JPEG, 1)


def test_a_photo_that_already_fits_is_only_scrubbed() -> None:
    photo = build.with_segments(build.a_jpeg(), build.exif_segment(1))
    assert downscale_to(photo, max_bytes=100_000, max_side_px=96) == scrub(photo)


@pytest.mark.parametrize(
    "photo",
    [
        pytest.param(build.a_jpeg(build.a_picture(mode="CMYK")), id="cmyk"),
        pytest.param(
            build.with_segments(build.a_jpeg(), *build.icc_segments(build.MARKER)), id="odd profile"
        ),
    ],
)
def test_colours_not_everybody_reads_are_made_plain_even_if_the_photo_fits(photo: bytes) -> None:
    result = downscale_to(photo, max_bytes=100_000)
    assert Image.open(io.BytesIO(result)).mode == "RGB"
    assert result != scrub(photo)


@pytest.mark.parametrize("side_px", [2000, 999, 100])
def test_the_longer_side_is_bounded_after_turning(side_px: int) -> None:
    photo = build.with_segments(build.a_jpeg(build.a_picture(1500, 1100)), build.exif_segment(6))
    info = probe(downscale_to(photo, max_side_px=side_px))
    assert max(info.width_px, info.height_px) == min(side_px, 1500)
    assert info.height_px > info.width_px


def test_what_cannot_fit_says_so() -> None:
    with pytest.raises(CannotShrink):
        downscale_to(DSLR, max_bytes=300)


def test_a_preview_is_a_small_upright_webp() -> None:
    info = probe(
        preview(build.with_segments(build.a_jpeg(build.a_picture(1600, 800)), build.exif_segment(8)))
    )
    assert (info.format, info.width_px, info.height_px) == (ImageFormat.WEBP, 256, 512)


def test_a_preview_never_enlarges() -> None:
    info = probe(preview(build.a_png()))
    assert (info.width_px, info.height_px) == (96, 64)


def test_a_preview_keeps_transparency() -> None:
    assert probe(preview(build.a_png(a_sticker()))).has_alpha


def test_transparency_goes_onto_white_in_a_jpeg() -> None:
    red_but_transparent = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    image = Image.open(io.BytesIO(transcode(build.a_png(red_but_transparent), ImageFormat.JPEG)))
    assert image.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(("quality", "sampling"), [(95, 0), (90, 0), (80, 2)])
def test_chroma_is_kept_whole_in_a_good_jpeg(quality: int, sampling: int) -> None:
    image = Image.open(io.BytesIO(transcode(build.a_png(), ImageFormat.JPEG, quality=quality)))
    assert isinstance(image, JpegImageFile)
    assert get_sampling(image) == sampling
