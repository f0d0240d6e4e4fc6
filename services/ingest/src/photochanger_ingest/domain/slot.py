"""Slots: the 15 places a camera posts to, and what each makes of a photo."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from photochanger_ingest.domain.errors import PayloadTooLarge, SlotDisabled
from photochanger_ingest.domain.ids import MediaObjectId, OperationId, ProviderId, SlotId

MEGABYTE: Final = 1_048_576
"""As the HTTP contract counts it."""


class ResponseMode(StrEnum):
    """How the camera wants its answer."""

    IMAGE = "image"
    MULTIPART = "multipart"


class FailureMode(StrEnum):
    """What the camera gets when the provider fails: an error, or its own photo upright."""

    ERROR = "error"
    ORIGINAL = "original"


class LateResults(StrEnum):
    """What happens to a picture that comes after the deadline."""

    DISCARD = "discard"
    KEEP = "keep"


class OutputFormat(StrEnum):
    """The format a result is wanted in; `as_is` leaves the provider's."""

    AS_IS = "as_is"
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"


@dataclass(frozen=True, slots=True)
class Template:
    """An image bound to a slot, and what it is for (`background`)."""

    media_object_id: MediaObjectId
    role: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a job asks of the provider and how it ends: the slot's part that is copied into each job.

    A job keeps the plan it was admitted with, whatever happens to the slot meanwhile. `settings_json` is a JSON
    object that fits the operation's schema.
    """

    provider_id: ProviderId
    operation_id: OperationId
    settings_json: str = "{}"
    templates: tuple[Template, ...] = ()
    output_format: OutputFormat = OutputFormat.AS_IS
    on_failure: FailureMode = FailureMode.ERROR
    late_results: LateResults = LateResults.DISCARD


@dataclass(frozen=True, slots=True)
class Slot:
    """One place a camera posts to. What is None follows the platform's settings.

    `password_hash` is the slot's own ingest password, hashed; while it is set the global one does not open it.
    """

    id: SlotId
    display_name: str
    active: bool
    version: int
    plan: Plan
    size_limit_bytes: int
    response_mode: ResponseMode
    updated_at: datetime
    updated_by: str
    sync_response: timedelta | None = None
    dedupe: bool | None = None
    running_limit: int | None = None
    queue_length: int | None = None
    password_hash: str | None = None

    def require_active(self) -> None:
        """Raises `SlotDisabled` when the slot is switched off."""
        if not self.active:
            raise SlotDisabled(self.id)

    def require_size(self, size_bytes: int, *, allowance_bytes: int = 0) -> None:
        """Raises `PayloadTooLarge` when a photo has more bytes than the slot takes.

        `allowance_bytes` is what a size may hold beside the photo: a whole form is a little larger.
        """
        if size_bytes > self.size_limit_bytes + allowance_bytes:
            raise PayloadTooLarge(size_bytes, self.size_limit_bytes)
