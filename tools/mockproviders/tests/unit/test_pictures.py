"""The pictures that are made to measure."""

from __future__ import annotations

import io

import pytest
from photochanger_mockproviders import PictureFormat, fixed
from photochanger_mockproviders.pictures import fit_within
from PIL import Image


@pytest.mark.parametrize("file_format", list(PictureFormat))
@pytest.mark.parametrize("size", [16_384, 81_921, 400_000, 1_500_000])
def test_a_fixed_picture_is_readable_and_has_exactly_the_size(size: int, file_format: PictureFormat) -> None:
    data = fixed(size, file_format)
    assert len(data) == size
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.format == file_format.name


def test_every_size_around_the_longest_comment_is_reached() -> None:
    base = 16_384 + 65_533
    for size in range(base - 3, base + 4):
        assert len(fixed(size)) == size


def test_a_fixed_picture_cannot_be_smaller_than_a_picture() -> None:
    with pytest.raises(ValueError, match="at least"):
        fixed(100)


def test_sizes_are_fitted_in_steps_of_eight() -> None:
    assert fit_within(4000, 3000, 1024) == (1024, 768)
    assert fit_within(100, 50, 1024) == (96, 48)
    assert fit_within(3, 9000, 1024) == (8, 1024)
