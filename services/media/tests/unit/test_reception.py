"""What arrives is checked and cleaned while it streams."""

from __future__ import annotations

import hashlib
import io
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from photochanger_chassis.errors import InvalidArgument
from photochanger_imaging.info import DEFAULT_LIMITS
from photochanger_imaging.scrub import scrub
from photochanger_media.application.reception import DigestAlgorithm, Reception, ReceptionRules
from photochanger_media.domain.errors import PayloadTooLarge, UnsupportedMediaType
from PIL import Image

PHOTOS = Path(__file__).parents[4] / "tests" / "photos"
MIB = 1024 * 1024


def rules(*, cleaned: bool = False, limit: int = 20 * MIB, **others: object) -> ReceptionRules:
    digests = others.pop("digests", frozenset())
    assert isinstance(digests, frozenset)
    return ReceptionRules(max_size_bytes=limit, pixel_limits=DEFAULT_LIMITS, cleaned=cleaned, digests=digests)


def received(data: bytes, wanted: ReceptionRules, cuts: list[int]) -> tuple[bytes, Reception]:
    reception = Reception(wanted)
    stored: list[bytes] = []
    with closing(reception):
        edges = [0, *sorted({cut % len(data) for cut in cuts}), len(data)]
        for start, end in pairwise(edges):
            stored += reception.take(data[start:end])
        rest, _ = reception.finish()
        return b"".join([*stored, *rest]), reception


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["portrait-1536.jpg", "portrait-512.png", "portrait-1024.webp"]),
    st.lists(st.integers(1, 10**6), max_size=12),
    st.booleans(),
)
def test_what_is_stored_does_not_depend_on_the_chunks(name: str, cuts: list[int], cleaned: bool) -> None:
    data = (PHOTOS / name).read_bytes()
    stored, reception = received(data, rules(cleaned=cleaned), cuts)
    assert stored == (scrub(data) if cleaned else data)
    assert reception.digests == {DigestAlgorithm.SHA256: hashlib.sha256(data).hexdigest()}


def test_digests_that_are_asked_for_are_of_the_received_bytes() -> None:
    data = (PHOTOS / "portrait-512.png").read_bytes()
    wanted = frozenset(DigestAlgorithm)
    _, reception = received(data, rules(cleaned=True, digests=wanted), [1000])
    assert reception.digests == {
        algorithm: hashlib.new(algorithm.value, data).hexdigest() for algorithm in DigestAlgorithm
    }


def test_one_byte_more_than_the_limit_is_refused_at_that_byte() -> None:
    data = (PHOTOS / "portrait-512.png").read_bytes()
    received(data, rules(limit=len(data)), [len(data) - 1])
    with pytest.raises(PayloadTooLarge) as refused:
        received(data, rules(limit=len(data) - 1), [len(data) - 1])
    assert refused.value.metadata == {"sizeBytes": str(len(data)), "limitBytes": str(len(data) - 1)}


def test_a_chunk_larger_than_a_mebibyte_is_refused() -> None:
    with closing(Reception(rules())) as reception, pytest.raises(InvalidArgument):
        reception.take(bytes(MIB + 1))


@pytest.mark.parametrize(
    "data",
    [
        b"GIF89a" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7 " + bytes(100),
        b"\x00\x00\x00\x18ftypheic" + bytes(100),
    ],
)
def test_other_files_are_refused_by_their_first_bytes(data: bytes) -> None:
    with closing(Reception(rules())) as reception, pytest.raises(UnsupportedMediaType):
        reception.take(data[:50])


def test_a_turned_photo_has_to_be_drawn_anew() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    target = io.BytesIO()
    Image.new("RGB", (64, 32), "red").save(target, "JPEG", exif=exif)
    with closing(Reception(rules(cleaned=True))) as reception:
        assert reception.take(target.getvalue()) == []
        rest, info = reception.finish()
        assert rest == []
        assert reception.redraw
        assert info.upright_size == (32, 64)
        reception.spool.seek(0)
        assert reception.spool.read() == target.getvalue()
