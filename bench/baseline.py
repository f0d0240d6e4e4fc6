"""The competitor: what one writes in an afternoon. One process, one file, nothing kept in mind.

The form in memory, the provider called with the photo as base64 in JSON, the picture to disk, the answer. No
queue, no limits, no deadline, no idempotency, no metadata removed, no check of the picture, no expiry, no
gallery. It sets the floor for time and CPU: what the platform takes more is the price of all that.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import aiohttp
import uvicorn
from fastapi import FastAPI, Form, HTTPException, Response, UploadFile

MODEL = "gemini-3.1-flash-image"


def app(*, base_url: str, password: str, folder: Path) -> FastAPI:
    """The whole application."""
    sessions: list[aiohttp.ClientSession] = []

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            sessions.append(session)
            yield

    api = FastAPI(lifespan=life)

    @api.get("/healthz")
    async def healthz() -> str:
        return "ok"

    @api.post("/api/ingest/{slot_id}")
    async def ingest(
        slot_id: str,
        password_given: Annotated[str, Form(alias="password")],
        photo_hash: Annotated[str, Form(alias="hash")],
        photo_id: Annotated[str, Form(alias="id")],
        file: Annotated[UploadFile, Form(alias="fileToUpload")],
    ) -> Response:
        if not hmac.compare_digest(password_given, password):
            raise HTTPException(401)
        photo = await file.read()
        if hashlib.sha1(photo).hexdigest() != photo_hash:
            raise HTTPException(400)
        picture = {"mimeType": "image/jpeg", "data": base64.b64encode(photo).decode()}
        body = {
            "contents": [{"role": "user", "parts": [{"inlineData": picture}, {"text": photo_id}]}],
            "generationConfig": {"responseModalities": ["IMAGE"]},
        }
        url = f"{base_url}/models/{MODEL}:generateContent"
        async with sessions[0].post(url, json=body, headers={"x-goog-api-key": "bench"}) as answer:
            if answer.status != 200:
                raise HTTPException(502)
            parts = (await answer.json())["candidates"][0]["content"]["parts"]
        data = next(part["inlineData"]["data"] for part in parts if "inlineData" in part)
        result = base64.b64decode(data)
        (folder / f"{slot_id}-{uuid.uuid4().hex}.jpg").write_bytes(result)
        return Response(result, media_type="image/jpeg")

    return api


def main(port: int, base_url: str, folder: Path) -> None:
    """Serves on `port` of loopback until it is told to stop."""
    uvicorn.run(
        app(base_url=base_url, password=os.environ["INGEST_PASSWORD"], folder=folder),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
