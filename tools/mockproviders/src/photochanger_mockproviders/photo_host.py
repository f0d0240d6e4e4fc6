"""A place on the web that has pictures, for whatever fetches submitted links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from aiohttp import web


@dataclass(frozen=True, slots=True)
class _Page:
    status: int
    body: bytes
    content_type: str
    location: str


class PhotoHost:
    """Serves what it was given under `origin`, and writes down each hit. An async context manager."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self._pages: dict[str, _Page] = {}
        self._origin = ""
        app = web.Application()
        app.router.add_get("/{name}", self._answer)
        self._runner = web.AppRunner(app, access_log=None)

    def put(
        self,
        name: str,
        body: bytes = b"",
        *,
        content_type: str = "image/jpeg",
        status: int = 200,
        location: str = "",
    ) -> str:
        """Offers a file, or an answer that is none, and returns its URL. What was never put is 410."""
        self._pages[name] = _Page(status, body, content_type, location)
        return self.url(name)

    def url(self, name: str) -> str:
        """The URL of a name, whether or not there is anything."""
        return f"{self._origin}/{name}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self._origin = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        self.hits.append(name)
        page = self._pages.get(name, _Page(410, b"", "text/plain", ""))
        headers = {"Location": page.location} if page.location else {}
        return web.Response(
            status=page.status, body=page.body, content_type=page.content_type, headers=headers
        )
