"""Reads a camera's form while its photo streams on to media."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import Final

import structlog
from photochanger_chassis.errors import ServiceError

from photochanger_gateway.application.ports import Ingest, Media, StoredPhoto, Terms, Upload, WholeForm
from photochanger_gateway.domain.form import (
    PHOTO_FIELD,
    FieldReceived,
    FormEvent,
    FormFields,
    PhotoBegun,
    PhotoChunk,
    PhotoEnded,
)
from photochanger_gateway.domain.refusals import InvalidRequest

_log: Final = structlog.stdlib.get_logger(__name__)

MESSAGE_BYTES: Final = 256 * 1024
"""Size of a message to media; 64 KiB costs twice the time, 1 MiB half as much memory again."""

_ALGORITHM_BY_HEX_LENGTH: Final = {32: 1, 40: 2, 64: 3, 128: 4}
"""Length of a hex digest to the proto's number of its algorithm: MD5, SHA-1, SHA-256, SHA-512."""
_ALL_ALGORITHMS: Final = (1, 2, 4)  # SHA-256 always comes
_DROP_SECONDS: Final = 0.5
"""A camera waits meanwhile, at worst past its deadline: an answer must leave within a second of it."""


async def drop_photo(media: Media, media_object_id: str) -> None:
    """Deletes a photo that no job owns. Its retention would do it too, so a failure does not matter."""
    try:
        async with asyncio.timeout(_DROP_SECONDS):
            await media.delete(media_object_id)
    except ServiceError as error:
        _log.info("photo.drop_failed", reason=error.reason)
    except TimeoutError:
        _log.info("photo.drop_failed", reason="TIMEOUT")


class ReceiveForm:
    """Turns the stream of a form into a stored photo and its fields, whatever the order of the parts."""

    def __init__(self, ingest: Ingest, media: Media) -> None:
        self._ingest = ingest
        self._media = media

    async def __call__(
        self,
        slot_id: str,
        terms: Terms,
        form: AsyncGenerator[FormEvent],
        *,
        password: str | None,
        idempotency_key: str,
    ) -> WholeForm:
        """Returns the whole form once the photo is stored.

        `password` counts where the form has none. A password known before the photo is checked while the photo
        streams, and its upload is finished only when it is right. Of a refused form no photo is kept, also when it
        was stored already.

        Raises:
            InvalidRequest: a required field is missing, or came twice.
            ServiceError: what media or ingest refused.
        """
        fields = FormFields(fallback_password=password)
        photo: StoredPhoto | None = None
        check: asyncio.Task[None] | None = None
        try:
            async with asyncio.TaskGroup() as checks, AsyncExitStack() as uploads:
                await uploads.enter_async_context(aclosing(form))
                upload: Buffered | None = None
                async for event in form:
                    match event:
                        case FieldReceived():
                            fields.take(event)
                        case PhotoBegun():
                            if photo is not None:
                                raise InvalidRequest(f"The form has {PHOTO_FIELD} twice. Send one photo.")
                            if fields.password is not None:
                                verifying = self._ingest.verify_password(
                                    slot_id, fields.password, terms.deadline
                                )
                                check = checks.create_task(verifying, name="password")
                            opened = self._media.upload_input(
                                terms,
                                slot_id,
                                content_type=event.content_type,
                                digest_algorithms=_wanted_digests(fields.hash),
                            )
                            upload = Buffered(await uploads.enter_async_context(opened))
                        case PhotoChunk() if upload is not None:
                            await upload.send(event.data)
                        case PhotoEnded() if upload is not None:
                            if check is not None:
                                # Ending an upload while it is being finished would leave nobody to say whether the
                                # photo was stored.
                                await check
                            photo = await upload.finish()
        except BaseExceptionGroup as group:
            # The form may have gone wrong behind its photo.
            if photo is not None:
                await drop_photo(self._media, photo.media_object_id)
            error = _decisive(group)
            raise error from error.__cause__
        if photo is None:
            raise InvalidRequest(
                f"The form has no file {PHOTO_FIELD}. Send the photo in a file part of that name."
            )
        if fields.password is None:
            await drop_photo(self._media, photo.media_object_id)
            raise InvalidRequest("The form has no field password.")
        return WholeForm(slot_id, fields.password, fields.hash, photo, fields.others, idempotency_key)


class Buffered:
    """Joins the small pieces that HTTP delivers into messages of a good size."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._pieces: list[bytes] = []
        self._size = 0

    async def send(self, data: bytes) -> None:
        """Takes the next bytes."""
        self._pieces.append(data)
        self._size += len(data)
        if self._size >= MESSAGE_BYTES:
            await self._flush()

    async def finish(self) -> StoredPhoto:
        """Sends what is left and ends the upload."""
        if self._pieces:
            await self._flush()
        return await self._upload.finish()

    async def _flush(self) -> None:
        message = b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        await self._upload.send(message)


def _decisive(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one error to tell of a password check and a form that failed, maybe at the same moment.

    A wrong password comes first: it is counted against the client. Anything but a refusal is a bug, told whole.
    """
    errors = list(group.exceptions)
    if not all(isinstance(error, ServiceError) for error in errors):
        return errors[0] if len(errors) == 1 else group
    return min(errors, key=lambda error: getattr(error, "reason", "") != "INVALID_PASSWORD")


def _wanted_digests(hash_field: str) -> tuple[int, ...]:
    """The algorithms to ask for: the field's own, or all when the field comes after the photo."""
    if not hash_field:
        return _ALL_ALGORITHMS
    algorithm = _ALGORITHM_BY_HEX_LENGTH.get(len(hash_field))
    return (algorithm,) if algorithm is not None else ()
