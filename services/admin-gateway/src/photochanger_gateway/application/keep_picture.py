"""An admin's picture is stored for itself: a template, or one for a short time."""

from collections.abc import AsyncGenerator, Callable, Mapping

from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import FieldViolation, ServiceError

from photochanger_gateway.application.ports import Media
from photochanger_gateway.application.ports_admin import MediaLibrary
from photochanger_gateway.application.receive_form import drop_photo
from photochanger_gateway.application.receive_picture import receive_picture
from photochanger_gateway.domain.form import FormEvent
from photochanger_gateway.domain.media import MediaKind, MediaObject
from photochanger_gateway.domain.refusals import InvalidChange

ReadSlot = Callable[[Mapping[str, str]], str]
"""Makes sense of a form's fields: returns the slot named, empty for none, or raises `InvalidChange`."""


def no_fields(fields: Mapping[str, str]) -> str:
    """For forms of a picture alone. Raises `InvalidChange`: there are fields."""
    if fields:
        raise InvalidChange(tuple(FieldViolation(name[:64], "is no field here") for name in fields))
    return ""


class KeepPicture:
    """Stores the picture of a form."""

    def __init__(self, media: Media, library: MediaLibrary) -> None:
        self._media = media
        self._library = library

    async def __call__(
        self,
        kind: MediaKind,
        form: AsyncGenerator[FormEvent],
        *,
        slot_of: ReadSlot,
        size_limit_bytes: int,
        deadline: Deadline,
        part: str = "file",
    ) -> MediaObject:
        """Returns what was stored. Of a refused form nothing is kept.

        `part` is what the form calls its picture. The slot is told to media where the form names it before its picture.

        Raises:
            InvalidChange: the form has no picture, or its fields do not fit.
            ServiceError: what reading the form, or media, refused.
        """
        received = await receive_picture(
            form,
            lambda content_type, fields: self._library.upload(
                kind,
                slot_id=slot_of(fields),
                content_type=content_type,
                size_limit_bytes=size_limit_bytes,
                deadline=deadline,
            ),
            self._media,
        )
        if received.picture is None:
            raise InvalidChange((FieldViolation(part, "send the picture in a file part of this name"),))
        try:
            slot_of(received.fields)
        except ServiceError:
            await drop_photo(self._media, received.picture.media_object_id)
            raise
        return received.picture.stored
