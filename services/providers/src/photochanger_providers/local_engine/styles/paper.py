"""Textures and filters the drawn and painted styles share."""

from typing import TypeVar

import cv2
import numpy as np
from cv2.typing import MatLike

from photochanger_providers.local_engine.arrays import Box, Bytes8, Floats

Picture = TypeVar("Picture", Bytes8, Floats)


def paper_grain(width: int, height: int, *, cell_px: float, seed: int) -> Floats:
    """Returns the tooth of paper: noise around 0, about -1 to 1, with bumps of about `cell_px`."""
    random = np.random.default_rng(seed)
    columns, rows = max(int(width / cell_px) + 2, 2), max(int(height / cell_px) + 2, 2)
    coarse = random.normal(0.0, 0.5, (rows, columns)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)


def hatching(width: int, height: int, *, stroke_px: float, angle: float, seed: int) -> Floats:
    """Returns noise drawn out along one direction, about -1 to 1: the strokes of a pencil."""
    reach = int(np.ceil(np.hypot(width, height) / 2))
    random = np.random.default_rng(seed)
    rows, columns = max(int(2 * reach / stroke_px), 2), max(int(2 * reach / (stroke_px * 22)), 2)
    strokes = random.normal(0.0, 0.5, (rows, columns)).astype(np.float32)
    turn = np.deg2rad(angle)
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    scale_x, scale_y = columns / (2 * reach), rows / (2 * reach)
    to_source = np.array(
        [
            [cos * scale_x, sin * scale_x, (reach - width / 2 * cos - height / 2 * sin) * scale_x],
            [-sin * scale_y, cos * scale_y, (reach + width / 2 * sin - height / 2 * cos) * scale_y],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        strokes, to_source, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.float32)


def painted(picture: MatLike, radius: int) -> Bytes8:
    """Returns the picture in brush dabs (Kuwahara's filter): flat patches that keep their edges.

    Each pixel takes the mean of the calmest of the four squares it is a corner of.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    window = (radius + 1, radius + 1)
    average = cv2.blur(picture, window, anchor=(0, 0), borderType=cv2.BORDER_REFLECT_101)
    mean = cv2.boxFilter(grey, cv2.CV_32F, window, anchor=(0, 0), borderType=cv2.BORDER_REFLECT_101)
    square = cv2.sqrBoxFilter(grey, cv2.CV_32F, window, anchor=(0, 0), borderType=cv2.BORDER_REFLECT_101)
    unrest = square - mean * mean
    best = average.copy()
    least = unrest.copy()
    height, width = unrest.shape
    average, unrest = (
        cv2.copyMakeBorder(plane, radius, 0, radius, 0, cv2.BORDER_REPLICATE) for plane in (average, unrest)
    )
    for down, across in ((0, radius), (radius, 0), (radius, radius)):
        square_there = Box(radius - across, radius - down, radius - across + width, radius - down + height)
        moved = unrest[square_there.slices]
        cv2.copyTo(average[square_there.slices], cv2.compare(moved, least, cv2.CMP_LT), best)
        cv2.min(least, moved, dst=least)
    return np.asarray(best, np.uint8)


def ink_lines(grey: Floats, *, width_px: float, threshold: float) -> Floats:
    """Returns 1 on paper falling to 0 on lines where the picture is darker than around (XDoG, Winnemoeller 2011).

    `grey` is 0 to 1.
    """
    fine = cv2.GaussianBlur(grey, (0, 0), width_px)
    coarse = cv2.GaussianBlur(grey, (0, 0), width_px * 1.6)
    response = fine - np.float32(0.98) * coarse - np.float32(threshold)
    return np.asarray(np.clip(1.0 + np.tanh(response * 60.0), 0.0, 1.0), np.float32)


def tinted(plane: Floats, dark: Floats, light: Floats) -> Floats:
    """Returns the colour `dark` where the plane is 0, `light` where it is 1, and straight on beyond."""
    return np.asarray(cv2.transform(plane, np.column_stack([light - dark, dark])), np.float32)


def mix(first: Picture, second: Picture, share: Floats) -> Picture:
    """Returns `first` where share is 0, `second` where it is 1. One pass: numpy's arithmetic needs five."""
    mixed = cv2.blendLinear(first, second, np.float32(1.0) - share, share)
    return np.asarray(mixed, first.dtype)
