"""The media service over gRPC."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import grpc.aio
from photochanger.media.v1 import media_object_pb2, media_service_pb2
from photochanger.media.v1.media_service_pb2_grpc import MediaServiceStub
from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import DeadlinePassed, Unavailable
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.application.ports import Download, StoredPhoto, Terms, Upload
from photochanger_gateway.domain.ranges import ByteRange

_QUICK_SECONDS: Final = 5.0
_OPEN_SECONDS: Final = 5.0
"""Until a download's first message."""
_ANSWER_SLACK: Final = timedelta(milliseconds=500)
"""How much longer than a deadline a camera's picture may take to begin: its answer may leave a second late."""
_DOWNLOAD_SECONDS: Final = 120.0
"""A guest on a slow phone; the stream holds no more than a few chunks meanwhile."""

_Chunks = media_service_pb2.DownloadResponse | media_service_pb2.DownloadLinkResponse


class GrpcMedia:
    """Keeps the promises of `application.ports.Media`."""

    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self._media = MediaServiceStub(channel)
        self._clock = clock

    @asynccontextmanager
    async def upload_input(
        self, terms: Terms, slot_id: str, *, content_type: str, digest_algorithms: tuple[int, ...]
    ) -> AsyncIterator[Upload]:
        """See the port."""
        header = media_service_pb2.UploadHeader(
            kind=media_object_pb2.MEDIA_KIND_INPUT,
            slot_id=slot_id,
            job_id=terms.job_id,
            declared_mime_type=content_type,
            max_size_bytes=terms.size_limit_bytes,
            digest_algorithms=[
                media_service_pb2.DigestAlgorithm.ValueType(number) for number in digest_algorithms
            ],
        )
        call = self._media.Upload(timeout=terms.deadline.remaining(self._clock.now()).total_seconds())
        try:
            yield GrpcUpload(call, header)
        finally:
            call.cancel()  # nothing happens to a call that has ended

    @asynccontextmanager
    async def download(
        self,
        media_object_id: str,
        *,
        preview: bool = False,
        byte_range: ByteRange | None = None,
        deadline: Deadline | None = None,
    ) -> AsyncIterator[Download]:
        """See the port."""
        request = media_service_pb2.DownloadRequest(
            media_object_id=media_object_id,
            rendition=media_object_pb2.RENDITION_PREVIEW if preview else media_object_pb2.RENDITION_FULL,
            range=_range(byte_range),
        )
        # A camera's picture is stored and paid for: while its guests still wait, a service that restarts is waited for.
        call = self._media.Download(request, timeout=_DOWNLOAD_SECONDS, wait_for_ready=deadline is not None)
        within = _OPEN_SECONDS
        if deadline is not None:
            within = (deadline.remaining(self._clock.now()) + _ANSWER_SLACK).total_seconds()
        try:
            yield await _open(aiter(call), within)
        finally:
            call.cancel()

    @asynccontextmanager
    async def download_link(
        self, token: str, *, byte_range: ByteRange | None = None
    ) -> AsyncIterator[Download]:
        """See the port."""
        request = media_service_pb2.DownloadLinkRequest(token=token, range=_range(byte_range))
        call = self._media.DownloadLink(request, timeout=_DOWNLOAD_SECONDS)
        try:
            yield await _open(aiter(call), _OPEN_SECONDS)
        finally:
            call.cancel()

    async def delete(self, media_object_id: str) -> None:
        """See the port."""
        request = media_service_pb2.DeleteMediaObjectRequest(media_object_id=media_object_id)
        with translate_rpc_errors():
            await self._media.DeleteMediaObject(request, timeout=_QUICK_SECONDS)


class GrpcUpload:
    """Keeps the promises of `application.ports.Upload`."""

    def __init__(
        self,
        call: grpc.aio.StreamUnaryCall[media_service_pb2.UploadRequest, media_service_pb2.UploadResponse],
        header: media_service_pb2.UploadHeader,
    ) -> None:
        self._call = call
        self._header: media_service_pb2.UploadHeader | None = header

    async def send(self, data: bytes) -> None:
        """See the port."""
        if self._header is not None:
            await self._write(media_service_pb2.UploadRequest(header=self._header))
            self._header = None
        await self._write(media_service_pb2.UploadRequest(chunk=data))

    async def finish(self) -> StoredPhoto:
        """See the port."""
        if self._header is not None:  # an empty file: the service says what is wrong with it
            await self._write(media_service_pb2.UploadRequest(header=self._header))
            self._header = None
        with translate_rpc_errors():
            await self._call.done_writing()
            answer = await self._call
        return StoredPhoto(
            media_object_id=answer.media_object.id,
            size_bytes=answer.received_size_bytes,
            digests={int(digest.algorithm): digest.hex for digest in answer.received_digests},
            stored=translate.media_object(answer.media_object),
        )

    async def _write(self, message: media_service_pb2.UploadRequest) -> None:
        with translate_rpc_errors():
            if self._call.done():
                await self._call  # the service refused the upload before its end: this raises why
            try:
                await self._call.write(message)
            except asyncio.InvalidStateError:
                await self._call  # it ended between the check and the write
                raise


async def _open(messages: AsyncIterator[_Chunks], within: float) -> Download:
    try:
        async with asyncio.timeout(within):
            with translate_rpc_errors():
                first = await anext(messages, None)
    except TimeoutError as error:
        raise DeadlinePassed("The media service did not begin to send the picture in time.") from error
    if first is None or not first.HasField("info"):
        raise Unavailable("The media service ended a download before it began.")

    async def chunks() -> AsyncIterator[bytes]:
        with translate_rpc_errors():
            async for message in messages:
                yield message.chunk

    return Download(
        translate.picture(first.info.media_object), first.info.offset, first.info.length, chunks()
    )


def _range(byte_range: ByteRange | None) -> media_service_pb2.ByteRange | None:
    if byte_range is None:
        return None
    return media_service_pb2.ByteRange(offset=byte_range.offset, length=byte_range.length)
