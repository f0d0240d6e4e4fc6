"""Turning photos upright: where every pixel goes, and what colours become."""

import io
from pathlib import Path

import pytest
from photochanger_imaging.probe import probe
from photochanger_imaging.testing import builders as build
from photochanger_imaging.upright import is_upright, make_upright
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

PHOTOS = Path(__file__).parents[4] / "tests" / "photos"


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def difference(one: Image.Image, other: Image.Image) -> float:
    """Root mean square per channel, of 255; the largest."""
    return max(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).rms)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_as_pillow_would_show_it(orientation: int) -> None:
    photo = build.with_segments(build.a_jpeg(), build.exif_segment(orientation))
    result = make_upright(photo)
    expected = ImageOps.exif_transpose(opened(photo))
    assert opened(result).size == expected.size
    assert difference(opened(result), expected) < 2
    assert is_upright(probe(result))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_png_is_turned_without_loss(orientation: int) -> None:
    picture = build.with_chunks(build.a_png(), build.chunk(b"eXIf", build.exif(orientation)))
    expected = ImageOps.exif_transpose(opened(picture))
    assert opened(make_upright(picture)).tobytes() == expected.tobytes()


def test_a_camera_photo_keeps_its_detail_and_about_its_size() -> None:
    photo = (PHOTOS / "portrait-dslr-16mp.jpg").read_bytes()
    result = make_upright(photo)
    assert probe(photo).orientation == 6
    assert probe(result).orientation == 1
    assert 0.9 < len(result) / len(photo) < 1.1
    assert b"Canon" in photo
    assert b"Canon" not in result
    expected = ImageOps.exif_transpose(opened(photo))
    assert difference(opened(result), expected) < 1


def test_the_tables_and_the_chroma_of_a_jpeg_turn_with_it() -> None:
    photo = build.with_segments(build.a_jpeg(quality=60), build.exif_segment(6))
    before, after = opened(photo), opened(make_upright(photo))
    assert isinstance(before, JpegImageFile)
    assert isinstance(after, JpegImageFile)
    assert get_sampling(after) == get_sampling(before)
    table = before.quantization[0]
    assert after.quantization[0] == [table[column * 8 + row] for row in range(8) for column in range(8)]


def test_a_file_object_is_read_from_where_it_stands() -> None:
    file = io.BytesIO(b"skipped" + build.a_png())
    file.seek(7)
    assert make_upright(file) == make_upright(build.a_png())


def test_transparent_pixels_of_a_lossless_webp_keep_their_colour() -> None:
    picture = build.a_picture(mode="RGBA")
    picture.putalpha(Image.new("L", picture.size, 0))
    out = io.BytesIO()
    picture.save(out, "WEBP", lossless=True, exact=True)
    assert opened(make_upright(out.getvalue())).tobytes() == picture.tobytes()


def test_sixteen_bit_grey_keeps_its_tones() -> None:
    deep = Image.new("I;16", (256, 2))
    deep.putdata([value * 257 for value in range(256)] * 2)
    assert list(opened(make_upright(build.a_png(deep))).tobytes()) == [*range(256)] * 2


def test_a_wide_gamut_profile_stays_without_its_words() -> None:
    photo = build.with_segments(build.a_jpeg(), *build.icc_segments(build.srgb_profile()))
    profile = opened(make_upright(photo)).info["icc_profile"]
    assert build.MARKER not in profile
    assert ImageCms.getProfileDescription(io.BytesIO(profile)).strip() == "Color profile"


def test_a_profile_of_tables_is_turned_into_srgb_pixels() -> None:
    swapped = swapped_channels_profile()
    photo = build.with_segments(build.a_jpeg(quality=95, subsampling=0), *build.icc_segments(swapped))
    result = opened(make_upright(photo))
    assert "icc_profile" not in result.info
    assert difference(result, opened(photo)) > 10


def swapped_channels_profile() -> bytes:
    """An sRGB profile that also has a table: by the standard the table decides, so it cannot be rebuilt."""
    table = b"mft2\x00\x00\x00\x00\x03\x03\x02\x00"
    table += b"".join(value.to_bytes(4, "big") for value in (65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    table += b"\x00\x02\x00\x02"
    ramp = b"\x00\x00\xff\xff"
    corners = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    cells = b"".join(
        (0x8000 * level).to_bytes(2, "big") for _, green, blue in corners for level in (green, blue, green)
    )
    return build.with_profile_tag(build.srgb_profile(), b"A2B0", table + ramp * 3 + cells + ramp * 3)
