"""Bodies about slots."""

from dataclasses import fields
from typing import Annotated, Final, Literal

from pydantic import Field

from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.adapters.http.fields import (
    NO_OTHER_NAMES,
    Body,
    Change,
    Count,
    Cursor,
    Instant,
    JsonObject,
    MediaObjectId,
    Name,
    SlotId,
    StoredJsonObject,
    Text,
    Url,
    Version,
    Whole,
)
from photochanger_gateway.adapters.http.models import GalleryItem
from photochanger_gateway.adapters.http.urls import Addresses
from photochanger_gateway.application.admin_views import SlotDetail, SlotSummary
from photochanger_gateway.domain.slots import (
    FailureMode,
    LateResults,
    OutputFormat,
    ResponseMode,
    SlotEdit,
    SlotState,
    SlotValues,
    SlotVersion,
    Switch,
    TemplateImage,
)

_MOST_TEMPLATES: Final = 32
_MOST_FORM_FIELDS: Final = 64
_VALUE_NAMES: Final = tuple(field.name for field in fields(SlotValues))

FormName = Annotated[Text, Field(min_length=1, max_length=256)]
FormValue = Annotated[Text, Field(max_length=4096)]


class TemplateBody(Body):
    """A template image bound to a slot."""

    media_kind: Literal["template"] = "template"
    media_object_id: MediaObjectId
    role: str = Field(description="What the operation takes it for.", max_length=64)
    preview_url: Url = Field(description="A small WebP, for signed-in admins.")

    @classmethod
    def of(cls, template: TemplateImage, addresses: Addresses) -> "TemplateBody":
        """The body for a template."""
        return cls(
            media_object_id=template.media_object_id,
            role=template.role,
            preview_url=addresses.template_preview(template.media_object_id),
        )


class TemplateChange(Body):
    """A template image to bind."""

    media_object_id: MediaObjectId
    role: Name
    media_kind: Text | None = Field(None, description="Ignored.", max_length=64)
    preview_url: Text | None = Field(None, description="Ignored.", max_length=2048)


class SlotValuesBody(Body):
    """What an admin sets of a slot. Null: the platform's setting counts."""

    display_name: str = Field(max_length=80)
    provider: str = Field(max_length=64)
    operation: str = Field(max_length=64)
    is_active: bool
    size_limit_mb: int = Field(description="Largest photo taken; 1 MB is 1,048,576 bytes.", ge=1, le=20)
    sync_response_seconds: int | None = Field(description="How long a camera waits.", ge=10, le=60)
    settings: StoredJsonObject = Field(description="By the operation's `settings_schema`.")
    template_media: list[TemplateBody] = Field(max_length=_MOST_TEMPLATES)
    response_mode: ResponseMode
    on_failure: FailureMode
    late_results: LateResults
    dedupe: Switch | None
    running_limit: int | None = Field(description="Jobs running at once.", ge=1, le=50)
    queue_length: int | None = Field(description="Jobs waiting for a place.", ge=0, le=100)
    output_format: OutputFormat

    @classmethod
    def of(cls, values: SlotValues, addresses: Addresses) -> "SlotValuesBody":
        """The body for values."""
        return cls.model_validate(_value_fields(values, addresses))


class SlotRow(Body):
    """A slot in the list, with what goes on in it now."""

    slot_id: SlotId
    display_name: str = Field(max_length=80)
    provider: str = Field(max_length=64)
    operation: str = Field(max_length=64)
    is_active: bool
    version: Version = Field(description="Grows by one with each change.")
    updated_at: Instant | None
    last_success_at: Instant | None = Field(description="When a camera's job last ended well.")
    running_jobs: Count
    waiting_jobs: Count
    ingest_url: Url = Field(description="What a camera posts to.")
    state: SlotState
    last_failure_reason: str | None = Field(
        description="Why the last job failed, unless a later one went well: the fine code.", max_length=64
    )
    latest_result: GalleryItem | None = Field(description="The newest picture that is still kept.")

    @classmethod
    def row_of(cls, summary: SlotSummary, addresses: Addresses) -> "SlotRow":
        """The row for a slot."""
        return cls.model_validate(_row_fields(summary, addresses))


class SlotBody(SlotRow, SlotValuesBody):
    """A slot as a whole."""

    effective_sync_response_seconds: int = Field(description="How long a camera waits now.", ge=10, le=60)
    recent_results: list[GalleryItem] = Field(description="Newest first, while they are kept.", max_length=10)
    updated_by: str = Field(max_length=80)
    has_own_password: bool

    @classmethod
    def whole(cls, detail: SlotDetail, addresses: Addresses) -> "SlotBody":
        """The body for a slot."""
        slot = detail.summary.slot
        return cls.model_validate(
            {
                **_value_fields(slot.values, addresses),
                **_row_fields(detail.summary, addresses),
                "effective_sync_response_seconds": detail.sync_response_seconds,
                "recent_results": GalleryItem.all_of(detail.recent, addresses.public, addresses.own),
                "updated_by": slot.updated_by,
                "has_own_password": slot.has_own_password,
            }
        )


