"""A pencil drawing: tone by dodging, strokes in the shadows, a hint of the surroundings."""

import cv2
import numpy as np

from photochanger_providers.local_engine.arrays import Bytes8
from photochanger_providers.local_engine.options import Pencil
from photochanger_providers.local_engine.styles.paper import hatching, mix, paper_grain, tinted
from photochanger_providers.local_engine.styles.scene import Scene
from photochanger_providers.local_engine.tiles import spread, to_bytes

_PAPER = np.array([251.0, 248.0, 241.0], np.float32)
_GRAPHITE = np.array([44.0, 44.0, 49.0], np.float32)


def draw(photo: Bytes8, scene: Scene, options: Pencil) -> Bytes8:
    """Returns the photo redrawn in pencil, at its own size."""
    height, width = photo.shape[:2]
    side = max(width, height)
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255.0)
    people, face = scene.people(width, height), scene.gentleness(width, height)
    strength = options.strength / 100

    # Dodging a photo with its own blur leaves lines where tones change, and paper elsewhere.
    around = cv2.GaussianBlur(
        cv2.resize(grey, (0, 0), fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), (0, 0), side * 0.0016
    )
    lines = np.clip(grey / (cv2.resize(around, (width, height)) + 0.02), 0.0, 1.0)
    # Skin is never as even as it looks: what is left of it after dodging is lifted to paper before it is darkened.
    even = np.float32(0.05) + np.float32(0.07) * face
    lines = np.clip(lines / (1.0 - even), 0.0, 1.0)
    exponent = 2.2 + 4.0 * strength
    lines = mix(np.asarray(cv2.pow(lines, exponent), np.float32), cv2.pow(lines, exponent * 0.65), face)

    tone = cv2.GaussianBlur(
        cv2.resize(grey, (0, 0), fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA), (0, 0), side * 0.0006
    )
    tone = cv2.resize(tone, (width, height))
    dark = np.clip(1.0 - tone * 1.15, 0.0, 1.0)
    stroke = hatching(width, height, stroke_px=side / 700, angle=-52.0, seed=3)
    crossed = hatching(width, height, stroke_px=side / 700, angle=-18.0, seed=4)
    texture = 0.62 + 0.5 * stroke + np.clip(dark - 0.55, 0.0, 1.0) * (0.5 + crossed)
    # On faces the shading is rubbed smooth: strokes across a face change its expression.
    texture = mix(texture, np.float32(0.72) * np.ones_like(texture), face * 0.75)
    shading = np.power(dark, np.float32(1.15)) * np.clip(texture, 0.0, 1.4) * (0.35 + 0.6 * strength)
    paper = lines * (1.0 - np.clip(shading, 0.0, 0.93))

    presence = np.clip(people + (0.3 if scene.faces or people.any() else 1.0), 0.0, 1.0)
    paper = 1.0 - presence * (1.0 - paper)
    grain = paper_grain(width, height, cell_px=side / 1000, seed=5)
    paper = np.clip(paper + grain * (0.02 + 0.1 * (1.0 - paper) * paper * 2), 0.0, 1.0)

    drawn = tinted(paper, _GRAPHITE, _PAPER)
    if options.color > 0:
        lifted = np.power(photo.astype(np.float32) / 255.0, np.float32(0.8)) * _PAPER
        coloured = lifted * spread(np.float32(0.35) + np.float32(0.65) * paper)
        drawn = mix(drawn, coloured, presence * np.float32(options.color / 100 * 0.75))
    return to_bytes(drawn)
