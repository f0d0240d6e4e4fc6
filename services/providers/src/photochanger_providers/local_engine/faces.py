"""Finds faces with the two BlazeFace models: near (short range) and far (full range).

Anchors and decoding follow MediaPipe's `face_detection` graphs: anchors of one size, boxes relative to their centres.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from photochanger_providers.local_engine.arrays import Box, Bytes8, Floats
from photochanger_providers.local_engine.models import Network, Networks

_NEAR_STRIDES_AND_ANCHORS = ((8, 2), (16, 6))
_FAR_STRIDES_AND_ANCHORS = ((4, 1),)
_SAME_FACE_OVERLAP = 0.3
_TILE_ASPECT = 1.25


@dataclass(frozen=True, slots=True)
class Face:
    """One face: where it is and how sure the model is, 0 to 1."""

    box: Box
    score: float


class FaceFinder:
    """Finds every face in a picture, best first."""

    def __init__(self, networks: Networks, *, least_score: float = 0.6) -> None:
        self._near = _BlazeFace(networks.faces_near, _NEAR_STRIDES_AND_ANCHORS)
        self._far = _BlazeFace(networks.faces_far, _FAR_STRIDES_AND_ANCHORS)
        self._least_score = least_score

    def find(self, picture: Bytes8) -> tuple[Face, ...]:
        """Returns the faces of an RGB picture, the surest first. About 10 ms for a picture of 1024 px."""
        height, width = picture.shape[:2]
        whole = Box(0, 0, width, height)
        found = [
            *self._near.detect(picture, whole, self._least_score),
            *self._far.detect(picture, whole, self._least_score),
        ]
        for tile in _tiles_along_the_long_side(width, height):
            found.extend(self._far.detect(picture, tile, self._least_score))
        return _without_repeats(found)


class _BlazeFace:
    """One detector model: letterboxes a region, runs it and decodes the boxes."""

    def __init__(self, network: Network, strides_and_anchors: Iterable[tuple[int, int]]) -> None:
        self._network = network
        self._side = network.input_size[0]
        self._anchors = _anchor_centres(self._side, strides_and_anchors)

    def detect(self, picture: Bytes8, region: Box, least_score: float) -> Iterator[Face]:
        scale = self._side / max(region.width, region.height)
        small = cv2.resize(
            picture[region.slices],
            (max(round(region.width * scale), 1), max(round(region.height * scale), 1)),
            interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
        )
        canvas = np.zeros((self._side, self._side, 3), np.float32)
        pad_y, pad_x = (self._side - small.shape[0]) // 2, (self._side - small.shape[1]) // 2
        canvas[pad_y : pad_y + small.shape[0], pad_x : pad_x + small.shape[1]] = small
        canvas = canvas / np.float32(127.5) - np.float32(1.0)
        boxes, logits = self._network.run(canvas)
        scores = 1.0 / (1.0 + np.exp(-np.clip(logits[:, 0], -50.0, 50.0)))
        for index in np.flatnonzero(scores >= least_score):
            centre = self._anchors[index] * self._side + boxes[index, 0:2]
            half = boxes[index, 2:4] / 2
            low = (centre - half - (pad_x, pad_y)) / scale
            high = (centre + half - (pad_x, pad_y)) / scale
            box = Box(
                round(float(low[0])) + region.left,
                round(float(low[1])) + region.top,
                round(float(high[0])) + region.left,
                round(float(high[1])) + region.top,
            ).clipped(picture.shape[1], picture.shape[0])
            if box.area > 0:
                yield Face(box, float(scores[index]))


def _anchor_centres(side: int, strides_and_anchors: Iterable[tuple[int, int]]) -> Floats:
    """Returns the centre of each anchor as shares of the side, in the model's own order."""
    centres = []
    for stride, anchors in strides_and_anchors:
        cells = side // stride
        axis = (np.arange(cells, dtype=np.float32) + np.float32(0.5)) / np.float32(cells)
        grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
        centres.append(np.repeat(grid, anchors, axis=0))
    return np.concatenate(centres)


def _tiles_along_the_long_side(width: int, height: int) -> Iterator[Box]:
    """Yields overlapping squares: a letterboxed wide picture leaves small faces too few pixels."""
    side = min(width, height)
    length = max(width, height)
    if length < side * _TILE_ASPECT:
        return
    count = int(np.ceil(length / side)) + 1
    for start in np.linspace(0, length - side, count).round().astype(int).tolist():
        yield Box(start, 0, start + side, side) if width > height else Box(0, start, side, start + side)


def _without_repeats(faces: Iterable[Face]) -> tuple[Face, ...]:
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: face.score, reverse=True):
        if all(face.box.overlap(other.box) < _SAME_FACE_OVERLAP for other in kept):
            kept.append(face)
    return tuple(kept)
