"""The admins' API as a script uses it."""

import json
from dataclasses import dataclass

from photochanger_gateway.testing.wire import BOUNDARY, Answer, Part, ask, form


@dataclass(frozen=True, slots=True)
class AdminApi:
    """Requests of a signed-in admin, each on a connection of its own; `headers` sign them."""

    port: int
    headers: dict[str, str]

    async def get(self, path: str, **named: str) -> Answer:
        """Reads; `named` headers with `_` for `-`."""
        return await self.send("GET", path, b"", **named)

    async def put(self, path: str, body: object, **named: str) -> Answer:
        """Changes, with a JSON body."""
        return await self.send("PUT", path, json.dumps(body).encode(), **named)

    async def post(self, path: str, body: object = None, **named: str) -> Answer:
        """Posts a JSON body; None: none."""
        return await self.send("POST", path, b"" if body is None else json.dumps(body).encode(), **named)

    async def delete(self, path: str) -> Answer:
        """Deletes."""
        return await ask(self.port, path, method="DELETE", headers=self.headers)

    async def send(self, method: str, path: str, body: bytes, **named: str) -> Answer:
        """Sends bytes that should be JSON."""
        kind = {"Content-Type": "application/json"} if body else {}
        others = {name.replace("_", "-"): value for name, value in named.items()}
        return await ask(self.port, path, method=method, body=body, headers=self.headers | kind | others)

    async def post_form(self, path: str, *parts: Part) -> Answer:
        """Posts a form; the parts `file` and `test_image` become file parts."""
        kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
        body = form(*parts)
        return await ask(self.port, path, method="POST", body=body, headers=self.headers | kind)
