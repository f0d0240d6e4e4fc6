"""Puts a new background behind the people, in place, tile by tile."""

from typing import Protocol

import numpy as np

from photochanger_providers.local_engine.arrays import Box, Bytes8
from photochanger_providers.local_engine.matting import Matte
from photochanger_providers.local_engine.tiles import tiles, to_bytes


class Background(Protocol):
    """What comes behind the people."""

    def tile(self, box: Box) -> Bytes8:
        """Returns the background over a box of the photo."""
        ...


def replace_background(photo: Bytes8, matte: Matte, background: Background) -> None:
    """Writes `background` behind the people of `photo`, in place.

    Where the matte's least alpha is 1 (the eroded person) the photo's pixels stay exactly as they are.
    """
    height, width = photo.shape[:2]
    for box in tiles(width, height):
        if matte.is_person(box):
            continue
        behind = background.tile(box)
        if not matte.is_backdrop(box):
            rim = matte.rim(photo, box)
            blended = np.asarray(behind + rim.alpha * (rim.colour - behind), np.float32)
            behind = np.where(rim.alpha >= 1.0, photo[box.slices], to_bytes(blended))
        photo[box.slices] = behind
