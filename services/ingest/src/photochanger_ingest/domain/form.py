"""What a camera's form says: the `hash` field, and which forms count as the same."""

import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from photochanger_chassis.errors import FieldViolation, InvalidArgument

from photochanger_ingest.domain.errors import HashMismatch, InvalidHash
from photochanger_ingest.domain.ids import SlotId
from photochanger_ingest.domain.settings import HashPolicy

MAX_FIELDS: Final = 64
MAX_FIELD_BYTES: Final = 64 * 1024
"""Names and values of all fields together, in UTF-8."""

_SHA256_DIGITS: Final = 64
_DIGEST: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128}")
_IDEMPOTENCY_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


class HashCheck(StrEnum):
    """What the form's `hash` field turned out to be."""

    UNCHECKED = "unchecked"
    MATCH = "match"
    MISMATCH = "mismatch"


def check_hash(policy: HashPolicy, hash_field: str, digests: frozenset[str]) -> HashCheck:
    """Compares the `hash` field with the photo's digests (lower-case hex), as strictly as the policy wants.

    Under `warn` a proper digest of an algorithm the photo was not digested with is a mismatch, too.

    Raises:
        InvalidHash: it is absent or no hex digest, unless the policy is `ignore`.
        HashMismatch: it is another digest, and the policy is `enforce`.
    """
    if policy is HashPolicy.IGNORE:
        return HashCheck.UNCHECKED
    claimed = hash_field.strip().lower()
    if _DIGEST.fullmatch(claimed) is None:
        raise InvalidHash
    if claimed in digests:
        return HashCheck.MATCH
    if policy is HashPolicy.ENFORCE:
        raise HashMismatch
    return HashCheck.MISMATCH


def require_form(fields: Mapping[str, str], *, sha256: str, idempotency_key: str) -> None:
    """Raises `InvalidArgument` for a form no gateway of ours would pass on."""
    violations = []
    if len(fields) > MAX_FIELDS:
        violations.append(FieldViolation("form_fields", f"at most {MAX_FIELDS} fields"))
    if sum(len(name.encode()) + len(value.encode()) for name, value in fields.items()) > MAX_FIELD_BYTES:
        violations.append(FieldViolation("form_fields", f"at most {MAX_FIELD_BYTES} bytes in all"))
    if any("\x00" in name or "\x00" in value for name, value in fields.items()):
        violations.append(FieldViolation("form_fields", "no NUL characters"))
    if len(sha256) != _SHA256_DIGITS or _DIGEST.fullmatch(sha256) is None:
        violations.append(FieldViolation("digests", "the photo's SHA-256 in lower-case hex is required"))
    if idempotency_key and _IDEMPOTENCY_KEY.fullmatch(idempotency_key) is None:
        violations.append(FieldViolation("idempotency_key", "1 to 255 visible ASCII characters"))
    if violations:
        raise InvalidArgument("The form cannot be taken.", field_violations=tuple(violations))


def payload_digest(fields: Mapping[str, str], *, sha256: str, hash_field: str) -> str:
    """Returns what tells one idempotent payload from another: the photo and every field but the password."""
    payload = json.dumps([sha256, hash_field, sorted(fields.items())], ensure_ascii=True)
    return hashlib.sha256(payload.encode()).hexdigest()


def dedupe_key(slot_id: SlotId, slot_version: int, *, sha256: str) -> str:
    """Returns what identical photos under one configuration share."""
    return f"{slot_id}/{slot_version}/{sha256}"
