"""Working on a large photo piece by piece: small planes enlarged where they are needed, noise, and tiles.

A 16 MP photo as floats would take 192 MB; a tile of it takes half a megabyte and stays in the cache.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from photochanger_providers.local_engine.arrays import Box, Bytes8, Floats

_TILE_HEIGHT_PX = 128
_TILE_WIDTH_PX = 256
_NOISE_SIDE_PX = 512
_ONE = np.ones(1, np.float64)  # OpenCV takes it for a scalar


def tiles(width: int, height: int) -> Iterator[Box]:
    """Yields boxes that cover a picture, row by row."""
    for top in range(0, height, _TILE_HEIGHT_PX):
        for left in range(0, width, _TILE_WIDTH_PX):
            yield Box(left, top, min(left + _TILE_WIDTH_PX, width), min(top + _TILE_HEIGHT_PX, height))


def enlarge(plane: Floats, width: int, height: int, box: Box) -> Floats:
    """Returns one box of `plane` stretched to `width` x `height`, pixel centres aligned.

    Boxes cut from the same picture meet without a seam, which `cv2.resize` of pieces does not give.
    """
    scale_x, scale_y = plane.shape[1] / width, plane.shape[0] / height
    to_source = np.array(
        [
            [scale_x, 0.0, (box.left + 0.5) * scale_x - 0.5],
            [0.0, scale_y, (box.top + 0.5) * scale_y - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (box.width, box.height)
    return np.asarray(
        cv2.warpAffine(plane, to_source, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.float32
    )


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
    """Rounds to 0..255. One pass of OpenCV: numpy needs three."""
    flat = np.ascontiguousarray(values).reshape(values.shape[0], -1)
    return np.asarray(cv2.multiply(flat, _ONE, dtype=cv2.CV_8U), np.uint8).reshape(values.shape)
