"""What can be wrong with a picture.

    ImageError
    ├── UnsupportedFormat   not JPEG, PNG or WebP, or a kind of them nobody shows
    ├── BrokenImage         the bytes are not a whole, well-formed picture
    ├── TooManyPixels       larger than the limits allow
    ├── AnimatedImage       more than one frame
    ├── BlankImage          one flat colour
    └── CannotShrink        does not fit the wanted size at any sensible quality

Each carries a machine-readable `reason`; services map it to their own errors. Messages never quote picture
bytes.
"""

from typing import ClassVar


class ImageError(Exception):
    """A picture that cannot be used, and why. Anything else that escapes this library is a bug."""

    reason: ClassVar[str] = "IMAGE_UNUSABLE"


class UnsupportedFormat(ImageError):
    """The content is not a kind of picture we take. `looks_like` names what it seems to be, when known."""

    reason = "IMAGE_FORMAT_UNSUPPORTED"

    def __init__(self, looks_like: str | None = None) -> None:
        self.looks_like = looks_like
        what = f"This is {looks_like}" if looks_like else "This is not a picture we know"
        super().__init__(f"{what}. Send a JPEG, PNG or WebP picture.")


class BrokenImage(ImageError):
    """The bytes end too early, contradict themselves or cannot be decoded."""

    reason = "IMAGE_BROKEN"

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(f"The picture is damaged: {what}.")


class TooManyPixels(ImageError):
    """The declared size is over the limits. Raised from the header, before anything is decoded."""

    reason = "IMAGE_TOO_MANY_PIXELS"

    def __init__(self, width_px: int, height_px: int, *, limit: str) -> None:
        self.width_px = width_px
        self.height_px = height_px
        self.limit = limit
        super().__init__(f"The picture is {width_px} x {height_px} pixels; it must have {limit}.")


class AnimatedImage(ImageError):
    """The picture has several frames where a photograph is wanted."""

    reason = "IMAGE_ANIMATED"

    def __init__(self) -> None:
        super().__init__("The picture is animated. Send a still picture.")


class BlankImage(ImageError):
    """The picture shows nothing: every pixel has the same colour, or all are transparent."""

    reason = "IMAGE_BLANK"

    def __init__(self) -> None:
        super().__init__("The picture is blank.")


class CannotShrink(ImageError):
    """The picture does not fit `max_bytes` at any sensible size and quality."""

    reason = "IMAGE_CANNOT_SHRINK"

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        super().__init__(f"The picture cannot be made smaller than {max_bytes} bytes.")
