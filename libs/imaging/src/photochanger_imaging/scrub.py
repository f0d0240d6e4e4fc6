"""Removes everything from a picture file that is not picture, without touching a pixel.

What stays, per format (everything else goes, by not being listed):

- JPEG: frame, tables, scans; the JFIF and Adobe headers in their shortest form; a rebuilt ICC profile.
- PNG: IHDR, PLTE, IDAT, IEND, tRNS, gAMA, cHRM, sRGB, cICP, pHYs, sBIT; a rebuilt ICC profile.
- WebP: VP8X (flags corrected), VP8, VP8L, ALPH; a rebuilt ICC profile.

So EXIF with GPS and maker notes, XMP, IPTC, comments, thumbnails, second images (MPF), animation and whatever
was appended behind the end are gone, and the structure that remains was checked on the way. With EXIF goes
the orientation: a photo that is not stored upright has to go through `make_upright` instead. What hides
inside compressed pixel data stays; only encoding anew removes that.
"""

from typing import BinaryIO

from photochanger_imaging._icc import ProfileOutcome
from photochanger_imaging._intake import Intake, Stepper, Steps, slices
from photochanger_imaging._jpeg import scrub_jpeg
from photochanger_imaging._png import scrub_png
from photochanger_imaging._webp import scrub_webp
from photochanger_imaging.errors import UnsupportedFormat
from photochanger_imaging.formats import ImageFormat, describe_foreign, sniff

_FILE_CHUNK_BYTES = 256 * 1024


class Scrubber:
    """Scrubs a picture that arrives in pieces.

        scrubber = Scrubber(info.format)
        for chunk in upload:
            out.write(scrubber.feed(chunk))
        out.write(scrubber.finish())

    The output does not depend on where the pieces were cut. Memory: one piece plus the header (at most a few
    MiB) for JPEG and PNG. A WebP states its size up front, so it is held whole and comes out at the end.
    Raises BrokenImage when the file is malformed or ends early, UnsupportedFormat for exotic JPEG coding,
    AnimatedImage for an animated WebP; what was returned before is then worthless.
    """

    def __init__(self, image_format: ImageFormat) -> None:
        self._intake = Intake()
        self._out: list[bytes] = []
        self._profile = ProfileOutcome()
        parser: Steps[None]
        match image_format:
            case ImageFormat.JPEG:
                parser = scrub_jpeg(self._intake, self._out.append, self._note_profile)
            case ImageFormat.PNG:
                parser = scrub_png(self._intake, self._out.append, self._note_profile)
            case ImageFormat.WEBP:
                parser = scrub_webp(self._intake, self._out.append, self._note_profile)
        self._stepper = Stepper(self._intake, parser)

    @property
    def profile(self) -> ProfileOutcome:
        """What became of the colour profile. When it was `dropped`, `make_upright` keeps the colours true."""
        return self._profile

    @property
    def complete(self) -> bool:
        """The picture has ended; further bytes are ignored."""
        return self._stepper.done

    def feed(self, chunk: bytes) -> bytes:
        """Takes the next piece, of any size; returns what is ready, perhaps nothing."""
        self._stepper.advance(chunk)
        return self._drain()

    def finish(self) -> bytes:
        """Returns the rest after the last piece. Raises BrokenImage when the picture had not ended."""
        self._stepper.end()
        return self._drain()

    def _drain(self) -> bytes:
        ready = b"".join(self._out)
        self._out.clear()
        return ready

    def _note_profile(self, outcome: ProfileOutcome) -> None:
        self._profile = outcome


def scrub(data: bytes) -> bytes:
    """Scrubs a picture in memory."""
    scrubber = Scrubber(_format_of(data[:16]))
    return b"".join((*map(scrubber.feed, slices(data)), scrubber.finish()))


def scrub_file(source: BinaryIO, target: BinaryIO) -> ProfileOutcome:
    """Scrubs from one open file into another, from where they stand; returns what became of the colour
    profile.
    """
    chunk = source.read(_FILE_CHUNK_BYTES)
    scrubber = Scrubber(_format_of(chunk[:16]))
    while chunk:
        target.write(scrubber.feed(chunk))
        chunk = source.read(_FILE_CHUNK_BYTES)
    target.write(scrubber.finish())
    return scrubber.profile


def _format_of(head: bytes) -> ImageFormat:
    image_format = sniff(head)
    if image_format is None:
        raise UnsupportedFormat(describe_foreign(head))
    return image_format
