"""A printed comic: ink lines, flat bright colours, dots behind the people."""

import math

import cv2
import numpy as np

from photochanger_providers.local_engine.arrays import Bytes8, Floats
from photochanger_providers.local_engine.options import Comic
from photochanger_providers.local_engine.styles.paper import ink_lines, mix, painted
from photochanger_providers.local_engine.styles.scene import Scene
from photochanger_providers.local_engine.tiles import spread, to_bytes

_INK = np.float32(14.0)
"""How light the ink is, 0 to 255."""


def ink(photo: Bytes8, scene: Scene, options: Comic) -> Bytes8:
    """Returns the photo redrawn as a comic panel, at its own size."""
    height, width = photo.shape[:2]
    side = max(width, height)
    strength = options.strength / 100
    people, face = scene.people(width, height), scene.gentleness(width, height)

    flat = painted(cv2.medianBlur(photo, 5), max(round(side * 0.003), 2))
    flat = np.asarray(cv2.GaussianBlur(flat, (0, 0), side * 0.0007), np.uint8)
    hls = cv2.cvtColor(flat.astype(np.float32) / np.float32(255.0), cv2.COLOR_RGB2HLS)
    light = np.asarray(hls[..., 1], np.float32)
    stepped = _soft_steps(np.clip((light - 0.5) * (1.0 + 0.25 * strength) + 0.53, 0.0, 1.0), levels=6)
    hls[..., 1] = mix(light, stepped, (0.35 + 0.65 * strength) * (1.0 - 0.55 * face))
    hls[..., 2] = np.clip(hls[..., 2] * (1.0 + (0.2 + 0.45 * strength) * (1.0 - 0.6 * face)), 0.0, 1.0)
    colour = cv2.cvtColor(hls, cv2.COLOR_HLS2RGB) * np.float32(255.0)

    backdrop = _dotted(colour, light, side)
    colour = mix(colour, backdrop, np.float32(0.85) * (1.0 - people))

    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255.0)
    lines = ink_lines(grey, width_px=side * 0.0011, threshold=0.004)
    outline = _outline(people, side)
    amount = (0.45 + 0.5 * strength) * (1.0 - 0.35 * face) * (0.45 + 0.55 * people)
    inked = 1.0 - amount * (1.0 - lines)
    inked = np.minimum(inked, 1.0 - outline * (0.5 + 0.5 * strength))
    colour -= _INK
    colour *= spread(inked)
    colour += _INK
    return to_bytes(colour)


def _soft_steps(light: Floats, *, levels: int) -> Floats:
    """Returns the values gathered around `levels` steps, with short slopes between instead of jagged edges."""
    position = light * np.float32(levels)
    whole = np.floor(position)
    part = np.clip((position - whole - 0.5) * 5.0 + 0.5, 0.0, 1.0)
    return np.asarray((whole + part) / np.float32(levels), np.float32)


def _dotted(colour: Floats, light: Floats, side: int) -> Floats:
    """Returns the colours as a coarse print: lightened, with dots that grow where the picture is dark."""
    height, width = light.shape
    pitch = side / 95
    turned = math.pi * math.sqrt(2) / pitch  # rows of dots at 45 degrees
    across = np.cos(np.arange(width, dtype=np.float32) * np.float32(turned))
    down = np.cos(np.arange(height, dtype=np.float32) * np.float32(turned))
    wave = np.outer(down, across)
    window = (max(round(pitch), 1), max(round(pitch), 1))
    calm = cv2.blur(light, window)
    dots = np.clip((wave * 0.5 + 0.5 - (0.22 + 0.68 * calm)) * pitch * 0.9 + 0.5, 0.0, 1.0)
    dim = colour * np.float32(0.62)
    return mix(dim + np.float32(255.0 * 0.38), dim, np.asarray(dots, np.float32))


def _outline(people: Floats, side: int) -> Floats:
    """Returns the bold line an inker draws around a figure, 1 on the line."""
    smooth = cv2.GaussianBlur(people, (0, 0), side * 0.0016)
    return np.asarray(np.clip(1.6 - np.abs(smooth - 0.42) * 5.0, 0.0, 1.0), np.float32)
