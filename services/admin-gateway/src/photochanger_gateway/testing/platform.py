"""A real gateway over fake services, all in this process, each on a port of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from photochanger.ingest.v1 import job_pb2
from photochanger.ingest.v1.api_key_service_pb2_grpc import add_ApiKeyServiceServicer_to_server
from photochanger.ingest.v1.async_job_service_pb2_grpc import add_AsyncJobServiceServicer_to_server
from photochanger.ingest.v1.audit_service_pb2_grpc import add_AuditServiceServicer_to_server
from photochanger.ingest.v1.gallery_service_pb2_grpc import add_GalleryServiceServicer_to_server
from photochanger.ingest.v1.job_service_pb2_grpc import add_JobServiceServicer_to_server
from photochanger.ingest.v1.settings_service_pb2_grpc import add_SettingsServiceServicer_to_server
from photochanger.ingest.v1.slot_service_pb2_grpc import add_SlotServiceServicer_to_server
from photochanger.ingest.v1.statistics_service_pb2_grpc import add_StatisticsServiceServicer_to_server
from photochanger.ingest.v1.webhook_service_pb2_grpc import add_WebhookServiceServicer_to_server
from photochanger.media.v1.media_service_pb2_grpc import add_MediaServiceServicer_to_server
from photochanger.providers.v1.catalogue_service_pb2_grpc import add_CatalogueServiceServicer_to_server
from photochanger.providers.v1.key_service_pb2_grpc import add_KeyServiceServicer_to_server
from photochanger.tasks.v1.queue_service_pb2_grpc import add_QueueServiceServicer_to_server
from photochanger_chassis.clock import Clock
from photochanger_chassis.grpc.health import Check
from photochanger_chassis.grpc.server import GrpcServer
from photochanger_chassis.settings import GrpcServerSettings
from prometheus_client import CollectorRegistry

from photochanger_gateway.adapters.http.event_stream import HEARTBEAT
from photochanger_gateway.adapters.http.form_stream import IDLE_TIMEOUT
from photochanger_gateway.adapters.http.operations import Readiness
from photochanger_gateway.adapters.http.server import ConnectionLimits, HttpServer
from photochanger_gateway.main import wire
from photochanger_gateway.settings import Settings
from photochanger_gateway.testing.fake_api_keys import FakeApiKeys
from photochanger_gateway.testing.fake_async_jobs import FakeAsyncJobs
from photochanger_gateway.testing.fake_audit import FakeAudit
from photochanger_gateway.testing.fake_ingest import FakeIngest
from photochanger_gateway.testing.fake_media import FakeMedia
from photochanger_gateway.testing.fake_providers import FakeProviders
from photochanger_gateway.testing.fake_queues import FakeQueues
from photochanger_gateway.testing.fake_slots import FakeSettings, FakeSlots
from photochanger_gateway.testing.fake_statistics import FakeStatistics
from photochanger_gateway.testing.fake_webhooks import FakeWebhooks

SIGNING_KEY: Final = "k" * 32


class Served:
    """Fakes behind a real gRPC server, on a port that survives a restart. `parts`: how to add each, and itself."""

    def __init__(self, name: str, parts: tuple[tuple[Any, object], ...], checks: tuple[str, ...]) -> None:
        self._name = name
        self._parts = parts
        self.broken: set[str] = set()
        self._checks = tuple(Check(check, partial(self._probe, check)) for check in checks)
        self._server: GrpcServer | None = None
        self.port = 0

    async def _probe(self, check: str) -> None:
        if check in self.broken:
            raise RuntimeError(check)

    @property
    def target(self) -> str:
        """Where it is."""
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Serves."""
        settings = GrpcServerSettings(grpc_listen=self.target, drain_grace=timedelta(0))
        self._server = GrpcServer(self._name, settings, checks=self._checks, registry=CollectorRegistry())
        for register, servicer in self._parts:
            self._server.add(register, servicer)
        await self._server.start()
        await self._server.health.check_now()
        self.port = self._server.port

    async def look_again(self) -> None:
        """Runs the health checks now."""
        if self._server is not None:
            await self._server.health.check_now()

    async def stop(self) -> None:
        """Ends it; calls under way fail."""
        if self._server is not None:
            await self._server.drain()
            self._server = None


@dataclass(slots=True)
class Platform:
    """The fakes, running."""

    clock: Clock
    ingest: FakeIngest
    audit: FakeAudit
    slots: FakeSlots
    settings: FakeSettings
    statistics: FakeStatistics
    api_keys: FakeApiKeys
    async_jobs: FakeAsyncJobs
    webhooks: FakeWebhooks
    light_queues: FakeQueues
    queues: FakeQueues
    media: FakeMedia
    providers: FakeProviders
    ingest_server: Served
    media_server: Served
    providers_server: Served


