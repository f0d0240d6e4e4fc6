"""Promises that hold for any picture and any way of cutting it into pieces."""

import io
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from photochanger_imaging.check import check_result
from photochanger_imaging.errors import ImageError
from photochanger_imaging.formats import sniff
from photochanger_imaging.probe import HeaderProbe, probe
from photochanger_imaging.scrub import Scrubber, scrub
from photochanger_imaging.testing import builders as build
from photochanger_imaging.testing.corpus import Sample, hostile, usable
from photochanger_imaging.upright import make_upright
from PIL import Image

OURS = [sample for sample in [*usable(), *hostile()] if sniff(sample.data[:12]) is not None]
SMALL = [sample for sample in OURS if len(sample.data) < 40_000]
PIECES = st.lists(st.integers(1, 400), min_size=1, max_size=50)
MODES = {"JPEG": ["L", "RGB", "CMYK"], "PNG": ["1", "L", "LA", "P", "RGB", "RGBA"], "WEBP": ["RGB", "RGBA"]}


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """Cuts data into pieces of these sizes, over and over."""
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[at : at + size])
        at += size
    return pieces


def outcome(run: Callable[[], object]) -> object:
    """What a call gives, or its refusal in words."""
    try:
        return run()
    except ImageError as error:
        return type(error), str(error)


@given(st.sampled_from(SMALL), PIECES)
@settings(deadline=None)
def test_scrubbing_does_not_depend_on_where_the_pieces_were_cut(sample: Sample, sizes: list[int]) -> None:
    image_format = sniff(sample.data[:12])
    assert image_format is not None

    def in_pieces() -> bytes:
        scrubber = Scrubber(image_format)
        return b"".join(scrubber.feed(piece) for piece in cut(sample.data, sizes)) + scrubber.finish()

    assert outcome(in_pieces) == outcome(lambda: scrub(sample.data))


@given(st.sampled_from(SMALL), PIECES)
@settings(deadline=None)
def test_probing_does_not_depend_on_where_the_pieces_were_cut(sample: Sample, sizes: list[int]) -> None:
    def in_pieces() -> object:
        reader = HeaderProbe()
        for piece in cut(sample.data, sizes):
            reader.feed(piece)
        return reader.finish()

    assert outcome(in_pieces) == outcome(lambda: probe(sample.data))


@given(st.data(), st.integers(1, 300), st.integers(1, 300), st.sampled_from(["JPEG", "PNG", "WEBP"]))
@settings(deadline=None)
def test_the_header_says_what_pillow_says(
    data: st.DataObject, width_px: int, height_px: int, kind: str
) -> None:
    mode = data.draw(st.sampled_from(MODES[kind]))
    orientation = data.draw(st.integers(1, 8))
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    build.a_picture(width_px, height_px, mode).save(
        out, kind, exif=exif, progressive=data.draw(st.booleans())
    )
    info = probe(out.getvalue())
    with Image.open(out) as image:
        assert (info.width_px, info.height_px) == image.size
        assert info.format.value == kind.lower()
        assert info.orientation == image.getexif()[0x0112] == orientation
        assert info.has_alpha == (image.mode in {"LA", "RGBA", "PA"})
        assert info.cmyk == (image.mode == "CMYK")
        assert info.progressive == bool(image.info.get("progressive", False))


@given(st.sampled_from(SMALL), st.data())
@settings(deadline=None, max_examples=400)
def test_damage_anywhere_is_taken_or_refused_but_never_a_crash(sample: Sample, data: st.DataObject) -> None:
    damaged = bytearray(sample.data)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(0, len(damaged)))
    for operation in (probe, scrub, check_result, make_upright):
        outcome(lambda operation=operation: operation(bytes(damaged[:end])))  # type: ignore[misc] # a default argument binds the loop variable


@given(st.sampled_from(SMALL), st.data())
@settings(deadline=None, max_examples=200)
def test_whatever_scrubbing_lets_through_of_damaged_files_pillow_reads_the_same(
    sample: Sample, data: st.DataObject
) -> None:
    damaged = bytearray(sample.data)
    damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    clean = outcome(lambda: scrub(bytes(damaged)))
    if not isinstance(clean, bytes) or sample.probe is not None:
        return
    try:
        with Image.open(io.BytesIO(damaged)) as image:
            image.load()
            before = image.size, image.mode, image.tobytes()
    except (OSError, SyntaxError, ValueError, EOFError, UserWarning):
        return
    with Image.open(io.BytesIO(clean)) as image:
        assert (image.size, image.mode, image.tobytes()) == before
