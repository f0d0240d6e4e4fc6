"""What the processing of one photo is asked for, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NewType

from photochanger_chassis.deadline import Deadline
from photochanger_imaging.formats import ImageFormat

from photochanger_providers.domain.catalogue import JsonObject, OperationId, ProviderId

JobId = NewType("JobId", str)


@dataclass(frozen=True, slots=True)
class TemplateOrder:
    """A slot's template image, by its id in media, and its role."""

    media_object_id: str
    role: str


@dataclass(frozen=True, slots=True)
class Order:
    """One photo to run through a provider. `late_until` set: work goes on after the deadline until then."""

    job_id: JobId
    slot_id: str
    provider_id: ProviderId
    operation_id: OperationId
    settings: JsonObject = field(repr=False)
    input_media_object_id: str
    templates: tuple[TemplateOrder, ...]
    form_fields: Mapping[str, str] = field(repr=False)
    deadline: Deadline
    late_until: Deadline | None = None
    result_retention: timedelta | None = None
    output_format: ImageFormat | None = None

    @property
    def ends(self) -> Deadline:
        """When all work stops."""
        return self.deadline if self.late_until is None else max(self.deadline, self.late_until)


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A result as media stored it."""

    id: str
    slot_id: str
    job_id: str
    mime_type: str
    size_bytes: int
    width_px: int
    height_px: int
    sha256: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stage:
    """How long a part of the work took: `fetch`, `prepare`, `provider`, `check` or `store`."""

    name: str
    duration: timedelta


@dataclass(frozen=True, slots=True)
class Effort:
    """What was done for a photo. Stages are in the order in which they began, the one that was left open included."""

    provider_calls: int = 0
    stages: tuple[Stage, ...] = ()


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A picture was stored."""

    result: StoredPicture
    provider_calls: int
    stages: tuple[Stage, ...]
    model: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Nothing was stored. `reason` is one of `ProcessingService.Process`; `effort` is what was done all the same."""

    reason: str
    message: str
    retry_after: timedelta | None = None
    effort: Effort = Effort()


Outcome = Succeeded | Failed
