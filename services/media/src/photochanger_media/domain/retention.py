"""How long each kind of object lives."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from photochanger_media.domain.media_object import MediaKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Retentions:
    """The lifetimes of objects for which nobody asked another one."""

    result: timedelta
    input: timedelta
    temporary: timedelta

    def expires_at(self, kind: MediaKind, *, now: datetime, asked: timedelta | None) -> datetime | None:
        """Returns when an object stored now ends; None: never, which only templates do."""
        match kind:
            case MediaKind.TEMPLATE:
                return None
            case MediaKind.RESULT | MediaKind.PREVIEW:
                default = self.result
            case MediaKind.INPUT:
                default = self.input
            case MediaKind.TEMPORARY:
                default = self.temporary
            case _:
                assert_never(kind)
        return now + (default if asked is None else asked)
