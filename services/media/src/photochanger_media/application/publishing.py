"""Makes a job's own photo its result."""

from datetime import timedelta

from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import FieldViolation, InvalidArgument
from photochanger_imaging.info import PixelLimits

from photochanger_media.application.ports import MediaObjects
from photochanger_media.application.reading import Download, FindMedia, Rendition
from photochanger_media.application.receiving import Receive
from photochanger_media.application.reception import ReceptionRules
from photochanger_media.application.storing import Place
from photochanger_media.domain.byte_range import ByteRange
from photochanger_media.domain.media_object import MediaId, MediaKind, MediaObject


class PublishInput:
    """Stores an input anew as its job's result: upright and without metadata."""

    def __init__(
        self,
        *,
        find: FindMedia,
        download: Download,
        receive: Receive,
        objects: MediaObjects,
        clock: Clock,
        limits: PixelLimits,
    ) -> None:
        self._find = find
        self._download = download
        self._receive = receive
        self._objects = objects
        self._clock = clock
        self._limits = limits

    async def __call__(self, media_id: MediaId, retention: timedelta | None) -> MediaObject:
        """Publishes the input and returns the result; a job that has a result already keeps that.

        Raises:
            InvalidArgument: the object is no input.
            MediaNotFound, MediaExpired: there is nothing to publish.
            BrokenPicture: it cannot be decoded.
            StorageUnavailable: the bucket does not work.
        """
        original = await self._find(media_id)
        if original.kind is not MediaKind.INPUT or original.job_id is None:
            raise InvalidArgument(
                "Only inputs are published.",
                field_violations=(FieldViolation("media_object_id", "the id of an input"),),
            )
        if retention is not None and retention <= timedelta():
            raise InvalidArgument(
                "The retention is wrong.", field_violations=(FieldViolation("retention", "more than zero"),)
            )
        first = await self._objects.live_result(original.job_id)
        if first is not None and not first.expired(self._clock.now()):
            return first
        place = Place(
            kind=MediaKind.RESULT, slot_id=original.slot_id, job_id=original.job_id, retention=retention
        )
        rules = ReceptionRules(max_size_bytes=original.size_bytes, pixel_limits=self._limits, cleaned=True)
        async with self._download(media_id, Rendition.FULL, ByteRange()) as opened:
            received = await self._receive(place, rules, opened.chunks)
        return received.media_object
