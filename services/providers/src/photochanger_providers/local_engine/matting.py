"""From a coarse mask to a matte: soft edges that follow the hair, and the true colours along them.

Three steps at a working size of about 1024 px, evaluated at the photo's own size where the rim of the person is:

- A guided filter with the colour photo as guide (He, Sun, Tang: "Guided Image Filtering", 2013) turns the mask into
  a local linear function of colour, `alpha = a . rgb + b`. The coefficients are smooth, so they can be
  enlarged and applied to the full photo: single hairs come from the photo itself, not from an enlarged mask.
- Bounds keep that function honest: 1 in the eroded person, 0 away from the person.
- Blur fusion (Forte: "Approximate Fast Foreground Colour Estimation", 2021) tells what colour the person has where
  the old background shines through, so that none of it stays as a bright or dark seam.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

import cv2
import numpy as np

from photochanger_providers.local_engine.arrays import LIKELY, Box, Bytes8, Floats
from photochanger_providers.local_engine.segmentation import People, fill_face
from photochanger_providers.local_engine.tiles import Enlarged, spread, tiles

WORK_SIDE_PX = 1024
"""Long side of the picture in which masks are made."""

_GUIDE_RADIUS = 0.007
"""Radius of the guided filter as a share of the long side: about the width of the band where a mask may be wrong."""
_GUIDE_SMOOTHNESS = 2e-4
_SURE_DEPTH = 0.009
_SURE_DISTANCE = 0.011
_HAZE = 0.12
_WIDE_BLUR = 0.06
_NARROW_BLUR = 0.006
_SUM = np.ones((1, 3), np.float32)
_OPAQUE = 0.999
"""From here on less than half a level of another colour shines through. Interpolated ones end a hair below 1."""


class Part(Enum):
    """What a box of a photo holds."""

    PERSON = auto()
    BACKDROP = auto()
    RIM = auto()


@dataclass(frozen=True, slots=True)
class Matte:
    """How much of each pixel is a person, at any place of a photo of `width` x `height`.

    `bounds` holds the least and the largest alpha as two channels; where the least is 1 the photo stays as it is.
    `mask` is alpha at the working size; the other arrays have that size or half of it. `slopes` and `offset` are the
    guided filter's: `alpha = slopes . rgb + offset`.
    """

    width: int
    height: int
    mask: Floats
    bounds: Floats
    slopes: Floats
    offset: Floats
    person_colour: Floats
    backdrop_colour: Floats

    def parts(self, area: Box) -> Iterator[tuple[Box, Part]]:
        """Cuts a part of the photo into boxes and tells what is in each.

        A tile with a rim is quartered: the rim takes most of the time and little of the tile.
        """
        for tile in tiles(area):
            part = self._part(tile)
            if part is not Part.RIM:
                yield tile, part
                continue
            for quarter in tile.quarters():
                if quarter.area:
                    yield quarter, self._part(quarter)

    def _part(self, box: Box) -> Part:
        # Every working pixel that has a say in the box.
        height, width = self.mask.shape
        scale_x, scale_y = width / self.width, height / self.height
        rows = slice(max(int(box.top * scale_y) - 2, 0), int(box.bottom * scale_y) + 3)
        columns = slice(max(int(box.left * scale_x) - 2, 0), int(box.right * scale_x) + 3)
        around = self.bounds[rows, columns]
        if around[..., 0].min() >= 1.0:
            return Part.PERSON
        return Part.BACKDROP if around[..., 1].max() <= 0.0 else Part.RIM


@dataclass(frozen=True, slots=True)
class RimTile:
    """A matte over one tile, both with three channels: `alpha` 0 to 1, `colour` the person's own, 0 to 255."""

    alpha: Floats
    colour: Floats

    def keep(self, photo: Bytes8, edited: Bytes8) -> None:
        """Puts the photo's own pixels into `edited` where nothing shines through."""
        cv2.copyTo(photo, np.asarray(self.alpha >= _OPAQUE, np.uint8), edited)


