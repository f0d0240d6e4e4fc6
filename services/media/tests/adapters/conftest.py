"""The service on real PostgreSQL and S3, behind its real gRPC server, with a clock that tests move."""

from __future__ import annotations

import asyncio
import io
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from photochanger_chassis.postgres.migrate import migrate
from photochanger_chassis.settings import PostgresSettings
from photochanger_chassis.testing import ManualClock
from photochanger_devstack.testing.servers import S3Store, SharedServers
from photochanger_media.main import MIGRATIONS
from photochanger_media.settings import Settings
from photochanger_media.testing import Media, running
from PIL import Image
from pydantic import SecretStr

MakeSettings = Callable[..., Settings]


@pytest.fixture
def clock() -> ManualClock:
    """Starts now: the bucket tells times of its own."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture(scope="session")
def postgres_template(shared_servers: SharedServers) -> str:
    """Migrated once in the run."""
    return shared_servers.template(
        "media", lambda url: migrate(PostgresSettings(database_url=SecretStr(url)), MIGRATIONS)
    )


@pytest.fixture
async def make_settings(postgres_url: str) -> MakeSettings:
    """Makes settings for a migrated database and any S3 server."""

    def make(store: S3Store, **others: object) -> Settings:
        values: dict[str, object] = {
            "database_url": postgres_url,
            "nats_url": "nats://127.0.0.1:1",
            "grpc_listen": "127.0.0.1:0",
            "s3_endpoint_url": store.endpoint_url,
            "s3_access_key": store.access_key,
            "s3_secret_key": store.secret_key,
            "s3_region": store.region,
            "s3_bucket": store.new_bucket(),
            "public_media_base_url": "https://photos.example/",
            "drain_grace": timedelta(seconds=1),
        }
        return Settings.model_validate(values | others)

    return make


@pytest.fixture
async def media(make_settings: MakeSettings, s3: S3Store, clock: ManualClock) -> AsyncIterator[Media]:
    """A running service on an empty bucket and database."""
    settings = await asyncio.to_thread(make_settings, s3)
    async with running(settings, clock) as media:
        yield media


@pytest.fixture(scope="session")
def large_photo() -> bytes:
    """A JPEG of about 12 MB: three parts of 5 MiB."""
    pixels = np.random.default_rng(1).integers(0, 255, (4000, 4400, 3), dtype=np.uint8)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", quality=82)
    data = target.getvalue()
    assert 10.5 * 2**20 < len(data) < 20 * 2**20
    return data


@pytest.fixture(scope="session")
def planted_photo() -> bytes:
    """A portrait photo as a phone writes it: lying on its side, with GPS, maker note and comment."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "PLANTED-MAKER"
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[0x1D] = "PLANTED-GPS"
    exif.get_ifd(0x8769)[0x927C] = b"PLANTED-NOTE"
    target = io.BytesIO()
    picture = Image.new("RGB", (600, 400), "red")
    picture.paste("blue", (300, 0, 600, 400))
    picture.save(target, "JPEG", exif=exif, comment=b"PLANTED-COMMENT", quality=95)
    data = target.getvalue()
    assert data.count(b"PLANTED") == 4
    return data


@pytest.fixture(scope="session")
def undecodable() -> bytes:
    """A PNG that is well-formed up to its pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        body = name + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    header = (10).to_bytes(4, "big") * 2 + b"\x08\x02\x00\x00\x00"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"no zlib") + chunk(b"IEND", b"")
