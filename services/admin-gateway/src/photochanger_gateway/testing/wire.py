"""HTTP on a raw socket, where it matters what is sent when."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from photochanger_gateway.testing.builders import JPEG
from photochanger_gateway.testing.fake_ingest import PASSWORD

BOUNDARY: Final = "----------------------------bd7f3a90c1e2"
_PATIENCE_SECONDS: Final = 20

Part = tuple[str, bytes]
PHOTO: Final[Part] = ("fileToUpload", JPEG)
FIELDS: Final[tuple[Part, ...]] = (
    ("password", PASSWORD.encode()),
    ("hash", b"7b6c683e1d3fd29c8701791c54e3c12a236f5a5b"),
)


def form(*parts: Part, closed: bool = True) -> bytes:
    """A form's bytes; `fileToUpload`, `file`, `test_image` and `photo` become file parts.

    Without parts: a camera's, whole and right.
    """
    body = b""
    for name, value in parts or (*FIELDS, PHOTO):
        is_file = name in {"fileToUpload", "file", "test_image", "photo"}
        extra = '; filename="IMG_0003.JPG"\r\nContent-Type: image/jpeg' if is_file else ""
        body += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode()
        body += value + b"\r\n"
    return body + (f"--{BOUNDARY}--\r\n".encode() if closed else b"")


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as a JSON object."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


class Connection:
    """One connection of a client that decides itself what it sends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._writer.write(data)
        await self._writer.drain()

    async def send_head(self, method: str, path: str, headers: Mapping[str, str] | None = None) -> None:
        """Sends a request's head."""
        lines = [f"{method} {path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in ({"Host": "gateway"} | dict(headers or {})).items()]
        await self.send("\r\n".join([*lines, "", ""]).encode("latin-1"))

    async def send_photo_head(self, *, path: str = "/ingest/slot-001", **headers: str) -> None:
        """Sends the head of a camera's request; `headers` with `_` for `-`."""
        named = with_dashes(headers)
        await self.send_head(
            "POST", path, {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"} | named
        )

    async def head(self) -> tuple[int, dict[str, str]]:
        """Reads one answer's head, `100 Continue` included."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            raw = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return int(first.split(" ")[1]), headers

    async def answer(self, *, body: bool = True) -> Answer:
        """Reads one whole answer; `body` is false for HEAD.

        Raises:
            asyncio.IncompleteReadError: the connection was cut before the answer's end.
        """
        status, headers = await self.head()
        length = int(headers.get("content-length", "0")) if body else 0
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return Answer(status, headers, await self.reader.readexactly(length))

    async def rest(self) -> bytes:
        """Reads to the end of the connection."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            return await self.reader.read()

    async def cut(self) -> None:
        """Hangs up."""
        self._writer.close()


@asynccontextmanager
async def connected(port: int, host: str = "127.0.0.1") -> AsyncIterator[Connection]:
    """A connection for the block."""
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


async def ask(
    port: int,
    path: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    **named: str,
) -> Answer:
    """One request on a connection of its own; `headers`, and `named` ones with `_` for `-`."""
    sent = dict(headers or {}) | with_dashes(named)
    if body:
        sent["Content-Length"] = str(len(body))
    async with connected(port) as connection:
        await connection.send_head(method, path, sent | {"Connection": "close"})
        await connection.send(body)
        return await connection.answer(body=method != "HEAD")


async def post_photo(
    port: int, parts: Sequence[Part] = (), *, path: str = "/ingest/slot-001", **named: str
) -> Answer:
    """Posts a form as a camera does that does not wait."""
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"} | with_dashes(named)
    return await ask(port, path, method="POST", body=form(*parts), headers=headers)


def with_dashes(named: Mapping[str, str]) -> dict[str, str]:
    """Headers by their names, from keyword arguments."""
    return {name.replace("_", "-"): value for name, value in named.items()}
