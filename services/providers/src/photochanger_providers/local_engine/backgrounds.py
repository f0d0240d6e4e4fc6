"""The backgrounds that can come behind the people: a colour, a gradient, a picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from photochanger_providers.local_engine.arrays import Box, Bytes8, Floats
from photochanger_providers.local_engine.options import BackgroundGradient, BackgroundImage, rgb
from photochanger_providers.local_engine.tiles import (
    TILE_HEIGHT_PX,
    TILE_WIDTH_PX,
    Enlarged,
    Noise,
    shrunk,
    to_bytes,
)

_GRADIENT_SIDE_PX = 256
_BLURRED_SIDE_PX = 1024
_WIDEST_BLUR = 0.03
_DITHER = 0.7
"""Noise that hides the steps of 8-bit gradients, in levels; less than film grain."""


class SolidColor:
    """One even colour."""

    def __init__(self, color: str) -> None:
        # Spelled out for a whole tile: numpy copies three bytes at a time ten times slower.
        self._tile = np.full((TILE_HEIGHT_PX, TILE_WIDTH_PX, 3), rgb(color), np.uint8)

    def tile(self, box: Box) -> Bytes8:
        """Returns the colour over the box."""
        return self._tile[: box.height, : box.width]


class SmoothBackground:
    """A small smooth picture enlarged to the photo's size, with a breath of noise against banding."""

    def __init__(self, plane: Floats, *, width: int, height: int, grain: float = _DITHER) -> None:
        self._plane = Enlarged(plane, width=width, height=height)
        self._noise = Noise(grain)

    def tile(self, box: Box) -> Bytes8:
        """Returns the background over the box."""
        return np.asarray(cv2.add(self._plane.over(box), self._noise.over(box), dtype=cv2.CV_8U), np.uint8)


@dataclass(frozen=True, slots=True)
class SharpPicture:
    """A picture of exactly the photo's size."""

    pixels: Bytes8

    def tile(self, box: Box) -> Bytes8:
        """Returns the picture over the box."""
        return self.pixels[box.slices]


def gradient(options: BackgroundGradient, *, width: int, height: int) -> SmoothBackground:
    """Returns the gradient for a photo of `width` x `height`; circles stay round in any format."""
    scale = _GRADIENT_SIDE_PX / max(width, height)
    columns, rows = max(round(width * scale), 2), max(round(height * scale), 2)
    half_width, half_height = columns / 2, rows / 2
    x = np.arange(columns, dtype=np.float32)[np.newaxis, :] + 0.5 - half_width
    y = np.arange(rows, dtype=np.float32)[:, np.newaxis] + 0.5 - half_height
    corner = float(np.hypot(half_width, half_height))
    if options.shape == "radial":
        # A little above the middle, where the heads are.
        position = np.hypot(x, y + 0.12 * rows) / (corner * 1.05)
    else:
        turn = np.deg2rad(options.angle)
        along, across = float(np.cos(turn)), float(-np.sin(turn))
        reach = half_height * abs(along) + half_width * abs(across)
        position = 0.5 + (y * along + x * across) / (2 * reach)
    stops = [options.color_from, *([options.color_middle] if options.color_middle else []), options.color_to]
    places = np.linspace(0.0, 1.0, len(stops))
    colors = np.array([rgb(stop) for stop in stops], np.float32)
    plane = np.dstack([np.interp(position, places, colors[:, channel]) for channel in range(3)])
    distance = np.hypot(x, y) / corner
    plane *= (1.0 - options.vignette / 100 * 0.6 * np.clip(distance - 0.35, 0.0, 1.0) ** 1.6)[..., np.newaxis]
    return SmoothBackground(plane.astype(np.float32), width=width, height=height)


def picture(
    template: Bytes8, options: BackgroundImage, *, people_colour: Floats, width: int, height: int
) -> SharpPicture | SmoothBackground:
    """Returns the template scaled to cover a photo of `width` x `height`, cut evenly on both sides.

    `people_colour` is the people's mean RGB; brightness and warmth of the template move towards it.
    """
    cut = _covering_cut(template, width, height)
    gain = _light_gain(cut, people_colour, options.match_light / 100)
    if options.blur > 0:
        # Out of focus there is nothing fine to keep, so it is blurred small and enlarged.
        scale = min(_BLURRED_SIDE_PX / max(width, height), 1.0)
        size = (max(round(width * scale), 1), max(round(height * scale), 1))
        small = shrunk(cut, *size).astype(np.float32)
        deviation = max(size) * _WIDEST_BLUR * options.blur / 100
        blurred = cv2.GaussianBlur(small, (0, 0), max(deviation, 0.8)) * gain
        return SmoothBackground(np.asarray(blurred, np.float32), width=width, height=height, grain=1.2)
    enlarging = cut.shape[0] < height
    whole = (
        cv2.resize(cut, (width, height), interpolation=cv2.INTER_CUBIC)
        if enlarging
        else shrunk(cut, width, height)
    )
    table = to_bytes(np.arange(256, dtype=np.float32)[:, np.newaxis] * gain)
    return SharpPicture(np.asarray(cv2.LUT(whole, table[np.newaxis]), np.uint8))


def _covering_cut(template: Bytes8, width: int, height: int) -> Bytes8:
    """Returns the largest middle part of the template with the photo's proportions."""
    rows, columns = template.shape[:2]
    cut_width = max(min(columns, round(rows * width / height)), 1)
    cut_height = max(min(rows, round(columns * height / width)), 1)
    left, top = (columns - cut_width) // 2, (rows - cut_height) // 2
    return template[top : top + cut_height, left : left + cut_width]


def _light_gain(template: Bytes8, people_colour: Floats, share: float) -> Floats:
    """Returns a factor per channel; bounded, so that a night sky stays a night sky."""
    mean = np.array(cv2.mean(template)[:3], np.float32)
    wish = (people_colour + 16.0) / (mean + 16.0)
    brightness = float(np.clip(wish.mean(), 0.7, 1.4))
    warmth = np.clip(wish / wish.mean(), 0.85, 1.18)
    return np.asarray((brightness * warmth) ** (share * 0.6), np.float32)
