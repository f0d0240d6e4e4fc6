"""Finds the people in a photo: who is there, and a first, coarse mask of them.

The network sees 256 x 256 pixels, so the photo is looked at several times: whole, around the people when they are
small in the frame, and around each head, where a good edge matters most. A closer look replaces a wider one except
deep inside what the wider one is sure of (a hat or a helmet is part of a person only when the body is in sight).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from photochanger_providers.local_engine.arrays import LIKELY, SURE, Box, Bytes8, Floats
from photochanger_providers.local_engine.errors import NoPersonFound
from photochanger_providers.local_engine.faces import Face, FaceFinder
from photochanger_providers.local_engine.models import Network, Networks

_MOST_PEOPLE_LOOKED_AT = 8
"""Closer looks go to the largest faces; each costs about 15 ms."""
_CLOSER_SHARE = 0.7
"""A look at more of the photo than this is no closer look."""
_FEATHER_SHARE = 0.18
"""Share of a closer look's size over which it fades into the wider one."""
_LEAST_AREA_SHARE = 0.015
"""A mask below this share of the photo, with no face in it, is noise."""
_LEAST_AGREEMENT = 0.8
"""Two networks overlap this much on a person seen without a face, and much less on a cat or a coffee cup."""
_ISLAND_SHARE = 0.05
_HOLE_SHARE = 0.004


@dataclass(frozen=True, slots=True)
class People:
    """The people of a photo: `mask` is 1 where they are, at the size of the picture that was looked at."""

    mask: Floats
    faces: tuple[Face, ...]


