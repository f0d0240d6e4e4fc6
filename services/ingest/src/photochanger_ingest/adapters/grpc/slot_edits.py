"""Takes fields of a slot's message that a mask names."""

from dataclasses import replace
from typing import Final, TypeVar

from photochanger.ingest.v1 import slot_pb2

from photochanger_ingest.adapters.grpc.fields import value_of
from photochanger_ingest.adapters.messages import (
    FAILURE_MODES_BACK,
    LATE_RESULTS_BACK,
    OUTPUT_FORMATS_BACK,
    RESPONSE_MODES_BACK,
)
from photochanger_ingest.domain.ids import MediaObjectId, OperationId, ProviderId
from photochanger_ingest.domain.slot import (
    FailureMode,
    LateResults,
    OutputFormat,
    Plan,
    ResponseMode,
    Slot,
    Template,
)

_Value = TypeVar("_Value")

EDITABLE: Final = frozenset(
    {
        "display_name", "active", "provider_id", "operation_id", "settings_json", "templates", "size_limit_bytes",
        "sync_response", "response_mode", "on_failure", "late_results", "dedupe", "running_limit",
        "queue_length", "output_format",
    }
)  # fmt: skip
"""What an admin changes."""

TRIABLE: Final = frozenset({"provider_id", "operation_id", "settings_json", "templates", "output_format"})
"""What a test run may have otherwise than its slot."""


def edited(slot: Slot, new: slot_pb2.Slot, fields: frozenset[str], *, at: str) -> Slot:
    """Returns a slot with some fields of a message taken. `at` is where in its request that message is.

    Raises:
        InvalidArgument: an enum has a number nobody knows.
    """

    def taken(field: str, value: _Value, old: _Value) -> _Value:
        return value if field in fields else old

    templates = tuple(Template(MediaObjectId(item.media_object_id), item.role) for item in new.templates)
    on_failure = value_of(
        FAILURE_MODES_BACK, new.on_failure, field=f"{at}.on_failure", unset=FailureMode.ERROR
    )
    late_results = value_of(
        LATE_RESULTS_BACK, new.late_results, field=f"{at}.late_results", unset=LateResults.DISCARD
    )
    output_format = value_of(
        OUTPUT_FORMATS_BACK, new.output_format, field=f"{at}.output_format", unset=OutputFormat.AS_IS
    )
    response_mode = value_of(
        RESPONSE_MODES_BACK, new.response_mode, field=f"{at}.response_mode", unset=ResponseMode.IMAGE
    )
    old = slot.plan
    plan = Plan(
        provider_id=taken("provider_id", ProviderId(new.provider_id), old.provider_id),
        operation_id=taken("operation_id", OperationId(new.operation_id), old.operation_id),
        settings_json=taken("settings_json", new.settings_json or "{}", old.settings_json),
        templates=taken("templates", templates, old.templates),
        output_format=taken("output_format", output_format, old.output_format),
        on_failure=taken("on_failure", on_failure, old.on_failure),
        late_results=taken("late_results", late_results, old.late_results),
    )
    sync_response = new.sync_response.ToTimedelta() if new.HasField("sync_response") else None
    dedupe = new.dedupe if new.HasField("dedupe") else None
    running_limit = new.running_limit if new.HasField("running_limit") else None
    queue_length = new.queue_length if new.HasField("queue_length") else None
    return replace(
        slot,
        plan=plan,
        display_name=taken("display_name", new.display_name, slot.display_name),
        active=taken("active", new.active, slot.active),
        size_limit_bytes=taken("size_limit_bytes", new.size_limit_bytes, slot.size_limit_bytes),
        response_mode=taken("response_mode", response_mode, slot.response_mode),
        sync_response=taken("sync_response", sync_response, slot.sync_response),
        dedupe=taken("dedupe", dedupe, slot.dedupe),
        running_limit=taken("running_limit", running_limit, slot.running_limit),
        queue_length=taken("queue_length", queue_length, slot.queue_length),
    )
