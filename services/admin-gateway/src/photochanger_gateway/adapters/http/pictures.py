"""Streams a stored picture as an HTTP answer."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final

import structlog
from photochanger_chassis.errors import ServiceError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from photochanger_gateway.adapters.http import answers
from photochanger_gateway.application.ports import Download

_log: Final = structlog.stdlib.get_logger(__name__)


class PictureResponse(Response):
    """Opens the download first, so that a refusal still becomes a proper answer, then streams it.

    `describe` may add headers that depend on what was opened, and the status; `before` and `after` frame the
    bytes. When the stream breaks in the middle the answer is left unfinished and the server cuts the connection:
    a client never takes half a picture for a whole one, because it misses bytes of the declared length.
    """

    def __init__(
        self,
        download: AbstractAsyncContextManager[Download],
        *,
        content_type: str | None = None,
        headers: Mapping[str, str] | None = None,
        describe: Callable[[Download], dict[str, str]] | None = None,
        before: bytes = b"",
        after: bytes = b"",
        ranged: bool = False,
        problem: bool = False,
    ) -> None:
        super().__init__(headers=dict(headers or {}))
        self._download = download
        self._content_type = content_type
        self._describe = describe
        self._before = before
        self._after = after
        self._ranged = ranged
        self._problem = problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer."""
        begun = False
        try:
            async with self._download as download:
                self.status_code = 206 if self._ranged else 200
                self.headers["Content-Type"] = self._content_type or download.picture.mime_type
                del self.headers["content-length"]
                self.headers["Content-Length"] = str(len(self._before) + download.length + len(self._after))
                if self._describe is not None:
                    self.headers.update(self._describe(download))
                await send(
                    {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
                )
                begun = True
                if scope["method"] != "HEAD":
                    async for piece in self._pieces(download.chunks):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except ServiceError as error:
            if begun:
                _log.warning("picture.broken_off", reason=error.reason)
                return
            await answers.refusal(error, problem=self._problem)(scope, receive, send)

    async def _pieces(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        if self._before:
            yield self._before
        async for chunk in chunks:
            yield chunk
        if self._after:
            yield self._after
