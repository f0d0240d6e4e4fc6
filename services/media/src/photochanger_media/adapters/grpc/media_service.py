"""The calls of `photochanger.media.v1.MediaService`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import grpc
from photochanger.media.v1 import media_service_pb2 as pb
from photochanger.media.v1 import media_service_pb2_grpc
from photochanger_chassis.errors import ServiceError

from photochanger_media.adapters.grpc import translate
from photochanger_media.application.cleanup import RunCleanup
from photochanger_media.application.linking import CreateLink
from photochanger_media.application.listing import GetUsage, ListMedia
from photochanger_media.application.ports import Filter
from photochanger_media.application.publishing import PublishInput
from photochanger_media.application.reading import (
    CreateReadUrl,
    Download,
    DownloadLink,
    FindMedia,
    OpenDownload,
)
from photochanger_media.application.removal import DeleteJobMedia, DeleteMediaObject
from photochanger_media.application.upload import UploadMedia

_Context = grpc.aio.ServicerContext[Any, Any]
_DRAINED_BYTES: Final = 32 * 1024 * 1024
_PAUSE_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCases:
    """What the calls do."""

    upload: UploadMedia
    download: Download
    download_link: DownloadLink
    find: FindMedia
    list: ListMedia
    create_read_url: CreateReadUrl
    create_link: CreateLink
    publish_input: PublishInput
    delete: DeleteMediaObject
    delete_job_media: DeleteJobMedia
    run_cleanup: RunCleanup
    get_usage: GetUsage


class MediaServicer(media_service_pb2_grpc.MediaServiceServicer):
    """Translates calls into use cases and back; errors are translated by the server."""

    def __init__(self, use_cases: UseCases) -> None:
        self._do = use_cases

    async def Upload(  # noqa: N802 - the contract's name
        self, request_iterator: AsyncIterator[pb.UploadRequest], context: _Context
    ) -> pb.UploadResponse:
        """Stores one picture from a stream."""
        messages = aiter(request_iterator)
        try:
            first = await anext(messages, None)
            if first is None or first.WhichOneof("part") != "header":
                raise translate.wrong("header", "the first message of the stream")
            received = await self._do.upload(translate.new_upload(first.header), _upload_chunks(messages))
        except ServiceError:
            await _drain(messages)
            raise
        return pb.UploadResponse(
            media_object=translate.media_object(received.media_object),
            received_digests=translate.digests(received.digests),
            received_size_bytes=received.received_bytes,
        )

    async def Download(  # noqa: N802 - the contract's name
        self, request: pb.DownloadRequest, context: _Context
    ) -> AsyncIterator[pb.DownloadResponse]:
        """Streams an object, or a range of it."""
        media_id = translate.media_id(request.media_object_id)
        rendition = translate.rendition(request.rendition)
        async with self._do.download(media_id, rendition, translate.byte_range(request.range)) as opened:
            yield pb.DownloadResponse(info=_info(opened))
            async for chunk in opened.chunks:
                yield pb.DownloadResponse(chunk=chunk)

    async def DownloadLink(  # noqa: N802 - the contract's name
        self, request: pb.DownloadLinkRequest, context: _Context
    ) -> AsyncIterator[pb.DownloadLinkResponse]:
        """Streams what a public link points at."""
        async with self._do.download_link(request.token, translate.byte_range(request.range)) as opened:
            yield pb.DownloadLinkResponse(info=_info(opened))
            async for chunk in opened.chunks:
                yield pb.DownloadLinkResponse(chunk=chunk)

    async def GetMediaObject(  # noqa: N802 - the contract's name
        self, request: pb.GetMediaObjectRequest, context: _Context
    ) -> pb.GetMediaObjectResponse:
        """Returns what is known of an object."""
        found = await self._do.find(
            translate.media_id(request.media_object_id), translate.rendition(request.rendition)
        )
        return pb.GetMediaObjectResponse(media_object=translate.media_object(found))

    async def ListMediaObjects(  # noqa: N802 - the contract's name
        self, request: pb.ListMediaObjectsRequest, context: _Context
    ) -> pb.ListMediaObjectsResponse:
        """Lists unexpired objects, newest first."""
        page = await self._do.list(
            Filter(
                kind=translate.kind(request.kind) if request.kind else None,
                slot_id=translate.optional_slot_id(request.slot_id),
                job_id=translate.job_id(request.job_id) if request.job_id else None,
            ),
            page_size=request.page_size,
            after=translate.cursor(request.page_token),
        )
        return pb.ListMediaObjectsResponse(
            media_objects=[translate.media_object(item) for item in page.media_objects],
            next_page_token=translate.page_token(page.media_objects[-1]) if page.more else "",
        )

    async def CreateReadUrl(  # noqa: N802 - the contract's name
        self, request: pb.CreateReadUrlRequest, context: _Context
    ) -> pb.CreateReadUrlResponse:
        """Makes a short-lived URL of the bucket."""
        made = await self._do.create_read_url(translate.media_id(request.media_object_id))
        return pb.CreateReadUrlResponse(
            url=made.url,
            url_expires_at=translate.timestamp(made.expires_at),
            media_object=translate.media_object(made.media_object),
        )

    async def CreateLink(  # noqa: N802 - the contract's name
        self, request: pb.CreateLinkRequest, context: _Context
    ) -> pb.CreateLinkResponse:
        """Makes an unguessable public link."""
        if not request.HasField("expires_at"):
            raise translate.wrong("expires_at", "required")
        made = await self._do.create_link(
            translate.media_id(request.media_object_id), translate.instant(request.expires_at, "expires_at")
        )
        return pb.CreateLinkResponse(
            token=made.token, url=made.url, expires_at=translate.timestamp(made.expires_at)
        )

    async def PublishInput(  # noqa: N802 - the contract's name
        self, request: pb.PublishInputRequest, context: _Context
    ) -> pb.PublishInputResponse:
        """Makes a job's input its result."""
        retention = (
            translate.duration(request.retention, "retention") if request.HasField("retention") else None
        )
        published = await self._do.publish_input(translate.media_id(request.media_object_id), retention)
        return pb.PublishInputResponse(media_object=translate.media_object(published))

    async def DeleteMediaObject(  # noqa: N802 - the contract's name
        self, request: pb.DeleteMediaObjectRequest, context: _Context
    ) -> pb.DeleteMediaObjectResponse:
        """Deletes an object and what was made from it."""
        await self._do.delete(translate.media_id(request.media_object_id))
        return pb.DeleteMediaObjectResponse()

    async def DeleteJobMedia(  # noqa: N802 - the contract's name
        self, request: pb.DeleteJobMediaRequest, context: _Context
    ) -> pb.DeleteJobMediaResponse:
        """Deletes objects of a job."""
        kinds = [translate.kind(value, "kinds") for value in request.kinds]
        count = await self._do.delete_job_media(translate.job_id(request.job_id), kinds)
        return pb.DeleteJobMediaResponse(deleted_count=count)

    async def RunCleanup(  # noqa: N802 - the contract's name
        self, request: pb.RunCleanupRequest, context: _Context
    ) -> pb.RunCleanupResponse:
        """Removes what has expired and what has lost its other half."""
        report = await self._do.run_cleanup(translate.optional_slot_id(request.slot_id))
        return pb.RunCleanupResponse(
            expired_count=report.expired_count,
            orphan_object_count=report.orphan_object_count,
            orphan_row_count=report.orphan_row_count,
            freed_bytes=report.freed_bytes,
        )

    async def GetUsage(  # noqa: N802 - the contract's name
        self, request: pb.GetUsageRequest, context: _Context
    ) -> pb.GetUsageResponse:
        """Sums up the stored bytes."""
        usage = await self._do.get_usage(translate.optional_slot_id(request.slot_id))
        return pb.GetUsageResponse(
            kinds=[
                pb.KindUsage(
                    kind=translate.kind_value(item.kind),
                    object_count=item.object_count,
                    size_bytes=item.size_bytes,
                )
                for item in usage
            ]
        )


async def _drain(messages: AsyncIterator[pb.UploadRequest]) -> None:
    """Reads what a client still sends, until it ends or pauses.

    A grpc.aio client that is writing when a status arrives reports INTERNAL ("Failed execute_batch") in its place:
    `_write` in https://github.com/grpc/grpc/blob/master/src/python/grpcio/grpc/aio/_call.py. So a refusal waits
    for a fast client; a slow one is told at once.
    """
    left = _DRAINED_BYTES
    with suppress(TimeoutError):
        while left > 0:
            async with asyncio.timeout(_PAUSE_SECONDS):
                message = await anext(messages, None)
            if message is None:
                return
            left -= len(message.chunk)


async def _upload_chunks(messages: AsyncIterator[pb.UploadRequest]) -> AsyncIterator[bytes]:
    async for message in messages:
        if message.WhichOneof("part") != "chunk":
            raise translate.wrong("header", "once, as the first message")
        yield message.chunk


def _info(opened: OpenDownload) -> pb.DownloadInfo:
    return pb.DownloadInfo(
        media_object=translate.media_object(opened.media_object),
        offset=opened.span.offset,
        length=opened.span.length,
    )
