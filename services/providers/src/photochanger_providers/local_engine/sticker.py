"""Cuts the people out as a sticker: an outline around them, transparency around that."""

from dataclasses import replace

import cv2
import numpy as np
from cv2.typing import MatLike

from photochanger_providers.local_engine.arrays import LIKELY, Box, Bytes8, Floats
from photochanger_providers.local_engine.matting import Matte, Part, Rim, RimTile
from photochanger_providers.local_engine.options import Sticker, rgb
from photochanger_providers.local_engine.tiles import shrunk, spread, to_bytes

_WIDEST_OUTLINE = 0.05
"""Width of a 100 percent outline as a share of the people's longer side."""
_LEAST_ALPHA = 0.05
_OUTLINE_EDGE = 0.4


def cut_out(photo: Bytes8, matte: Matte, options: Sticker) -> Bytes8:
    """Returns the sticker as RGBA, cropped to the people and their outline.

    Where the frame cuts somebody off, the outline follows the cut.
    """
    mask_height, mask_width = matte.mask.shape
    left, top, width, height = cv2.boundingRect((matte.mask > _LEAST_ALPHA).astype(np.uint8))
    scale = matte.width / mask_width
    outline = max(width, height) * _WIDEST_OUTLINE * options.outline / 100
    longest = (max(width, height) + 2.24 * outline + 6) * scale
    if longest > options.longest_side:
        shrink = options.longest_side / longest
        size = (max(round(matte.width * shrink), 1), max(round(matte.height * shrink), 1))
        photo = shrunk(photo, *size)
        matte = replace(matte, width=size[0], height=size[1])
        scale = matte.width / mask_width

    # Smoothing moves the outline outwards by about a tenth of its width.
    margin = int(np.ceil(outline * 1.12)) + 3
    people = Box(left, top, left + width, top + height)
    shape = _outline_plane(matte.mask[people.slices], margin, outline)
    crop = Box(
        max(int(left * scale), 0),
        max(int(top * matte.height / mask_height), 0),
        min(int(np.ceil((left + width) * scale)), matte.width),
        min(int(np.ceil((top + height) * matte.height / mask_height)), matte.height),
    )
    pad = max(round(margin * scale), 1)
    size = (crop.width + 2 * pad, crop.height + 2 * pad)
    canvas = _outline_canvas(
        cv2.resize(to_bytes(shape * np.float32(255.0)), size, interpolation=cv2.INTER_LINEAR), options
    )
    rim = Rim(matte, photo)
    for box, part in matte.parts(crop):
        target = canvas[box.moved(pad - crop.left, pad - crop.top).slices]
        if part is Part.PERSON:
            cv2.cvtColor(photo[box.slices], cv2.COLOR_RGB2RGBA, dst=target)
        elif part is Part.RIM:
            _paint_person(target, photo[box.slices], rim.over(box))
    return canvas


def _outline_canvas(alpha: MatLike, options: Sticker) -> Bytes8:
    """Returns the outline's colour at the given alpha, as RGBA."""
    table = np.empty((1, 256, 4), np.uint8)
    table[..., :3] = rgb(options.outline_color)
    table[..., 3] = np.arange(256)
    table[0, 0] = 0  # nothing hides behind transparency, and it packs better
    return np.asarray(cv2.LUT(cv2.merge([alpha] * 4), table), np.uint8)


def _paint_person(target: Bytes8, photo: Bytes8, person: RimTile) -> None:
    """Lays the person over what is in `target` (straight, not premultiplied alpha)."""
    below = spread(target[..., 3].astype(np.float32) / np.float32(255.0))
    below *= np.float32(1.0) - person.alpha
    alpha = person.alpha + below
    colour = person.colour * person.alpha
    colour += target[..., :3] * below
    colour /= np.maximum(alpha, np.float32(1e-6))
    painted = to_bytes(colour)
    person.keep(photo, painted)
    opacity = to_bytes(alpha[..., 0] * np.float32(255.0))
    cv2.copyTo(cv2.merge([*cv2.split(painted), opacity]), opacity, target)


def _outline_plane(mask: Floats, margin: int, outline: float) -> Floats:
    """Returns how much outline there is, 0 to 1, in the people's box grown by `margin` on each side."""
    padded = cv2.copyMakeBorder(mask, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=0.0)
    if outline <= 0.0:
        return np.zeros_like(padded)
    # Closing first: an outline that dips into every lock of hair looks torn.
    smooth = cv2.GaussianBlur((padded > LIKELY).astype(np.float32), (0, 0), max(outline * 0.35, 0.5))
    outside = (smooth < _OUTLINE_EDGE).astype(np.uint8)
    # Distances are whole pixels at this size; the blur makes the enlarged edge round.
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, 5)
    edge = np.clip(outline - distance + 0.5, 0.0, 1.0)
    return np.asarray(cv2.GaussianBlur(edge, (0, 0), 0.8), np.float32)
