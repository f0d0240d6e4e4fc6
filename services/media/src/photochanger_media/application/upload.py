"""Takes an upload."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog
from photochanger_chassis.errors import (
    DeadlinePassed,
    FieldViolation,
    InvalidArgument,
    ServiceError,
    Unavailable,
)
from photochanger_imaging.formats import ImageFormat
from photochanger_imaging.info import DEFAULT_LIMITS, PixelLimits

from photochanger_media.application.previews import MakePreview
from photochanger_media.application.receiving import Receive, Received
from photochanger_media.application.reception import DigestAlgorithm, ReceptionRules
from photochanger_media.application.storing import Place
from photochanger_media.domain.errors import UnsupportedMediaType
from photochanger_media.domain.media_object import MediaId, MediaKind, is_id, is_slot_id

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUpload:
    """What is uploaded."""

    place: Place
    declared_mime_type: str = ""
    max_size_bytes: int = 0
    """0: the service's own limit."""
    digests: frozenset[DigestAlgorithm] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """What one process takes."""

    max_size_bytes: int
    max_parallel: int
    """Uploads at once; more wait for their turn."""
    max_duration: timedelta
    """The longest upload; what a sweep finds unfinished and older than this has been abandoned."""
    pixels: PixelLimits = DEFAULT_LIMITS


class UploadMetrics(Protocol):
    """What is measured of uploads."""

    def uploaded(self, kind: MediaKind, received_bytes: int) -> None:
        """Notes one stored upload."""
        ...

    def upload_refused(self, kind: MediaKind, reason: str) -> None:
        """Notes one refused upload."""
        ...


class UploadMedia:
    """Stores one picture from a stream. A refused or aborted upload leaves nothing.

    A second result of a job replaces the first, unless it is the same picture: then the first stays. A template has
    its preview when it is answered for: the admin who uploads it wants to see it, and no photo waits.
    """

    def __init__(
        self, receive: Receive, make_preview: MakePreview, limits: UploadLimits, metrics: UploadMetrics
    ) -> None:
        self._receive = receive
        self._make_preview = make_preview
        self._limits = limits
        self._metrics = metrics
        self._turns = asyncio.Semaphore(limits.max_parallel)

    async def __call__(self, upload: NewUpload, chunks: AsyncIterator[bytes]) -> Received:
        """Reads `chunks` to the end and stores the picture.

        Raises:
            InvalidArgument: the upload's description is wrong.
            PayloadTooLarge, UnsupportedMediaType, BrokenPicture, TooManyPixels: the picture is not taken.
            StorageUnavailable: it could not be stored.
            DeadlinePassed: it took longer than any upload may.
        """
        kind = upload.place.kind
        try:
            received = await self._take(upload, chunks)
        except ServiceError as error:
            self._metrics.upload_refused(kind, error.reason)
            raise
        self._metrics.uploaded(kind, received.received_bytes)
        if kind is MediaKind.TEMPLATE:
            await self._preview(received.media_object.id)
        return received

    async def _preview(self, media_id: MediaId) -> None:
        try:
            await self._make_preview(media_id)
        except Unavailable as error:
            # The template is stored all the same; the next sweep makes what is missing.
            _log.warning("preview.left_to_sweep", media_object_id=media_id, reason=error.reason)

    async def _take(self, upload: NewUpload, chunks: AsyncIterator[bytes]) -> Received:
        _check(upload)
        own = self._limits.max_size_bytes
        rules = ReceptionRules(
            max_size_bytes=min(upload.max_size_bytes, own) if upload.max_size_bytes else own,
            pixel_limits=self._limits.pixels,
            cleaned=upload.place.kind.public,
            digests=upload.digests,
        )
        window = asyncio.timeout(self._limits.max_duration.total_seconds())
        try:
            async with window, self._turns:
                return await self._receive(upload.place, rules, chunks)
        except TimeoutError as error:
            if not window.expired():
                raise
            raise DeadlinePassed("The upload took too long.") from error


def _check(upload: NewUpload) -> None:
    place = upload.place
    problems: list[FieldViolation] = []
    if place.kind is MediaKind.PREVIEW:
        problems.append(FieldViolation("header.kind", "previews are made by the service"))
    if place.slot_id is None and place.kind.owned_by_job:
        problems.append(FieldViolation("header.slot_id", "required for inputs and results"))
    if place.slot_id is not None and not is_slot_id(place.slot_id):
        problems.append(FieldViolation("header.slot_id", "slot-001 to slot-015, or api"))
    if place.job_id is None and place.kind.owned_by_job:
        problems.append(FieldViolation("header.job_id", "required for inputs and results"))
    if place.job_id is not None and not is_id(place.job_id):
        problems.append(FieldViolation("header.job_id", "32 lower-case hex digits"))
    if upload.max_size_bytes < 0:
        problems.append(FieldViolation("header.max_size_bytes", "0 or more"))
    if place.retention is not None and place.retention <= timedelta():
        problems.append(FieldViolation("header.retention", "more than zero"))
    if problems:
        raise InvalidArgument("The upload's header is wrong.", field_violations=tuple(problems))
    if upload.declared_mime_type and ImageFormat.from_mime(upload.declared_mime_type) is None:
        raise UnsupportedMediaType(
            "The declared type is none of image/jpeg, image/png and image/webp.",
        )
