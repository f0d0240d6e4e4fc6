"""Styles: the picture visibly changes, the person is still that person."""

import cv2
import numpy as np
import pytest
from photochanger_providers.local_engine import LocalEngine, Operation, parse_edit
from photochanger_providers.local_engine.arrays import Bytes8

STYLES = [
    Operation.PENCIL,
    Operation.WATERCOLOR,
    Operation.COMIC,
    Operation.BLACK_AND_WHITE_PORTRAIT,
    Operation.GOLDEN_HOUR,
]


def likeness(one: Bytes8, other: Bytes8) -> float:
    """Returns the correlation of two pictures' edges: structure, whatever the tones."""
    slopes = []
    for picture in (one, other):
        grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 4)
        slopes.append(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)).ravel())
    return float(np.corrcoef(slopes[0], slopes[1])[0, 1])


@pytest.mark.parametrize("operation", STYLES)
def test_a_style_changes_the_picture_and_keeps_the_face(
    engine: LocalEngine, portrait: Bytes8, operation: Operation
) -> None:
    before = portrait.copy()
    (face,) = engine.see(before).faces
    styled = engine.edit_pixels(portrait, parse_edit(operation, {}))

    assert styled.shape == before.shape
    assert np.abs(styled.astype(int) - before).mean() > 8
    (found,) = engine.see(styled).faces
    assert found.box.overlap(face.box) > 0.6
    box = face.box.scaled(before.shape[1] / 1024)
    assert likeness(styled[box.slices], before[box.slices]) > 0.7


@pytest.mark.parametrize("operation", STYLES)
def test_without_people_a_style_covers_the_whole_picture(
    engine: LocalEngine, scenery: Bytes8, operation: Operation
) -> None:
    before = scenery.copy()
    styled = engine.edit_pixels(scenery, parse_edit(operation, {}))
    difference = np.abs(styled.astype(int) - before).max(axis=2)
    for corner in (difference[:200, :300], difference[-200:, :300], difference[-200:, -300:]):
        assert np.mean(corner > 2) > 0.5


def test_black_and_white_has_no_colour_left(engine: LocalEngine, portrait: Bytes8) -> None:
    styled = engine.edit_pixels(portrait, parse_edit("black_and_white_portrait", {}))
    assert np.array_equal(styled[..., 0], styled[..., 1])
    assert np.array_equal(styled[..., 0], styled[..., 2])


def test_the_golden_sun_stands_on_the_asked_side(engine: LocalEngine, portrait: Bytes8) -> None:
    sides = {}
    for sun in ("left", "right"):
        styled = engine.edit_pixels(portrait.copy(), parse_edit("golden_hour", {"sun": sun}))
        sides[sun] = float(styled[:500, :300].mean()), float(styled[:500, -300:].mean())
    assert sides["left"][0] > sides["right"][0] + 5
    assert sides["right"][1] > sides["left"][1] + 5
