"""Orders out of protobuf: as a call brings them, and as they are stored for workers."""

from photochanger.providers.v1.processing_service_pb2 import (
    OUTPUT_FORMAT_JPEG,
    OUTPUT_FORMAT_PNG,
    OUTPUT_FORMAT_UNSPECIFIED,
    OUTPUT_FORMAT_WEBP,
    OutputFormat,
    ProcessRequest,
)
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import FieldViolation, InvalidArgument
from photochanger_imaging.formats import ImageFormat

from photochanger_providers.adapters.grpc.fields import checked_job_id, json_object
from photochanger_providers.adapters.outcome_codec import instant
from photochanger_providers.domain.catalogue import OperationId, ProviderId
from photochanger_providers.domain.order import Order, TemplateOrder

_FORMATS: dict[OutputFormat.ValueType, ImageFormat | None] = {
    OUTPUT_FORMAT_UNSPECIFIED: None,
    OUTPUT_FORMAT_JPEG: ImageFormat.JPEG,
    OUTPUT_FORMAT_PNG: ImageFormat.PNG,
    OUTPUT_FORMAT_WEBP: ImageFormat.WEBP,
}


def order_of(request: ProcessRequest) -> Order:
    """Reads an order.

    Raises:
        InvalidArgument: something is missing or malformed.
    """
    required = ("slot_id", "provider_id", "operation_id", "input_media_object_id", "deadline")
    present = {
        "slot_id": bool(request.slot_id),
        "provider_id": bool(request.provider_id),
        "operation_id": bool(request.operation_id),
        "input_media_object_id": bool(request.input_media_object_id),
        "deadline": request.HasField("deadline"),
    }
    missing = tuple(FieldViolation(name, "is required") for name in required if not present[name])
    if missing:
        raise InvalidArgument("Fields are missing.", field_violations=missing)
    return Order(
        job_id=checked_job_id(request.job_id),
        slot_id=request.slot_id,
        provider_id=ProviderId(request.provider_id),
        operation_id=OperationId(request.operation_id),
        settings=json_object(request.settings_json),
        input_media_object_id=request.input_media_object_id,
        templates=tuple(TemplateOrder(each.media_object_id, each.role) for each in request.templates),
        form_fields=dict(request.form_fields),
        deadline=Deadline(instant(request.deadline)),
        late_until=Deadline(instant(request.late_until)) if request.HasField("late_until") else None,
        result_retention=(
            request.result_retention.ToTimedelta() if request.HasField("result_retention") else None
        ),
        output_format=_FORMATS.get(request.output_format),
    )