class PeopleFinder:
    """Looks for people with the two segmentation networks and the face finder. One thread at a time."""

    def __init__(self, networks: Networks) -> None:
        self._square = networks.segmentation_square
        self._landscape = networks.segmentation_landscape
        self._faces = FaceFinder(networks)

    def find(self, picture: Bytes8) -> People:
        """Returns the people of an RGB picture (best at about 1024 px on its long side), islands and holes cleaned.

        Raises:
            NoPersonFound: There is no face, and nothing else both networks take for a person.
        """
        height, width = picture.shape[:2]
        faces = self._faces.find(picture)
        square, landscape = self._two_opinions(picture)
        if not faces and not _seems_a_person(square, landscape):
            raise NoPersonFound
        agreed = _agreed(square, landscape)
        mask = np.asarray(cv2.resize(agreed, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
        around = _people_box(mask, faces)
        if around is not None and around.area < _CLOSER_SHARE * width * height:
            closer = _agreed(*self._two_opinions(picture[around.slices]))
            _merge(mask, around, closer, sure_depth_px=around.width // 24)
        near = sorted(faces, key=lambda face: face.box.area, reverse=True)[:_MOST_PEOPLE_LOOKED_AT]
        for face in near:
            body = face.box.grown(left=2.7, top=1.2, right=2.7, bottom=4.5).clipped(width, height)
            if body.area < _CLOSER_SHARE * width * height:
                _join(mask, body, _mirrored_too(self._square, picture[body.slices]))
        for face in near:
            head = face.box.grown(left=1.2, top=1.0, right=1.2, bottom=1.4).clipped(width, height)
            closer = _mirrored_too(self._square, picture[head.slices])
            _merge(mask, head, closer, sure_depth_px=face.box.width // 4)
        for face in faces:
            fill_face(mask, face, share=0.82)
        return People(_without_islands_and_holes(mask, faces), faces)

    def _two_opinions(self, picture: Bytes8) -> tuple[Floats, Floats]:
        """Returns both networks' masks of the stretched picture: stretching harms less than empty margins."""
        square = _mirrored_too(self._square, picture)
        landscape = _mirrored_too(self._landscape, picture)
        size = (square.shape[1], square.shape[0])
        return square, np.asarray(cv2.resize(landscape, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _agreed(square: Floats, landscape: Floats) -> Floats:
    """Returns the joint mask; the square network sees held things whole more often, so it weighs more."""
    return np.asarray(square * np.float32(0.68) + landscape * np.float32(0.32), np.float32)


def _seems_a_person(square: Floats, landscape: Floats) -> bool:
    one, other = square > LIKELY, landscape > LIKELY
    if np.count_nonzero(one) < _LEAST_AREA_SHARE * one.size:
        return False
    return bool(np.count_nonzero(one & other) >= _LEAST_AGREEMENT * np.count_nonzero(one | other))


def _mirrored_too(network: Network, picture: Bytes8) -> Floats:
    """Returns the network's mask of a picture at the network's size, averaged with what it says of the mirror image."""
    height, width = network.input_size
    shrinking = picture.shape[0] * picture.shape[1] > height * width
    small = cv2.resize(
        picture, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    )
    unit = small.astype(np.float32) / np.float32(255.0)
    (mask,) = network.run(unit)
    (mirrored,) = network.run(np.ascontiguousarray(unit[:, ::-1]))
    return np.asarray((mask[..., 0] + mirrored[:, ::-1, 0]) / 2, np.float32)


def _people_box(mask: Floats, faces: Iterable[Face]) -> Box | None:
    """Returns the surroundings of everything that may be a person, or None when there is nothing."""
    height, width = mask.shape
    seen = (mask > LIKELY).astype(np.uint8)
    for face in faces:
        # Where the wide look missed somebody, the face says where to look again.
        body = face.box.grown(left=1.0, top=0.6, right=1.0, bottom=3.0).clipped(width, height)
        seen[body.slices] = 1
    left, top, box_width, box_height = cv2.boundingRect(seen)
    if box_width == 0 or box_height == 0:
        return None
    tight = Box(left, top, left + box_width, top + box_height)
    return tight.grown(left=0.12, top=0.12, right=0.12, bottom=0.12).clipped(width, height)


def _merge(mask: Floats, box: Box, look: Floats, *, sure_depth_px: int) -> None:
    """Fades a closer look into the mask, in place; deep inside a sure person the larger of both stays."""
    region = mask[box.slices]
    closer = np.asarray(cv2.resize(look, (box.width, box.height), interpolation=cv2.INTER_LINEAR), np.float32)
    depth = cv2.distanceTransform((region > SURE).astype(np.uint8), cv2.DIST_L2, 3)
    wanted = np.where(depth > sure_depth_px, np.maximum(region, closer), closer)
    weight = _fade(box, mask.shape[1], mask.shape[0])
    region += weight * (wanted - region)


def _join(mask: Floats, box: Box, look: Floats) -> None:
    """Adds a closer look at one of several people, in place: it may cut neighbours, so it takes nothing away."""
    region = mask[box.slices]
    closer = np.asarray(cv2.resize(look, (box.width, box.height), interpolation=cv2.INTER_LINEAR), np.float32)
    np.maximum(region, closer * _fade(box, mask.shape[1], mask.shape[0]), out=region)


def _fade(box: Box, width: int, height: int) -> Floats:
    """Returns 1 inside the box falling to 0 at its edges, except at edges it shares with the picture."""

    def ramp(length: int, fade_in: bool, fade_out: bool) -> Floats:
        position = np.arange(length, dtype=np.float32) + np.float32(0.5)
        reach = max(length * _FEATHER_SHARE, 1.0)
        rising = position / reach if fade_in else np.ones(length, np.float32)
        falling = (length - position) / reach if fade_out else np.ones(length, np.float32)
        return np.clip(np.minimum(rising, falling), 0.0, 1.0).astype(np.float32)

    across = ramp(box.width, box.left > 0, box.right < width)
    down = ramp(box.height, box.top > 0, box.bottom < height)
    return down[:, np.newaxis] * across[np.newaxis, :]


def fill_face(mask: Floats, face: Face, *, share: float) -> None:
    """Sets the inner `share` of a face to 1, in place: a face is a person, whatever the segmentation thinks."""
    box = face.box
    centre = ((box.left + box.right) // 2, (box.top + box.bottom) // 2)
    axes = (max(round(box.width * 0.44 * share), 1), max(round(box.height * 0.5 * share), 1))
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 1.0, -1)


def _without_islands_and_holes(mask: Floats, faces: Iterable[Face]) -> Floats:
    """Returns the mask with specks removed, small holes filled, and the people's insides solid."""
    person = (mask > LIKELY).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(person, connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    largest = int(areas[1:].max(initial=0))
    keep = np.zeros(count, bool)
    keep[1:] = areas[1:] >= _ISLAND_SHARE * largest
    for face in faces:
        keep[labels[(face.box.top + face.box.bottom) // 2, (face.box.left + face.box.right) // 2]] = True
    keep[0] = False
    solid = keep[labels].astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - solid, connectivity=4)
    touching_edge = np.zeros(count, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        touching_edge[edge] = True
    small = (stats[:, cv2.CC_STAT_AREA] < _HOLE_SHARE * max(int(solid.sum()), 1)) & ~touching_edge
    small[0] = False
    filled = solid | small[labels].astype(np.uint8)
    # Soft values live only where the cleaned outline is; elsewhere the answer is yes or no.
    reach = max(mask.shape) * 0.008
    depth, distance = (cv2.distanceTransform(side, cv2.DIST_L2, 3) for side in (filled, 1 - filled))
    soft = np.where((depth > reach) | (filled > solid), np.float32(1.0), mask)
    return np.where(distance > reach, np.float32(0.0), soft).astype(np.float32)
