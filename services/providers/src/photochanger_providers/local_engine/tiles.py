"""Working on a large photo piece by piece: small planes enlarged where they are needed, noise, and tiles.

A 16 MP photo as floats would take 192 MB; a tile of it takes half a megabyte and stays in the cache.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from photochanger_providers.local_engine.arrays import Box, Bytes8, Floats

TILE_HEIGHT_PX = 128
TILE_WIDTH_PX = 256
_NOISE_SIDE_PX = 512


def tiles(area: Box) -> Iterator[Box]:
    """Yields boxes that cover an area, row by row."""
    for top in range(area.top, area.bottom, TILE_HEIGHT_PX):
        for left in range(area.left, area.right, TILE_WIDTH_PX):
            yield Box(
                left, top, min(left + TILE_WIDTH_PX, area.right), min(top + TILE_HEIGHT_PX, area.bottom)
            )


class Enlarged:
    """A small plane stretched to a photo's size, box by box, pixel centres aligned.

    Boxes cut from the same picture meet without a seam. `cv2.resize` of pieces does not give that, and
    `cv2.warpAffine`, which does, takes five times as long. So the plane is laid once on a grid of cells of whole
    photo pixels, finer than itself; from there every piece is enlarged by the same whole factor.
    """

    def __init__(self, plane: Floats, *, width: int, height: int) -> None:
        self._cell_px = max(min(width // plane.shape[1], height // plane.shape[0]), 1)
        scale_x, scale_y = plane.shape[1] / width, plane.shape[0] / height
        # A cell more than needed on each side: what lies at an edge is interpolated like everything else.
        first = -0.5 * self._cell_px
        to_source = np.array(
            [
                [scale_x * self._cell_px, 0.0, first * scale_x - 0.5],
                [0.0, scale_y * self._cell_px, first * scale_y - 0.5],
            ]
        )
        size = (-(-width // self._cell_px) + 2, -(-height // self._cell_px) + 2)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        self._cells = cv2.warpAffine(plane, to_source, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)

    def over(self, box: Box) -> Floats:
        """Returns the plane over a box of the photo."""
        cell = self._cell_px
        left, top = box.left // cell, box.top // cell
        piece = self._cells[top : -(-box.bottom // cell) + 2, left : -(-box.right // cell) + 2]
        if cell > 1:
            size = (piece.shape[1] * cell, piece.shape[0] * cell)
            piece = cv2.resize(piece, size, interpolation=cv2.INTER_LINEAR)
        x, y = box.left - (left - 1) * cell, box.top - (top - 1) * cell
        return np.asarray(piece[y : y + box.height, x : x + box.width], np.float32)


def spread(plane: Floats) -> Floats:
    """Returns a plane three times side by side: numpy takes five times as long with a last axis of one."""
    return np.asarray(cv2.cvtColor(plane, cv2.COLOR_GRAY2RGB), np.float32)


def shrunk(picture: Bytes8, width: int, height: int) -> Bytes8:
    """Returns a picture at a smaller size, every pixel the mean of what it covers.

    Halves come first: OpenCV makes them in a fifth of the time any other ratio takes.
    """
    while picture.shape[1] >= 2 * width and picture.shape[0] >= 2 * height:
        half = (picture.shape[1] // 2, picture.shape[0] // 2)
        picture = np.asarray(cv2.resize(picture, half, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


class Noise:
    """Fine grey noise, the same at the same place of every photo, so that a result can be repeated."""

    def __init__(self, deviation: float, *, channels: int = 3) -> None:
        random = np.random.default_rng(20)
        # Twice the tile's size in both directions: any tile can be cut out of it whole.
        field = random.normal(0.0, deviation, (_NOISE_SIDE_PX, _NOISE_SIDE_PX)).astype(np.float32)
        self._field = field if channels == 1 else np.repeat(field[..., np.newaxis], channels, axis=2)

    def over(self, box: Box) -> Floats:
        """Returns the noise over a tile."""
        top, left = box.top % _NOISE_SIDE_PX, box.left % _NOISE_SIDE_PX
        return self._field[top : top + box.height, left : left + box.width]


def to_bytes(values: Floats) -> Bytes8:
    """Rounds to 0..255. OpenCV's own clipping casts are slower than this one, which takes the sign away."""
    return np.asarray(cv2.convertScaleAbs(np.maximum(values, np.float32(0.0))), np.uint8).reshape(
        values.shape
    )
