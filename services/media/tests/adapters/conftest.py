"""The service on real PostgreSQL and S3, behind its real gRPC server, with a clock that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
from photochanger_chassis.postgres.migrate import migrate
from photochanger_chassis.testing import ManualClock
from photochanger_devstack.testing.servers import S3Store
from photochanger_media.main import MIGRATIONS
from photochanger_media.settings import Settings
from photochanger_media.testing import Media, running

MakeSettings = Callable[..., Settings]


@pytest.fixture
def clock() -> ManualClock:
    """Starts now: the bucket tells times of its own."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
async def make_settings(postgres_url: str) -> MakeSettings:
    """Makes settings for a migrated database and any S3 server."""

    def make(store: S3Store, **others: object) -> Settings:
        values: dict[str, object] = {
            "database_url": postgres_url,
            "nats_url": "nats://127.0.0.1:1",
            "s3_endpoint_url": store.endpoint_url,
            "s3_access_key": store.access_key,
            "s3_secret_key": store.secret_key,
            "s3_region": store.region,
            "s3_bucket": store.new_bucket(),
            "public_media_base_url": "https://photos.example/",
            "drain_grace": timedelta(seconds=1),
        }
        settings = Settings.model_validate(values | others)
        migrate(settings, MIGRATIONS)
        return settings

    return make


@pytest.fixture
async def media(make_settings: MakeSettings, s3: S3Store, clock: ManualClock) -> AsyncIterator[Media]:
    """A running service on an empty bucket and database."""
    settings = await asyncio.to_thread(make_settings, s3)
    async with running(settings, clock) as media:
        yield media
