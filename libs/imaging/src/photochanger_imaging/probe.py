"""Reads what a picture declares about itself from its first bytes, and refuses it there if it must be
refused.

Nothing is decoded: a header parser of a few lines per format is the whole attack surface.
"""

from photochanger_imaging._intake import Intake, Stepper, Steps, slices
from photochanger_imaging._jpeg import probe_jpeg
from photochanger_imaging._png import probe_png
from photochanger_imaging._webp import probe_webp
from photochanger_imaging.errors import BrokenImage, UnsupportedFormat
from photochanger_imaging.formats import ImageFormat, describe_foreign, sniff
from photochanger_imaging.info import DEFAULT_LIMITS, ImageInfo, PixelLimits

_SNIFF_BYTES = 16


class HeaderProbe:
    """Reads the header of a picture that arrives in pieces.

        probe = HeaderProbe()
        for chunk in upload:
            info = probe.feed(chunk)       # None until the header is complete
        info = probe.finish()

    Size, kind and animation are refused at the first byte that shows them: UnsupportedFormat, TooManyPixels,
    AnimatedImage; a contradictory header is BrokenImage. Memory: one piece plus one header segment. A JPEG or
    PNG header is known before the pixels; a WebP with EXIF only near its end, where EXIF is.
    """

    def __init__(self, limits: PixelLimits = DEFAULT_LIMITS, *, allow_animated: bool = False) -> None:
        self._limits = limits
        self._allow_animated = allow_animated
        self._head = b""
        self._info: ImageInfo | None = None
        self._stepper: Stepper | None = None

    @property
    def info(self) -> ImageInfo | None:
        """The header's facts once they are all known."""
        return self._info

    def feed(self, chunk: bytes) -> ImageInfo | None:
        """Takes the next piece, of any size. Returns the facts once known, None while more bytes are
        needed.
        """
        if self._stepper is None:
            self._head += chunk
            if len(self._head) < _SNIFF_BYTES:
                return None
            self._stepper = self._start()
            chunk, self._head = self._head, b""
        self._stepper.advance(chunk)
        return self._info

    def finish(self) -> ImageInfo:
        """Returns the facts after the last piece. Raises BrokenImage when the header never completed."""
        if self._stepper is None:
            if not self._head:
                raise BrokenImage("it is empty")
            self._stepper = self._start()
            self._stepper.advance(self._head)
        self._stepper.end()
        if self._info is None:
            raise BrokenImage("its header is incomplete")
        return self._info

    def _start(self) -> Stepper:
        intake = Intake()
        parser: Steps[None]
        match sniff(self._head):
            case ImageFormat.JPEG:
                parser = probe_jpeg(intake, self._limits, self._found)
            case ImageFormat.PNG:
                parser = probe_png(intake, self._limits, self._found, allow_animated=self._allow_animated)
            case ImageFormat.WEBP:
                parser = probe_webp(intake, self._limits, self._found, allow_animated=self._allow_animated)
            case None:
                raise UnsupportedFormat(describe_foreign(self._head))
        return Stepper(intake, parser)

    def _found(self, info: ImageInfo) -> None:
        self._info = info


def probe(data: bytes, limits: PixelLimits = DEFAULT_LIMITS, *, allow_animated: bool = False) -> ImageInfo:
    """Reads the header of a whole picture in memory. Raises as HeaderProbe does."""
    reader = HeaderProbe(limits, allow_animated=allow_animated)
    for piece in slices(data):
        info = reader.feed(piece)
        if info is not None:
            return info
    return reader.finish()
