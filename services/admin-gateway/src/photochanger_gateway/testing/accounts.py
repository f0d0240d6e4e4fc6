"""An admin's account, and signing in with it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher

from photochanger_gateway.testing.wire import Answer, ask

USERNAME: Final = "serg"
ADMIN_PASSWORD: Final = "correct horse battery"  # noqa: S105 - of the tests, nowhere else


def write_account(path: Path, password: str = ADMIN_PASSWORD, *, memory_kib: int = 64) -> None:
    """Makes the file of accounts anew, with one account, quick to check."""
    hashed = PasswordHasher(time_cost=1, memory_cost=memory_kib, parallelism=1).hash(password)
    path.write_text(json.dumps({"users": {USERNAME: {"password_hash": hashed}}}))


def remove_accounts(path: Path) -> None:
    """Leaves the file of accounts with none."""
    path.write_text('{"users": {}}')


def hash_of(path: Path) -> str:
    """The account's password hash, without its parameters and salt."""
    accounts: dict[str, dict[str, dict[str, str]]] = json.loads(path.read_text())
    return accounts["users"][USERNAME]["password_hash"].rpartition("$")[2]


async def sign_in(
    port: int, password: str = ADMIN_PASSWORD, *, username: str = USERNAME, **headers: str
) -> Answer:
    """Posts a user name and a password; `headers` with `_` for `-`."""
    body = json.dumps({"username": username, "password": password}).encode()
    return await ask(
        port,
        "/api/login",
        method="POST",
        body=body,
        headers={"Content-Type": "application/json"},
        **headers,
    )


async def bearer(port: int, **headers: str) -> dict[str, str]:
    """Signs an API client in and returns the headers of its requests."""
    return {"Authorization": f"Bearer {(await sign_in(port, **headers)).json()['access_token']}"}


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser's session: its `Cookie` header and the token against forged requests."""

    cookie: str
    csrf_token: str

    @property
    def reading(self) -> dict[str, str]:
        """Headers of a request that changes nothing."""
        return {"Cookie": self.cookie}

    @property
    def changing(self) -> dict[str, str]:
        """Headers of a request that changes something."""
        return {"Cookie": self.cookie, "X-CSRF-Token": self.csrf_token, "Sec-Fetch-Site": "same-origin"}


async def browser(port: int, **headers: str) -> Browser:
    """Signs a browser in."""
    answer = await sign_in(port, X_PhotoChanger_Client="web", **headers)
    return Browser(answer.headers["set-cookie"].partition(";")[0], answer.json()["csrf_token"])
