"""Admin tokens: JWT (RFC 7519), HS256, with every claim required."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

import jwt

from photochanger_gateway.domain.refusals import InvalidToken, TokenExpired

_ALGORITHM: Final = "HS256"
_ISSUER: Final = "photochanger"
_AUDIENCE: Final = "photochanger-admin"
_CLAIMS: Final = ["exp", "iat", "iss", "aud", "sub"]


class JwtTokens:
    """Keeps the promises of `application.sign_in.Tokens`.

    The first key signs, every key verifies: to rotate, put a new key first and drop the old one after the
    longest lifetime of a token.
    """

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = {hashlib.sha256(key).hexdigest()[:12]: key for key in keys}
        self._signing_id = next(iter(self._keys))

    def issue(self, username: str, *, now: datetime, lifetime: timedelta) -> str:
        """See the port."""
        claims = {"sub": username, "iss": _ISSUER, "aud": _AUDIENCE, "iat": now, "exp": now + lifetime}
        return jwt.encode(
            claims, self._keys[self._signing_id], algorithm=_ALGORITHM, headers={"kid": self._signing_id}
        )

    def read(self, token: str, *, now: datetime) -> str:
        """See the port."""
        try:
            key = self._keys.get(str(jwt.get_unverified_header(token).get("kid")))
            if key is None:
                raise InvalidToken
            claims = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                issuer=_ISSUER,
                # Expiry is judged below, by the injected clock.
                options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False},
            )
            expires_at = datetime.fromtimestamp(float(claims["exp"]), UTC)
        except (jwt.PyJWTError, ValueError, OverflowError) as error:
            raise InvalidToken from error
        if expires_at <= now:
            raise TokenExpired
        return str(claims["sub"])
