"""Ranges mean what HTTP's ranges mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_chassis.errors import InvalidArgument
from photochanger_media.domain.byte_range import ByteRange, Span
from photochanger_media.domain.errors import RangeNotSatisfiable

SIZES = st.integers(1, 200)


@given(SIZES, st.integers(0, 250), st.integers(0, 250))
def test_a_range_is_a_slice(size: int, offset: int, length: int) -> None:
    data = bytes(index % 251 for index in range(size))
    wanted = data[offset : offset + length] if length else data[offset:]
    try:
        span = ByteRange(offset, length).of(size)
    except RangeNotSatisfiable as error:
        assert offset >= size
        assert error.metadata == {"sizeBytes": str(size)}
    else:
        assert data[span.offset : span.offset + span.length] == wanted != b""


@given(SIZES, st.integers(1, 250))
def test_a_negative_offset_counts_from_the_end(size: int, last: int) -> None:
    data = bytes(index % 251 for index in range(size))
    span = ByteRange(-last).of(size)
    assert data[span.offset : span.offset + span.length] == data[-last:]


def test_no_range_is_everything() -> None:
    assert ByteRange().of(7) == Span(0, 7)


@pytest.mark.parametrize("wanted", [ByteRange(0, -1), ByteRange(-3, 2)])
def test_a_range_that_contradicts_itself_is_refused(wanted: ByteRange) -> None:
    with pytest.raises(InvalidArgument):
        wanted.of(10)
