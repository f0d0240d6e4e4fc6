"""The media object: one stored file, what it is for, when it ends."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType

from photochanger_imaging.formats import ImageFormat

from photochanger_media.domain.errors import MediaExpired, MediaNotFound, MediaNotPublic

MediaId = NewType("MediaId", str)
SlotId = NewType("SlotId", str)
JobId = NewType("JobId", str)

_ID: Final = re.compile(r"[0-9a-f]{32}")
_SLOT: Final = re.compile(r"slot-0(0[1-9]|1[0-5])|api")


class MediaKind(StrEnum):
    """What an object is for. It decides its key, its retention and who may read it."""

    INPUT = "input"
    RESULT = "result"
    PREVIEW = "preview"
    TEMPLATE = "template"
    TEMPORARY = "temporary"

    @property
    def public(self) -> bool:
        """May leave the platform, so it is stored upright and without metadata."""
        return self is not MediaKind.INPUT

    @property
    def owned_by_job(self) -> bool:
        """Always has a slot and a job."""
        return self in {MediaKind.INPUT, MediaKind.RESULT}

    @property
    def previewed(self) -> bool:
        """Gets a preview."""
        return self in {MediaKind.RESULT, MediaKind.TEMPLATE}


class PreviewState(StrEnum):
    """Where an object's preview is."""

    NONE = "none"
    """There will be none."""
    WANTED = "wanted"
    MADE = "made"
    FAILED = "failed"
    """The picture cannot be decoded; trying again would not help."""


class EndReason(StrEnum):
    """Why an object is gone."""

    EXPIRED = "expired"
    DELETED = "deleted"
    REPLACED = "replaced"
    """Its job got another result."""
    LOST = "lost"
    """The bucket no longer had its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaObject:
    """One stored file. `end` is set once it is gone; what remains then is a tombstone."""

    id: MediaId
    kind: MediaKind
    slot_id: SlotId | None
    job_id: JobId | None
    parent_id: MediaId | None = None
    """Of a preview: the object it shows."""
    key: str
    format: ImageFormat
    size_bytes: int
    width_px: int
    """As shown, after orientation."""
    height_px: int
    orientation: int = 1
    sha256: str
    etag: str
    """The bucket's tag of these very bytes: tells when a key holds other bytes than this row describes."""
    created_at: datetime
    expires_at: datetime | None
    preview: PreviewState = PreviewState.NONE
    end: EndReason | None = None

    def expired(self, now: datetime) -> bool:
        """Whether its retention is over; it is at the very instant of `expires_at`."""
        return self.expires_at is not None and now >= self.expires_at

    def check_readable(self, now: datetime) -> None:
        """Raises MediaExpired once its retention is over, MediaNotFound when it was ended earlier."""
        if self.end is EndReason.EXPIRED or (self.end is None and self.expired(now)):
            raise MediaExpired(self.id)
        if self.end is not None:
            raise MediaNotFound(self.id)

    def check_linkable(self) -> None:
        """Raises MediaNotPublic unless the kind may leave the platform."""
        if not self.kind.public:
            raise MediaNotPublic(self.id)


def is_id(text: str) -> bool:
    """Whether this has the form of a media object's or job's id: 32 lower-case hex digits."""
    return _ID.fullmatch(text) is not None


def is_slot_id(text: str) -> bool:
    """Whether this names one of the slots, `slot-001` to `slot-015`, or `api`: the place of jobs without a slot."""
    return _SLOT.fullmatch(text) is not None
