"""Puts a new background behind the people, in place, tile by tile."""

from typing import Protocol

from photochanger_providers.local_engine.arrays import Box, Bytes8
from photochanger_providers.local_engine.matting import Matte, Part, Rim
from photochanger_providers.local_engine.tiles import to_bytes


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
    rim = Rim(matte, photo)
    for box, part in matte.parts(Box(0, 0, width, height)):
        if part is Part.PERSON:
            continue
        behind = background.tile(box)
        if part is Part.RIM:
            person = rim.over(box)
            blended = person.colour - behind
            blended *= person.alpha
            blended += behind
            behind = to_bytes(blended)
            person.keep(photo[box.slices], behind)
        photo[box.slices] = behind
