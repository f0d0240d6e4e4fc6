"""Slots as admins see and change them.

Names are those of the HTTP API: what an admin reads in an answer, an error and the audit log is one name.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from photochanger_gateway.domain.jobs import Job

_ID: Final = re.compile(r"slot-0(0[1-9]|1[0-5])")


def is_slot_id(text: str) -> bool:
    """Whether a text names one of the 15 slots."""
    return _ID.fullmatch(text) is not None


class ResponseMode(StrEnum):
    """How the camera wants its answer."""

    IMAGE = "image"
    MULTIPART = "multipart"


class FailureMode(StrEnum):
    """What the camera gets when the provider fails."""

    ERROR = "error"
    ORIGINAL = "original"


class LateResults(StrEnum):
    """What happens to a picture that comes after the deadline."""

    DISCARD = "discard"
    KEEP = "keep"


class OutputFormat(StrEnum):
    """The format of results."""

    AS_IS = "as_is"
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


class SlotState(StrEnum):
    """What a slot's pill says."""

    ACTIVE = "active"
    OFF = "off"
    BUSY = "busy"
    DELAYED = "delayed"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class TemplateImage:
    """A template image bound to a slot, and what it is for."""

    media_object_id: str
    role: str


@dataclass(frozen=True, slots=True)
class SlotValues:
    """What an admin sets of a slot. None: the platform's setting counts."""

    display_name: str = ""
    provider: str = ""
    operation: str = ""
    is_active: bool = False
    size_limit_mb: int = 15
    sync_response_seconds: int | None = None
    settings: Mapping[str, object] = field(default_factory=dict)
    template_media: tuple[TemplateImage, ...] = ()
    response_mode: ResponseMode = ResponseMode.IMAGE
    on_failure: FailureMode = FailureMode.ERROR
    late_results: LateResults = LateResults.DISCARD
    dedupe: Switch | None = None
    running_limit: int | None = None
    queue_length: int | None = None
    output_format: OutputFormat = OutputFormat.AS_IS


@dataclass(frozen=True, slots=True)
class SlotEdit:
    """A change: those of `values` that `fields` names.

    `password` None changes none; empty takes the slot's own away.
    """

    values: SlotValues
    fields: frozenset[str]
    password: str | None = field(default=None, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """What is changed, in order; the password by name alone."""
        return tuple(sorted(self.fields | ({"ingest_password"} if self.password is not None else set())))


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot with its values. `version` grows by one with each change."""

    id: str
    version: int
    values: SlotValues
    has_own_password: bool
    updated_at: datetime | None
    updated_by: str


@dataclass(frozen=True, slots=True)
class SlotVersion:
    """A slot as it was, what differed from the version before, and which version it was restored from."""

    slot: Slot
    changed_fields: tuple[str, ...]
    restored_from: int | None


@dataclass(frozen=True, slots=True)
class SlotActivity:
    """What goes on in a slot now."""

    state: SlotState = SlotState.ACTIVE
    running_jobs: int = 0
    waiting_jobs: int = 0
    last_success_at: datetime | None = None
    last_failure_reason: str | None = None
    latest_result: Job | None = None


@dataclass(frozen=True, slots=True)
class JobDetails:
    """A job and what it was asked to do, for an admin. Sizes in bytes, of the photo as it was received."""

    job: Job
    slot_display_name: str
    settings: Mapping[str, object]
    template_media: tuple[TemplateImage, ...]
    form_fields: Mapping[str, str]
    input_size_bytes: int
    input_sha256: str
    late_until: datetime | None
