"""The sticker: people and outline on transparency."""

import cv2
import numpy as np
from photochanger_providers.local_engine import LocalEngine, parse_edit
from photochanger_providers.local_engine.arrays import Bytes8


def test_a_sticker_is_opaque_inside_clear_outside_and_white_between(
    engine: LocalEngine, portrait: Bytes8
) -> None:
    sticker = engine.edit_pixels(portrait, parse_edit("sticker", {"outline": 60}))
    alpha = sticker[..., 3]
    assert alpha[0].max() < 40
    assert alpha[:, 0].max() < 40
    assert np.mean(alpha == 255) > 0.45
    assert np.mean(alpha == 0) > 0.15
    assert np.mean((alpha > 0) & (alpha < 255)) < 0.05
    row = sticker.shape[0] // 2
    first = int(np.argmax(alpha[row] > 250))
    assert np.array_equal(sticker[row, first + 3, :3], [255, 255, 255])


def test_a_sticker_keeps_the_persons_own_pixels(engine: LocalEngine, portrait: Bytes8) -> None:
    before = portrait.copy()
    sticker = engine.edit_pixels(portrait, parse_edit("sticker", {"longest_side": 4096}))
    face = before[300:420, 600:760]
    differences = cv2.matchTemplate(np.ascontiguousarray(sticker[..., :3]), face, cv2.TM_SQDIFF)
    _, _, (left, top), _ = cv2.minMaxLoc(differences)
    assert np.array_equal(sticker[top : top + 120, left : left + 160, :3], face)
    assert sticker[top : top + 120, left : left + 160, 3].min() == 255


def test_a_sticker_is_no_longer_than_asked(engine: LocalEngine, portrait: Bytes8) -> None:
    sticker = engine.edit_pixels(portrait, parse_edit("sticker", {"longest_side": 512}))
    assert 480 <= max(sticker.shape[:2]) <= 516


def test_a_sticker_without_outline_is_only_the_person(engine: LocalEngine, portrait: Bytes8) -> None:
    sticker = engine.edit_pixels(portrait, parse_edit("sticker", {"outline": 0}))
    whites = (sticker[:200, :, :3] == 255).all(axis=2) & (sticker[:200, :, 3] > 128)
    assert whites.mean() < 0.01
