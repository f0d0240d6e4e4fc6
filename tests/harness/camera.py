"""A camera that remembers what it was answered."""

from __future__ import annotations

import asyncio
import io
import json
import time
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self
from uuid import uuid4

import aiohttp
from multidict import CIMultiDict
from photochanger_devstack.camera.form import camera_form
from photochanger_devstack.camera.unique import mark

from harness.history import Answer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

PHOTOS = Path(__file__).parent.parent / "photos"
PATIENCE_SECONDS = 75.0


def a_photo(name: str = "portrait-512.png") -> bytes:
    """One of the photographs for tests, with a comment that makes it like no other."""
    return mark((PHOTOS / name).read_bytes(), f"test {uuid4().hex}")


class Camera:
    """Posts photos as DSLR Remote Pro does, each on a connection of its own. An async context manager."""

    def __init__(self, gateway_url: str, password: str, *, survey: Mapping[str, str]) -> None:
        self._url = gateway_url
        self._password = password
        self._survey = survey
        self.answers: list[Answer] = []

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True),
            timeout=aiohttp.ClientTimeout(total=PATIENCE_SECONDS),
            auto_decompress=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def send(
        self,
        slot_id: str,
        photo: bytes | None = None,
        *,
        gateway_url: str | None = None,
        password: str | None = None,
        shot: str | None = None,
        fields: Mapping[str, str | None] | None = None,
        idempotency_key: str | None = None,
        window_seconds: float = 48,
    ) -> Answer:
        """Posts one photo, one of its own if none is given, and returns what came back. Never repeats."""
        shot = shot or uuid4().hex
        form = camera_form(
            photo or a_photo(),
            password=self._password if password is None else password,
            # A repeat is the same form only with the same time.
            fields={"time": "1758217512", **self._survey, "shot": shot, **(fields or {})},
        )
        headers = {"Content-Type": form.content_type}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        begin = time.monotonic()

        def answer(response: aiohttp.ClientResponse | None, body: bytes = b"") -> Answer:
            return Answer(
                shot=shot,
                slot_id=slot_id,
                seconds=time.monotonic() - begin,
                window_seconds=window_seconds,
                status=response.status if response else None,
                reason=_reason(body),
                content_type=response.content_type if response else "",
                body=body,
                headers=response.headers if response else CIMultiDict(),
            )

        try:
            async with self._session.post(
                f"{gateway_url or self._url}/api/ingest/{slot_id}",
                data=io.BytesIO(form.body),
                headers={**headers, "Content-Length": str(len(form.body))},
                expect100=True,
                allow_redirects=False,
            ) as response:
                result = answer(response, await response.read())
        except aiohttp.ClientError:
            result = answer(None)
        self.answers.append(result)
        return result

    @asynccontextmanager
    async def sending(
        self,
        slot_id: str,
        photo: bytes | None = None,
        *,
        gateway_url: str | None = None,
        shot: str | None = None,
        idempotency_key: str | None = None,
        window_seconds: float = 48,
    ) -> AsyncIterator[asyncio.Task[Answer]]:
        """Posts a photo beside the block, which must await the answer."""
        task = asyncio.create_task(
            self.send(
                slot_id,
                photo,
                gateway_url=gateway_url,
                shot=shot or uuid4().hex,
                idempotency_key=idempotency_key,
                window_seconds=window_seconds,
            )
        )
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def get(
        self,
        path: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        json_body: Mapping[str, str] | None = None,
    ) -> tuple[aiohttp.ClientResponse, bytes]:
        """Asks for a path, or a whole URL of the gateway, as a guest or an admin would."""
        url = path if path.startswith("http") else f"{self._url}{path}"
        async with self._session.request(
            method, url, headers=headers, json=json_body, allow_redirects=False
        ) as response:
            return response, await response.read()


def _reason(body: bytes) -> str:
    with suppress(ValueError, TypeError, KeyError):
        return str(json.loads(body)["failure_reason"])
    return ""
