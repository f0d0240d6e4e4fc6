"""The admins' single-page app, as `make setup` built it into the package.

All files are read into memory when the gateway starts, so a request's path only ever looks up a name.
"""

import asyncio
import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from photochanger_gateway.adapters.http.pages import Pages

_INDEX: Final = "index.html"
_ASSETS: Final = "assets/"
_ONLY_FOR_THE_BUILD: Final = frozenset({"manifest.json"})
_SUFFIX_OF: Final = {"br": ".br", "gzip": ".gz"}
"""Encodings in the order we like them, and the suffix of a file that is compressed so already."""
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_WORTH_COMPRESSING: Final = frozenset({".css", ".js", ".json", ".map", ".svg"})
_SMALLEST_COMPRESSED_BYTES: Final = 1024
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"


@dataclass(frozen=True, slots=True)
class WebFile:
    """One file and what it is as `br` or `gzip`."""

    name: str
    data: bytes
    encoded: dict[str, bytes] = field(default_factory=dict)

    @property
    def suffix(self) -> str:
        """Its name's end, with the dot."""
        return PurePosixPath(self.name).suffix

    async def in_encoding(self, accepted: str) -> tuple[str, bytes]:
        """The best encoding a client takes, and the bytes in it. What is not compressed yet is, once."""
        for encoding in _SUFFIX_OF:
            if not _accepts(accepted, encoding):
                continue
            if encoding in self.encoded:
                return encoding, self.encoded[encoding]
            if encoding == "gzip" and self._worth_compressing():
                self.encoded[encoding] = await asyncio.to_thread(gzip.compress, self.data, 6)
                return encoding, self.encoded[encoding]
        return "", self.data

    def _worth_compressing(self) -> bool:
        return self.suffix in _WORTH_COMPRESSING and len(self.data) >= _SMALLEST_COMPRESSED_BYTES


def load_web(folder: Traversable | None = None) -> dict[str, WebFile]:
    """Reads the built app, from the package unless told otherwise. Empty where it has not been built."""
    root = folder or files("photochanger_gateway") / "web"
    found = dict(_read(root, "")) if root.is_dir() else {}
    web: dict[str, WebFile] = {}
    for name, data in found.items():
        if name in _ONLY_FOR_THE_BUILD or _uncompressed(name) in found:
            continue
        encoded = {
            encoding: found[name + suffix]
            for encoding, suffix in _SUFFIX_OF.items()
            if name + suffix in found
        }
        web[name] = WebFile(name, data, encoded)
    return web


def _read(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        if item.is_dir():
            yield from _read(item, f"{prefix}{item.name}/")
        else:
            yield prefix + item.name, item.read_bytes()


def _uncompressed(name: str) -> str | None:
    """The file's name a compressed one belongs to."""
    return next((name.removesuffix(end) for end in _SUFFIX_OF.values() if name.endswith(end)), None)


class SpaRoutes:
    """`/admin` and everything below it: files by their names, and the app itself for whatever else it routes."""

    def __init__(self, web: dict[str, WebFile], pages: Pages, *, pictures_from: str | None) -> None:
        self._web = web
        self._pages = pages
        self._index_headers = {
            "Cache-Control": _ASK_AGAIN,
            "Content-Security-Policy": _policy(pictures_from),
            "Cross-Origin-Opener-Policy": "same-origin",
        }

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(include_in_schema=False)
        for path, endpoint in (("/admin", self._start), ("/admin/{path:path}", self._any)):
            router.add_api_route(path, endpoint, methods=["GET", "HEAD"], response_class=Response)
        return router

    async def _start(self, request: Request) -> Response:
        return await self._any(request, "")

    async def _any(self, request: Request, path: str) -> Response:
        index = self._web.get(_INDEX)
        if index is None:
            return self._pages.not_built(request)
        file = self._web.get(path)
        if path.startswith(_ASSETS):
            if file is None:
                raise HTTPException(404, "No such file. Load the page again: the app may have been updated.")
            return await _answer(file, request, {"Cache-Control": _FOR_EVER})
        if file is None or file is index:
            return await _answer(index, request, self._index_headers)
        return await _answer(file, request, {"Cache-Control": _ASK_AGAIN})


async def _answer(file: WebFile, request: Request, headers: dict[str, str]) -> Response:
    encoding, data = await file.in_encoding(request.headers.get("accept-encoding", ""))
    sent = {
        **headers,
        "Content-Type": _TYPES.get(file.suffix, "application/octet-stream"),
        "Vary": "Accept-Encoding",
    }
    if encoding:
        sent["Content-Encoding"] = encoding
    return Response(data, headers=sent)


def _accepts(header: str, encoding: str) -> bool:
    """RFC 9110 §12.5.3, without the wildcard, which nobody sends alone."""
    for item in header.lower().split(","):
        name, _, weight = item.replace(" ", "").partition(";q=")
        if name == encoding:
            return weight.strip("0.") != "" if weight else True
    return False


def _policy(pictures_from: str | None) -> str:
    address = urlsplit(pictures_from or "")
    elsewhere = f" {address.scheme}://{address.netloc}" if address.netloc else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            # Mantine puts its theme's variables and responsive sizes into <style> elements. Scripts are what matters.
            "style-src 'self' 'unsafe-inline'",
            f"img-src 'self' blob: data:{elsewhere}",
            "connect-src 'self'",
            "font-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )
