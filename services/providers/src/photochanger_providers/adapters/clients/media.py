"""The media service: objects read by presigned URL, results and temporary copies uploaded as streams."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import aiohttp
import grpc
from photochanger.media.v1.media_object_pb2 import (
    MEDIA_KIND_RESULT,
    MEDIA_KIND_TEMPORARY,
    MediaObject,
)
from photochanger.media.v1.media_service_pb2 import (
    CreateLinkRequest,
    CreateReadUrlRequest,
    UploadHeader,
    UploadRequest,
    UploadResponse,
)
from photochanger.media.v1.media_service_pb2_grpc import MediaServiceStub
from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import DeadlinePassed, ErrorKind, RemoteError, ServiceError, Unavailable
from photochanger_chassis.grpc.deadlines import timeout_until
from photochanger_chassis.grpc.errors import translate_rpc_errors
from photochanger_imaging.formats import ImageFormat
from yarl import URL

from photochanger_providers.adapters.outcome_codec import duration, stored_picture, timestamp
from photochanger_providers.domain.errors import ProviderMisconfigured, StorageUnavailable
from photochanger_providers.domain.order import Order, StoredPicture
from photochanger_providers.domain.picture import Picture

RETRIED_READS: Final = ("photochanger.media.v1.MediaService/CreateReadUrl",)
_CHUNK_BYTES: Final = 256 * 1024
_SOON: Final = timedelta(seconds=1)
_LONGEST_CALL: Final = timedelta(seconds=30)


class IncomingObject:
    """A media object's bytes on their way in."""

    def __init__(self, message: MediaObject, response: aiohttp.ClientResponse) -> None:
        image_format = ImageFormat.from_mime(message.mime_type)
        if image_format is None:
            raise StorageUnavailable("The media service holds something that is no picture.")
        self.image_format: Final = image_format
        self.sha256: Final = message.sha256
        self.orientation: Final = message.orientation or 1
        self.pixels: Final = message.width_px * message.height_px
        self._response = response

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yields the bytes once."""
        async for chunk in self._response.content.iter_chunked(_CHUNK_BYTES):
            yield chunk


class MediaClient:
    """Reads and stores pictures."""

    def __init__(self, channel: grpc.aio.Channel, session: aiohttp.ClientSession, clock: Clock) -> None:
        self._stub = MediaServiceStub(channel)
        self._session = session
        self._clock = clock

    @asynccontextmanager
    async def read(self, media_object_id: str, *, deadline: Deadline) -> AsyncIterator[IncomingObject]:
        """Opens an object for reading, straight from the bucket."""
        with _media_errors():
            answer = await self._stub.CreateReadUrl(
                CreateReadUrlRequest(media_object_id=media_object_id), timeout=self._timeout(deadline)
            )
            # The URL is signed as it is: quoting it again would break the signature.
            async with self._session.get(URL(answer.url, encoded=True), allow_redirects=False) as response:
                if response.status != 200:  # noqa: PLR2004 - the only status with the whole object
                    raise StorageUnavailable("The bucket did not give a picture out.", retry_after=_SOON)
                yield IncomingObject(answer.media_object, response)

    async def store_result(self, picture: Picture, order: Order) -> StoredPicture:
        """Stores a job's result. Doing it twice leaves one result."""
        header = UploadHeader(
            kind=MEDIA_KIND_RESULT,
            slot_id=order.slot_id,
            job_id=order.job_id,
            declared_mime_type=picture.mime_type,
            retention=duration(order.result_retention) if order.result_retention is not None else None,
        )
        answer = await self._upload(header, picture.path, order.ends)
        return stored_picture(answer.media_object)

    async def lend(self, picture: Picture, order: Order, *, until: Deadline) -> str:
        """Stores a temporary copy and returns a public URL of it that works until then."""
        header = UploadHeader(
            kind=MEDIA_KIND_TEMPORARY,
            slot_id=order.slot_id,
            job_id=order.job_id,
            declared_mime_type=picture.mime_type,
            retention=duration(until.remaining(self._clock.now())),
        )
        stored = await self._upload(header, picture.path, until)
        with _media_errors():
            answer = await self._stub.CreateLink(
                CreateLinkRequest(media_object_id=stored.media_object.id, expires_at=timestamp(until.at)),
                timeout=self._timeout(until),
            )
        return answer.url

    async def _upload(self, header: UploadHeader, path: Path, deadline: Deadline) -> UploadResponse:
        with _media_errors():
            return await self._stub.Upload(_parts(header, path), timeout=self._timeout(deadline))

    def _timeout(self, deadline: Deadline) -> float:
        return timeout_until(deadline, self._clock.now(), at_most=_LONGEST_CALL)


async def _parts(header: UploadHeader, path: Path) -> AsyncIterator[UploadRequest]:
    yield UploadRequest(header=header)
    # It was written a moment ago: a read comes from the page cache and takes less than a trip to a thread.
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield UploadRequest(chunk=chunk)


@contextmanager
def _media_errors() -> Iterator[None]:
    """Makes every failure a `StorageUnavailable`; `retry_after` marks those that pass by themselves."""
    try:
        with translate_rpc_errors():
            yield
    except (Unavailable, DeadlinePassed) as error:
        raise StorageUnavailable("The media service cannot be reached.", retry_after=_SOON) from error
    except RemoteError as error:
        raise _ours(error) from error
    except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
        raise StorageUnavailable("The bucket cannot be reached.", retry_after=_SOON) from error


def _ours(error: RemoteError) -> ServiceError:
    if error.reason == "LINKS_NOT_CONFIGURED":
        return ProviderMisconfigured(
            "This provider fetches pictures itself, and the installation has no public address. "
            "Set PUBLIC_MEDIA_BASE_URL on the media service.",
            provider_calls=0,
        )
    # Its bucket, or its database: both come back.
    passing = error.kind is ErrorKind.UNAVAILABLE
    return StorageUnavailable(
        "The media service cannot store pictures now."
        if passing
        else f"The media service refused: {error.reason}.",
        retry_after=(error.retry_after or _SOON) if passing else None,
        mediaReason=error.reason,
    )
