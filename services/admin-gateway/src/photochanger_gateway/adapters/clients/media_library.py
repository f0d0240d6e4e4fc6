"""Templates, temporary pictures and the whole store, which media owns, over gRPC."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import grpc.aio
from photochanger.media.v1 import media_service_pb2
from photochanger.media.v1.media_service_pb2_grpc import MediaServiceStub
from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.adapters.clients.media import GrpcUpload
from photochanger_gateway.application.ports import Upload
from photochanger_gateway.application.ports_admin import Cleaned
from photochanger_gateway.domain.media import KindUsage, MediaKind, MediaObject

_QUICK_SECONDS: Final = 5.0
_CLEANUP_SECONDS: Final = 600.0
"""A bucket with a year of orphans; the clean-up of media itself is cut into small steps."""
_KINDS_BACK: Final = {ours: theirs for theirs, ours in translate.KINDS.items()}


class GrpcMediaLibrary:
    """Keeps the promises of `application.ports_admin.MediaLibrary` and of `application.clean_up.Store`."""

    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self._media = MediaServiceStub(channel)
        self._clock = clock

    @asynccontextmanager
    async def upload(
        self, kind: MediaKind, *, slot_id: str, content_type: str, size_limit_bytes: int, deadline: Deadline
    ) -> AsyncIterator[Upload]:
        """See the port."""
        header = media_service_pb2.UploadHeader(
            kind=_KINDS_BACK[kind],
            slot_id=slot_id,
            declared_mime_type=content_type,
            max_size_bytes=size_limit_bytes,
        )
        call = self._media.Upload(timeout=deadline.remaining(self._clock.now()).total_seconds())
        try:
            yield GrpcUpload(call, header)
        finally:
            call.cancel()  # nothing happens to a call that has ended

    async def describe(self, media_object_id: str) -> MediaObject:
        """See the port."""
        request = media_service_pb2.GetMediaObjectRequest(media_object_id=media_object_id)
        with translate_rpc_errors():
            answer = await self._media.GetMediaObject(request, timeout=_QUICK_SECONDS)
        return translate.media_object(answer.media_object)

    async def usage(self) -> tuple[KindUsage, ...]:
        """See the port."""
        with translate_rpc_errors():
            answer = await self._media.GetUsage(media_service_pb2.GetUsageRequest(), timeout=_QUICK_SECONDS)
        return tuple(
            KindUsage(
                translate.KINDS.get(item.kind, MediaKind.OTHER),
                item.object_count,
                item.size_bytes,
            )
            for item in answer.kinds
        )

    async def clean_up(self, slot_id: str) -> Cleaned:
        """See the port."""
        request = media_service_pb2.RunCleanupRequest(slot_id=slot_id)
        with translate_rpc_errors():
            answer = await self._media.RunCleanup(request, timeout=_CLEANUP_SECONDS)
        return Cleaned(
            answer.expired_count,
            answer.orphan_object_count + answer.orphan_row_count,
            answer.freed_bytes,
        )
