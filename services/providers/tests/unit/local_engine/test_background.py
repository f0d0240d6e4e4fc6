"""Background operations: the people stay to the last bit, what is behind them goes."""

import cv2
import numpy as np
import pytest
from photochanger_providers.local_engine import LocalEngine, NoPersonFound, Operation, parse_edit
from photochanger_providers.local_engine.arrays import Box, Bytes8
from photochanger_providers.local_engine.matting import Rim

BACKGROUND_OPERATIONS = [
    Operation.BACKGROUND_COLOR,
    Operation.BACKGROUND_GRADIENT,
    Operation.BACKGROUND_IMAGE,
    Operation.BACKGROUND_BLUR,
]


def a_template() -> Bytes8:
    checks = (np.indices((300, 400)).sum(axis=0) // 25 % 2 * 255).astype(np.uint8)
    return np.dstack([checks, 255 - checks, np.full_like(checks, 90)])


@pytest.mark.parametrize("operation", BACKGROUND_OPERATIONS)
def test_the_eroded_person_keeps_every_pixel_and_the_backdrop_changes(
    engine: LocalEngine, portrait: Bytes8, operation: Operation
) -> None:
    matte = engine.see(portrait).matte
    whole = Box(0, 0, portrait.shape[1], portrait.shape[0])
    least, largest = Rim(matte, portrait).least_and_largest(whole)
    person, backdrop = least >= 1.0, largest <= 0.0
    assert person.mean() > 0.3
    assert backdrop.mean() > 0.2

    edited = engine.edit_pixels(portrait.copy(), parse_edit(operation, {}), template=a_template())

    assert np.array_equal(edited[person], portrait[person])
    changed = np.abs(edited[backdrop].astype(int) - portrait[backdrop]).max(axis=1) > 3
    assert changed.mean() > 0.5  # a smooth wall hardly changes when it is blurred


def test_every_pixel_of_a_plain_background_has_the_asked_colour(
    engine: LocalEngine, portrait: Bytes8
) -> None:
    matte = engine.see(portrait).matte
    _, largest = Rim(matte, portrait).least_and_largest(Box(0, 0, 1536, 1536))
    backdrop = largest <= 0.0
    edited = engine.edit_pixels(portrait, parse_edit("background_color", {"color": "#12AB9F"}))
    assert np.array_equal(np.unique(edited[backdrop], axis=0), [[0x12, 0xAB, 0x9F]])


def test_no_old_background_shines_along_the_hair(engine: LocalEngine, portrait: Bytes8) -> None:
    # The old backdrop is light; over black, a seam of it would leave bright pixels around the dark hair.
    sight = engine.see(portrait)
    face = sight.faces[0].box.scaled(1536 / 1024)
    head = face.grown(left=0.6, top=0.9, right=0.6, bottom=-0.6).clipped(1536, 1536)
    alpha = Rim(sight.matte, portrait).alpha(head)
    rim = (alpha > 0.05) & (alpha < 0.6)
    edited = engine.edit_pixels(portrait.copy(), parse_edit("background_color", {"color": "#000000"}))
    seam = cv2.cvtColor(edited[head.slices], cv2.COLOR_RGB2GRAY)[rim]
    before = cv2.cvtColor(portrait[head.slices], cv2.COLOR_RGB2GRAY)[rim]
    assert rim.sum() > 500
    assert np.percentile(seam, 95) < 90 < np.median(before)


def test_a_gradient_runs_from_its_first_colour_to_its_last(engine: LocalEngine, portrait: Bytes8) -> None:
    options = {"shape": "linear", "color_from": "#FF0000", "color_to": "#0000FF", "angle": 90, "vignette": 0}
    edited = engine.edit_pixels(portrait, parse_edit("background_gradient", options))
    right, left = edited[20, -1].astype(int), edited[20, 0].astype(int)
    assert abs(right - left)[0] > 200
    assert abs(right - left)[2] > 200


def test_a_background_picture_fills_the_frame_without_stretching(
    engine: LocalEngine, portrait: Bytes8
) -> None:
    disc = np.zeros((400, 1600, 3), np.uint8)
    disc[:, :600] = disc[:, 1000:] = (255, 0, 0)  # outside the middle square: must be cut away
    edited = engine.edit_pixels(
        portrait, parse_edit("background_image", {"blur": 0, "match_light": 0}), template=disc
    )
    assert edited[:40].max() < 60


@pytest.mark.parametrize("operation", [*BACKGROUND_OPERATIONS, Operation.STICKER])
def test_a_photo_without_people_is_refused(
    engine: LocalEngine, scenery: Bytes8, operation: Operation
) -> None:
    with pytest.raises(NoPersonFound):
        engine.edit_pixels(scenery, parse_edit(operation, {}), template=a_template())


def test_everybody_in_a_group_is_kept_near_and_far(engine: LocalEngine, group: Bytes8) -> None:
    sight = engine.see(group)
    assert len(sight.faces) == 3
    rim = Rim(sight.matte, group)
    for face in sight.faces:
        box = face.box.scaled(group.shape[1] / sight.work.shape[1])
        inner = box.grown(left=-0.12, top=-0.12, right=-0.12, bottom=-0.12)
        assert rim.alpha(inner).mean() > 0.98
    before = group.copy()
    edited = engine.edit_pixels(group, parse_edit("background_color", {"color": "#00FF00"}))
    for face in sight.faces:
        middle = face.box.scaled(before.shape[1] / sight.work.shape[1]).grown(
            left=-0.3, top=-0.3, right=-0.3, bottom=-0.3
        )
        assert np.array_equal(edited[middle.slices], before[middle.slices])
    assert np.array_equal(edited[10, 1990], [0, 255, 0])


@pytest.mark.parametrize(("width", "height"), [(2400, 900), (700, 1600), (160, 160), (64, 90)])
def test_any_format_and_size_comes_back_at_its_own_size(
    engine: LocalEngine, portrait: Bytes8, width: int, height: int
) -> None:
    side = min(width, height)
    photo = np.full((height, width, 3), (205, 200, 196), np.uint8)
    person = cv2.resize(portrait, (side, side), interpolation=cv2.INTER_AREA)
    left = (width - side) // 2
    photo[height - side :, left : left + side] = person
    edited = engine.edit_pixels(photo.copy(), parse_edit("background_blur", {}))
    assert edited.shape == photo.shape
    face = (
        slice(height - side + int(side * 0.2), height - side + int(side * 0.3)),
        slice(left + int(side * 0.4), left + int(side * 0.5)),
    )
    assert np.array_equal(edited[face], photo[face])


def test_blur_leaves_nothing_of_the_person_in_the_background(engine: LocalEngine, portrait: Bytes8) -> None:
    # The suit is saturated orange, the wall behind the right shoulder a pale grey: blurring must not mix them.
    matte = engine.see(portrait).matte
    _, largest = Rim(matte, portrait).least_and_largest(Box(0, 0, 1536, 1536))
    edited = engine.edit_pixels(portrait.copy(), parse_edit("background_blur", {"strength": 90}))
    wall = edited[560:760, 930:1060][largest[560:760, 930:1060] <= 0.0].astype(int)
    assert len(wall) > 1000
    assert np.median(wall[:, 0] - wall[:, 2]) < 40
