"""A running media service with a client and a clock to move. For tests only."""

from collections.abc import AsyncIterable, AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from photochanger.media.v1 import media_object_pb2 as media_pb
from photochanger.media.v1 import media_service_pb2 as pb
from photochanger.media.v1.media_service_pb2_grpc import (
    MediaServiceStub,
    add_MediaServiceServicer_to_server,
)
from photochanger_chassis.grpc.channel import open_channel
from photochanger_chassis.grpc.errors import translate_rpc_errors
from photochanger_chassis.grpc.server import GrpcServer
from photochanger_chassis.ids import RandomIds
from photochanger_chassis.testing import ManualClock
from prometheus_client import CollectorRegistry

from photochanger_media.adapters.grpc.media_service import MediaServicer
from photochanger_media.main import Service, wired
from photochanger_media.settings import Settings

SECONDS: Final = 20.0
CHUNK: Final = 256 * 1024


@dataclass
class Media:
    """A running service: its client, its inside, its clock."""

    stub: MediaServiceStub
    service: Service
    clock: ManualClock
    settings: Settings

    async def upload(self, data: bytes, *, chunk: int = CHUNK, **header: Any) -> pb.UploadResponse:
        """Uploads a picture; kind and names have defaults."""
        with translate_rpc_errors():
            return await self.stub.Upload(upload_messages(data, chunk=chunk, **header), timeout=SECONDS)

    async def download(
        self,
        media_id: str,
        rendition: media_pb.Rendition.ValueType = media_pb.RENDITION_FULL,
        wanted: pb.ByteRange | None = None,
    ) -> tuple[pb.DownloadInfo, bytes]:
        """Downloads an object."""
        request = pb.DownloadRequest(media_object_id=media_id, rendition=rendition, range=wanted)
        with translate_rpc_errors():
            return await gathered(self.stub.Download(request, timeout=SECONDS))

    async def follow(self, token: str, wanted: pb.ByteRange | None = None) -> tuple[pb.DownloadInfo, bytes]:
        """Downloads by a link."""
        request = pb.DownloadLinkRequest(token=token, range=wanted)
        with translate_rpc_errors():
            return await gathered(self.stub.DownloadLink(request, timeout=SECONDS))

    async def keys(self) -> list[str]:
        """Lists what is in the bucket."""
        return [item.key async for page in self.service.bucket.pages() for item in page]

    async def rows(self) -> list[str]:
        """Lists the ids of all rows, tombstones included."""
        async with self.service.pool.connection() as conn:
            found = await conn.execute("SELECT id FROM media_objects ORDER BY created_at")
            return [row[0] for row in await found.fetchall()]

    async def sql(self, query: str, *values: object) -> Sequence[tuple[object, ...]]:
        """Runs a statement and returns its rows, if any."""
        async with self.service.pool.connection() as conn:
            found = await conn.execute(query.encode(), values)
            return await found.fetchall() if found.description else []


async def gathered(stream: AsyncIterable[Any]) -> tuple[pb.DownloadInfo, bytes]:
    """Reads a download to its end and checks its form."""
    infos: list[pb.DownloadInfo] = []
    chunks: list[bytes] = []
    async for message in stream:
        if message.WhichOneof("part") == "info":
            infos.append(message.info)
        else:
            chunks.append(message.chunk)
    if len(infos) != 1 or not all(0 < len(chunk) <= CHUNK for chunk in chunks):
        raise AssertionError("A download is one info and chunks of at most 256 KiB.")
    return infos[0], b"".join(chunks)


def upload_messages(data: bytes, *, chunk: int = CHUNK, **header: Any) -> Iterator[pb.UploadRequest]:
    """Makes the messages of an upload."""
    named: dict[str, Any] = {
        "kind": media_pb.MEDIA_KIND_INPUT,
        "slot_id": "slot-001",
        "job_id": "0" * 31 + "1",
    } | header
    yield pb.UploadRequest(header=pb.UploadHeader(**named))
    for start in range(0, len(data), chunk):
        yield pb.UploadRequest(chunk=data[start : start + chunk])


@asynccontextmanager
async def running(settings: Settings, clock: ManualClock) -> AsyncIterator[Media]:
    """Serves on a free port."""
    async with AsyncExitStack() as stack:
        registry = CollectorRegistry()
        service = await stack.enter_async_context(
            wired(settings, clock=clock, ids=RandomIds(), registry=registry)
        )
        server = await stack.enter_async_context(GrpcServer("media", settings, registry=registry))
        server.add(add_MediaServiceServicer_to_server, MediaServicer(service.use_cases))
        await server.start()
        channel = await stack.enter_async_context(open_channel(f"127.0.0.1:{server.port}", settings))
        yield Media(MediaServiceStub(channel), service, clock, settings)