class Rim:
    """A matte laid over its photo, to be evaluated where the rim of the person is."""

    def __init__(self, matte: Matte, photo: Bytes8) -> None:
        self._photo = photo

        def enlarged(plane: Floats) -> Enlarged:
            return Enlarged(plane, width=matte.width, height=matte.height)

        self._least, self._largest = (
            enlarged(np.ascontiguousarray(matte.bounds[..., side])) for side in (0, 1)
        )
        self._slopes, self._offset = enlarged(matte.slopes), enlarged(matte.offset)
        self._person, self._backdrop = enlarged(matte.person_colour), enlarged(matte.backdrop_colour)

    def least_and_largest(self, box: Box) -> tuple[Floats, Floats]:
        """Returns alpha's bounds over a box of the photo."""
        return self._least.over(box), self._largest.over(box)

    def alpha(self, box: Box) -> Floats:
        """Returns alpha over a box of the photo as `(height, width)`, 1 in the eroded person."""
        guide = self._photo[box.slices].astype(np.float32)
        return _alpha(guide, self._slopes.over(box), self._offset.over(box), *self.least_and_largest(box))

    def over(self, box: Box) -> RimTile:
        """Returns alpha and the person's own colours over a box of the photo (blur fusion's last step)."""
        alpha = spread(self.alpha(box))
        colour, backdrop = self._person.over(box), self._backdrop.over(box)
        # F + alpha * (I - alpha * F - (1 - alpha) * B)
        residual = self._photo[box.slices] - backdrop
        residual -= alpha * (colour - backdrop)
        residual *= alpha
        residual += colour
        return RimTile(alpha, np.clip(residual, 0.0, 255.0, out=residual))


def make_matte(work: Bytes8, people: People, *, width: int, height: int) -> Matte:
    """Returns the matte of a photo of `width` x `height` from its working-size copy and the people found there."""
    slopes, offset, bounds, alpha = _soft_edges(work, people)
    # Both colours are smooth: half the size tells as much.
    small, small_alpha = _halved(work), _halved(alpha)
    person, backdrop = _blur_fusion(small, small_alpha, max(small.shape[:2]))
    return Matte(
        width=width,
        height=height,
        mask=alpha,
        bounds=bounds,
        slopes=slopes,
        offset=offset,
        person_colour=person,
        backdrop_colour=backdrop,
    )


def soft_mask(work: Bytes8, people: People) -> Floats:
    """Returns alpha at the working size alone, for who needs no colours along the rim."""
    return _soft_edges(work, people)[-1]


def _soft_edges(work: Bytes8, people: People) -> tuple[Floats, Floats, Floats, Floats]:
    """Returns the guided filter's slopes and offset for colours of 0 to 255, alpha's bounds, and alpha."""
    side = max(work.shape[:2])
    guide = work.astype(np.float32)
    # A crisp start: the network's own softness is uncertainty, not hair.
    start = np.clip((people.mask - 0.25) / 0.5, 0.0, 1.0).astype(np.float32)
    # The coefficients vary slowly, so half the size does (He, Sun: "Fast Guided Filter", 2015).
    radius = max(round(side * _GUIDE_RADIUS / 2), 2)
    coefficients = _guided_coefficients(_halved(work) / np.float32(255.0), _halved(start), radius)
    # The model leaves a faint haze on both sides of an edge; the outer eighths belong to the sides.
    coefficients[..., 3] -= _HAZE
    coefficients /= 1 - 2 * _HAZE
    slopes = coefficients[..., :3] / np.float32(255.0)
    offset = np.ascontiguousarray(coefficients[..., 3])
    bounds = _bounds(people, side)
    size = (work.shape[1], work.shape[0])
    whole = (np.asarray(cv2.resize(plane, size), np.float32) for plane in (slopes, offset))
    return slopes, offset, bounds, _alpha(guide, *whole, *cv2.split(bounds))


