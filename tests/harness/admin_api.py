"""The admins' HTTP API as a script uses it."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
from photochanger_devstack.stack.plan import ADMIN

from harness.camera import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from harness.platform import Platform


@dataclass(frozen=True)
class Reply:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """Why it was refused."""
        return str(self.json["failure_reason"])


class AdminApi:
    """Requests of a signed-in admin."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def ask(
        self, method: str, path: str, body: object = None, *, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Sends a request, with a JSON body or none."""
        async with self._session.request(method, path, headers=headers, json=body) as response:
            return Reply(response.status, response.headers, await response.read())

    async def get(self, path: str) -> Reply:
        """Reads."""
        return await self.ask("GET", path)

    async def ask_form(self, path: str, fields: Mapping[str, str]) -> Reply:
        """Posts a form without a picture."""
        with aiohttp.MultipartWriter("form-data") as form:
            for name, value in fields.items():
                form.append(value).set_content_disposition("form-data", name=name)
            async with self._session.post(path, data=form) as response:
                return Reply(response.status, response.headers, await response.read())

    async def post_picture(
        self,
        path: str,
        name: str,
        picture: bytes,
        *,
        headers: Mapping[str, str] | None = None,
        **fields: str,
    ) -> Reply:
        """Posts a form with a picture in the part `name`."""
        form = aiohttp.FormData(fields)
        form.add_field(name, picture, filename="photo.png", content_type="image/png")
        async with self._session.post(path, data=form, headers=headers) as response:
            return Reply(response.status, response.headers, await response.read())


@asynccontextmanager
async def admin_api(platform: Platform) -> AsyncIterator[AdminApi]:
    """Signs in for the block, as scripts do, with a bearer token."""
    plan = platform.stack.plan
    credentials = {"username": ADMIN, "password": plan.secrets.admin_password}
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    async with aiohttp.ClientSession(plan.gateway_url, timeout=timeout) as session:
        async with session.post("/api/login", json=credentials) as response:
            token = (await response.json())["access_token"]
        session.headers["Authorization"] = f"Bearer {token}"
        yield AdminApi(session)
