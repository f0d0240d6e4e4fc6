"""Sessions of signed-in admins: a signed token names one, and it counts while it is on the list of live ones.

The list is shared by all replicas, so a session that has ended is over everywhere at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from photochanger_chassis.clock import Clock
from photochanger_chassis.ids import Ids

from photochanger_gateway.domain.admins import SignedBy
from photochanger_gateway.domain.refusals import InvalidToken, TokenExpired

LIFETIMES: Final = {SignedBy.BEARER: timedelta(hours=1), SignedBy.COOKIE: timedelta(hours=12)}
"""From the sign-in on, however busy a session is."""


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in. `account` is the fingerprint the account had then: with another password it is another one."""

    id: str
    username: str
    signed_by: SignedBy
    account: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token of ours says."""

    username: str
    session_id: str
    expires_at: datetime


class Tokens(Protocol):
    """Signed tokens."""

    def issue(self, claims: Claims, *, now: datetime) -> str:
        """Makes a token."""
        ...

    def read(self, token: str) -> Claims:
        """Returns what a token says, expired or not. Raises `InvalidToken` unless we signed it."""
        ...


class CsrfTokens(Protocol):
    """Tokens that show that a request comes from a page of ours, not only from a browser that is signed in."""

    def issue(self, session_id: str) -> str:
        """The session's token."""
        ...

    def matches(self, session_id: str, token: str) -> bool:
        """Whether it is the session's."""
        ...


class Fingerprints(Protocol):
    """What accounts look like now."""

    def fingerprint(self, username: str) -> str | None:
        """A digest that changes with the account's password; None where there is no such account."""
        ...


class SessionStore(Protocol):
    """The list of live sessions. Each method raises `Unavailable` while it cannot be reached."""

    async def add(self, session: Session, *, lifetime: timedelta) -> None:
        """Puts a session on the list; it may leave by itself after its lifetime."""
        ...

    async def get(self, session_id: str) -> Session | None:
        """The session, or None where it is not on the list."""
        ...

    async def remove(self, session_id: str) -> None:
        """Takes a session off the list, if it is on it."""
        ...


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(
        self, store: SessionStore, tokens: Tokens, accounts: Fingerprints, clock: Clock, ids: Ids
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._accounts = accounts
        self._clock = clock
        self._ids = ids

    async def open(self, username: str, signed_by: SignedBy, *, account: str) -> tuple[Session, str]:
        """Opens a session for an account with this fingerprint and returns it with its token.

        Raises:
            Unavailable: the list cannot be reached.
        """
        now = self._clock.now()
        lifetime = LIFETIMES[signed_by]
        session = Session(self._ids.new_id(), username, signed_by, account, now + lifetime)
        await self._store.add(session, lifetime=lifetime)
        token = self._tokens.issue(Claims(username, session.id, session.expires_at), now=now)
        return session, token

    async def find(self, token: str, signed_by: SignedBy) -> Session:
        """Returns the live session a token names.

        Raises:
            InvalidToken: not a token of ours, or of a session that has ended.
            TokenExpired: its time is over.
            Unavailable: the list cannot be reached.
        """
        claims = self._tokens.read(token)
        if claims.expires_at <= self._clock.now():
            raise TokenExpired
        session = await self._live(claims.session_id)
        # A cookie's token sent as a bearer token would escape the check of its CSRF token.
        if session.signed_by is not signed_by or session.username != claims.username:
            raise InvalidToken
        return session

    async def check(self, session_id: str) -> None:
        """Returns while a session lives; raises as `find` does."""
        session = await self._live(session_id)
        if session.expires_at <= self._clock.now():
            raise TokenExpired

    async def end(self, session_id: str) -> None:
        """Ends a session on all replicas. Raises `Unavailable` while that cannot be done."""
        await self._store.remove(session_id)

    async def _live(self, session_id: str) -> Session:
        session = await self._store.get(session_id)
        if session is None or self._accounts.fingerprint(session.username) != session.account:
            raise InvalidToken
        return session
