"""A program that uses `/api/v1`."""

import json
from dataclasses import dataclass
from typing import Final

from photochanger_gateway.testing.builders import JPEG
from photochanger_gateway.testing.wire import BOUNDARY, Answer, Part, ask, form, with_dashes

PHOTO: Final[Part] = ("photo", JPEG)
SLOT: Final[Part] = ("slot_id", b"slot-001")
EXPLICIT: Final[tuple[Part, ...]] = (("provider", b"local"), ("operation", b"blur"))


@dataclass(frozen=True, slots=True)
class Program:
    """Requests with an API key, each on a connection of its own; `named` are headers with `_` for `-`."""

    port: int
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """What every request has."""
        return {"Authorization": f"Bearer {self.key}"}

    async def get(self, path: str, **named: str) -> Answer:
        """Reads."""
        return await ask(self.port, path, headers=self.headers | with_dashes(named))

    async def post(self, path: str, body: object = None, **named: str) -> Answer:
        """Posts a JSON body; None: none."""
        sent = b"" if body is None else json.dumps(body).encode()
        kind = {"Content-Type": "application/json"} if sent else {}
        return await self._send(path, sent, kind | with_dashes(named))

    async def submit(self, *parts: Part, **named: str) -> Answer:
        """Submits a form; without parts a photo through a slot."""
        return await self.post_form("/api/v1/jobs", *(parts or (SLOT, PHOTO)), **named)

    async def post_form(self, path: str, *parts: Part, **named: str) -> Answer:
        """Posts a form."""
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        return await self._send(path, form(*parts), kind | with_dashes(named))

    async def _send(self, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        return await ask(self.port, path, method="POST", body=body, headers=self.headers | headers)
