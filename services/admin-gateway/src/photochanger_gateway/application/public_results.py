"""What guests see: a job, its picture, a slot's gallery."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ServiceError

from photochanger_gateway.application.ports import Download, Ingest, Media
from photochanger_gateway.domain.jobs import Job, Picture
from photochanger_gateway.domain.ranges import ByteRange
from photochanger_gateway.domain.refusals import ResultExpired, ResultNotFound


class PublicResults:
    """Opens a job's picture to whoever knows the job's id."""

    def __init__(self, ingest: Ingest, media: Media, clock: Clock) -> None:
        self._ingest = ingest
        self._media = media
        self._clock = clock

    async def find(self, job_id: str) -> Picture:
        """Returns a job's picture.

        Raises:
            ResultNotFound: there is no such job, or it has no picture (yet).
            ResultExpired: the picture's time is over, whether or not it has been deleted.
        """
        try:
            job = await self._ingest.get_job(job_id)
        except ServiceError as error:
            if error.reason == "JOB_NOT_FOUND":
                raise ResultNotFound from error
            raise
        return self.of(job)

    def of(self, job: Job) -> Picture:
        """Returns the picture of a job that was read already. Raises as `find` does."""
        if job.picture is None:
            raise ResultNotFound
        if job.picture.expires_at is not None and job.picture.expires_at <= self._clock.now():
            raise ResultExpired
        return job.picture

    @asynccontextmanager
    async def open(
        self, picture: Picture, *, preview: bool = False, byte_range: ByteRange | None = None
    ) -> AsyncIterator[Download]:
        """Streams a picture, or its preview. Raises as `find` does."""
        try:
            async with self._media.download(
                picture.media_object_id, preview=preview, byte_range=byte_range
            ) as download:
                yield download
        except ServiceError as error:
            if error.reason == "MEDIA_EXPIRED":
                raise ResultExpired from error
            if error.reason == "MEDIA_NOT_FOUND":
                raise ResultNotFound from error
            raise
