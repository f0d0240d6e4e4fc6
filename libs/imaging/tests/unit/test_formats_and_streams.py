"""Telling formats apart, limits, and what streaming promises beyond its bytes."""

import io
import tracemalloc
from collections.abc import Callable

import pytest
from photochanger_imaging.errors import BrokenImage, ImageError, TooManyPixels, UnsupportedFormat
from photochanger_imaging.formats import ImageFormat, sniff
from photochanger_imaging.info import MAX_PIXELS, PixelLimits
from photochanger_imaging.probe import HeaderProbe, probe
from photochanger_imaging.scrub import Scrubber, scrub, scrub_file
from photochanger_imaging.testing import builders as build


@pytest.mark.parametrize(
    ("mime", "expected"),
    [
        ("image/jpeg", ImageFormat.JPEG),
        ("image/jpg", ImageFormat.JPEG),
        ("IMAGE/PNG; charset=binary", ImageFormat.PNG),
        (" image/webp ", ImageFormat.WEBP),
        ("image/gif", None),
        ("", None),
    ],
)
def test_media_types_are_read_as_clients_send_them(mime: str, expected: ImageFormat | None) -> None:
    assert ImageFormat.from_mime(mime) is expected


@pytest.mark.parametrize("image_format", ImageFormat)
def test_a_format_knows_its_own_media_type(image_format: ImageFormat) -> None:
    assert ImageFormat.from_mime(image_format.mime) is image_format


def test_extensions_are_the_usual_ones() -> None:
    assert [image_format.extension for image_format in ImageFormat] == ["jpg", "png", "webp"]


@pytest.mark.parametrize("head", [b"", b"\xff\xd8", b"RIFF\x00\x00\x00\x00WAVE", b"\x89PNG"])
def test_too_little_or_something_else_is_no_format(head: bytes) -> None:
    assert sniff(head) is None


def test_a_refusal_says_what_the_file_seems_to_be() -> None:
    with pytest.raises(UnsupportedFormat, match="HEIC") as refusal:
        probe(b"\x00\x00\x00\x18ftypheic" + bytes(64))
    assert refusal.value.looks_like == "a HEIC picture"


def test_every_error_has_its_own_reason() -> None:
    kinds: list[type[ImageError]] = [ImageError, *ImageError.__subclasses__()]
    assert len({kind.reason for kind in kinds}) == len(kinds)


@pytest.mark.parametrize(("width_px", "height_px"), [(10_000, 10_000), (30_001, 1), (1, 30_001)])
def test_limits_refuse_at_their_edge(width_px: int, height_px: int) -> None:
    with pytest.raises(TooManyPixels):
        PixelLimits().check(width_px, height_px)


def test_limits_accept_just_below_their_edge() -> None:
    PixelLimits().check(30_000, 3333)
    PixelLimits().check(10_000, 9_999)
    assert MAX_PIXELS == 10_000 * 10_000


def test_a_header_is_complete_before_the_pixels_are() -> None:
    photo = build.with_segments(build.a_jpeg(), build.exif_segment(6))
    reader = HeaderProbe()
    info = reader.feed(photo[: photo.index(b"\xff\xda") + 2])
    assert info is not None
    assert info.orientation == 6
    assert reader.feed(photo) == info == reader.finish()


def test_a_size_is_refused_before_the_rest_of_the_header_has_come() -> None:
    huge = build.a_raw_png(20_000, 20_000, b"")
    with pytest.raises(TooManyPixels):
        HeaderProbe().feed(huge[:33])


def test_an_animation_passes_where_it_is_allowed() -> None:
    for kind in ("PNG", "WEBP"):
        assert probe(build.an_animation(kind), allow_animated=True).animated


def test_a_failed_stream_stays_failed() -> None:
    scrubber = Scrubber(ImageFormat.PNG)
    for _ in range(2):
        with pytest.raises(BrokenImage):
            scrubber.feed(b"no png at all")
    with pytest.raises(BrokenImage):
        scrubber.finish()


def test_bytes_behind_the_end_are_ignored_and_the_end_is_known() -> None:
    scrubber = Scrubber(ImageFormat.JPEG)
    scrubber.feed(build.a_jpeg())
    assert scrubber.complete
    assert scrubber.feed(build.MARKER) == b""
    assert scrubber.finish() == b""


@pytest.mark.parametrize(
    ("arrange", "dropped"),
    [
        pytest.param(lambda parts: parts, False, id="in order"),
        pytest.param(lambda parts: parts[::-1], False, id="shuffled"),
        pytest.param(lambda parts: [], False, id="none at all"),
        pytest.param(lambda parts: parts[:-1], True, id="one missing"),
        pytest.param(lambda parts: [parts[0], *parts], True, id="one twice"),
        pytest.param(lambda parts: [*parts, *build.icc_segments(build.MARKER)], True, id="another count"),
        pytest.param(lambda parts: build.icc_segments(build.MARKER), True, id="no profile"),
    ],
)
def test_a_dropped_profile_is_told(arrange: Callable[[list[bytes]], list[bytes]], dropped: bool) -> None:
    parts = build.icc_segments(build.srgb_profile(), part_bytes=100)
    photo = build.with_segments(build.a_jpeg(), *arrange(parts))
    assert scrub_file(io.BytesIO(photo), io.BytesIO()).dropped is dropped


def test_the_flags_of_a_scrubbed_webp_tell_what_is_in_it() -> None:
    icc = build.riff_chunk(b"ICCP", build.srgb_profile())
    assert scrub(build.an_extended_webp(flags=0x2C, before=icc))[20] == 0x20
    assert scrub(build.an_extended_webp(flags=0x2C))[20] == 0


@pytest.mark.parametrize("image_format", [ImageFormat.JPEG, ImageFormat.PNG])
def test_scrubbing_a_large_stream_takes_little_memory(image_format: ImageFormat) -> None:
    piece, pieces = b"\x5a" * 65_536, 800
    if image_format is ImageFormat.JPEG:
        photo = build.a_jpeg()
        head = build.with_segments(photo, build.segment(0xE1, bytes(60_000)))[: 60_000 + len(photo) - 2]
        tail = b"\xff\xd9"
    else:
        head = build.a_png()[:33] + (len(piece) * pieces).to_bytes(4, "big") + b"IDAT"
        tail = b""
    scrubber = Scrubber(image_format)
    tracemalloc.start()
    passed = len(scrubber.feed(head))
    for _ in range(pieces):
        passed += len(scrubber.feed(piece))
    passed += len(scrubber.feed(tail))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert passed > len(piece) * pieces
    assert peak < 1_000_000


def test_hostile_padding_is_passed_over_in_one_search() -> None:
    photo = build.a_jpeg()
    padded = build.with_segments(photo, b"\xff" * 5_000_000)
    assert probe(padded) == probe(photo)
