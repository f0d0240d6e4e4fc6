"""Stored pictures that are no job's result."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

_ID: Final = re.compile(r"[0-9a-f]{32}")


class MediaKind(StrEnum):
    """What a media object is for."""

    INPUT = "input"
    RESULT = "result"
    PREVIEW = "preview"
    TEMPLATE = "template"
    TEMPORARY = "temporary"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class MediaObject:
    """One stored picture. `expires_at` is None for what never expires."""

    id: str
    kind: MediaKind
    slot_id: str
    mime_type: str
    size_bytes: int
    width_px: int
    height_px: int
    sha256: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class KindUsage:
    """The stored bytes of one kind."""

    kind: MediaKind
    objects: int
    size_bytes: int


def is_media_id(text: str) -> bool:
    """Whether a text has the form of a media object's id."""
    return _ID.fullmatch(text) is not None
