"""What a header says about a picture, and the limits it has to keep."""

from dataclasses import dataclass
from typing import Final

from photochanger_imaging.errors import BrokenImage, TooManyPixels
from photochanger_imaging.formats import ImageFormat

MAX_PIXELS: Final = 100_000_000
"""A picture of this many pixels or more is refused."""

_TRANSPOSED_FROM: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelLimits:
    """How large a picture may declare itself."""

    max_pixels: int = MAX_PIXELS
    """Exclusive."""
    max_side_px: int = 30_000
    """Inclusive. WebP itself ends at 16,383, JPEG at 65,535."""

    def check(self, width_px: int, height_px: int) -> None:
        """Raises TooManyPixels, or BrokenImage for a picture without any."""
        if width_px <= 0 or height_px <= 0:
            raise BrokenImage("it has no pixels")
        if max(width_px, height_px) > self.max_side_px:
            raise TooManyPixels(width_px, height_px, limit=f"at most {self.max_side_px} pixels on a side")
        if width_px * height_px >= self.max_pixels:
            raise TooManyPixels(width_px, height_px, limit=f"less than {self.max_pixels} pixels in all")


DEFAULT_LIMITS: Final = PixelLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo:
    """The facts of one picture, read from its header without decoding."""

    format: ImageFormat
    width_px: int
    """As stored; `upright_size` is as seen."""
    height_px: int
    orientation: int = 1
    """EXIF Orientation, 1 to 8; 1 when absent or nonsense. 1 means that the pixels are stored upright."""
    animated: bool = False
    has_alpha: bool = False
    has_color_profile: bool = False
    """An ICC profile is embedded (nothing is said of its sanity)."""
    cmyk: bool = False
    """Colours for print: valid, but shown wrongly or not at all by much of the world. `make_upright` makes it RGB."""
    progressive: bool = False
    """Progressive JPEG or interlaced PNG."""

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width_px * self.height_px

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) in pixels once the orientation is applied."""
        if self.orientation >= _TRANSPOSED_FROM:
            return self.height_px, self.width_px
        return self.width_px, self.height_px
