"""Admins who are signed in."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SignedBy(StrEnum):
    """How a request says who sends it."""

    BEARER = "bearer"
    COOKIE = "cookie"


@dataclass(frozen=True, slots=True)
class Admin:
    """A signed-in admin as one request shows them: the account, the client's address, the session and its end."""

    username: str
    address: str
    session_id: str
    signed_by: SignedBy
    expires_at: datetime
