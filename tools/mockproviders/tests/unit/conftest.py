"""Real HTTP on both sides: a client, the mocks, and a small host of photos for Turbotext to fetch."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import aiohttp
import pytest
from photochanger_mockproviders import GeminiMock, PhotoHost, TurbotextMock
from PIL import Image


def encoded(image: Image.Image, file_format: str) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format)
    return out.getvalue()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def gemini() -> AsyncIterator[GeminiMock]:
    async with GeminiMock() as mock:
        yield mock


@pytest.fixture
async def turbotext() -> AsyncIterator[TurbotextMock]:
    async with TurbotextMock(reconnects=0) as mock:
        yield mock


@pytest.fixture
def photo() -> bytes:
    """320 x 240, dark in the middle and light in the corners."""
    return encoded(Image.radial_gradient("L").resize((320, 240)).convert("RGB"), "JPEG")


@pytest.fixture
async def photos(photo: bytes) -> AsyncIterator[PhotoHost]:
    """Photos as our media service would serve them, and some things it never should."""
    async with PhotoHost() as host:
        host.put("photo.jpg", photo)
        host.put("style.png", encoded(Image.new("RGB", (64, 64), "teal"), "PNG"), content_type="image/png")
        host.put("page.jpg", b"<html>", content_type="text/html")
        host.put("liar.jpg", b"<html>")
        host.put("moved.jpg", status=302, location=host.url("photo.jpg"))
        yield host
