"""Refusals of changes, field by field, by the names admins know the fields by."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from photochanger_chassis.errors import FieldViolation, RemoteError, ServiceError
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.domain.refusals import InvalidChange

SLOT_FIELDS: Final = {
    "is_active": "active",
    "provider": "provider_id",
    "operation": "operation_id",
    "settings": "settings_json",
    "template_media": "templates",
    "size_limit_mb": "size_limit_bytes",
    "sync_response_seconds": "sync_response",
}
"""Our names of a slot's values to the proto's, where they differ."""
SLOT_FIELDS_BACK: Final = {theirs: ours for ours, theirs in SLOT_FIELDS.items()}
_FIELDS_BACK: Final = {
    **SLOT_FIELDS_BACK,
    "template_roles": "template_media",
    "result_retention": "result_ttl_hours",
}
_OF_ONE_FIELD: Final = {
    "PROVIDER_NOT_FOUND": FieldViolation("provider", "there is no such provider"),
    "OPERATION_NOT_FOUND": FieldViolation("operation", "the provider has no such operation"),
    "TEMPLATE_NOT_FOUND": FieldViolation("template_media", "there is no such template image"),
}
_MESSAGE: Final = re.compile(r"^(slot|settings|overrides|form)\.")
_INDEX: Final = re.compile(r"\[(\d+)\]")


@contextmanager
def translate_change_errors() -> Iterator[None]:
    """Does as `translate_rpc_errors` around a call that changes something for an admin.

    Raises:
        InvalidChange: fields of the change are wrong.
        RemoteError: any other refusal; its `field_violations` have our names.
    """
    try:
        with translate_rpc_errors():
            yield
    except RemoteError as error:
        if error.reason == "INVALID_ARGUMENT" and error.field_violations:
            named = tuple(replace(item, field=_ours(item.field)) for item in error.field_violations)
            raise InvalidChange(named) from error
        if error.reason == "INVALID_SETTINGS":
            named = tuple(replace(item, field=_setting(item.field)) for item in error.field_violations)
            raise _with_violations(error, named) from error
        if error.reason in _OF_ONE_FIELD:
            raise _with_violations(error, (_OF_ONE_FIELD[error.reason],)) from error
        raise


def _with_violations(error: RemoteError, violations: tuple[FieldViolation, ...]) -> ServiceError:
    metadata: Mapping[str, str] = error.metadata
    return RemoteError(
        error.message,
        kind=error.kind,
        reason=error.reason,
        domain=error.domain,
        metadata=metadata,
        retry_after=error.retry_after,
        field_violations=violations,
    )


def _ours(path: str) -> str:
    """`slot.size_limit_bytes` is our `size_limit_mb`."""
    first, _, rest = _MESSAGE.sub("", path).partition(".")
    name = _FIELDS_BACK.get(first, first)
    return f"{name}.{rest}" if rest else name


def _setting(path: str) -> str:
    """Paths of INVALID_SETTINGS are the schema's own, `settings.style[0]`, but for the templates."""
    return _FIELDS_BACK.get(path, _INDEX.sub(r".\1", path))
