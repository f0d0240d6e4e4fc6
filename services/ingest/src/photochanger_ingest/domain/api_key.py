"""Keys of the clients of the public API, of which only a digest is kept."""

import hashlib
import re
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from photochanger_chassis.errors import FieldViolation, InvalidArgument

from photochanger_ingest.domain.ids import ApiKeyId, ClientId

_PREFIX: Final = "pc_"
_KEY: Final = re.compile(r"pc_[A-Za-z0-9_-]{43}")
_NAME: Final = range(1, 81)
_LAST: Final = 4


class ApiScope(StrEnum):
    """What a key may be used for."""

    JOBS_WRITE = "jobs:write"
    JOBS_READ = "jobs:read"
    WEBHOOKS_MANAGE = "webhooks:manage"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, but for the key itself. `last_used_at` is exact to a minute."""

    id: ApiKeyId
    client_id: ClientId
    name: str
    scopes: frozenset[ApiScope]
    last_four: str
    created_at: datetime
    created_by: str
    revoked_at: datetime | None = None
    revoked_by: str = ""
    last_used_at: datetime | None = None


def key_from(token: str) -> str:
    """Returns the key a client gets, made of 256 random bits in base64url. The prefix tells scanners of leaks."""
    return _PREFIX + token


def digest_of(key: str) -> bytes | None:
    """Returns what is kept of a key; None: it is no key.

    A digest is looked up, never compared character by character with what was typed: the time an answer takes tells
    nothing about any key.
    """
    return hashlib.sha256(key.encode()).digest() if _KEY.fullmatch(key) is not None else None


def last_four_of(key: str) -> str:
    """Returns what tells keys apart for people."""
    return key[-_LAST:]


def require_new_key(*, name: str, scopes: Set[ApiScope], created_by: str) -> None:
    """Raises `InvalidArgument` for a key that cannot be made so."""
    violations = []
    if len(name) not in _NAME or not name.isprintable():
        violations.append(FieldViolation("name", "1 to 80 printable characters"))
    if not scopes:
        violations.append(FieldViolation("scopes", "at least one"))
    violations += _person_violations("created_by", created_by)
    _refuse(violations)


def require_person(field: str, name: str) -> None:
    """Raises `InvalidArgument` unless somebody is named."""
    _refuse(_person_violations(field, name))


def _person_violations(field: str, name: str) -> list[FieldViolation]:
    named = len(name) in _NAME and name.isprintable()
    return [] if named else [FieldViolation(field, "1 to 80 printable characters")]


def _refuse(violations: list[FieldViolation]) -> None:
    if violations:
        raise InvalidArgument("The API key cannot be changed so.", field_violations=tuple(violations))
