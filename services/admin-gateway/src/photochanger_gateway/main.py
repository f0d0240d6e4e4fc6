"""Wires the gateway: the only place where its parts meet."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from importlib.resources.abc import Traversable
from typing import Any, Final

import aiohttp
import structlog
from fastapi import FastAPI
from photochanger_chassis.clock import Clock, SystemClock
from photochanger_chassis.concurrency import Workers
from photochanger_chassis.grpc.channel import open_channel
from photochanger_chassis.ids import RandomIds
from photochanger_chassis.lifecycle import run_service
from photochanger_chassis.logging import configure_logging
from photochanger_chassis.nats.connection import NatsConnection, open_nats
from photochanger_chassis.settings import load
from photochanger_chassis.tracing import tracing
from prometheus_client import REGISTRY, CollectorRegistry

from photochanger_gateway.adapters.accounts.credentials_file import CredentialsFile
from photochanger_gateway.adapters.accounts.tokens import HmacCsrfTokens, JwtTokens, derived_keys
from photochanger_gateway.adapters.clients.audit import GrpcAuditLog
from photochanger_gateway.adapters.clients.catalogue import GrpcCatalogue
from photochanger_gateway.adapters.clients.configuration import GrpcConfiguration
from photochanger_gateway.adapters.clients.figures import GrpcFigures
from photochanger_gateway.adapters.clients.health import NatsProbe, ProvidersProbe, ServiceProbe
from photochanger_gateway.adapters.clients.ingest import GrpcIngest
from photochanger_gateway.adapters.clients.jobs import GrpcJobs
from photochanger_gateway.adapters.clients.media import GrpcMedia
from photochanger_gateway.adapters.clients.media_library import GrpcMediaLibrary
from photochanger_gateway.adapters.clients.slots import GrpcSlots
from photochanger_gateway.adapters.http.admin import AdminRoutes
from photochanger_gateway.adapters.http.app import make_app
from photochanger_gateway.adapters.http.clients import ClientAddress
from photochanger_gateway.adapters.http.form_stream import IDLE_TIMEOUT
from photochanger_gateway.adapters.http.ingest import IngestRoute
from photochanger_gateway.adapters.http.jobs import JobRoutes
from photochanger_gateway.adapters.http.live import HEARTBEAT, Listeners, LiveRoutes
from photochanger_gateway.adapters.http.media import MediaRoutes
from photochanger_gateway.adapters.http.metrics import HttpMetrics, MetricsPage
from photochanger_gateway.adapters.http.operations import OperationRoutes, Readiness
from photochanger_gateway.adapters.http.pages import Pages
from photochanger_gateway.adapters.http.public import PublicRoutes
from photochanger_gateway.adapters.http.records import RecordRoutes
from photochanger_gateway.adapters.http.server import ConnectionLimits, HttpServer
from photochanger_gateway.adapters.http.settings import SettingsRoutes
from photochanger_gateway.adapters.http.signed_in import SignedIn
from photochanger_gateway.adapters.http.slots import SlotRoutes
from photochanger_gateway.adapters.http.spa import SpaRoutes, load_web
from photochanger_gateway.adapters.http.statistics import StatisticsRoutes
from photochanger_gateway.adapters.http.urls import BaseUrl
from photochanger_gateway.adapters.nats.live_events import JetStreamEvents
from photochanger_gateway.adapters.nats.rate_limits import JetStreamRateLimiter
from photochanger_gateway.adapters.nats.sessions import JetStreamKnownAddresses, JetStreamSessions
from photochanger_gateway.application.admin_pictures import AdminPictures
from photochanger_gateway.application.admin_views import SlotViews
from photochanger_gateway.application.audit import Audit
from photochanger_gateway.application.change_settings import ChangeSettings
from photochanger_gateway.application.clean_up import CleanUps
from photochanger_gateway.application.job_views import FigureViews, GalleryViews, JobViews
from photochanger_gateway.application.keep_picture import KeepPicture
from photochanger_gateway.application.live import SlotNames
from photochanger_gateway.application.post_photo import PostPhoto
from photochanger_gateway.application.public_results import PublicResults
from photochanger_gateway.application.rate_limits import Rule
from photochanger_gateway.application.sessions import Sessions
from photochanger_gateway.application.sign_in import SignIn, SignOut
from photochanger_gateway.application.try_photo import TryPhoto
from photochanger_gateway.settings import Settings

_log: Final = structlog.stdlib.get_logger(__name__)

SERVICE: Final = "gateway"
SHORT_IN_LOGS: Final = ("job_id",)  # the whole id opens the job\'s picture
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
    ),
    "media": (
        "photochanger.media.v1.MediaService/Download",
        "photochanger.media.v1.MediaService/DownloadLink",
        "photochanger.media.v1.MediaService/DeleteMediaObject",
        "photochanger.media.v1.MediaService/GetMediaObject",
        "photochanger.media.v1.MediaService/GetUsage",
    ),
}
"""Idempotent calls that gRPC itself repeats while a service is away."""


def main() -> None:
    """Runs the gateway until SIGTERM."""
    run_service(_serve)


async def describe() -> dict[str, Any]:
    """Returns the OpenAPI document. Nobody is asked: where the services are does not matter to it."""
    targets = dict.fromkeys(("ingest_target", "providers_target", "media_target"), "127.0.0.1:9")
    settings = Settings.model_validate(
        {**targets, "nats_url": "nats://127.0.0.1:9", "jwt_signing_key": "-" * 32}
    )
    async with AsyncExitStack() as stack:
        wired = await wire(settings, stack, Readiness(), clock=SystemClock(), registry=CollectorRegistry())
        return wired.app.openapi()


@asynccontextmanager
async def running(work: Coroutine[None, None, None], *, name: str) -> AsyncIterator[None]:
    """Runs work beside the block and ends it with the block; a bug in it ends the block."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work, name=name)
        try:
            yield
        finally:
            task.cancel()


