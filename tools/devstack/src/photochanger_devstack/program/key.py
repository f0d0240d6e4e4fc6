"""The API key of this checkout's own client, made through the admins' API and kept beside the stack's secrets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import aiohttp

from photochanger_devstack.answers import first_line, reason_of
from photochanger_devstack.program.api import Refused
from photochanger_devstack.stack.layout import SECRET_MODE, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

_NAME: Final = "photochanger send"
_SCOPES: Final = ("jobs:read", "jobs:write")
_TIMEOUT: Final = aiohttp.ClientTimeout(total=30)


@dataclass(frozen=True, slots=True)
class Admin:
    """Who may make keys, and where."""

    url: str
    username: str
    password: str = field(repr=False)


def own_key(admin: Admin, path: Path) -> str:
    """The key in `path` (mode 600). A new one where there is none, or where it was revoked.

    Raises:
        Refused: the admin may not, or the gateway does not answer.
    """
    known = path.read_text().strip() if path.exists() else ""
    key = asyncio.run(_good(admin, known))
    if key != known:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, f"{key}\n", mode=SECRET_MODE)
    return key


async def _good(admin: Admin, known: str) -> str:
    try:
        async with aiohttp.ClientSession(admin.url, timeout=_TIMEOUT) as session:
            if known and await _opens(session, known):
                return known
            return await _made(session, admin)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Refused(f"Nothing was sent, there is no API key: {first_line(error)}") from error


async def _opens(session: aiohttp.ClientSession, key: str) -> bool:
    query = {"limit": "1"}
    headers = {"Authorization": f"Bearer {key}"}
    async with session.get("/api/v1/jobs", params=query, headers=headers) as response:
        return response.status not in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


async def _made(session: aiohttp.ClientSession, admin: Admin) -> str:
    credentials = {"username": admin.username, "password": admin.password}
    async with session.post("/api/login", json=credentials) as response:
        if not response.ok:
            raise Refused(
                f"Nothing was sent, there is no API key: {reason_of(response.status, await response.read())}"
            )
        token = (await response.json())["access_token"]
    wanted = {"name": _NAME, "scopes": list(_SCOPES)}
    headers = {"Authorization": f"Bearer {token}"}
    async with session.post("/api/api-keys", json=wanted, headers=headers) as response:
        if not response.ok:
            raise Refused(
                f"Nothing was sent, there is no API key: {reason_of(response.status, await response.read())}"
            )
        return str((await response.json())["key"])
