"""The form of a test run."""

from collections.abc import Mapping
from typing import Final

from photochanger_chassis.errors import FieldViolation
from pydantic import ValidationError

from photochanger_gateway.adapters.http.fields import MEDIA_ID_PATTERN, violations_of
from photochanger_gateway.adapters.http.form_schema import multipart, picture_field
from photochanger_gateway.adapters.http.slot_models import TestRunPayload
from photochanger_gateway.application.try_photo import TrialForm
from photochanger_gateway.domain.media import is_media_id
from photochanger_gateway.domain.refusals import InvalidChange
from photochanger_gateway.domain.slots import SlotEdit, SlotValues

TRIAL_PHOTO: Final = "test_image"
_PAYLOAD: Final = "slot_payload"
_UPLOADED: Final = "media_object_id"
_FIELDS: Final = frozenset({_PAYLOAD, _UPLOADED})

TRIAL_FORM: Final = multipart(
    {
        TRIAL_PHOTO: picture_field("what the slot takes"),
        _UPLOADED: {
            "type": "string",
            "pattern": MEDIA_ID_PATTERN,
            "description": "From `POST /api/media/register`, in place of a photo.",
        },
        _PAYLOAD: {"$ref": "#/components/schemas/TestRunPayload"},
    },
    of_json=[_PAYLOAD],
    words="A photo, or the id of a temporary one, and what to try on it.",
)


def trial_form(fields: Mapping[str, str]) -> TrialForm:
    """Makes sense of the form's fields.

    Raises:
        InvalidChange: they do not fit. Fields of `slot_payload` are named without its name, as a slot's are.
    """
    unknown = tuple(FieldViolation(name[:64], "is no field here") for name in fields if name not in _FIELDS)
    if unknown:
        raise InvalidChange(unknown)
    uploaded = fields.get(_UPLOADED, "")
    if _UPLOADED in fields and not is_media_id(uploaded):
        raise InvalidChange((FieldViolation(_UPLOADED, "32 lower-case hex digits"),))
    if _PAYLOAD not in fields:
        return TrialForm(SlotEdit(SlotValues(), frozenset()), {}, uploaded)
    try:
        payload = TestRunPayload.model_validate_json(fields[_PAYLOAD])
    except ValidationError as error:
        raise InvalidChange(violations_of(error.errors(), whole=_PAYLOAD)) from error
    return TrialForm(payload.edit(), payload.form_fields, uploaded)
