"""Lists and counts objects."""

from dataclasses import dataclass
from typing import Final

from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import FieldViolation, InvalidArgument

from photochanger_media.application.ports import Cursor, Filter, MediaObjects, Usage
from photochanger_media.domain.media_object import MediaObject, SlotId

_DEFAULT_PAGE: Final = 50
_LARGEST_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Page:
    """Some objects, newest first, and whether there are more."""

    media_objects: list[MediaObject]
    more: bool


class ListMedia:
    """Lists what can be read now."""

    def __init__(self, objects: MediaObjects, clock: Clock) -> None:
        self._objects = objects
        self._clock = clock

    async def __call__(self, wanted: Filter, *, page_size: int, after: Cursor | None) -> Page:
        """Returns a page; size 0 is 50. Raises InvalidArgument."""
        if not 0 <= page_size <= _LARGEST_PAGE:
            raise InvalidArgument(
                "The page size is wrong.",
                field_violations=(FieldViolation("page_size", f"0 to {_LARGEST_PAGE}"),),
            )
        size = page_size or _DEFAULT_PAGE
        found = await self._objects.readable(wanted, now=self._clock.now(), limit=size + 1, after=after)
        return Page(found[:size], more=len(found) > size)


class GetUsage:
    """Sums up the stored bytes."""

    def __init__(self, objects: MediaObjects) -> None:
        self._objects = objects

    async def __call__(self, slot_id: SlotId | None) -> list[Usage]:
        """Returns one entry for each kind that has objects."""
        return await self._objects.usage(slot_id)
