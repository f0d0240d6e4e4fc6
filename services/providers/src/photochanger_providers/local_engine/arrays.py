"""Array types and geometry the engine's modules share.

A photo is an `(height, width, 3)` `uint8` array in RGB; a mask or plane is `(height, width)`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Bytes8 = NDArray[np.uint8]
Floats = NDArray[np.float32]

LIKELY = 0.5
"""A mask value above this is more person than not."""

SURE = 0.9
"""A mask value above this leaves no doubt."""

MIN_SIDE_PX = 32
"""Below this a photo holds no person worth the name."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; right and bottom are exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> int:
        """Area in pixels; 0 when the box is empty."""
        return max(self.width, 0) * max(self.height, 0)

    def scaled(self, factor: float) -> "Box":
        """Returns the same rectangle in a picture `factor` times as large."""
        return Box(
            round(self.left * factor),
            round(self.top * factor),
            round(self.right * factor),
            round(self.bottom * factor),
        )

    def grown(self, *, left: float, top: float, right: float, bottom: float) -> "Box":
        """Returns the box grown on each side by the given shares of its own width or height."""
        return Box(
            round(self.left - left * self.width),
            round(self.top - top * self.height),
            round(self.right + right * self.width),
            round(self.bottom + bottom * self.height),
        )

    def clipped(self, width: int, height: int) -> "Box":
        """Returns the part of the box inside a picture of `width` x `height`."""
        return Box(
            min(max(self.left, 0), width),
            min(max(self.top, 0), height),
            min(max(self.right, 0), width),
            min(max(self.bottom, 0), height),
        )

    def overlap(self, other: "Box") -> float:
        """Returns intersection over union with `other`, 0 to 1."""
        common = Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )
        if common.width <= 0 or common.height <= 0:
            return 0.0
        return common.area / (self.area + other.area - common.area)

    def moved(self, right: int, down: int) -> "Box":
        """Returns the box moved by whole pixels."""
        return Box(self.left + right, self.top + down, self.right + right, self.bottom + down)

    def quarters(self) -> "tuple[Box, ...]":
        """Returns the four boxes this one falls into; some are empty when a side is shorter than two."""
        x, y = (self.left + self.right) // 2, (self.top + self.bottom) // 2
        return (
            Box(self.left, self.top, x, y),
            Box(x, self.top, self.right, y),
            Box(self.left, y, x, self.bottom),
            Box(x, y, self.right, self.bottom),
        )

    @property
    def slices(self) -> tuple[slice, slice]:
        """Index of the box in an array: `photo[box.slices]`."""
        return slice(self.top, self.bottom), slice(self.left, self.right)
