"""Password hashes by argon2id."""

import hmac
from typing import Final

from argon2 import PasswordHasher as Argon2
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's minimum (https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html): about 18 ms.
_ITERATIONS: Final = 2
_MEMORY_KIB: Final = 19 * 1024
_LANES: Final = 1


class Argon2Hasher:
    """Hashes with a salt of its own for each password, and with the installation's pepper if there is one.

    The pepper is a secret beside the database: without it a stolen table cannot be guessed at. Changing it makes
    every password set before wrong.
    """

    def __init__(self, pepper: str = "") -> None:
        self._pepper = pepper.encode()
        self._argon2 = Argon2(time_cost=_ITERATIONS, memory_cost=_MEMORY_KIB, parallelism=_LANES)
        self._dummy = self._argon2.hash(b"nobody's password")

    @property
    def dummy_hash(self) -> str:
        """A hash that no password fits, as costly to verify as any."""
        return self._dummy

    def hash(self, password: str) -> str:
        """Returns a salted hash in the PHC string format."""
        return self._argon2.hash(self._seasoned(password))

    def verify(self, password_hash: str, password: str) -> bool:
        """Tells whether a password is the one that was hashed, in constant time."""
        try:
            return self._argon2.verify(password_hash, self._seasoned(password))
        except (VerificationError, InvalidHashError):
            return False

    def _seasoned(self, password: str) -> bytes:
        return hmac.digest(self._pepper, password.encode(), "sha256")
