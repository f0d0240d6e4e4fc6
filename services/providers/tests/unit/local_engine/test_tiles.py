"""Tiles: what is worked on piece by piece must look as if it were worked on whole."""

import cv2
import numpy as np
import pytest
from photochanger_providers.local_engine.arrays import Box
from photochanger_providers.local_engine.tiles import Enlarged, shrunk, tiles, to_bytes


@pytest.mark.parametrize(("width", "height"), [(1000, 700), (903, 611), (300, 180), (97, 61), (40, 33)])
def test_a_plane_enlarged_in_pieces_is_the_plane_enlarged_whole(width: int, height: int) -> None:
    y, x = np.mgrid[0:72, 0:128].astype(np.float32)
    plane = np.dstack([np.sin(x / 9), np.cos(y / 7), (x + y) / 200]).astype(np.float32)
    enlarged = Enlarged(plane, width=width, height=height)
    pieces = np.empty((height, width, 3), np.float32)
    for box in tiles(Box(0, 0, width, height)):
        pieces[box.slices] = enlarged.over(box)
    assert np.array_equal(pieces, enlarged.over(Box(0, 0, width, height)))
    assert np.abs(pieces - cv2.resize(plane, (width, height))).max() < 0.03


def test_a_shrunken_picture_is_the_mean_of_what_its_pixels_cover() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (360, 480, 3), np.uint8)
    small = shrunk(picture, 60, 45)
    means = picture.reshape(45, 8, 60, 8, 3).mean(axis=(1, 3))
    assert small.shape == (45, 60, 3)
    assert np.abs(small - means).max() <= 2  # each halving rounds


def test_what_lies_outside_of_a_byte_is_held_at_its_ends() -> None:
    assert to_bytes(np.array([[-300.0, -0.4, 7.6, 255.4, 900.0]], np.float32)).tolist() == [
        [0, 0, 8, 255, 255]
    ]
