"""Reads an admin's form while its picture streams on to media."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing
from dataclasses import dataclass, field

from photochanger_gateway.application.ports import Media, StoredPhoto, Upload
from photochanger_gateway.application.receive_form import Buffered, drop_photo
from photochanger_gateway.domain.form import (
    FieldReceived,
    FormEvent,
    PhotoBegun,
    PhotoChunk,
    PhotoEnded,
)
from photochanger_gateway.domain.refusals import InvalidRequest

OpenUpload = Callable[[str, dict[str, str]], AbstractAsyncContextManager[Upload]]
"""Opens the picture's upload, by its declared content type and the fields that came before it."""


@dataclass(slots=True)
class PictureForm:
    """What a form held."""

    picture: StoredPhoto | None = None
    fields: dict[str, str] = field(default_factory=dict)


async def receive_picture(
    form: AsyncGenerator[FormEvent], open_upload: OpenUpload, media: Media
) -> PictureForm:
    """Returns the form once its picture, if it has one, is stored. Of a refused form no picture is kept.

    Raises:
        InvalidRequest: a part came twice.
        ServiceError: what reading the form, or media, refused.
    """
    received = PictureForm()
    try:
        await _receive(form, open_upload, received)
    except BaseException:
        if received.picture is not None:
            await drop_photo(media, received.picture.media_object_id)
        raise
    return received


async def _receive(form: AsyncGenerator[FormEvent], open_upload: OpenUpload, received: PictureForm) -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(aclosing(form))
        upload: Buffered | None = None
        async for event in form:
            match event:
                case FieldReceived(name, value):
                    if name in received.fields:
                        raise InvalidRequest(f"The form has the field {name[:64]!r} twice. Send each once.")
                    received.fields[name] = value
                case PhotoBegun(content_type):
                    if upload is not None:
                        raise InvalidRequest("The form has two pictures. Send one.")
                    upload = Buffered(
                        await stack.enter_async_context(open_upload(content_type, received.fields))
                    )
                case PhotoChunk(data) if upload is not None:
                    await upload.send(data)
                case PhotoEnded() if upload is not None:
                    received.picture = await upload.finish()
