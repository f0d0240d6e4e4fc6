"""Admin accounts from a JSON file of argon2id hashes, read again when it changes.

`{"users": {"serg": {"password_hash": "$argon2id$…"}}}`, made by `photochanger admin set-password`.
"""

import hashlib
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from photochanger_chassis.concurrency import Workers
from pydantic import BaseModel, ConfigDict, Field, ValidationError

_log: Final = structlog.stdlib.get_logger(__name__)

_VERIFY_WITHIN: Final = timedelta(seconds=5)


class _Account(BaseModel):
    model_config = ConfigDict(extra="ignore")

    password_hash: str = Field(pattern=r"^\$argon2id\$", repr=False)


class _Accounts(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    users: dict[str, _Account] = {}


class CredentialsFile:
    """Keeps the promises of `Accounts` and `Fingerprints` of the application. Without the file there is no account."""

    def __init__(self, path: Path, workers: Workers) -> None:
        self._path = path
        self._workers = workers
        self._hasher = PasswordHasher()
        # Verified in place of an unknown account's, so that both take the same time.
        self._nobody = self._hasher.hash("no account has this password")
        self._seen: tuple[int, int] | None = None
        self._accounts = _Accounts()

    async def verify(self, username: str, password: str) -> str | None:
        """See the port."""
        return await self._workers.run(self._verify, username, password, timeout=_VERIFY_WITHIN)

    def fingerprint(self, username: str) -> str | None:
        """See the port. Asks the file system when the file was last changed, which takes microseconds."""
        account = self._read().users.get(username)
        return None if account is None else _digest(account)

    def _verify(self, username: str, password: str) -> str | None:
        account = self._read().users.get(username)
        try:
            self._hasher.verify(account.password_hash if account else self._nobody, password)
        except (Argon2Error, InvalidHashError):
            return None
        return None if account is None else _digest(account)

    def _read(self) -> _Accounts:
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size)
            if seen != self._seen:
                self._accounts = _Accounts.model_validate_json(self._path.read_bytes())
                self._seen = seen
        except FileNotFoundError:
            self._accounts, self._seen = _Accounts(), None
        except (OSError, ValidationError) as error:
            _log.error("accounts.unreadable", error=type(error).__name__)
        return self._accounts


def _digest(account: _Account) -> str:
    return hashlib.sha256(account.password_hash.encode()).hexdigest()[:32]
