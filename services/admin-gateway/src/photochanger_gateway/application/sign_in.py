"""Admins sign in: a password for a session."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NoReturn, Protocol

import structlog
from photochanger_chassis.errors import Unavailable

from photochanger_gateway.application.audit import Audit, Outcome
from photochanger_gateway.application.rate_limits import RateLimiter, Rule
from photochanger_gateway.application.sessions import Session, Sessions
from photochanger_gateway.domain.admins import Admin, SignedBy
from photochanger_gateway.domain.refusals import InvalidCredentials, RateLimited, Throttled

_log: Final = structlog.stdlib.get_logger(__name__)

_WINDOW: Final = timedelta(minutes=15)
BY_ADDRESS: Final = Rule("sign-in-failures", 10, _WINDOW, hold=True)
BY_ACCOUNT: Final = Rule("sign-in-failures-account", 10, _WINDOW, hold=True)
_TOLD: Final = Rule("sign-in-throttled", 1, _WINDOW)
"""How often the audit is told that an address is throttled: the record is not for a stranger to fill."""


class Accounts(Protocol):
    """The admins' accounts."""

    async def verify(self, username: str, password: str) -> str | None:
        """The account's fingerprint where the password is right; takes as long for an account that does not exist.

        Raises:
            TimeoutError: too many passwords are being checked.
        """
        ...


class KnownAddresses(Protocol):
    """From where each account has signed in within the last 30 days. Raises `Unavailable` while nobody can say."""

    async def knows(self, username: str, address: str) -> bool:
        """Whether the account has signed in from there."""
        ...

    async def remember(self, username: str, address: str) -> None:
        """Notes that it has, now."""
        ...


@dataclass(frozen=True, slots=True)
class SignedSession:
    """What a successful sign-in gives."""

    session: Session
    token: str


class SignIn:
    """Checks a password and opens a session.

    Failures are counted over all replicas, by address and by account. An address from which the account has signed in
    lately is judged by its own count alone: guessing is slow from one address and from many, and a stranger who guesses
    cannot lock the account's owner out of the places they work at.
    """

    def __init__(
        self,
        accounts: Accounts,
        known: KnownAddresses,
        sessions: Sessions,
        limiter: RateLimiter,
        audit: Audit,
    ) -> None:
        self._accounts = accounts
        self._known = known
        self._sessions = sessions
        self._limiter = limiter
        self._audit = audit

    async def __call__(
        self, username: str, password: str, *, address: str, signed_by: SignedBy
    ) -> SignedSession:
        """Returns a session and its token.

        Raises:
            Throttled: too many failures lately.
            InvalidCredentials: unknown account or wrong password.
            Unavailable: too many sign in at once, or sessions cannot be kept now.
        """
        # Asked first: while sessions cannot be kept, failures cannot be counted either, and nothing is checked.
        known = await self._known.knows(username, address)
        counted = [(BY_ADDRESS, address)] if known else [(BY_ADDRESS, address), (BY_ACCOUNT, username)]
        try:
            # Counted before the password is checked, or many guesses at once would all be checked.
            for rule, whose in counted:
                await self._limiter.take(rule, whose)
        except RateLimited as error:
            await self._throttled(username, address, error)
        try:
            account = await self._accounts.verify(username, password)
        except TimeoutError as error:
            self._log_failure(username, address, "busy")
            await self._give_back(counted)
            raise Unavailable("Too many people sign in at once. Try again in a moment.") from error
        if account is None:
            self._log_failure(username, address, "invalid_credentials")
            await self._note(username, address, Outcome.REFUSED, "invalid_credentials")
            raise InvalidCredentials
        await self._give_back(counted)
        session, token = await self._sessions.open(username, signed_by, account=account)
        await self._known.remember(username, address)
        _log.info("auth.login.success", username=username, address=address)
        await self._note(username, address, Outcome.DONE)
        return SignedSession(session, token)

    async def _throttled(self, username: str, address: str, error: RateLimited) -> NoReturn:
        self._log_failure(username, address, "throttled")
        try:
            await self._limiter.take(_TOLD, address)
        except RateLimited:
            pass
        else:
            await self._note(username, address, Outcome.REFUSED, "throttled")
        raise Throttled(error.retry_after or _WINDOW) from error

    async def _give_back(self, counted: list[tuple[Rule, str]]) -> None:
        for rule, whose in counted:
            await self._limiter.give_back(rule, whose)

    async def _note(self, username: str, address: str, outcome: Outcome, refusal: str = "") -> None:
        await self._audit.note(username, address, "auth.login", outcome, refusal=refusal)

    def _log_failure(self, username: str, address: str, reason: str) -> None:
        _log.warning("auth.login.failure", username=username[:64], address=address, reason=reason)


class SignOut:
    """Ends an admin's session."""

    def __init__(self, sessions: Sessions, audit: Audit) -> None:
        self._sessions = sessions
        self._audit = audit

    async def __call__(self, admin: Admin) -> None:
        """Returns when the session is over on all replicas. Raises `Unavailable` while that cannot be done."""
        await self._sessions.end(admin.session_id)
        _log.info("auth.logout", username=admin.username, address=admin.address)
        await self._audit.note(admin.username, admin.address, "auth.logout", Outcome.DONE)
