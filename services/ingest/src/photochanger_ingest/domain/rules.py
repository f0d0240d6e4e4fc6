"""Bounds of slots and settings. The tables hold the same; here each has a name and words."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from photochanger_chassis.errors import FieldViolation

from photochanger_ingest.domain.settings import Settings
from photochanger_ingest.domain.slot import MEGABYTE, Plan, Slot
from photochanger_ingest.domain.timing import LONGEST_SYNC_RESPONSE, SHORTEST_SYNC_RESPONSE

_DISPLAY_NAME: Final = range(1, 81)
_SLOT_RUNNING: Final = range(1, 51)
_SLOT_QUEUE: Final = range(101)
_PROVIDER_RUNNING: Final = range(1, 501)
_SIZE_LIMIT: Final = range(MEGABYTE, 20 * MEGABYTE + 1)
_PASSWORD: Final = range(8, 65)
_SETTINGS_JSON_BYTES: Final = 64 * 1024
"""Every job keeps a copy, every change of the slot is an event: neither is a place for files."""
_TEMPLATES: Final = range(33)
_NUL_ESCAPED: Final = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_SHORTEST_RETENTION: Final = timedelta(hours=24)
_LONGEST_RETENTION: Final = timedelta(hours=168)


def slot_violations(slot: Slot) -> Iterator[FieldViolation]:
    """Yields what is wrong with a slot, but for its settings, which the provider judges."""
    if len(slot.display_name) not in _DISPLAY_NAME or "\0" in slot.display_name:
        yield FieldViolation("slot.display_name", "1 to 80 characters")
    if slot.size_limit_bytes not in _SIZE_LIMIT:
        yield FieldViolation("slot.size_limit_bytes", "1 to 20 MB; 1 MB is 1,048,576 bytes")
    if slot.sync_response is not None and not _is_sync_response(slot.sync_response):
        yield FieldViolation("slot.sync_response", "10 to 60 s")
    if slot.running_limit is not None and slot.running_limit not in _SLOT_RUNNING:
        yield FieldViolation("slot.running_limit", "1 to 50")
    if slot.queue_length is not None and slot.queue_length not in _SLOT_QUEUE:
        yield FieldViolation("slot.queue_length", "0 to 100")
    yield from plan_violations(slot.plan, at="slot")


def plan_violations(plan: Plan, *, at: str) -> Iterator[FieldViolation]:
    """Yields what is wrong with a plan, but for its settings, which the provider judges. `at` is the field it is in."""
    if len(plan.settings_json.encode()) > _SETTINGS_JSON_BYTES:
        yield FieldViolation(f"{at}.settings_json", f"at most {_SETTINGS_JSON_BYTES} bytes")
    elif not _is_json_object(plan.settings_json):
        yield FieldViolation(f"{at}.settings_json", "a JSON object")
    if len(plan.templates) not in _TEMPLATES:
        yield FieldViolation(f"{at}.templates", f"at most {_TEMPLATES.stop - 1}")


def settings_violations(settings: Settings) -> Iterator[FieldViolation]:
    """Yields what is wrong with the platform's settings."""
    if not _is_sync_response(settings.sync_response):
        yield FieldViolation("settings.sync_response", "10 to 60 s")
    if not _SHORTEST_RETENTION <= settings.result_retention <= _LONGEST_RETENTION:
        yield FieldViolation("settings.result_retention", "24 to 168 h")
    if settings.limits.slot_running not in _SLOT_RUNNING:
        yield FieldViolation("settings.limits.slot_running", "1 to 50")
    if settings.limits.slot_queue not in _SLOT_QUEUE:
        yield FieldViolation("settings.limits.slot_queue", "0 to 100")
    for provider_id, limit in settings.limits.provider_running.items():
        if limit not in _PROVIDER_RUNNING:
            yield FieldViolation(f"settings.limits.provider_running.{provider_id}", "1 to 500")


def password_violations(password: str | None, *, may_be_empty: bool) -> Iterator[FieldViolation]:
    """Yields what is wrong with a new ingest password; None is no change."""
    if password is None or (may_be_empty and not password):
        return
    if len(password) not in _PASSWORD:
        yield FieldViolation("ingest_password", "8 to 64 characters")


def _is_sync_response(length: timedelta) -> bool:
    return SHORTEST_SYNC_RESPONSE <= length <= LONGEST_SYNC_RESPONSE


def _is_json_object(text: str) -> bool:
    try:
        value = json.loads(text)
        # What Python reads and RFC 8259, UTF-8 or PostgreSQL does not take: NaN, lone surrogates, NUL.
        written = json.dumps(value, allow_nan=False, ensure_ascii=False)
        written.encode()
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and _NUL_ESCAPED.search(written) is None
