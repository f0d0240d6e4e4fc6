"""Looks at the bytes of one upload as they arrive: size, type, pixels, digests; cleans what becomes public."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from tempfile import SpooledTemporaryFile
from typing import Final

from photochanger_chassis.errors import FieldViolation, InvalidArgument
from photochanger_imaging.errors import AnimatedImage, ImageError, UnsupportedFormat
from photochanger_imaging.errors import TooManyPixels as ImageTooManyPixels
from photochanger_imaging.formats import ImageFormat, describe_foreign, sniff
from photochanger_imaging.info import ImageInfo, PixelLimits
from photochanger_imaging.probe import HeaderProbe
from photochanger_imaging.scrub import Scrubber

from photochanger_media.application.storing import RunningDigest
from photochanger_media.domain.errors import (
    BrokenPicture,
    PayloadTooLarge,
    TooManyPixels,
    UnsupportedMediaType,
)

MAX_CHUNK_BYTES: Final = 1024 * 1024
_SNIFF_BYTES: Final = 16
# A header is a few KiB. What is larger than this before it ends waits on disk.
_HELD_IN_MEMORY_BYTES: Final = 512 * 1024


class DigestAlgorithm(Enum):
    """A digest that can be asked for; the value is its name in hashlib."""

    MD5 = "md5"
    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA512 = "sha512"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceptionRules:
    """What is taken."""

    max_size_bytes: int
    pixel_limits: PixelLimits
    cleaned: bool
    """Take metadata out, and turn upright. Otherwise the bytes are kept as they come."""
    digests: frozenset[DigestAlgorithm] = frozenset()
    """Wanted beside SHA-256."""


@contextmanager
def picture_refusals() -> Iterator[None]:
    """Turns what the imaging library says of a picture into errors of this service."""
    try:
        yield
    except (UnsupportedFormat, AnimatedImage) as error:
        raise UnsupportedMediaType(str(error)) from error
    except ImageTooManyPixels as error:
        raise TooManyPixels(str(error), width_px=error.width_px, height_px=error.height_px) from error
    except ImageError as error:
        raise BrokenPicture(str(error)) from error


class Reception:
    """Takes the chunks of one upload and says what is to be stored.

    Bytes that `take` and `finish` return are to be stored as they are. When `redraw` is true after `finish`,
    they are worthless, and what has to be stored must be drawn anew from `spool`. `format` is known once
    anything is returned. Memory: one chunk and the picture's header (a WebP that has to be cleaned is held
    whole, as its metadata comes last). Use as a context manager: it may hold a temporary file.
    """

    def __init__(self, rules: ReceptionRules) -> None:
        self._rules = rules
        self._probe = HeaderProbe(rules.pixel_limits)
        self._scrubber: Scrubber | None = None
        self._digests = {
            algorithm: hashlib.new(algorithm.value, usedforsecurity=False)
            for algorithm in rules.digests | {DigestAlgorithm.SHA256}
        }
        self._head = b""
        self._waiting: list[bytes] = []
        self.format: ImageFormat | None = None
        self.received_bytes = 0
        self.redraw = False
        self.spool: Final = SpooledTemporaryFile(max_size=_HELD_IN_MEMORY_BYTES)  # noqa: SIM115 - closed by close()
        self._decided = False

    def close(self) -> None:
        """Removes the temporary file."""
        self.spool.close()

    @property
    def digests(self) -> dict[DigestAlgorithm, str]:
        """Digests of the bytes received so far, in lower-case hex."""
        return {algorithm: digest.hexdigest() for algorithm, digest in self._digests.items()}

    @property
    def sha256_of_stored(self) -> RunningDigest | None:
        """The running SHA-256 of what is to be stored, where that is what is received."""
        return None if self._rules.cleaned else self._digests[DigestAlgorithm.SHA256]

    def take(self, chunk: bytes) -> list[bytes]:
        """Takes the next chunk; returns what can be stored by now.

        Raises:
            PayloadTooLarge, UnsupportedMediaType, BrokenPicture, TooManyPixels: as soon as it shows.
            InvalidArgument: the chunk is too large for a message.
        """
        if len(chunk) > MAX_CHUNK_BYTES:
            raise InvalidArgument(
                "A chunk is too large.",
                field_violations=(FieldViolation("chunk", f"at most {MAX_CHUNK_BYTES} bytes"),),
            )
        self.received_bytes += len(chunk)
        if self.received_bytes > self._rules.max_size_bytes:
            raise PayloadTooLarge(self.received_bytes, self._rules.max_size_bytes)
        for digest in self._digests.values():
            digest.update(chunk)
        if self.format is None:
            chunk = self._head = self._head + chunk
            if len(chunk) < _SNIFF_BYTES:
                return []
            self._begin(chunk)
        with picture_refusals():
            self._probe.feed(chunk)
            return self._cleaned(chunk) if self._rules.cleaned else [chunk]

    def finish(self) -> tuple[list[bytes], ImageInfo]:
        """Returns what remains to be stored, and the picture's facts. Raises as `take` does."""
        with picture_refusals():
            if self.format is None:
                # Too short to tell; the probe words the refusal.
                self._probe.feed(self._head)
                self._probe.finish()
                raise BrokenPicture("The picture is damaged: it is only a few bytes long.")
            info = self._probe.finish()
            if self._scrubber is None:
                return [], info
            self._decide(info)
            if self.redraw:
                return [], info
            rest = self._scrubber.finish()
            return [*self._released(), rest] if rest else self._released(), info

    def _begin(self, head: bytes) -> None:
        self.format = sniff(head)
        if self.format is None:
            with picture_refusals():
                raise UnsupportedFormat(describe_foreign(head))
        self._head = b""
        if self._rules.cleaned:
            self._scrubber = Scrubber(self.format)

    def _cleaned(self, chunk: bytes) -> list[bytes]:
        if self._scrubber is None:
            raise RuntimeError("The format is not known yet.")
        if not self._decided or self.redraw:
            self.spool.write(chunk)
        if self.redraw:
            return []
        clean = self._scrubber.feed(chunk)
        if clean:
            self._waiting.append(clean)
        info = self._probe.info
        if info is None:
            return []
        self._decide(info)
        return self._released()

    def _decide(self, info: ImageInfo) -> None:
        """Once the header is known: is taking metadata out enough, or must the picture be drawn anew?"""
        if self._decided or self._scrubber is None:
            return
        self._decided = True
        self.redraw = info.orientation != 1 or self._scrubber.profile.dropped
        if self.redraw:
            self._waiting.clear()
        else:
            self.spool.close()

    def _released(self) -> list[bytes]:
        if self.redraw:
            return []
        released, self._waiting = self._waiting, []
        return released
