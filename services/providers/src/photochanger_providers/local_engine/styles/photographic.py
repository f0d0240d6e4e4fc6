"""The two styles that stay photographs: a black-and-white portrait, and the light of a low sun.

Both work on the full photo in strips; what varies slowly is made small and enlarged.
"""

import math

import cv2
import numpy as np

from photochanger_providers.local_engine.arrays import Box, Bytes8, Floats
from photochanger_providers.local_engine.options import BlackAndWhitePortrait, GoldenHour
from photochanger_providers.local_engine.styles.scene import Scene
from photochanger_providers.local_engine.tiles import Enlarged, Noise, shrunk, tiles, to_bytes

_PORTRAIT_MAP_PX = 1024
_LIGHT_MAP_PX = 512
"""Long sides of the maps: the portrait's follows the people's outline, the low sun's light has no edges."""
_PANCHROMATIC = np.array([[0.40, 0.46, 0.14]], np.float32)
"""How light each channel is; a little more red than luma, which flatters skin."""


def black_and_white(photo: Bytes8, scene: Scene, options: BlackAndWhitePortrait) -> None:
    """Turns the photo into a black-and-white portrait, in place."""
    height, width = photo.shape[:2]
    strength = options.strength / 100
    small = _small(photo, _PORTRAIT_MAP_PX)
    grey = cv2.transform(small, _PANCHROMATIC)
    side = max(grey.shape)
    around = cv2.GaussianBlur(grey, (0, 0), side * 0.02)
    people = scene.people(grey.shape[1], grey.shape[0])
    face = scene.gentleness(grey.shape[1], grey.shape[0])
    if not scene.mask.any():
        people = np.full_like(people, 0.6)
    light = (1.0 - 0.62 * strength * (1.0 - people)) * _vignette(
        grey.shape[1], grey.shape[0], 0.45 * strength
    )
    clarity = 0.45 * strength * (1.0 - 0.65 * face)
    local, gain, detail = (
        Enlarged(np.asarray(plane, np.float32), width=width, height=height)
        for plane in (around, light, clarity)
    )
    curve = _film_curve(strength)
    grain = Noise(1.2 + 2.2 * strength, channels=1)
    for box in tiles(Box(0, 0, width, height)):
        region = photo[box.slices]
        tone = np.asarray(cv2.transform(region, _PANCHROMATIC), np.float32)
        tone += detail.over(box) * (tone - local.over(box))
        shaped = cv2.LUT(to_bytes(tone), curve) * gain.over(box)
        cv2.cvtColor(cv2.add(shaped, grain.over(box), dtype=cv2.CV_8U), cv2.COLOR_GRAY2RGB, dst=region)


def golden_hour(photo: Bytes8, scene: Scene, options: GoldenHour) -> None:
    """Bathes the photo in warm low light, in place."""
    height, width = photo.shape[:2]
    strength = options.strength / 100
    small = _small(photo, _LIGHT_MAP_PX)
    rows, columns = small.shape[:2]
    side = max(rows, columns)
    people = cv2.GaussianBlur(scene.people(columns, rows), (0, 0), side * 0.008)
    face = scene.gentleness(columns, rows)
    restraint = (1.0 - 0.35 * people) * (1.0 - 0.3 * face)

    warm = np.array([1.10, 1.0, 0.74], np.float32)
    gain = 1.0 + (strength * restraint)[..., np.newaxis] * (warm - 1.0)
    gain *= _vignette(columns, rows, 0.3 * strength)[..., np.newaxis]

    x = (np.arange(columns, dtype=np.float32)[np.newaxis, :] + 0.5) / side
    y = (np.arange(rows, dtype=np.float32)[:, np.newaxis] + 0.5) / side
    sun_x = -0.02 if options.sun == "left" else columns / side + 0.02
    distance = np.hypot(x - sun_x, y - 0.16 * rows / side)
    flare = 0.75 * np.exp(-((distance / 0.34) ** 2)) + 0.3 * np.exp(-((distance / 0.85) ** 2))
    # The sun is behind the people: it veils what is around them, and their edges a little.
    flare *= strength * (1.0 - 0.72 * people) * (1.0 - 0.5 * face)
    bright = np.clip(cv2.GaussianBlur(small, (0, 0), side * 0.02) / 255.0 - 0.45, 0.0, 1.0)
    halation = bright * (0.5 * strength * (1.0 - 0.6 * people))[..., np.newaxis]
    glow = flare[..., np.newaxis] * np.array([1.0, 0.72, 0.36], np.float32) + halation * np.array(
        [0.5, 0.36, 0.16]
    )
    glow = np.clip(glow, 0.0, 0.9)

    # screen(gain * curve(photo), glow) = curve(photo) * gain * (1 - glow) + 255 * glow
    factor = Enlarged(np.asarray(gain * (1.0 - glow), np.float32), width=width, height=height)
    offset = Enlarged(np.asarray(255.0 * glow, np.float32), width=width, height=height)
    curve = _warm_curve(strength).astype(np.float32)
    noise = Noise(0.7)
    for box in tiles(Box(0, 0, width, height)):
        region = photo[box.slices]
        graded = np.asarray(cv2.LUT(region, curve), np.float32)
        graded *= factor.over(box)
        graded += offset.over(box)
        cv2.add(graded, noise.over(box), dst=region, dtype=cv2.CV_8U)


def _small(photo: Bytes8, side_px: int) -> Floats:
    scale = min(side_px / max(photo.shape[:2]), 1.0)
    size = (max(round(photo.shape[1] * scale), 1), max(round(photo.shape[0] * scale), 1))
    return shrunk(photo, *size).astype(np.float32)


def _vignette(width: int, height: int, amount: float) -> Floats:
    """Returns a factor of 1 in the middle falling by `amount` to the corners."""
    x = (np.arange(width, dtype=np.float32)[np.newaxis, :] + 0.5) / width - 0.5
    y = (np.arange(height, dtype=np.float32)[:, np.newaxis] + 0.5) / height - 0.5
    distance = np.hypot(x, y) * math.sqrt(2)
    return np.asarray(1.0 - amount * np.clip((distance - 0.35) / 0.65, 0.0, 1.0) ** 1.8, np.float32)


def _film_curve(strength: float) -> Bytes8:
    """Returns a table of tones: a soft S that keeps open shadows and does not clip skin."""
    tone = np.linspace(0.0, 1.0, 256, dtype=np.float32)
    s_curve = tone * tone * (3.0 - 2.0 * tone)
    shaped = tone + (0.25 + 0.5 * strength) * (s_curve - tone)
    return to_bytes(np.asarray(4.0 + 247.0 * shaped, np.float32))


def _warm_curve(strength: float) -> Bytes8:
    """Returns a table per channel: lifted warm shadows, gently rolled highlights."""
    tone = np.linspace(0.0, 1.0, 256, dtype=np.float32)
    channels = []
    for power, lift in ((0.92, 12.0), (0.98, 6.0), (1.06, 4.0)):
        shaped = np.power(tone, np.float32(1.0 + (power - 1.0) * strength))
        channels.append(lift * strength + (255.0 - lift * strength) * shaped)
    return to_bytes(np.stack(channels, axis=1).astype(np.float32))[np.newaxis]