def _halved(picture: Bytes8 | Floats) -> Floats:
    size = (max(picture.shape[1] // 2, 1), max(picture.shape[0] // 2, 1))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def _alpha(guide: Floats, slopes: Floats, offset: Floats, least: Floats, largest: Floats) -> Floats:
    """Returns the linear model of the colours, held between its bounds."""
    alpha = np.asarray(cv2.transform(guide * slopes, _SUM), np.float32)
    alpha += offset
    np.maximum(alpha, least, out=alpha)
    return np.minimum(alpha, largest, out=alpha)


def _bounds(people: People, side: int) -> Floats:
    """Returns the least and the largest alpha: the eroded person, and the dilated one."""
    person = (people.mask > LIKELY).astype(np.uint8)
    # Beyond the frame the person goes on: no erosion there (distanceTransform knows no border).
    depth = cv2.distanceTransform(person, cv2.DIST_L2, 3)
    distance = cv2.distanceTransform(1 - person, cv2.DIST_L2, 3)
    least = np.clip(depth - max(side * _SURE_DEPTH, 2.0), 0.0, 2.0) / 2.0
    largest = np.clip(max(side * _SURE_DISTANCE, 2.0) + 2.0 - distance, 0.0, 2.0) / 2.0
    least = np.asarray(least, np.float32)
    for face in people.faces:
        fill_face(least, face, share=0.8)  # small faces lie nearer to the edge than the erosion
    return np.dstack([least, largest]).astype(np.float32)


def _guided_coefficients(guide: Floats, start: Floats, radius: int) -> Floats:
    """Returns `a` (three channels) and `b` of the guided filter, averaged as the filter does."""
    window = (2 * radius + 1, 2 * radius + 1)

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.blur(values, window), np.float32)

    red, green, blue = cv2.split(guide)
    channels = (red, green, blue)
    means = cv2.split(mean(guide))
    start_mean = mean(start)
    covariance = [
        mean(channel * start) - average * start_mean for channel, average in zip(channels, means, strict=True)
    ]

    def spread(first: int, second: int) -> Floats:
        return mean(channels[first] * channels[second]) - means[first] * means[second]

    rr, gg, bb = (spread(index, index) + np.float32(_GUIDE_SMOOTHNESS) for index in range(3))
    rg, rb, gb = spread(0, 1), spread(0, 2), spread(1, 2)
    # The symmetric 3 x 3 system per pixel, solved by its cofactors.
    c_rr, c_rg, c_rb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c_gg, c_gb, c_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    scale = np.float32(1.0) / (rr * c_rr + rg * c_rg + rb * c_rb)
    a_red = (c_rr * covariance[0] + c_rg * covariance[1] + c_rb * covariance[2]) * scale
    a_green = (c_rg * covariance[0] + c_gg * covariance[1] + c_gb * covariance[2]) * scale
    a_blue = (c_rb * covariance[0] + c_gb * covariance[1] + c_bb * covariance[2]) * scale
    b = start_mean - a_red * means[0] - a_green * means[1] - a_blue * means[2]
    return mean(cv2.merge([a_red, a_green, a_blue, b]))


def _blur_fusion(picture: Floats, alpha: Floats, side: int) -> tuple[Floats, Floats]:
    """Returns the smooth colours of the person and of the backdrop around each pixel."""
    person = backdrop = picture
    for share in (_WIDE_BLUR, _NARROW_BLUR):
        radius = max(round(side * share), 1)
        person_mean = _weighted_mean(person, alpha, radius)
        backdrop_mean = _weighted_mean(backdrop, np.float32(1.0) - alpha, radius)
        if share == _NARROW_BLUR:
            return person_mean, backdrop_mean
        weight = alpha[..., np.newaxis]
        person = person_mean + weight * (picture - weight * person_mean - (1 - weight) * backdrop_mean)
        np.clip(person, 0.0, 255.0, out=person)
        backdrop = backdrop_mean
    return person, backdrop


def _weighted_mean(picture: Floats, weight: Floats, radius: int) -> Floats:
    window = (2 * radius + 1, 2 * radius + 1)
    total = cv2.blur(picture * weight[..., np.newaxis], window)
    share = np.asarray(cv2.blur(weight, window))[..., np.newaxis]
    return np.asarray(total / (share + np.float32(1e-5)), np.float32)
