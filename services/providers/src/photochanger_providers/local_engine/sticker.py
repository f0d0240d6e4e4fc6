"""Cuts the people out as a sticker: an outline around them, transparency around that."""

from dataclasses import replace

import cv2
import numpy as np

from photochanger_providers.local_engine.arrays import LIKELY, Box, Bytes8, Floats
from photochanger_providers.local_engine.matting import Matte
from photochanger_providers.local_engine.options import Sticker, rgb
from photochanger_providers.local_engine.tiles import tiles, to_bytes

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
        photo = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
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
    canvas = np.empty((crop.height + 2 * pad, crop.width + 2 * pad, 4), np.uint8)
    canvas[..., :3] = rgb(options.outline_color)
    plane = to_bytes(shape * np.float32(255.0))
    canvas[..., 3] = cv2.resize(plane, (canvas.shape[1], canvas.shape[0]), interpolation=cv2.INTER_LINEAR)
    for box in tiles(crop.width, crop.height):
        source = Box(box.left + crop.left, box.top + crop.top, box.right + crop.left, box.bottom + crop.top)
        if matte.is_backdrop(source):
            continue
        target = canvas[box.top + pad : box.bottom + pad, box.left + pad : box.right + pad]
        if matte.is_person(source):
            target[..., :3] = photo[source.slices]
            target[..., 3] = 255
        else:
            _paint_person(target, photo, matte, source)
    canvas[canvas[..., 3] == 0] = 0  # nothing hides behind transparency, and it packs better
    return canvas


def _paint_person(target: Bytes8, photo: Bytes8, matte: Matte, source: Box) -> None:
    """Lays the person over what is in `target` (straight, not premultiplied alpha)."""
    rim = matte.rim(photo, source)
    below = target[..., 3:].astype(np.float32) / 255.0
    alpha = rim.alpha + below * (1.0 - rim.alpha)
    behind = target[..., :3] * (below * (1.0 - rim.alpha))
    colour = (rim.colour * rim.alpha + behind) / np.maximum(alpha, 1e-6)
    painted = to_bytes(np.concatenate([colour, alpha * 255.0], axis=2))
    painted[..., :3] = np.where(rim.alpha >= 1.0, photo[source.slices], painted[..., :3])
    target[:] = painted


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
