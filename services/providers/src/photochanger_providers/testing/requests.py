"""Requests and pictures with good defaults; a test names only what it is about."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO

from photochanger.providers.v1.processing_service_pb2 import (
    OUTPUT_FORMAT_UNSPECIFIED,
    OutputFormat,
    ProcessRequest,
    TemplateMedia,
)
from photochanger_chassis.ids import RandomIds
from PIL import Image, ImageOps


def a_request(
    input_id: str,
    *,
    seconds: float = 20,
    late_seconds: float | None = None,
    provider_id: str = "scripted",
    operation_id: str = "edit",
    settings_json: str = '{"prompt": "snow"}',
    templates: Sequence[tuple[str, str]] = (),
    form_fields: Mapping[str, str] | None = None,
    output_format: OutputFormat.ValueType = OUTPUT_FORMAT_UNSPECIFIED,
) -> ProcessRequest:
    """Makes a request for a new job whose deadline is `seconds` away. `templates`: pairs of id and role."""
    request = ProcessRequest(
        job_id=RandomIds().new_id(),
        slot_id="slot-001",
        provider_id=provider_id,
        operation_id=operation_id,
        settings_json=settings_json,
        input_media_object_id=input_id,
        templates=[TemplateMedia(media_object_id=name, role=role) for name, role in templates],
        form_fields=form_fields,
        output_format=output_format,
    )
    now = datetime.now(UTC)
    request.deadline.FromDatetime(now + timedelta(seconds=seconds))
    if late_seconds is not None:
        request.late_until.FromDatetime(now + timedelta(seconds=late_seconds))
    request.result_retention.FromTimedelta(timedelta(hours=72))
    return request


def edited(photo: bytes) -> bytes:
    """Returns another picture than the photo, as a provider would."""
    return _png(ImageOps.invert(Image.open(BytesIO(photo)).convert("RGB")))


def blank() -> bytes:
    """Returns a picture that shows nothing."""
    return _png(Image.new("RGB", (640, 480), "white"))


def _png(image: Image.Image) -> bytes:
    target = BytesIO()
    image.save(target, "PNG")
    return target.getvalue()
