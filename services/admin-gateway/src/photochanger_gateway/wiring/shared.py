"""What the routes of all audiences share: connections, services, limits."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import aiohttp
import grpc.aio
from photochanger_chassis.clock import Clock
from photochanger_chassis.grpc.channel import open_channel
from photochanger_chassis.ids import Ids
from photochanger_chassis.nats.connection import NatsConnection, open_nats

from photochanger_gateway.adapters.clients.ingest import GrpcIngest
from photochanger_gateway.adapters.clients.media import GrpcMedia
from photochanger_gateway.adapters.http.clients import ClientAddress
from photochanger_gateway.adapters.http.metrics import HttpMetrics
from photochanger_gateway.adapters.http.operations import Readiness
from photochanger_gateway.adapters.http.pages import Pages
from photochanger_gateway.adapters.http.urls import BaseUrl
from photochanger_gateway.adapters.nats.rate_limits import JetStreamRateLimiter
from photochanger_gateway.settings import Settings

SERVICE: Final = "gateway"
_RETRIED_READS: Final = {
    "ingest": (
        "photochanger.ingest.v1.JobService/CheckAdmission",
        "photochanger.ingest.v1.JobService/VerifyPassword",
        "photochanger.ingest.v1.JobService/GetJob",
        "photochanger.ingest.v1.JobService/ListGallery",
        "photochanger.ingest.v1.SlotService/GetSlot",
        "photochanger.ingest.v1.SlotService/ListSlots",
        "photochanger.ingest.v1.SlotService/ListSlotActivity",
        "photochanger.ingest.v1.SlotService/ListSlotVersions",
        "photochanger.ingest.v1.SettingsService/GetSettings",
        "photochanger.ingest.v1.JobService/ListJobs",
        "photochanger.ingest.v1.JobService/GetJobDetails",
        "photochanger.ingest.v1.StatisticsService/GetStatistics",
        "photochanger.ingest.v1.StatisticsService/GetStatisticsSeries",
        "photochanger.ingest.v1.AuditService/OpenAuditEntry",
        "photochanger.ingest.v1.AuditService/CloseAuditEntry",
        "photochanger.ingest.v1.AuditService/ListAuditEntries",
        "photochanger.ingest.v1.ApiKeyService/ListApiKeys",
        "photochanger.ingest.v1.ApiKeyService/RevokeApiKey",
        "photochanger.ingest.v1.ApiKeyService/VerifyApiKey",
        "photochanger.ingest.v1.AsyncJobService/OpenAsyncJob",
        "photochanger.ingest.v1.AsyncJobService/GetAsyncJob",
        "photochanger.ingest.v1.AsyncJobService/ListAsyncJobs",
        "photochanger.ingest.v1.AsyncJobService/CancelJob",
        "photochanger.ingest.v1.WebhookService/GetWebhookSecret",
        "photochanger.ingest.v1.WebhookService/ListWebhookDeliveries",
        "photochanger.ingest.v1.WebhookService/GetWebhookDelivery",
        "photochanger.tasks.v1.QueueService/ListQueues",
        "photochanger.tasks.v1.QueueService/ListWorkers",
        "photochanger.tasks.v1.QueueService/ListDeadTasks",
    ),
    "media": (
        "photochanger.media.v1.MediaService/Download",
        "photochanger.media.v1.MediaService/DownloadLink",
        "photochanger.media.v1.MediaService/DeleteMediaObject",
        "photochanger.media.v1.MediaService/GetMediaObject",
        "photochanger.media.v1.MediaService/GetUsage",
    ),
    "providers": (
        "photochanger.tasks.v1.QueueService/ListQueues",
        "photochanger.tasks.v1.QueueService/ListWorkers",
        "photochanger.tasks.v1.QueueService/ListDeadTasks",
    ),
}
"""Idempotent calls that gRPC itself repeats while a service is away."""


@dataclass(frozen=True, slots=True)
class Timing:
    """What tests make shorter: the longest silence in a form, and the beat of live events."""

    idle_timeout: timedelta
    heartbeat: timedelta


@dataclass(frozen=True, slots=True)
class Shared:
    """Everything that more than one audience's routes are made of."""

    settings: Settings
    clock: Clock
    ids: Ids
    timing: Timing
    readiness: Readiness
    metrics: HttpMetrics
    pages: Pages
    http: aiohttp.ClientSession
    nats: NatsConnection
    ingest_channel: grpc.aio.Channel
    media_channel: grpc.aio.Channel
    providers_channel: grpc.aio.Channel
    ingest: GrpcIngest
    media: GrpcMedia
    limiter: JetStreamRateLimiter
    clients: ClientAddress
    base_url: BaseUrl


async def open_shared(
    settings: Settings,
    stack: AsyncExitStack,
    *,
    readiness: Readiness,
    clock: Clock,
    ids: Ids,
    metrics: HttpMetrics,
    timing: Timing,
) -> Shared:
    """Opens the connections. They are closed with `stack`."""
    http = await stack.enter_async_context(aiohttp.ClientSession())
    nats = await stack.enter_async_context(open_nats(settings, service=SERVICE))
    ingest_channel = await stack.enter_async_context(
        open_channel(settings.ingest_target, settings, retried_reads=_RETRIED_READS["ingest"])
    )
    media_channel = await stack.enter_async_context(
        open_channel(settings.media_target, settings, retried_reads=_RETRIED_READS["media"])
    )
    providers_channel = await stack.enter_async_context(
        open_channel(settings.providers_target, settings, retried_reads=_RETRIED_READS["providers"])
    )
    return Shared(
        settings=settings,
        clock=clock,
        ids=ids,
        timing=timing,
        readiness=readiness,
        metrics=metrics,
        pages=Pages.load(),
        http=http,
        nats=nats,
        ingest_channel=ingest_channel,
        media_channel=media_channel,
        providers_channel=providers_channel,
        ingest=GrpcIngest(ingest_channel, clock),
        media=GrpcMedia(media_channel, clock),
        limiter=JetStreamRateLimiter(nats, clock),
        clients=ClientAddress(),
        base_url=BaseUrl(settings.public_media_base_url),
    )


@asynccontextmanager
async def running(work: Coroutine[None, None, None], *, name: str) -> AsyncIterator[None]:
    """Runs work beside the block and ends it with the block; a bug in it ends the block."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work, name=name)
        try:
            yield
        finally:
            task.cancel()