class SlotChange(Change):
    """A change of a slot. Null, where it may be: the platform's setting counts."""

    display_name: Text = Field("", min_length=1, max_length=80)
    provider: Name = ""
    operation: Name = ""
    is_active: bool = Field(False, strict=True)
    size_limit_mb: Whole = Field(15, description="Largest photo taken; 1 MB is 1,048,576 bytes.", ge=1, le=20)
    sync_response_seconds: Whole | None = Field(None, description="How long a camera waits.", ge=10, le=60)
    settings: JsonObject = Field(default={}, description="By the operation's `settings_schema`.")
    template_media: list[TemplateChange] = Field(default=[], max_length=_MOST_TEMPLATES)
    ingest_password: str = Field(
        "",
        description="A password of the slot's own, 8 to 64 characters; empty: the global one counts again.",
        pattern=r"^([^\x00]{8,64})?$",
        max_length=64,
        repr=False,
    )
    response_mode: ResponseMode = ResponseMode.IMAGE
    on_failure: FailureMode = FailureMode.ERROR
    late_results: LateResults = LateResults.DISCARD
    dedupe: Switch | None = None
    running_limit: Whole | None = Field(None, description="Jobs running at once.", ge=1, le=50)
    queue_length: Whole | None = Field(None, description="Jobs waiting for a place.", ge=0, le=100)
    output_format: OutputFormat = OutputFormat.AS_IS

    def edit(self) -> SlotEdit:
        """The change for the use case."""
        password = self.ingest_password if "ingest_password" in self.model_fields_set else None
        return SlotEdit(_values_of(self), frozenset(self.model_fields_set & set(_VALUE_NAMES)), password)


class TestRunPayload(Change):
    """Values to try in place of the slot's own."""

    provider: Name = ""
    operation: Name = ""
    settings: JsonObject = Field(default={}, description="By the operation's `settings_schema`.")
    template_media: list[TemplateChange] = Field(default=[], max_length=_MOST_TEMPLATES)
    output_format: OutputFormat = OutputFormat.AS_IS
    form_fields: dict[FormName, FormValue] = Field(
        default={},
        description="What a camera would send beside the photo, for placeholders in prompts.",
        max_length=_MOST_FORM_FIELDS,
        json_schema_extra=NO_OTHER_NAMES,
    )

    def edit(self) -> SlotEdit:
        """The overrides for the use case."""
        return SlotEdit(_values_of(self), frozenset(self.model_fields_set & set(_VALUE_NAMES)))


class RestoreChange(Body):
    """Which version's values to make the slot's again."""

    version: Whole = Field(ge=1, le=2**31 - 1)


class SlotVersionBody(Body):
    """A slot as it was."""

    version: Version
    updated_at: Instant | None
    updated_by: str = Field(max_length=80)
    changed_fields: list[Annotated[str, Field(max_length=64)]] = Field(
        description="What differs from the version before, by the names of the values; `ingest_password` too.",
        max_length=32,
    )
    restored_from: Version | None
    values: SlotValuesBody

    @classmethod
    def of(cls, version: SlotVersion, addresses: Addresses) -> "SlotVersionBody":
        """The body for a version."""
        slot = version.slot
        return cls(
            version=slot.version,
            updated_at=rfc3339(slot.updated_at),
            updated_by=slot.updated_by,
            changed_fields=list(version.changed_fields),
            restored_from=version.restored_from,
            values=SlotValuesBody.of(slot.values, addresses),
        )


class SlotHistoryBody(Body):
    """A page of a slot's versions."""

    versions: list[SlotVersionBody] = Field(
        description="Newest first; the first is the current one.", max_length=100
    )
    next_cursor: Cursor | None


def _value_fields(values: SlotValues, addresses: Addresses) -> dict[str, object]:
    templates = [TemplateBody.of(template, addresses) for template in values.template_media]
    return {name: getattr(values, name) for name in _VALUE_NAMES} | {"template_media": templates}


def _row_fields(summary: SlotSummary, addresses: Addresses) -> dict[str, object]:
    slot, activity = summary.slot, summary.activity
    latest = GalleryItem.all_of(filter(None, [activity.latest_result]), addresses.public, addresses.own)
    return {
        "slot_id": slot.id,
        "display_name": slot.values.display_name,
        "provider": slot.values.provider,
        "operation": slot.values.operation,
        "is_active": slot.values.is_active,
        "version": slot.version,
        "updated_at": rfc3339(slot.updated_at),
        "last_success_at": rfc3339(activity.last_success_at),
        "running_jobs": activity.running_jobs,
        "waiting_jobs": activity.waiting_jobs,
        "ingest_url": addresses.ingest(slot.id),
        "state": activity.state,
        "last_failure_reason": activity.last_failure_reason,
        "latest_result": latest[0] if latest else None,
    }


def _values_of(change: SlotChange | TestRunPayload) -> SlotValues:
    given = {name: getattr(change, name) for name in _VALUE_NAMES if name in change.model_fields_set}
    if "template_media" in given:
        given["template_media"] = tuple(
            TemplateImage(item.media_object_id, item.role) for item in change.template_media
        )
    return SlotValues(**given)
