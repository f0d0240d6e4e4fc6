"""A media service in memory, over real gRPC and real HTTP: it keeps the promises this service relies on."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import grpc
from aiohttp import web
from google.protobuf.timestamp_pb2 import Timestamp
from photochanger.media.v1 import media_service_pb2 as messages
from photochanger.media.v1.media_object_pb2 import MEDIA_KIND_INPUT, MediaKind, MediaObject
from photochanger_chassis.errors import ErrorKind, ServiceError
from photochanger_chassis.grpc.server import GrpcServer
from photochanger_chassis.ids import RandomIds
from photochanger_chassis.settings import GrpcServerSettings
from photochanger_imaging.probe import probe
from prometheus_client import CollectorRegistry

_Context = grpc.aio.ServicerContext[Any, Any]
_DAY: Final = timedelta(days=1)


class NotFound(ServiceError):
    """There is no such object."""

    kind, reason = ErrorKind.NOT_FOUND, "MEDIA_NOT_FOUND"


class StorageAway(ServiceError):
    """The bucket is away."""

    kind, reason = ErrorKind.UNAVAILABLE, "STORAGE_UNAVAILABLE"


class DatabaseAway(ServiceError):
    """The media service's database is away."""

    kind, reason = ErrorKind.UNAVAILABLE, "DATABASE_UNAVAILABLE"


class LinksNotConfigured(ServiceError):
    """There is no public base URL."""

    kind, reason = ErrorKind.FAILED_PRECONDITION, "LINKS_NOT_CONFIGURED"


@dataclass
class FakeMedia:
    """Objects in memory. `failures` are raised, one a call, before uploads and reads are served."""

    target: str = ""
    bucket_url: str = ""
    links: bool = True
    objects: dict[str, tuple[MediaObject, bytes]] = field(default_factory=dict)
    failures: list[ServiceError] = field(default_factory=list)
    stored: asyncio.Event = field(default_factory=asyncio.Event)
    """Set by every upload that is stored."""

    def put(
        self, content: bytes, *, kind: MediaKind.ValueType = MEDIA_KIND_INPUT, slot_id: str = "slot-001"
    ) -> str:
        """Stores a picture and returns its id."""
        return self._stored(content, messages.UploadHeader(kind=kind, slot_id=slot_id)).id

    def of_job(self, job_id: str, kind: MediaKind.ValueType) -> list[tuple[MediaObject, bytes]]:
        """Returns the objects of a job of one kind."""
        return [
            (about, content)
            for about, content in self.objects.values()
            if about.job_id == job_id and about.kind == kind
        ]

    async def upload(
        self, request_iterator: AsyncIterator[messages.UploadRequest], context: _Context
    ) -> messages.UploadResponse:
        """Stores one picture from a stream."""
        del context
        header, content = messages.UploadHeader(), bytearray()
        async for part in request_iterator:
            if part.HasField("header"):
                header = part.header
            content += part.chunk
        self._maybe_fail()
        about = self._stored(bytes(content), header)
        self.stored.set()
        return messages.UploadResponse(media_object=about, received_size_bytes=len(content))

    async def create_read_url(
        self, request: messages.CreateReadUrlRequest, context: _Context
    ) -> messages.CreateReadUrlResponse:
        """Tells where an object's bytes are."""
        del context
        self._maybe_fail()
        if request.media_object_id not in self.objects:
            raise NotFound("There is no such object.")
        about, _ = self.objects[request.media_object_id]
        return messages.CreateReadUrlResponse(
            url=f"{self.bucket_url}/{about.id}?X-Amz-Signature=a%2Fb",
            url_expires_at=_timestamp(_DAY),
            media_object=about,
        )

    async def create_link(
        self, request: messages.CreateLinkRequest, context: _Context
    ) -> messages.CreateLinkResponse:
        """Makes a public link."""
        del context
        if not self.links:
            raise LinksNotConfigured("There is no public base URL.")
        token = request.media_object_id
        return messages.CreateLinkResponse(
            token=token, url=f"{self.bucket_url}/{token}", expires_at=request.expires_at
        )

    async def serve_object(self, request: web.Request) -> web.Response:
        """Gives an object's bytes out, as the bucket does."""
        about, content = self.objects[request.match_info["id"]]
        return web.Response(body=content, content_type=about.mime_type)

    def _maybe_fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)

    def _stored(self, content: bytes, header: messages.UploadHeader) -> MediaObject:
        info = probe(content)
        width_px, height_px = info.upright_size
        about = MediaObject(
            id=RandomIds().new_id(),
            kind=header.kind,
            slot_id=header.slot_id,
            job_id=header.job_id,
            mime_type=info.format.mime,
            size_bytes=len(content),
            width_px=width_px,
            height_px=height_px,
            sha256=hashlib.sha256(content).hexdigest(),
            created_at=_timestamp(timedelta()),
            expires_at=_timestamp(_DAY),
            orientation=info.orientation,
        )
        self.objects[about.id] = (about, content)
        return about


@asynccontextmanager
async def running_fake_media() -> AsyncIterator[FakeMedia]:
    """Serves a fake media service on free ports of this machine."""
    media = FakeMedia()
    app = web.Application()
    app.router.add_get("/{id}", media.serve_object)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    media.bucket_url = f"http://{host}:{port}"
    settings = GrpcServerSettings(drain_grace=timedelta())
    try:
        async with GrpcServer("media", settings, registry=CollectorRegistry()) as server:
            server.add(_register, media)
            await server.start()
            media.target = f"127.0.0.1:{server.port}"
            yield media
    finally:
        await runner.cleanup()


def _register(media: FakeMedia, server: grpc.aio.Server) -> None:
    """Registers the three calls that are played; the others answer UNIMPLEMENTED."""
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Upload": grpc.stream_unary_rpc_method_handler(
            media.upload, messages.UploadRequest.FromString, messages.UploadResponse.SerializeToString
        ),
        "CreateReadUrl": grpc.unary_unary_rpc_method_handler(
            media.create_read_url,
            messages.CreateReadUrlRequest.FromString,
            messages.CreateReadUrlResponse.SerializeToString,
        ),
        "CreateLink": grpc.unary_unary_rpc_method_handler(
            media.create_link,
            messages.CreateLinkRequest.FromString,
            messages.CreateLinkResponse.SerializeToString,
        ),
    }
    name = messages.DESCRIPTOR.services_by_name["MediaService"].full_name
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))


def _timestamp(ahead: timedelta) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(datetime.now(UTC) + ahead)
    return stamp
