"""Admin tokens: JWT (RFC 7519), HS256, with every claim required; and the tokens against forged requests."""

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Final

import jwt

from photochanger_gateway.application.sessions import Claims
from photochanger_gateway.domain.refusals import InvalidToken

_ALGORITHM: Final = "HS256"
_ISSUER: Final = "photochanger"
_AUDIENCE: Final = "photochanger-admin"
_CLAIMS: Final = ["exp", "iat", "iss", "aud", "sub", "sid"]


def derived_keys(keys: tuple[bytes, ...], purpose: str) -> tuple[bytes, ...]:
    """Keys for another purpose, one from each signing key, so that a leak of one use is none of another."""
    return tuple(hmac.digest(key, f"photochanger {purpose}".encode(), "sha256") for key in keys)


class JwtTokens:
    """Keeps the promises of `application.sessions.Tokens`.

    The first key signs, every key verifies: to rotate, put a new key first and drop the old one after the
    longest lifetime of a token.
    """

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = {hashlib.sha256(key).hexdigest()[:12]: key for key in keys}
        self._signing_id = next(iter(self._keys))

    def issue(self, claims: Claims, *, now: datetime) -> str:
        """See the port."""
        facts = {
            "sub": claims.username,
            "sid": claims.session_id,
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "iat": now,
            "exp": claims.expires_at,
        }
        return jwt.encode(
            facts, self._keys[self._signing_id], algorithm=_ALGORITHM, headers={"kid": self._signing_id}
        )

    def read(self, token: str) -> Claims:
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
                # Expiry is judged by the application, which has the clock.
                options={"require": _CLAIMS, "verify_exp": False, "verify_iat": False},
            )
            expires_at = datetime.fromtimestamp(float(claims["exp"]), UTC)
        except (jwt.PyJWTError, ValueError, OverflowError) as error:
            raise InvalidToken from error
        return Claims(str(claims["sub"]), str(claims["sid"]), expires_at)


class HmacCsrfTokens:
    """Keeps the promises of `application.sessions.CsrfTokens`: an HMAC of the session's id. Keys rotate as above."""

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        self._keys = derived_keys(keys, "csrf")

    def issue(self, session_id: str) -> str:
        """See the port."""
        return _hmac(self._keys[0], session_id)

    def matches(self, session_id: str, token: str) -> bool:
        """See the port."""
        offered = token.encode()
        return any(hmac.compare_digest(_hmac(key, session_id).encode(), offered) for key in self._keys)


def _hmac(key: bytes, session_id: str) -> str:
    return hmac.new(key, session_id.encode(), "sha256").hexdigest()
