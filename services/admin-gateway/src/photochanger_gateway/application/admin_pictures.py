"""Pictures that only admins see: templates, temporary ones, the photos jobs began with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from photochanger_chassis.errors import ServiceError

from photochanger_gateway.application.ports import Download, Media
from photochanger_gateway.application.ports_admin import Jobs, MediaLibrary
from photochanger_gateway.domain.media import MediaKind, MediaObject
from photochanger_gateway.domain.refusals import (
    InputExpired,
    NoSuchMedia,
    NoSuchTemplate,
    TemporaryMediaExpired,
)

_GONE: Final = frozenset({"MEDIA_NOT_FOUND", "MEDIA_EXPIRED"})


class AdminPictures:
    """Opens pictures to admins, each kind at its own address."""

    def __init__(self, media: Media, library: MediaLibrary, jobs: Jobs) -> None:
        self._media = media
        self._library = library
        self._jobs = jobs

    async def find_template(self, media_object_id: str) -> MediaObject:
        """Returns a template.

        Raises:
            NoSuchTemplate: there is none, or the object is something else.
        """
        try:
            found = await self._library.describe(media_object_id)
        except ServiceError as error:
            if error.reason in _GONE:
                raise NoSuchTemplate from error
            raise
        if found.kind is not MediaKind.TEMPLATE:
            raise NoSuchTemplate
        return found

    @asynccontextmanager
    async def template(self, media_object_id: str, *, preview: bool) -> AsyncIterator[Download]:
        """Streams a template, or its preview. Raises as `find_template` does."""
        try:
            async with self._media.download(media_object_id, preview=preview) as download:
                yield download
        except ServiceError as error:
            if error.reason in _GONE:
                raise NoSuchTemplate from error
            raise

    async def find_temporary(self, media_object_id: str) -> MediaObject:
        """Returns a temporary picture.

        Raises:
            NoSuchMedia: there is none, or the object is something else.
            TemporaryMediaExpired: its time is over.
        """
        try:
            found = await self._library.describe(media_object_id)
        except ServiceError as error:
            raise _temporary(error) from error
        if found.kind is not MediaKind.TEMPORARY:
            raise NoSuchMedia
        return found

    @asynccontextmanager
    async def temporary(self, media_object_id: str) -> AsyncIterator[Download]:
        """Streams a temporary picture. Raises as `find_temporary` does."""
        try:
            async with self._media.download(media_object_id) as download:
                yield download
        except ServiceError as error:
            raise _temporary(error) from error

    @asynccontextmanager
    async def input_of(self, job_id: str) -> AsyncIterator[Download]:
        """Streams the photo a job began with.

        Raises:
            InputExpired: it is no longer kept.
            ServiceError: there is no such job.
        """
        details = await self._jobs.details(job_id)
        if not details.job.input_media_object_id:
            raise InputExpired
        try:
            async with self._media.download(details.job.input_media_object_id) as download:
                yield download
        except ServiceError as error:
            if error.reason in _GONE:
                raise InputExpired from error
            raise


def _temporary(error: ServiceError) -> ServiceError:
    if error.reason == "MEDIA_NOT_FOUND":
        return NoSuchMedia()
    return TemporaryMediaExpired() if error.reason == "MEDIA_EXPIRED" else error
