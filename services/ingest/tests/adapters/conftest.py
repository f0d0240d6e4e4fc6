"""Ingest on a real database, as many instances as a test wants."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from photochanger_chassis.postgres.migrate import migrate
from photochanger_chassis.postgres.pool import Pool, open_pool
from photochanger_chassis.settings import PostgresSettings
from photochanger_chassis.testing import ManualClock
from photochanger_ingest.adapters.argon2 import Argon2Hasher
from photochanger_ingest.adapters.postgres.seed import seed_ingest_password
from photochanger_ingest.application.run_job import RunTuning
from photochanger_ingest.application.sweep import SweepTuning
from photochanger_ingest.main import MIGRATIONS, Ingest, open_ingest
from photochanger_ingest.settings import IngestSettings
from photochanger_ingest.testing.camera import PASSWORD, Camera
from photochanger_ingest.testing.client import ApiClient
from photochanger_ingest.testing.fakes import Outside, open_outside
from photochanger_ingest.testing.worker import Worker
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

_HASHED_PASSWORD = Argon2Hasher().hash(PASSWORD)


@dataclass(frozen=True)
class Replica:
    """One instance, and a client of it. `stop` ends it in order."""

    ingest: Ingest
    camera: Camera
    registry: CollectorRegistry
    stop: Callable[[], Coroutine[None, None, None]]


@dataclass
class Platform:
    """The database and what surrounds ingest. `start` opens another replica on them."""

    database_url: str
    nats_url: str
    outside: Outside
    clock: ManualClock
    pool: Pool
    stack: AsyncExitStack

    async def start(self, *, tuning: RunTuning | None = None, sweeping: SweepTuning | None = None) -> Replica:
        own = AsyncExitStack()
        registry = CollectorRegistry()
        settings = IngestSettings(
            database_url=SecretStr(self.database_url),
            nats_url=SecretStr(self.nats_url),
            providers_target=self.outside.target,
            media_target=self.outside.target,
            drain_grace=timedelta(seconds=5),
            # Sweeping is called by the tests that are about it.
            sweep_interval=timedelta(hours=1),
        )
        ingest = await own.enter_async_context(
            open_ingest(
                settings,
                clock=self.clock,
                tuning=tuning or RunTuning(finish_within=timedelta()),
                sweeping=sweeping,
                registry=registry,
            )
        )
        self.stack.push_async_callback(own.aclose)
        # Outlives the replica: calls in flight see it out.
        channel = await self.stack.enter_async_context(
            grpc.aio.insecure_channel(f"127.0.0.1:{ingest.server.port}")
        )
        return Replica(ingest, Camera(channel), registry, own.aclose)

    def at(self, database_url: str) -> "Platform":
        """The same, with the database at another address."""
        return replace(self, database_url=database_url)

    async def sql(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        """Runs a statement beside the service and returns its rows."""
        async with self.pool.connection() as conn:
            cursor = await conn.execute(statement.encode(), parameters)
            return await cursor.fetchall() if cursor.description else []


@pytest.fixture
def clock() -> ManualClock:
    """Starts now, and stands still until moved; PostgreSQL and the fakes tell their own time."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def events_url() -> str:
    """Where NATS is. Nowhere: ingest runs without it. Tests of events override this."""
    return "nats://127.0.0.1:1"


@pytest.fixture
async def platform(postgres_url: str, events_url: str, clock: ManualClock) -> AsyncIterator[Platform]:
    """A migrated database with the password set, and providers and media."""
    settings = PostgresSettings(
        database_url=SecretStr(postgres_url), database_pool_min=1, database_pool_max=2
    )
    await asyncio.to_thread(migrate, settings, MIGRATIONS)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings, application="test"))
        await seed_ingest_password(pool, _HASHED_PASSWORD)
        outside = await stack.enter_async_context(open_outside())
        yield Platform(postgres_url, events_url, outside, clock, pool, stack)


@pytest.fixture
async def replica(platform: Platform) -> Replica:
    """One running instance."""
    return await platform.start()


@pytest.fixture
def camera(replica: Replica) -> Camera:
    """A client of it."""
    return replica.camera


@pytest.fixture
def client(platform: Platform, camera: Camera) -> ApiClient:
    """A client of the public API, of the same instance."""
    return ApiClient(camera, platform.outside.media)


@pytest.fixture
def worker(platform: Platform, replica: Replica, clock: ManualClock) -> Worker:
    """Providers' workers, who tell the same instance."""
    return Worker(replica.ingest, platform.outside.providers, clock)
