"""The photo's own background out of focus, as a fast portrait lens shows it."""

import cv2
import numpy as np

from photochanger_providers.local_engine.arrays import LIKELY, Bytes8, Floats
from photochanger_providers.local_engine.backgrounds import SmoothBackground
from photochanger_providers.local_engine.matting import Matte
from photochanger_providers.local_engine.tiles import spread

_SIDE_PX = 640
_LEAST_RADIUS = 0.005
_MOST_RADIUS = 0.035
_FAR_GROWTH = 1.6
"""How much larger the circle of confusion is far from the people than right behind them."""
_GAMMA = 2.6
"""Light adds up before gamma; a little more than 2.2 lets highlights bloom into discs."""
_GRAIN = 1.4


def blurred_background(work: Bytes8, matte: Matte, strength: int) -> SmoothBackground:
    """Returns the background of a photo, blurred by `strength` percent, with nothing of the people in it.

    `work` is the photo at the matte's working size.
    """
    scale = min(_SIDE_PX / max(work.shape[:2]), 1.0)
    size = (max(round(work.shape[1] * scale), 1), max(round(work.shape[0] * scale), 1))
    small = cv2.resize(work, size, interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255.0)
    # Whatever may hold a hair of a person is left out and filled from around.
    seen = cv2.resize(1.0 - matte.bounds[..., 1], size, interpolation=cv2.INTER_AREA)
    light = np.power(_filled(small, np.asarray(seen, np.float32)), np.float32(_GAMMA))
    side = max(size)
    radius = side * (_LEAST_RADIUS + (_MOST_RADIUS - _LEAST_RADIUS) * strength / 100)
    near, far = _disc_blur(light, radius), _disc_blur(light, radius * _FAR_GROWTH)
    outside = (cv2.resize(matte.mask, size, interpolation=cv2.INTER_AREA) < LIKELY).astype(np.uint8)
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, 3)
    depth = np.clip(distance / (0.35 * side), 0.0, 1.0)[..., np.newaxis]
    blended = np.power(np.clip(near + depth * (far - near), 0.0, 1.0), np.float32(1 / _GAMMA))
    plane = np.asarray(blended * np.float32(255.0), np.float32)
    return SmoothBackground(plane, width=matte.width, height=matte.height, grain=_GRAIN)


def _filled(picture: Floats, seen: Floats) -> Floats:
    """Returns the picture with its unseen parts filled smoothly from what is seen, near before far."""
    filled = picture * spread(seen)
    known = seen.copy()
    side = max(seen.shape)
    for share in (0.01, 0.03, 0.09, 0.27, 0.8):
        reach = max(round(side * share), 1)
        window = (2 * reach + 1, 2 * reach + 1)
        weight = np.asarray(cv2.blur(known, window))
        around = np.asarray(cv2.blur(filled, window), np.float32)
        # A neighbourhood counts once enough of it is known, or a few stray pixels would make streaks.
        share_known = np.clip(weight / 0.15, 0.0, 1.0)
        gain = (1.0 - known) * share_known
        around *= spread(gain / (weight + np.float32(1e-6)))
        filled += around
        known = known + gain
    # Running sums in floats may end a hair below 0.
    filled /= spread(np.maximum(known, np.float32(1e-6)))
    return np.clip(filled, 0.0, 1.0, out=filled)


def _disc_blur(light: Floats, radius: float) -> Floats:
    """Returns the picture seen through a round aperture; the edge pixels of the disc count by their share."""
    reach = int(np.ceil(radius))
    axis = np.arange(-reach, reach + 1, dtype=np.float32)
    disc = np.clip(radius + 0.5 - np.hypot(axis[np.newaxis, :], axis[:, np.newaxis]), 0.0, 1.0)
    return np.asarray(
        cv2.filter2D(light, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT_101), np.float32
    )
