"""What signing in leaves behind, shared by all replicas: live sessions, and from where each account signed in."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from photochanger_chassis.nats.connection import NatsConnection, NatsUnavailable
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from photochanger_gateway.adapters.nats.buckets import Bucket
from photochanger_gateway.application.sessions import LIFETIMES, Session
from photochanger_gateway.domain.admins import SignedBy
from photochanger_gateway.domain.refusals import SessionsUnavailable

_KNOWN_FOR: Final = timedelta(days=30)


class _StoredSession(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    username: str
    signed_by: SignedBy
    account: str
    expires_at: AwareDatetime


class JetStreamSessions:
    """Keeps the promises of `application.sessions.SessionStore`, in the bucket `admin-sessions`.

    A session that cannot be read counts as none: a store that was wiped signs everybody out.
    """

    def __init__(self, connection: NatsConnection) -> None:
        self._bucket = Bucket(
            connection,
            "admin-sessions",
            description="Live sessions of admins, by id.",
            kept=max(LIFETIMES.values()),
        )

    async def add(self, session: Session, *, lifetime: timedelta) -> None:
        """See the port."""
        stored = _StoredSession(
            username=session.username,
            signed_by=session.signed_by,
            account=session.account,
            expires_at=session.expires_at,
        )
        with _unavailable():
            await self._bucket.add(session.id, stored.model_dump_json().encode(), lifetime=lifetime)

    async def get(self, session_id: str) -> Session | None:
        """See the port."""
        with _unavailable():
            value = await self._bucket.get(session_id)
        if value is None:
            return None
        try:
            stored = _StoredSession.model_validate_json(value)
        except ValidationError:
            return None
        return Session(session_id, stored.username, stored.signed_by, stored.account, stored.expires_at)

    async def remove(self, session_id: str) -> None:
        """See the port."""
        with _unavailable():
            await self._bucket.delete(session_id)


class JetStreamKnownAddresses:
    """Keeps the promises of `application.sign_in.KnownAddresses`, in the bucket `known-addresses`.

    A key is a keyed hash of account and address: who reads the store learns neither. The first key writes, all read.
    """

    def __init__(self, connection: NatsConnection, keys: tuple[bytes, ...]) -> None:
        self._keys = keys
        self._bucket = Bucket(
            connection,
            "known-addresses",
            description="Hashes of accounts and the addresses they signed in from.",
            kept=_KNOWN_FOR,
        )

    async def knows(self, username: str, address: str) -> bool:
        """See the port."""
        with _unavailable():
            for key in self._keys:
                if await self._bucket.get(_hash(key, username, address)) is not None:
                    return True
        return False

    async def remember(self, username: str, address: str) -> None:
        """See the port."""
        with _unavailable():
            await self._bucket.put(_hash(self._keys[0], username, address), b"1")


def _hash(key: bytes, username: str, address: str) -> str:
    return hmac.new(key, f"{username}\n{address}".encode(), "sha256").hexdigest()


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except NatsUnavailable as error:
        raise SessionsUnavailable from error
