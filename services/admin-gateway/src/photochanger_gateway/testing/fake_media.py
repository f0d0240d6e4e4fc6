"""Pictures that keep the contract of `protos/` in memory."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from photochanger.media.v1 import media_object_pb2, media_service_pb2, media_service_pb2_grpc
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ErrorKind

from photochanger_gateway.adapters.clients.translate import instant
from photochanger_gateway.testing.builders import JPEG, a_refusal, an_object
from photochanger_gateway.testing.script import Script

_CHUNK_BYTES: Final = 256 * 1024


@dataclass(slots=True)
class Received:
    """One upload as media saw it. `whole` is None while it goes on, False when it was cut off."""

    header: media_service_pb2.UploadHeader
    data: bytearray = field(default_factory=bytearray)
    whole: bool | None = None
    media_object_id: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class FakeMedia(media_service_pb2_grpc.MediaServiceServicer):
    """Keeps pictures in memory. `break_after` ends downloads with an error at the first chunk after that many bytes."""

    def __init__(self, clock: Clock) -> None:
        self.script = Script()
        self.clock = clock
        self.uploads: list[Received] = []
        self.upload_begun = asyncio.Event()
        self.download_ended = asyncio.Event()
        self.objects: dict[str, tuple[media_object_pb2.MediaObject, bytes]] = {}
        self.previews: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self.deleted: list[str] = []
        self.break_after: int | None = None
        self.cancelled_within = 0.0
        """Seconds to wait for the cancellation of an upload, for tests that are sure it comes."""

    def store(self, data: bytes = JPEG, **facts: object) -> media_object_pb2.MediaObject:
        """Stores a picture; `facts` as `an_object` takes them."""
        stored = an_object(data, **facts)  # type: ignore[arg-type]  # passed on as they are
        self.objects[stored.id] = (stored, data)
        return stored

    async def Upload(  # noqa: N802 - gRPC's names, here and below
        self, request_iterator: AsyncIterator[media_service_pb2.UploadRequest], context: object
    ) -> media_service_pb2.UploadResponse:
        """See the proto."""
        first = await anext(request_iterator)
        await self.script.enter("Upload", first)
        received = Received(first.header)
        self.uploads.append(received)
        self.upload_begun.set()

        try:
            async for message in request_iterator:
                received.data += message.chunk
            # A stream that the client cancels ends like a whole one; the cancellation comes a moment later.
            await asyncio.sleep(self.cancelled_within)
            received.whole = True
        finally:
            received.whole = bool(received.whole)
            received.ended.set()
        data = bytes(received.data)
        header = received.header
        kept_for = timedelta(hours=1) if header.kind != media_object_pb2.MEDIA_KIND_TEMPLATE else None
        stored = self.store(
            data,
            kind=header.kind,
            slot_id=header.slot_id,
            mime_type=header.declared_mime_type or "image/jpeg",
            expires_at=None if kept_for is None else self.clock.now() + kept_for,
        )
        if header.kind == media_object_pb2.MEDIA_KIND_TEMPLATE:
            self.previews[stored.id] = data
        received.media_object_id = stored.id
        names = {1: "md5", 2: "sha1", 3: "sha256", 4: "sha512"}
        return media_service_pb2.UploadResponse(
            media_object=stored,
            received_size_bytes=len(data),
            received_digests=[
                media_service_pb2.Digest(
                    algorithm=media_service_pb2.DigestAlgorithm.ValueType(number),
                    hex=hashlib.new(names[number], data, usedforsecurity=False).hexdigest(),
                )
                for number in sorted({3, *received.header.digest_algorithms})
            ],
        )

    async def Download(  # noqa: N802
        self, request: media_service_pb2.DownloadRequest, context: object
    ) -> AsyncIterator[media_service_pb2.DownloadResponse]:
        """See the proto."""
        await self.script.enter("Download", request)
        preview = request.rendition == media_object_pb2.RENDITION_PREVIEW
        wanted = request.range if request.HasField("range") else None
        info, data = self._open(request.media_object_id, wanted, preview=preview)
        yield media_service_pb2.DownloadResponse(info=info)
        async for chunk in self._chunks(data):
            yield media_service_pb2.DownloadResponse(chunk=chunk)

    async def DownloadLink(  # noqa: N802
        self, request: media_service_pb2.DownloadLinkRequest, context: object
    ) -> AsyncIterator[media_service_pb2.DownloadLinkResponse]:
        """See the proto."""
        await self.script.enter("DownloadLink", request)
        if request.token not in self.links:
            raise a_refusal("LINK_NOT_FOUND", ErrorKind.NOT_FOUND)
        wanted = request.range if request.HasField("range") else None
        info, data = self._open(self.links[request.token], wanted, preview=False)
        yield media_service_pb2.DownloadLinkResponse(info=info)
        async for chunk in self._chunks(data):
            yield media_service_pb2.DownloadLinkResponse(chunk=chunk)

    async def DeleteMediaObject(  # noqa: N802
        self, request: media_service_pb2.DeleteMediaObjectRequest, context: object
    ) -> media_service_pb2.DeleteMediaObjectResponse:
        """See the proto."""
        await self.script.enter("DeleteMediaObject", request)
        self.deleted.append(request.media_object_id)
        return media_service_pb2.DeleteMediaObjectResponse()

    async def GetMediaObject(  # noqa: N802
        self, request: media_service_pb2.GetMediaObjectRequest, context: object
    ) -> media_service_pb2.GetMediaObjectResponse:
        """See the proto."""
        await self.script.enter("GetMediaObject", request)
        info, _ = self._open(request.media_object_id, None, preview=False)
        return media_service_pb2.GetMediaObjectResponse(media_object=info.media_object)

    async def GetUsage(  # noqa: N802
        self, request: media_service_pb2.GetUsageRequest, context: object
    ) -> media_service_pb2.GetUsageResponse:
        """See the proto."""
        await self.script.enter("GetUsage", request)
        usage: dict[media_object_pb2.MediaKind.ValueType, list[int]] = {}
        for stored, data in self.objects.values():
            usage.setdefault(stored.kind, []).append(len(data))
        return media_service_pb2.GetUsageResponse(
            kinds=[
                media_service_pb2.KindUsage(kind=kind, object_count=len(sizes), size_bytes=sum(sizes))
                for kind, sizes in usage.items()
            ]
        )

    async def RunCleanup(  # noqa: N802
        self, request: media_service_pb2.RunCleanupRequest, context: object
    ) -> media_service_pb2.RunCleanupResponse:
        """See the proto."""
        await self.script.enter("RunCleanup", request)
        return media_service_pb2.RunCleanupResponse(expired_count=3, freed_bytes=1000)

    def _open(
        self, media_object_id: str, wanted: media_service_pb2.ByteRange | None, *, preview: bool
    ) -> tuple[media_service_pb2.DownloadInfo, bytes]:
        if media_object_id not in self.objects or (preview and media_object_id not in self.previews):
            raise a_refusal("MEDIA_NOT_FOUND", ErrorKind.NOT_FOUND)
        stored, data = self.objects[media_object_id]
        if stored.HasField("expires_at") and instant(stored.expires_at) <= self.clock.now():
            raise a_refusal("MEDIA_EXPIRED", ErrorKind.FAILED_PRECONDITION)
        if preview:
            data = self.previews[media_object_id]
            stored = an_object(data, mime_type="image/webp")
        start, end = 0, len(data)
        if wanted is not None:
            start = wanted.offset if wanted.offset >= 0 else max(0, len(data) + wanted.offset)
            if start >= len(data):
                raise a_refusal("RANGE_NOT_SATISFIABLE", ErrorKind.OUT_OF_RANGE, sizeBytes=str(len(data)))
            end = min(len(data), start + wanted.length) if wanted.length else len(data)
        info = media_service_pb2.DownloadInfo(media_object=stored, offset=start, length=end - start)
        return info, data[start:end]

    async def _chunks(self, data: bytes) -> AsyncIterator[bytes]:
        try:
            for start in range(0, len(data), _CHUNK_BYTES):
                if self.break_after is not None and start >= self.break_after:
                    raise a_refusal("STORAGE_UNAVAILABLE", ErrorKind.UNAVAILABLE)
                yield data[start : start + _CHUNK_BYTES]
        finally:
            self.download_ended.set()
