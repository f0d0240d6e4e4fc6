"""The form a program submits a photo with."""

import re
from collections.abc import Mapping
from typing import Any, Final

from photochanger_chassis.errors import FieldViolation
from pydantic import ValidationError
from pydantic_core import from_json

from photochanger_gateway.adapters.http.fields import MEDIA_ID_PATTERN, violations_of
from photochanger_gateway.adapters.http.form_schema import multipart, picture_field
from photochanger_gateway.adapters.http.v1.models import OrderChange
from photochanger_gateway.application.submit_job import OrderForm
from photochanger_gateway.domain.media import is_media_id
from photochanger_gateway.domain.refusals import InvalidChange

PHOTO: Final = "photo"
_UPLOADED: Final = "media_object_id"
_OF_JSON: Final = frozenset({"settings", "template_media", "form_fields"})
_NUMBERS: Final = frozenset({"priority", "deadline_seconds"})
_NUMBER: Final = re.compile(r"[0-9]{1,9}")


def order_form_schema() -> dict[str, Any]:
    """The form in OpenAPI: a photo or the id of one, and the fields of an order."""
    order = OrderChange.model_json_schema(ref_template="#/components/schemas/{model}")
    uploaded = {
        "type": "string",
        "pattern": MEDIA_ID_PATTERN,
        "description": "From `POST /api/v1/media`, in place of a photo.",
    }
    properties = {PHOTO: picture_field("20 MB"), _UPLOADED: uploaded, **order["properties"]}
    return multipart(properties, of_json=sorted(_OF_JSON))


def order_form(fields: Mapping[str, str]) -> OrderForm:
    """Makes sense of the form's fields.

    Raises:
        InvalidChange: they do not fit.
    """
    values: dict[str, object] = {}
    wrong: list[FieldViolation] = []
    for name, text in fields.items():
        if name == _UPLOADED:
            if not is_media_id(text):
                wrong.append(FieldViolation(_UPLOADED, "32 lower-case hex digits"))
        elif name in _OF_JSON:
            try:
                values[name] = from_json(text)
            except ValueError:
                wrong.append(FieldViolation(name, "is no JSON"))
        elif name in _NUMBERS and _NUMBER.fullmatch(text):
            values[name] = int(text)
        elif name in OrderChange.model_fields:
            values[name] = text
        else:
            wrong.append(FieldViolation(name[:64], "is no field here"))
    if wrong:
        raise InvalidChange(tuple(wrong))
    try:
        order = OrderChange.model_validate(values)
    except ValidationError as error:
        raise InvalidChange(violations_of(error.errors())) from error
    return OrderForm(order.order(), fields.get(_UPLOADED, ""))
