"""The whole service in this process: real PostgreSQL, NATS and gRPC; media is a fake over real wires."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import grpc
import pytest
from nats.aio.subscription import Subscription
from photochanger.providers.v1.processing_service_pb2_grpc import ProcessingServiceStub
from photochanger.tasks.v1.queue_service_pb2_grpc import QueueServiceStub
from photochanger_chassis.grpc.channel import open_channel
from photochanger_chassis.nats.connection import open_nats
from photochanger_chassis.nats.events import ensure_stream
from photochanger_chassis.postgres.migrate import migrate
from photochanger_chassis.settings import GrpcClientSettings, NatsSettings, PostgresSettings
from photochanger_devstack.testing.servers import SharedServers
from photochanger_providers.drivers.entry import DriverEntry
from photochanger_providers.main import MIGRATIONS, run, work_queues
from photochanger_providers.settings import Settings, WorkerSettings
from photochanger_providers.testing.fake_media import FakeMedia, running_fake_media
from photochanger_providers.testing.task_bench import Bench
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

PORTRAIT = Path(__file__).parents[4] / "tests" / "photos" / "portrait-512.png"


@pytest.fixture(scope="session")
def postgres_template(shared_servers: SharedServers) -> str:
    """Migrated once in the run."""
    return shared_servers.template(
        "providers", lambda url: migrate(PostgresSettings(database_url=SecretStr(url)), MIGRATIONS)
    )


@pytest.fixture
def database(postgres_url: str) -> PostgresSettings:
    return PostgresSettings(database_url=SecretStr(postgres_url))


@pytest.fixture
async def media() -> AsyncIterator[FakeMedia]:
    async with running_fake_media() as fake:
        yield fake


@pytest.fixture
def portrait() -> bytes:
    return PORTRAIT.read_bytes()


class Replica:
    """One running instance of the service."""

    def __init__(self, channel: grpc.aio.Channel, stop: asyncio.Event, done: "asyncio.Task[None]") -> None:
        self.channel = channel
        self.processing = ProcessingServiceStub(channel)
        self.queues = QueueServiceStub(channel)
        self._stop = stop
        self._done = done

    async def stop(self) -> None:
        """Stops as SIGTERM does, and waits for it."""
        self._stop.set()
        await self._done

    async def die(self) -> None:
        """Ends without any clean-up of rows, nearly as kill -9 would: nothing is stored any more."""
        self._done.cancel()
        await asyncio.wait({self._done})


StartReplica = Callable[..., Awaitable[Replica]]


class RunningWorker:
    """One running worker."""

    def __init__(self, stop: asyncio.Event, done: "asyncio.Task[None]") -> None:
        self._stop = stop
        self._done = done

    async def stop(self) -> None:
        """Stops as SIGTERM does, and waits for it."""
        self._stop.set()
        await self._done

    async def die(self) -> None:
        """Ends without storing anything about its tasks, nearly as kill -9 would."""
        self._done.cancel()
        await asyncio.wait({self._done})


StartWorker = Callable[..., Awaitable[RunningWorker]]


@pytest.fixture
async def start_replica(
    database: PostgresSettings, nats_url: str, media: FakeMedia, tmp_path: Path
) -> AsyncIterator[StartReplica]:
    async with AsyncExitStack() as stack:

        async def start(*drivers: DriverEntry, **changes: object) -> Replica:
            settings = Settings.model_validate(
                {
                    "database_url": database.database_url,
                    "nats_url": nats_url,
                    "media_target": media.target,
                    "grpc_listen": "127.0.0.1:0",
                    "drain_grace": 2,
                    **changes,
                }
            )
            stop, started = asyncio.Event(), asyncio.get_running_loop().create_future()
            done = asyncio.create_task(
                run(settings, stop, drivers=drivers, registry=CollectorRegistry(), started=started)
            )
            await asyncio.wait({done, started}, return_when=asyncio.FIRST_COMPLETED)
            if done.done():
                await done
            channel = await stack.enter_async_context(
                open_channel(f"127.0.0.1:{started.result()}", GrpcClientSettings())
            )
            replica = Replica(channel, stop, done)

            async def stop_if_running() -> None:
                if not done.done():
                    await replica.stop()

            stack.push_async_callback(stop_if_running)
            return replica

        yield start


@pytest.fixture
async def start_worker(
    database: PostgresSettings, nats_url: str, media: FakeMedia
) -> AsyncIterator[StartWorker]:
    async with AsyncExitStack() as stack:

        async def start(
            *drivers: DriverEntry, queues: tuple[str, ...] = (), **changes: object
        ) -> RunningWorker:
            settings = WorkerSettings.model_validate(
                {
                    "database_url": database.database_url,
                    "nats_url": nats_url,
                    "media_target": media.target,
                    "grpc_listen": "127.0.0.1:0",
                    "drain_grace": 2,
                    # The machine of the tests may be busy with something else.
                    "worker_cpu_limit": 1,
                    "worker_memory_limit": 1,
                    "worker_free_memory_mb": 0,
                    **changes,
                }
            )
            stop, started = asyncio.Event(), asyncio.get_running_loop().create_future()
            done = asyncio.create_task(
                work_queues(
                    settings,
                    stop,
                    queues=queues,
                    drivers=drivers,
                    registry=CollectorRegistry(),
                    started=started,
                )
            )
            await asyncio.wait({done, started}, return_when=asyncio.FIRST_COMPLETED)
            if done.done():
                await done
            worker = RunningWorker(stop, done)

            async def stop_if_running() -> None:
                if not done.done():
                    await worker.stop()

            stack.push_async_callback(stop_if_running)
            return worker

        yield start


@pytest.fixture
def bench(start_replica: StartReplica, start_worker: StartWorker, media: FakeMedia, portrait: bytes) -> Bench:
    return Bench(start_replica, start_worker, media, portrait)


@pytest.fixture
async def events(nats_url: str) -> AsyncIterator[Subscription]:
    """What services tell from now on."""
    async with open_nats(NatsSettings(nats_url=SecretStr(nats_url)), service="test") as connection:
        await connection.connected.wait()
        # With a subscriber and no stream, publishers would wait for an answer that never comes.
        await ensure_stream(connection)
        yield await connection.client.subscribe("events.providers.>")