@dataclass(slots=True)
class Gateway:
    """A gateway, running."""

    port: int
    readiness: Readiness
    server: HttpServer

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def a_platform(clock: Clock) -> AsyncIterator[Platform]:
    """Runs the fakes."""
    ingest = FakeIngest(clock)
    slots, settings, statistics = FakeSlots(clock), FakeSettings(clock), FakeStatistics()
    audit = FakeAudit()
    api_keys, webhooks = FakeApiKeys(clock), FakeWebhooks(clock)
    async_jobs = FakeAsyncJobs(clock, webhooks)
    light_queues = FakeQueues(clock, ("light",), worker="ingest-1")
    queues = FakeQueues(clock, ("gemini", "local"), worker="worker-1")
    # The gateway calls no other methods than those they have; the rest answers UNIMPLEMENTED.
    media = FakeMedia(clock)  # type: ignore[abstract]  # see above
    providers = FakeProviders()  # type: ignore[abstract]  # see above
    ingest.ending.result.media_object.CopyFrom(media.store(expires_at=clock.now() + timedelta(hours=72)))
    ingest.ending.result.origin = job_pb2.RESULT_ORIGIN_PROVIDER
    servers = (
        Served(
            "ingest",
            (
                (add_JobServiceServicer_to_server, ingest),
                (add_GalleryServiceServicer_to_server, ingest),
                (add_AuditServiceServicer_to_server, audit),
                (add_SlotServiceServicer_to_server, slots),
                (add_SettingsServiceServicer_to_server, settings),
                (add_StatisticsServiceServicer_to_server, statistics),
                (add_ApiKeyServiceServicer_to_server, api_keys),
                (add_AsyncJobServiceServicer_to_server, async_jobs),
                (add_WebhookServiceServicer_to_server, webhooks),
                (add_QueueServiceServicer_to_server, light_queues),
            ),
            ("postgres",),
        ),
        Served("media", ((add_MediaServiceServicer_to_server, media),), ("postgres", "storage")),
        Served(
            "providers",
            (
                (add_CatalogueServiceServicer_to_server, providers),
                (add_KeyServiceServicer_to_server, providers),
                (add_QueueServiceServicer_to_server, queues),
            ),
            ("postgres",),
        ),
    )
    async with AsyncExitStack() as stack:
        for server in servers:
            await server.start()
            stack.push_async_callback(server.stop)
        yield Platform(
            clock=clock,
            ingest=ingest,
            audit=audit,
            slots=slots,
            settings=settings,
            statistics=statistics,
            api_keys=api_keys,
            async_jobs=async_jobs,
            webhooks=webhooks,
            light_queues=light_queues,
            queues=queues,
            media=media,
            providers=providers,
            ingest_server=servers[0],
            media_server=servers[1],
            providers_server=servers[2],
        )


def settings_for(platform: Platform, nats_url: str, **others: object) -> Settings:
    """A gateway's settings for running fakes."""
    values: dict[str, object] = {
        "http_listen": "127.0.0.1:0",
        "nats_url": nats_url,
        "ingest_target": platform.ingest_server.target,
        "media_target": platform.media_server.target,
        "providers_target": platform.providers_server.target,
        "jwt_signing_key": SIGNING_KEY,
        "drain_grace_seconds": 1,
    }
    return Settings.model_validate(values | others)


@asynccontextmanager
async def a_gateway(
    settings: Settings,
    clock: Clock,
    *,
    idle_timeout: timedelta = IDLE_TIMEOUT,
    heartbeat: timedelta = HEARTBEAT,
    web: Path | None = None,
    limits: ConnectionLimits | None = None,
) -> AsyncIterator[Gateway]:
    """Runs a gateway until the block is left. Its NATS is connected."""
    readiness = Readiness()
    async with AsyncExitStack() as stack:
        wired = await wire(
            settings,
            stack,
            readiness,
            clock=clock,
            registry=CollectorRegistry(),
            idle_timeout=idle_timeout,
            heartbeat=heartbeat,
            web=web,
        )
        await wired.nats.connected.wait()
        server = HttpServer(
            wired.app,
            listen=settings.http_listen,
            trusted_networks=settings.trusted_networks,
            limits=limits,
            drain_grace_seconds=settings.drain_grace_seconds,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(), name="http")
            try:
                yield Gateway(server.port, readiness, server)
            finally:
                readiness.stop()
                server.stop()
