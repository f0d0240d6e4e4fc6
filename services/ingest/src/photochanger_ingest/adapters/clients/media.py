"""Calls to the media service."""

from datetime import timedelta
from typing import Final

import grpc
from photochanger.media.v1 import media_service_pb2, media_service_pb2_grpc
from photochanger_chassis.errors import RemoteError
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_ingest.adapters.messages import duration, picture
from photochanger_ingest.domain.ids import MediaObjectId
from photochanger_ingest.domain.picture import MediaKind, Picture

_SHORT_CALL: Final = timedelta(seconds=5)
_NO_SUCH_OBJECT: Final = frozenset({"MEDIA_NOT_FOUND", "MEDIA_EXPIRED", "INVALID_ARGUMENT"})
"""The last of them: it is not even an id."""


class MediaClient:
    """`MediaService`, as far as ingest needs it."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._media = media_service_pb2_grpc.MediaServiceStub(channel)

    async def publish_input(
        self, media_object_id: MediaObjectId, *, retention: timedelta, within: timedelta
    ) -> Picture:
        """Makes a job's input its result: upright, without metadata. Repeating it returns the same."""
        with translate_rpc_errors():
            answer = await self._media.PublishInput(
                media_service_pb2.PublishInputRequest(
                    media_object_id=media_object_id, retention=duration(retention)
                ),
                timeout=within.total_seconds(),
            )
        return picture(answer.media_object)

    async def kind_of(self, media_object_id: MediaObjectId) -> MediaKind | None:
        """Returns what an object is for; None: there is no such object, or its retention is over."""
        found = await self.describe(media_object_id)
        return None if found is None else found.kind

    async def describe(self, media_object_id: MediaObjectId) -> Picture | None:
        """Returns what is known of an object; None: there is no such object, or its retention is over."""
        try:
            with translate_rpc_errors():
                answer = await self._media.GetMediaObject(
                    media_service_pb2.GetMediaObjectRequest(media_object_id=media_object_id),
                    timeout=_SHORT_CALL.total_seconds(),
                )
        except RemoteError as error:
            if error.reason in _NO_SUCH_OBJECT:
                return None
            raise
        return picture(answer.media_object)

    async def delete(self, media_object_id: MediaObjectId) -> None:
        """Deletes an object. Deleting twice is no error."""
        with translate_rpc_errors():
            await self._media.DeleteMediaObject(
                media_service_pb2.DeleteMediaObjectRequest(media_object_id=media_object_id),
                timeout=_SHORT_CALL.total_seconds(),
            )
