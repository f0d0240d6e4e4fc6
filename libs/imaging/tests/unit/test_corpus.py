"""What becomes of every picture of the corpus, in every operation."""

import io

import pytest
from photochanger_imaging.check import check_result
from photochanger_imaging.encode import downscale_to, preview, transcode
from photochanger_imaging.errors import ImageError
from photochanger_imaging.formats import ImageFormat, sniff
from photochanger_imaging.info import PixelLimits
from photochanger_imaging.probe import HeaderProbe, probe
from photochanger_imaging.scrub import scrub
from photochanger_imaging.testing.builders import MARKER, a_raw_png
from photochanger_imaging.testing.corpus import Sample, hostile, usable
from photochanger_imaging.upright import make_upright
from PIL import Image

USABLE = [pytest.param(sample, id=sample.name) for sample in usable()]
HOSTILE = [pytest.param(sample, id=sample.name) for sample in hostile()]


def decoded(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    with Image.open(io.BytesIO(data)) as image:
        return image.mode, image.size, image.tobytes()


def test_the_corpus_is_large_and_its_names_are_unique() -> None:
    names = [sample.name for sample in [*usable(), *hostile()]]
    assert len(names) == len(set(names))
    assert len(names) >= 120


@pytest.mark.parametrize("sample", USABLE)
def test_scrubbing_leaves_pixels_alone_and_no_words(sample: Sample) -> None:
    clean = scrub(sample.data)
    assert MARKER not in clean
    assert decoded(clean) == decoded(sample.plain or sample.data)
    assert scrub(clean) == clean


@pytest.mark.parametrize("sample", USABLE)
def test_a_scrubbed_picture_is_described_as_before_but_for_its_metadata(sample: Sample) -> None:
    before, after = probe(sample.data), probe(scrub(sample.data))
    assert (after.format, after.width_px, after.height_px) == (
        before.format,
        before.width_px,
        before.height_px,
    )
    assert (after.has_alpha, after.progressive) == (before.has_alpha, before.progressive)
    assert after.orientation == 1


@pytest.mark.parametrize("sample", USABLE)
def test_pillow_finds_nothing_but_colour_in_a_scrubbed_picture(sample: Sample) -> None:
    allowed = {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "adobe", "adobe_transform"}
    allowed |= {"progressive", "progression", "icc_profile", "gamma", "transparency", "srgb", "chromaticity"}
    allowed |= {"interlace", "background", "loop", "timestamp", "duration"}
    with Image.open(io.BytesIO(scrub(sample.data))) as image:
        assert set(image.info) <= allowed
        assert not image.getexif()


@pytest.mark.parametrize("sample", USABLE)
def test_everything_that_is_made_is_upright_and_without_words(sample: Sample) -> None:
    before = probe(sample.data)
    made = {
        "upright": make_upright(sample.data),
        "preview": preview(sample.data, side_px=48),
        "small": downscale_to(sample.data, max_side_px=40),
        **{image_format.value: transcode(sample.data, image_format) for image_format in ImageFormat},
    }
    for data in made.values():
        assert MARKER not in data
        assert probe(data).orientation == 1
        decoded(data)
    upright = probe(made["upright"])
    assert (upright.format, (upright.width_px, upright.height_px)) == (before.format, before.upright_size)


@pytest.mark.parametrize("sample", HOSTILE)
def test_a_hostile_file_is_refused_by_the_header_when_it_can_be(sample: Sample) -> None:
    if sample.probe is None:
        probe(sample.data)
    else:
        with pytest.raises(sample.probe):
            probe(sample.data)


@pytest.mark.parametrize("sample", HOSTILE)
def test_a_hostile_file_is_refused_the_same_way_in_small_pieces(sample: Sample) -> None:
    reader = HeaderProbe()
    if sample.probe is None:
        for at in range(0, len(sample.data), 7):
            reader.feed(sample.data[at : at + 7])
        assert reader.finish() == probe(sample.data)
        return
    with pytest.raises(sample.probe):
        for at in range(0, len(sample.data), 7):
            reader.feed(sample.data[at : at + 7])
        reader.finish()


@pytest.mark.parametrize("sample", HOSTILE)
def test_scrubbing_refuses_what_is_malformed(sample: Sample) -> None:
    if sample.scrub is None:
        scrub(sample.data)
    else:
        with pytest.raises(sample.scrub):
            scrub(sample.data)


@pytest.mark.parametrize("sample", HOSTILE)
def test_no_operation_takes_a_hostile_file_or_fails_in_its_own_way(sample: Sample) -> None:
    for operation in (check_result, make_upright, preview, downscale_to):
        if operation is downscale_to and sample.probe is None and sample.scrub is None:
            continue
        with pytest.raises(ImageError):
            operation(sample.data)


def test_a_small_file_that_unpacks_to_81_megapixels_is_refused_by_a_lower_limit() -> None:
    bomb = a_raw_png(9000, 9000, (b"\x00" + bytes(9000 * 3)) * 9000)
    assert len(bomb) < 300_000
    with pytest.raises(ImageError):
        check_result(bomb, limits=PixelLimits(max_pixels=40_000_000))


def test_a_wrong_name_or_type_does_not_matter_because_content_decides() -> None:
    assert {sniff(sample.data[:12]) for sample in usable()} == set(ImageFormat)
