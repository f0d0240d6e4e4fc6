"""Clients of the public API and their keys."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

_KEY: Final = re.compile(r"pc_[A-Za-z0-9_-]{43}")


class Scope(StrEnum):
    """What a key may be used for."""

    JOBS_WRITE = "jobs:write"
    JOBS_READ = "jobs:read"
    WEBHOOKS_MANAGE = "webhooks:manage"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is known of a key: never the key itself. None: it was not revoked, or never used."""

    id: str
    name: str
    client_id: str
    scopes: frozenset[Scope]
    last_four: str
    created_at: datetime
    created_by: str
    revoked_at: datetime | None
    revoked_by: str
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made. `secret` is the key itself, which nobody gets to see again."""

    key: ApiKey
    secret: str

    def __repr__(self) -> str:
        """Without the secret, which must not get into a log."""
        return f"NewKey({self.key.id})"


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks: `id` is the client's, to whom jobs and limits belong; `key_id` tells by which of its keys."""

    id: str
    key_id: str
    scopes: frozenset[Scope]


def is_api_key(text: str) -> bool:
    """Whether a text has the form of a key."""
    return _KEY.fullmatch(text) is not None
