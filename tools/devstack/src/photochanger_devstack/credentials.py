"""The admins' password hashes: a JSON file the gateway reads, made by `photochanger admin set-password`.

`{"users": {"serg": {"password_hash": "$argon2id$…", "updated_at": "2026-11-21T10:00:00+00:00"}}}`
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from pydantic import BaseModel, ConfigDict, Field

from photochanger_devstack.stack.layout import SECRET_MODE, write_atomically

if TYPE_CHECKING:
    from pathlib import Path


class _Account(BaseModel):
    model_config = ConfigDict(extra="allow")

    password_hash: str = Field(repr=False)
    updated_at: datetime


class _Accounts(BaseModel):
    model_config = ConfigDict(extra="allow", hide_input_in_errors=True)

    users: dict[str, _Account] = {}


class CredentialsFile:
    """The file at `path`, readable by its owner only. Raises `pydantic.ValidationError` where it is not ours."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def set_password(self, username: str, password: str) -> None:
        """Stores the argon2id hash of `password` for `username`, new or known."""
        accounts = self._read()
        accounts.users[username] = _Account(
            password_hash=PasswordHasher().hash(password), updated_at=datetime.now(UTC)
        )
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(self._path, accounts.model_dump_json(indent=2), mode=SECRET_MODE)

    def add_missing(self, username: str, password: str) -> None:
        """Stores `password` unless `username` has one."""
        if username not in self._read().users:
            self.set_password(username, password)

    def _read(self) -> _Accounts:
        if not self._path.exists():
            return _Accounts()
        return _Accounts.model_validate_json(self._path.read_text())
