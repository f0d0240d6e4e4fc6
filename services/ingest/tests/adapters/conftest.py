"""Ingest on a real database, as many instances as a test wants."""

import asyncio
import base64
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
from photochanger_devstack.testing.servers import OwnNats, SharedServers
from photochanger_ingest.adapters.argon2 import Argon2Hasher
from photochanger_ingest.adapters.postgres.seed import seed_ingest_password
from photochanger_ingest.application.run_job import RunTuning
from photochanger_ingest.application.sweep import SweepTuning
from photochanger_ingest.main import MIGRATIONS, Ingest, open_ingest
from photochanger_ingest.settings import IngestSettings
from photochanger_ingest.testing.camera import PASSWORD, Camera
from photochanger_ingest.testing.client import ApiClient
from photochanger_ingest.testing.fakes import Outside, open_outside
from photochanger_ingest.testing.receiver import Receiver, open_receiver
from photochanger_ingest.testing.webhooks import WebhookClient
from photochanger_ingest.testing.worker import Worker
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

SEALING_KEY = base64.b64encode(b"k" * 32).decode()
_HASHED_PASSWORD = Argon2Hasher().hash(PASSWORD)


@dataclass(frozen=True)
class Replica:
    """One instance, and a client of it. `stop` ends it in order."""

    ingest: Ingest
    channel: grpc.aio.Channel
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

    async def start(
        self,
        *,
        tuning: RunTuning | None = None,
        sweeping: SweepTuning | None = None,
        **settings_of_webhooks: object,
    ) -> Replica:
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
            **{
                "secrets_encryption_key": SecretStr(SEALING_KEY),
                "webhook_allowed_networks": "127.0.0.0/8,::1/128",
                **settings_of_webhooks,
            },  # type: ignore[arg-type]  # fields by name, as the environment gives them
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
        return Replica(ingest, channel, Camera(channel), registry, own.aclose)

    def at(self, database_url: str) -> "Platform":
        """The same, with the database at another address."""
        return replace(self, database_url=database_url)

    async def add_key(self, client_id: str) -> None:
        """Makes a client of the public API one that has a key."""
        await self.sql(
            """
            INSERT INTO api_keys (id, client_id, name, key_sha256, last_four, scopes, created_at, created_by)
            VALUES (%s, %s, 'Studio', sha256(%s), '0000', '{webhooks:manage}', now(), 'a test')
            """,
            client_id,
            client_id,
            client_id.encode(),
        )

    async def sql(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        """Runs a statement beside the service and returns its rows."""
        async with self.pool.connection() as conn:
            cursor = await conn.execute(statement.encode(), parameters)
            # Rows may have no columns, and then no description.
            has_rows = cursor.description is not None or (cursor.statusmessage or "").startswith("SELECT")
            return await cursor.fetchall() if has_rows else []


@pytest.fixture
def clock() -> ManualClock:
    """Starts now, and stands still until moved; PostgreSQL and the fakes tell their own time."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
def events_url() -> str:
    """Where NATS is. Nowhere: ingest runs without it. Tests of events override this."""
    return "nats://127.0.0.1:1"


@pytest.fixture(scope="session")
def postgres_template(shared_servers: SharedServers) -> str:
    """Migrated once in the run."""
    return shared_servers.template(
        "ingest", lambda url: migrate(PostgresSettings(database_url=SecretStr(url)), MIGRATIONS)
    )


@pytest.fixture
async def platform(postgres_url: str, events_url: str, clock: ManualClock) -> AsyncIterator[Platform]:
    """A migrated database with the password set, and providers and media."""
    settings = PostgresSettings(
        database_url=SecretStr(postgres_url), database_pool_min=1, database_pool_max=2
    )
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


@dataclass(frozen=True)
class Studio:
    """A client with a key and a receiver, on an instance that has NATS."""

    platform: Platform
    replica: Replica
    client: ApiClient
    worker: Worker
    webhooks: WebhookClient
    receiver: Receiver
    clock: ManualClock

    async def opens(self, url: str | None = None) -> str:
        """Orders a photo with a webhook, and sees the job handed over. Returns its id."""
        order = self.client.order()
        order.webhook_url = url or self.receiver.url
        job_id = (await self.client.ask(order)).job.id
        while job_id not in self.platform.outside.providers.queue.work:
            await asyncio.wait_for(self.platform.outside.providers.queue.came.wait(), 10)
        return job_id

    async def ends(self, job_id: str, how: str = "done") -> None:
        """Has a job end so."""
        if how == "cancelled":
            await self.client.cancel(job_id)
        elif how == "timeout":
            self.clock.advance(timedelta(hours=1, seconds=2))
            await self.replica.ingest.sweeper.end_overdue()
        else:
            await self.worker.starts(job_id)
            await (self.worker.finishes(job_id) if how == "done" else self.worker.fails(job_id))

    async def tells(self, url: str | None = None) -> str:
        """Has a job end well, and returns the id of its delivery."""
        job_id = await self.opens(url)
        await self.ends(job_id)
        return (await self.webhooks.of(job_id)).id

    async def later(self, step: timedelta) -> None:
        """Lets time pass once everything of now is done, and then has done what is due."""
        while await self.platform.sql("SELECT FROM tasks WHERE state IN ('queued', 'running')"):
            continue
        self.clock.advance(step)
        await self.replica.ingest.webhooks.keeper.sweep()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Where a client wants to be told."""
    async with open_receiver() as opened:
        yield opened


@pytest.fixture
async def studio(
    own_nats: Callable[[], OwnNats], platform: Platform, receiver: Receiver, clock: ManualClock
) -> Studio:
    """A client that wants to be told."""
    connected = replace(platform, nats_url=(await asyncio.to_thread(own_nats)).url)
    return await a_studio(connected, await connected.start(), receiver, clock)


async def a_studio(platform: Platform, replica: Replica, receiver: Receiver, clock: ManualClock) -> Studio:
    """Makes a client on an instance."""
    client = ApiClient(replica.camera, platform.outside.media)
    await platform.add_key(client.client_id)
    webhooks = WebhookClient(replica.camera.webhooks, client.client_id)
    worker = Worker(replica.ingest, platform.outside.providers, clock)
    return Studio(platform, replica, client, worker, webhooks, receiver, clock)
