"""The routes of signed-in admins, and their app."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from fastapi import APIRouter
from photochanger_chassis.concurrency import Workers

from photochanger_gateway.adapters.accounts.credentials_file import CredentialsFile
from photochanger_gateway.adapters.accounts.tokens import HmacCsrfTokens, JwtTokens, derived_keys
from photochanger_gateway.adapters.clients.api_keys import GrpcApiKeys
from photochanger_gateway.adapters.clients.async_jobs import GrpcAsyncJobs
from photochanger_gateway.adapters.clients.audit import GrpcAuditLog
from photochanger_gateway.adapters.clients.catalogue import GrpcCatalogue
from photochanger_gateway.adapters.clients.configuration import GrpcConfiguration
from photochanger_gateway.adapters.clients.figures import GrpcFigures
from photochanger_gateway.adapters.clients.jobs import GrpcJobs
from photochanger_gateway.adapters.clients.media_library import GrpcMediaLibrary
from photochanger_gateway.adapters.clients.queues import GrpcQueues
from photochanger_gateway.adapters.clients.slots import GrpcSlots
from photochanger_gateway.adapters.clients.webhooks import GrpcWebhooks
from photochanger_gateway.adapters.http.admin import AdminRoutes
from photochanger_gateway.adapters.http.api_keys import ApiKeyRoutes
from photochanger_gateway.adapters.http.event_stream import Listeners
from photochanger_gateway.adapters.http.jobs import JobRoutes
from photochanger_gateway.adapters.http.live import LiveRoutes
from photochanger_gateway.adapters.http.media import MediaRoutes
from photochanger_gateway.adapters.http.queues import QueueRoutes
from photochanger_gateway.adapters.http.records import RecordRoutes
from photochanger_gateway.adapters.http.settings import SettingsRoutes
from photochanger_gateway.adapters.http.signed_in import SignedIn
from photochanger_gateway.adapters.http.slots import SlotRoutes
from photochanger_gateway.adapters.http.spa import SpaRoutes, load_web
from photochanger_gateway.adapters.http.statistics import StatisticsRoutes
from photochanger_gateway.adapters.http.webhooks import WebhookRoutes
from photochanger_gateway.adapters.nats.live_events import JetStreamEvents
from photochanger_gateway.adapters.nats.sessions import JetStreamKnownAddresses, JetStreamSessions
from photochanger_gateway.application.admin_pictures import AdminPictures
from photochanger_gateway.application.admin_views import SlotViews
from photochanger_gateway.application.audit import Audit
from photochanger_gateway.application.change_settings import ChangeSettings
from photochanger_gateway.application.clean_up import CleanUps
from photochanger_gateway.application.job_views import FigureViews, GalleryViews, JobViews
from photochanger_gateway.application.keep_picture import KeepPicture
from photochanger_gateway.application.live import SlotNames
from photochanger_gateway.application.queue_views import QueueViews
from photochanger_gateway.application.sessions import Sessions
from photochanger_gateway.application.sign_in import SignIn, SignOut
from photochanger_gateway.application.try_photo import TryPhoto
from photochanger_gateway.wiring.shared import Shared, running


@dataclass(frozen=True, slots=True)
class _Services:
    """What admins look at and change, and the record of it."""

    sessions: Sessions
    signed_in: SignedIn
    audit_log: GrpcAuditLog
    audit: Audit
    slots: GrpcSlots
    configuration: GrpcConfiguration
    catalogue: GrpcCatalogue
    jobs: GrpcJobs
    figures: GrpcFigures
    library: GrpcMediaLibrary
    pictures: AdminPictures


async def admin_routes(
    shared: Shared, stack: AsyncExitStack, *, web: Traversable | None = None
) -> list[APIRouter]:
    """All routes that want a login, signing in itself, and the app's files. What they open is closed with `stack`."""
    keys = shared.settings.signing_keys
    password_checks = await stack.enter_async_context(Workers(1, name="passwords"))
    accounts = CredentialsFile(shared.settings.credentials_file, password_checks)
    sessions = Sessions(JetStreamSessions(shared.nats), JwtTokens(keys), accounts, shared.clock, shared.ids)
    csrf = HmacCsrfTokens(keys)
    known_addresses = JetStreamKnownAddresses(shared.nats, derived_keys(keys, "known addresses"))
    services = _services(shared, sessions, csrf)
    clean_ups = CleanUps(services.library)
    await stack.enter_async_context(running(clean_ups.run(), name="clean-ups"))
    signing = AdminRoutes(
        sign_in=SignIn(accounts, known_addresses, sessions, shared.limiter, services.audit),
        sign_out=SignOut(sessions, services.audit),
        csrf=csrf,
        signed_in=services.signed_in,
        audit=services.audit,
        ingest=shared.ingest,
        clients=shared.clients,
    )
    app = SpaRoutes(load_web(web), shared.pages, pictures_from=shared.settings.public_media_base_url)
    return [
        signing.router(),
        *_platform_routes(shared, services),
        *_picture_routes(shared, services, clean_ups),
        *_watching_routes(shared, services),
        *_program_routes(shared, services),
        app.router(),
    ]


