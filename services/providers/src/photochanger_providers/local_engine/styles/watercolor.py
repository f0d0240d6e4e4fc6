"""A watercolour: washes that pool at their edges, on grained paper that stays white around."""

import cv2
import numpy as np

from photochanger_providers.local_engine.arrays import Bytes8
from photochanger_providers.local_engine.options import Watercolor
from photochanger_providers.local_engine.styles.paper import mix, painted, paper_grain, tinted
from photochanger_providers.local_engine.styles.scene import Scene
from photochanger_providers.local_engine.tiles import spread, to_bytes

_PAPER = np.array([252.0, 250.0, 245.0], np.float32)


def paint(photo: Bytes8, scene: Scene, options: Watercolor) -> Bytes8:
    """Returns the photo repainted in watercolour, at its own size."""
    height, width = photo.shape[:2]
    side = max(width, height)
    strength = options.strength / 100
    people, face = scene.people(width, height), scene.gentleness(width, height)

    fine = painted(photo, max(round(side * 0.002), 1))
    coarse = painted(photo, max(round(side * (0.004 + 0.004 * strength)), 2))
    wet = _wet(coarse, side)
    detail = mix(coarse, fine, np.clip(face * 1.2, 0.0, 1.0))
    blend = mix(wet, detail, np.clip(0.25 + people, 0.0, 1.0))

    # Transparent paint: lighter, purer, with the paper shining through.
    purer = 0.35 * strength
    grey = cv2.cvtColor(cv2.cvtColor(blend, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    pure = cv2.addWeighted(blend, 1.0 + purer, grey, -purer, 0.0)
    tone = np.linspace(0.0, 1.0, 256, dtype=np.float32) ** np.float32(1.0 - 0.22 * strength)
    paint_layer = np.asarray(cv2.LUT(pure, to_bytes(tone[np.newaxis] * np.float32(255.0))), np.uint8)
    washes = paint_layer.astype(np.float32)

    # Pigment gathers where a wash ends, and flows unevenly inside it.
    smooth = cv2.GaussianBlur(
        cv2.cvtColor(paint_layer, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), side * 0.0009
    )
    slope = cv2.magnitude(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
    pooled = np.clip(slope / 260.0, 0.0, 0.45) * (1.0 - 0.6 * face) * strength
    flow = (
        (
            paper_grain(width, height, cell_px=side / 9, seed=11) * 0.07
            + paper_grain(width, height, cell_px=side / 40, seed=12) * 0.05
        )
        * (1.0 - 0.8 * face)
        * (1.15 - people * 0.7)
    )
    grain = paper_grain(width, height, cell_px=side / 900, seed=13) * 0.035
    density = (1.0 - pooled) * (1.0 + flow * strength + grain * (0.4 + strength))
    washes *= spread(density)

    covered = _brushed_frame(width, height, seed=14)
    covered = np.clip(covered + people * 0.55, 0.0, 1.0) * (1.0 - (0.22 * strength) * (1.0 - people))
    paper = tinted(grain, _PAPER, _PAPER * np.float32(1.7))
    return to_bytes(mix(paper, washes, 1.0 - strength * (1.0 - covered)))


def _wet(picture: Bytes8, side: int) -> Bytes8:
    """Returns the picture as one wet wash: large soft dabs, made at half the size."""
    small = cv2.resize(picture, (0, 0), fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    dabs = painted(cv2.GaussianBlur(small, (0, 0), side * 0.002), max(round(side * 0.005), 2))
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.resize(dabs, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _brushed_frame(
    width: int, height: int, *, seed: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Returns 1 inside, 0 along the frame, with the torn border a wide brush leaves."""
    side = max(width, height)
    x = np.minimum(np.arange(width), width - 1 - np.arange(width)).astype(np.float32)[np.newaxis, :]
    y = np.minimum(np.arange(height), height - 1 - np.arange(height)).astype(np.float32)[:, np.newaxis]
    border = np.minimum(x, y) / side
    ragged = (
        paper_grain(width, height, cell_px=side / 14, seed=seed) * 0.022
        + paper_grain(width, height, cell_px=side / 70, seed=seed + 1) * 0.008
        + paper_grain(width, height, cell_px=side / 300, seed=seed + 2) * 0.003
    )
    return np.asarray(np.clip((border + ragged - 0.022) / 0.006, 0.0, 1.0), np.float32)