async def _serve(stop: asyncio.Event) -> None:
    settings = load(Settings)
    configure_logging(SERVICE, settings, shortened=SHORT_IN_LOGS)
    async with AsyncExitStack() as stack:
        stack.enter_context(tracing(SERVICE, settings))
        readiness = Readiness()
        wired = await wire(settings, stack, readiness, clock=SystemClock())
        server = HttpServer(
            wired.app,
            listen=settings.http_listen,
            trusted_networks=settings.trusted_networks,
            limits=ConnectionLimits(connections=settings.http_max_connections),
            drain_grace_seconds=settings.drain_grace_seconds,
        )
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(server.serve(), name="http")
            stopping = tasks.create_task(stop.wait(), name="stop")
            await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
            readiness.stop()
            if stop.is_set():
                await asyncio.sleep(settings.drain_delay.total_seconds())
            server.stop()
            stopping.cancel()
            await serving


@dataclass(frozen=True, slots=True)
class Wired:
    """The application and the one connection of it that comes up by itself."""

    app: FastAPI
    nats: NatsConnection


async def wire(
    settings: Settings,
    stack: AsyncExitStack,
    readiness: Readiness,
    *,
    clock: Clock,
    registry: CollectorRegistry = REGISTRY,
    idle_timeout: timedelta = IDLE_TIMEOUT,
    heartbeat: timedelta = HEARTBEAT,
    web: Traversable | None = None,
) -> Wired:
    """Builds the application. What it opens is closed with `stack`."""
    ids = RandomIds()
    session = await stack.enter_async_context(aiohttp.ClientSession())
    nats = await stack.enter_async_context(open_nats(settings, service=SERVICE))
    ingest_channel = await stack.enter_async_context(
        open_channel(settings.ingest_target, settings, retried_reads=_RETRIED_READS["ingest"])
    )
    media_channel = await stack.enter_async_context(
        open_channel(settings.media_target, settings, retried_reads=_RETRIED_READS["media"])
    )
    providers_channel = await stack.enter_async_context(open_channel(settings.providers_target, settings))

    ingest, media = GrpcIngest(ingest_channel, clock), GrpcMedia(media_channel, clock)
    limiter = JetStreamRateLimiter(nats.client, clock)
    metrics = HttpMetrics(registry)
    pages = Pages.load()
    password_checks = await stack.enter_async_context(Workers(1, name="passwords"))
    accounts = CredentialsFile(settings.credentials_file, password_checks)
    keys = settings.signing_keys
    sessions = Sessions(JetStreamSessions(nats), JwtTokens(keys), accounts, clock, ids)
    csrf = HmacCsrfTokens(keys)
    audit_log = GrpcAuditLog(ingest_channel)
    audit = Audit(audit_log, clock, ids)
    clients, base_url = ClientAddress(), BaseUrl(settings.public_media_base_url)
    known_addresses = JetStreamKnownAddresses(nats, derived_keys(keys, "known addresses"))
    signed_in = SignedIn(sessions, csrf, clients)
    slots, configuration = GrpcSlots(ingest_channel), GrpcConfiguration(ingest_channel)
    catalogue = GrpcCatalogue(providers_channel)
    jobs, figures = GrpcJobs(ingest_channel), GrpcFigures(ingest_channel)
    library = GrpcMediaLibrary(media_channel, clock)
    pictures = AdminPictures(media, library, jobs)
    clean_ups = CleanUps(library)
    await stack.enter_async_context(running(clean_ups.run(), name="clean-ups"))
    core = (
        ServiceProbe("ingest", ingest_channel, ("postgres",)),
        ServiceProbe("media", media_channel, ("postgres", "storage")),
        ServiceProbe("providers", providers_channel, ("postgres",)),
    )
    routes = (
        IngestRoute(
            post_photo=PostPhoto(ingest, media),
            media=media,
            limiter=limiter,
            photos=Rule("photos", settings.ingest_rate_per_minute),
            wrong_passwords=Rule("wrong-passwords", settings.wrong_password_rate_per_minute),
            clients=clients,
            base_url=base_url,
            clock=clock,
            ids=ids,
            metrics=metrics,
            idle_timeout=idle_timeout,
        ),
        PublicRoutes(
            ingest=ingest,
            media=media,
            results=PublicResults(ingest, media, clock),
            limiter=limiter,
            rule=Rule("public", settings.public_rate_per_minute),
            shared_rule=Rule("shared-gallery", 30),
            clients=clients,
            base_url=base_url,
            pages=pages,
            clock=clock,
        ),
        AdminRoutes(
            sign_in=SignIn(accounts, known_addresses, sessions, limiter, audit),
            sign_out=SignOut(sessions, audit),
            csrf=csrf,
            signed_in=signed_in,
            audit=audit,
            ingest=ingest,
            clients=clients,
        ),
        SlotRoutes(
            signed_in=signed_in,
            slots=slots,
            views=SlotViews(slots, configuration, ingest),
            audit=audit,
            base_url=base_url,
        ),
        SettingsRoutes(
            signed_in=signed_in,
            configuration=configuration,
            catalogue=catalogue,
            change_settings=ChangeSettings(configuration, catalogue, audit),
            base_url=base_url,
        ),
        JobRoutes(
            signed_in=signed_in,
            views=JobViews(jobs, slots, library),
            pictures=pictures,
            try_photo=TryPhoto(ingest, media, library, jobs),
            audit=audit,
            base_url=base_url,
            clock=clock,
            idle_timeout=idle_timeout,
        ),
        StatisticsRoutes(signed_in=signed_in, figures=figures, views=FigureViews(figures, slots, library)),
        MediaRoutes(
            signed_in=signed_in,
            keep_picture=KeepPicture(media, library),
            pictures=pictures,
            slots=slots,
            clean_ups=clean_ups,
            audit=audit,
            base_url=base_url,
            clock=clock,
            idle_timeout=idle_timeout,
        ),
        RecordRoutes(
            signed_in=signed_in,
            records=audit_log,
            jobs=jobs,
            galleries=GalleryViews(jobs, slots),
            base_url=base_url,
        ),
        LiveRoutes(
            events=JetStreamEvents(nats),
            names=SlotNames(slots),
            sessions=sessions,
            signed_in=signed_in,
            base_url=base_url,
            readiness=readiness,
            listeners=Listeners(),
            heartbeat=heartbeat,
        ),
        SpaRoutes(load_web(web), pages, pictures_from=settings.public_media_base_url),
        OperationRoutes(
            core=core,
            all_probes=(*core, ProvidersProbe(providers_channel), NatsProbe(nats.client)),
            readiness=readiness,
            metrics_page=MetricsPage(registry, settings.federated_metrics, session),
        ),
    )
    app = make_app(
        [route.router() for route in routes],
        pages=pages,
        ids=ids,
        metrics=metrics,
        version=version("photochanger-gateway"),
    )
    return Wired(app, nats)