def _services(shared: Shared, sessions: Sessions, csrf: HmacCsrfTokens) -> _Services:
    audit_log = GrpcAuditLog(shared.ingest_channel)
    jobs = GrpcJobs(shared.ingest_channel)
    library = GrpcMediaLibrary(shared.media_channel, shared.clock)
    return _Services(
        sessions=sessions,
        signed_in=SignedIn(sessions, csrf, shared.clients),
        audit_log=audit_log,
        audit=Audit(audit_log, shared.clock, shared.ids),
        slots=GrpcSlots(shared.ingest_channel),
        configuration=GrpcConfiguration(shared.ingest_channel),
        catalogue=GrpcCatalogue(shared.providers_channel),
        jobs=jobs,
        figures=GrpcFigures(shared.ingest_channel),
        library=library,
        pictures=AdminPictures(shared.media, library, jobs),
    )


def _platform_routes(shared: Shared, services: _Services) -> list[APIRouter]:
    """Slots, settings, providers."""
    slots = SlotRoutes(
        signed_in=services.signed_in,
        slots=services.slots,
        views=SlotViews(services.slots, services.configuration, shared.ingest),
        audit=services.audit,
        base_url=shared.base_url,
    )
    settings = SettingsRoutes(
        signed_in=services.signed_in,
        configuration=services.configuration,
        catalogue=services.catalogue,
        change_settings=ChangeSettings(services.configuration, services.catalogue, services.audit),
        base_url=shared.base_url,
    )
    return [slots.router(), settings.router()]


def _picture_routes(shared: Shared, services: _Services, clean_ups: CleanUps) -> list[APIRouter]:
    """Jobs, trials, templates, temporary pictures."""
    async_jobs = GrpcAsyncJobs(shared.ingest_channel, shared.clock)
    jobs = JobRoutes(
        signed_in=services.signed_in,
        views=JobViews(services.jobs, services.slots, services.library, async_jobs),
        pictures=services.pictures,
        try_photo=TryPhoto(shared.ingest, shared.media, services.library, services.jobs),
        async_jobs=async_jobs,
        audit=services.audit,
        base_url=shared.base_url,
        clock=shared.clock,
        idle_timeout=shared.timing.idle_timeout,
    )
    media = MediaRoutes(
        signed_in=services.signed_in,
        keep_picture=KeepPicture(shared.media, services.library),
        pictures=services.pictures,
        slots=services.slots,
        clean_ups=clean_ups,
        audit=services.audit,
        base_url=shared.base_url,
        clock=shared.clock,
        idle_timeout=shared.timing.idle_timeout,
    )
    return [jobs.router(), media.router()]


def _watching_routes(shared: Shared, services: _Services) -> list[APIRouter]:
    """Figures, galleries, the record, live events."""
    statistics = StatisticsRoutes(
        signed_in=services.signed_in,
        figures=services.figures,
        views=FigureViews(services.figures, services.slots, services.library),
    )
    records = RecordRoutes(
        signed_in=services.signed_in,
        records=services.audit_log,
        jobs=services.jobs,
        galleries=GalleryViews(services.jobs, services.slots),
        base_url=shared.base_url,
    )
    live = LiveRoutes(
        events=JetStreamEvents(shared.nats),
        names=SlotNames(services.slots),
        sessions=services.sessions,
        signed_in=services.signed_in,
        base_url=shared.base_url,
        readiness=shared.readiness,
        listeners=Listeners(),
        heartbeat=shared.timing.heartbeat,
    )
    return [statistics.router(), records.router(), live.router()]


def _program_routes(shared: Shared, services: _Services) -> list[APIRouter]:
    """What admins see of programs: their keys, their webhooks, and the queues their jobs wait in."""
    keys = ApiKeyRoutes(
        signed_in=services.signed_in, keys=GrpcApiKeys(shared.ingest_channel), audit=services.audit
    )
    owners = (GrpcQueues(shared.providers_channel), GrpcQueues(shared.ingest_channel))
    queues = QueueRoutes(signed_in=services.signed_in, queues=QueueViews(owners), audit=services.audit)
    webhooks = WebhookRoutes(
        signed_in=services.signed_in, webhooks=GrpcWebhooks(shared.ingest_channel), audit=services.audit
    )
    return [keys.router(), queues.router(), webhooks.router()]
