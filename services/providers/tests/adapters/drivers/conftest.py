"""Drivers on their bench, small pictures, and mock providers that nobody may have misused."""

import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from photochanger_mockproviders import GeminiMock, PhotoHost, TurbotextMock
from photochanger_providers.domain.picture import Picture
from photochanger_providers.drivers import gemini, turbotext
from photochanger_providers.testing.driver_bench import DriverBench, picture_at
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


class HostedLinks:
    """Links to a small web server, as a provider on the Internet would be given them."""

    def __init__(self, host: PhotoHost) -> None:
        self.names: dict[Path, str] = {}
        self._host = host

    async def url_of(self, picture: Picture) -> str:
        name = self.names.setdefault(picture.path, f"{len(self.names)}-{picture.path.name}")
        return self._host.put(name, picture.path.read_bytes(), content_type=picture.mime_type)


@pytest.fixture
async def links() -> AsyncIterator[HostedLinks]:
    async with PhotoHost() as host:
        yield HostedLinks(host)


@pytest.fixture
async def turbotext_mock() -> AsyncIterator[TurbotextMock]:
    async with TurbotextMock(reconnects=0) as mock:
        yield mock
        assert mock.violations == []
        assert mock.script_left == 0, "an answer was scripted that nobody asked for"


@pytest.fixture
async def turbotext_bench(
    turbotext_mock: TurbotextMock, links: HostedLinks, tmp_path: Path
) -> AsyncIterator[DriverBench]:
    async with DriverBench(
        turbotext.DRIVER,
        base_url=turbotext_mock.base_url,
        api_key=turbotext_mock.api_key or "",
        directory=tmp_path,
        links=links,
    ) as ready:
        yield ready
