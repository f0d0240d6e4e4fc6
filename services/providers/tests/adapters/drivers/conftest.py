"""Drivers on their bench, small pictures, and mock providers that nobody may have misused."""

import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from photochanger_mockproviders import GeminiMock
from photochanger_providers.domain.picture import Picture
from photochanger_providers.drivers import gemini
from photochanger_providers.drivers.testing import DriverBench, picture_at
from PIL import Image

MakePicture = Callable[..., Picture]


def _encoded(image: Image.Image, file_format: str) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format)
    return out.getvalue()


@pytest.fixture
def make_picture(tmp_path: Path) -> MakePicture:
    """Makes picture files: a gradient of the asked colour, kind and size."""

    def make(
        name: str = "photo.jpg", *, width: int = 320, height: int = 240, colour: str = "teal"
    ) -> Picture:
        shade = Image.radial_gradient("L").resize((width, height))
        image = Image.composite(Image.new("RGB", (width, height), colour), shade.convert("RGB"), shade)
        kind = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[name.rpartition(".")[2]]
        path = tmp_path / name
        path.write_bytes(_encoded(image, kind))
        return picture_at(path)

    return make


@pytest.fixture
def photo(make_picture: MakePicture) -> Picture:
    return make_picture()


@pytest.fixture
async def gemini_mock() -> AsyncIterator[GeminiMock]:
    async with GeminiMock() as mock:
        yield mock
        assert mock.violations == []
        assert mock.script_left == 0, "an answer was scripted that nobody asked for"


@pytest.fixture
async def bench(gemini_mock: GeminiMock, tmp_path: Path) -> AsyncIterator[DriverBench]:
    async with DriverBench(
        gemini.DRIVER, base_url=gemini_mock.base_url, api_key=gemini_mock.api_key or "", directory=tmp_path
    ) as ready:
        yield ready
