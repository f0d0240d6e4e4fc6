"""Admins sign in: a password for a token."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import Unavailable

from photochanger_gateway.application.rate_limits import RateLimiter, Rule
from photochanger_gateway.domain.refusals import InvalidCredentials, RateLimited, Throttled

_log: Final = structlog.stdlib.get_logger(__name__)

TOKEN_LIFETIME: Final = timedelta(minutes=60)
FAILURES: Final = Rule("sign-in-failures", 10, timedelta(minutes=15), hold=True)


class Accounts(Protocol):
    """The admins' accounts."""

    async def verify(self, username: str, password: str) -> bool:
        """Whether the password is the account's; takes as long for an account that does not exist.

        Raises:
            TimeoutError: too many passwords are being checked.
        """
        ...


class Tokens(Protocol):
    """Signed tokens that name an admin."""

    def issue(self, username: str, *, now: datetime, lifetime: timedelta) -> str:
        """Makes a token."""
        ...

    def read(self, token: str, *, now: datetime) -> str:
        """Returns the user name. Raises `InvalidToken` or `TokenExpired`."""
        ...


@dataclass(frozen=True, slots=True)
class Signed:
    """What a successful sign-in gives."""

    token: str
    lifetime: timedelta


class SignIn:
    """Checks a password and issues a token.

    Failures are counted by address, over all replicas: guessing is slow, and a stranger who guesses cannot lock
    the account's owner out.
    """

    def __init__(self, accounts: Accounts, tokens: Tokens, limiter: RateLimiter, clock: Clock) -> None:
        self._accounts = accounts
        self._tokens = tokens
        self._limiter = limiter
        self._clock = clock

    async def __call__(self, username: str, password: str, *, address: str) -> Signed:
        """Returns a token.

        Raises:
            Throttled: too many failures lately.
            InvalidCredentials: unknown account or wrong password.
            Unavailable: too many sign in at once.
        """
        attempt = {"username": username[:64], "address": address}
        try:
            # Counted before the password is checked, or many guesses at once would all be checked.
            await self._limiter.take(FAILURES, address)
        except RateLimited as error:
            _log.warning("auth.login.failure", **attempt, reason="throttled")
            raise Throttled(error.retry_after or FAILURES.window) from error
        try:
            right = await self._accounts.verify(username, password)
        except TimeoutError as error:
            _log.warning("auth.login.failure", **attempt, reason="busy")
            await self._limiter.give_back(FAILURES, address)
            raise Unavailable("Too many people sign in at once. Try again in a moment.") from error
        if not right:
            _log.warning("auth.login.failure", **attempt, reason="invalid_credentials")
            raise InvalidCredentials
        await self._limiter.give_back(FAILURES, address)
        _log.info("auth.login.success", username=username, address=address)
        now = self._clock.now()
        return Signed(self._tokens.issue(username, now=now, lifetime=TOKEN_LIFETIME), TOKEN_LIFETIME)
