"""Stored pictures as jobs know them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from photochanger_ingest.domain.ids import MediaObjectId


class MediaKind(StrEnum):
    """What a stored picture is for."""

    INPUT = "input"
    RESULT = "result"
    PREVIEW = "preview"
    TEMPLATE = "template"
    TEMPORARY = "temporary"


class ResultOrigin(StrEnum):
    """Where a job's picture comes from: the provider, the provider too late, or the camera."""

    PROVIDER = "provider"
    LATE = "late"
    INPUT = "input"


@dataclass(frozen=True, slots=True)
class Picture:
    """A media object, as the media service described it when the job ended. `sha256` is lower-case hex."""

    id: MediaObjectId
    kind: MediaKind
    slot_id: str
    job_id: str
    mime_type: str
    size_bytes: int
    width_px: int
    height_px: int
    sha256: str
    created_at: datetime
    expires_at: datetime | None
    orientation: int = 1


@dataclass(frozen=True, slots=True)
class JobResult:
    """A job's picture."""

    picture: Picture
    origin: ResultOrigin
