"""The routes of cameras, of guests and of operators."""

from fastapi import APIRouter
from prometheus_client import CollectorRegistry

from photochanger_gateway.adapters.clients.health import NatsProbe, ProvidersProbe, ServiceProbe
from photochanger_gateway.adapters.http.ingest import IngestRoute
from photochanger_gateway.adapters.http.metrics import MetricsPage
from photochanger_gateway.adapters.http.operations import OperationRoutes
from photochanger_gateway.adapters.http.public import PublicRoutes
from photochanger_gateway.application.post_photo import PostPhoto
from photochanger_gateway.application.public_results import PublicResults
from photochanger_gateway.application.rate_limits import Rule
from photochanger_gateway.wiring.shared import Shared


def camera_routes(shared: Shared) -> APIRouter:
    """Where cameras post."""
    settings = shared.settings
    return IngestRoute(
        post_photo=PostPhoto(shared.ingest, shared.media),
        media=shared.media,
        limiter=shared.limiter,
        photos=Rule("photos", settings.ingest_rate_per_minute),
        wrong_passwords=Rule("wrong-passwords", settings.wrong_password_rate_per_minute),
        clients=shared.clients,
        base_url=shared.base_url,
        clock=shared.clock,
        ids=shared.ids,
        metrics=shared.metrics,
        idle_timeout=shared.timing.idle_timeout,
    ).router()


def guest_routes(shared: Shared) -> APIRouter:
    """What needs no login."""
    return PublicRoutes(
        ingest=shared.ingest,
        media=shared.media,
        results=PublicResults(shared.ingest, shared.media, shared.clock),
        limiter=shared.limiter,
        rule=Rule("public", shared.settings.public_rate_per_minute),
        shared_rule=Rule("shared-gallery", 30),
        clients=shared.clients,
        base_url=shared.base_url,
        pages=shared.pages,
        clock=shared.clock,
    ).router()


def operator_routes(shared: Shared, registry: CollectorRegistry) -> APIRouter:
    """Health, readiness, metrics."""
    core = (
        ServiceProbe("ingest", shared.ingest_channel, ("postgres",)),
        ServiceProbe("media", shared.media_channel, ("postgres", "storage")),
        ServiceProbe("providers", shared.providers_channel, ("postgres",)),
    )
    return OperationRoutes(
        core=core,
        all_probes=(*core, ProvidersProbe(shared.providers_channel), NatsProbe(shared.nats.client)),
        readiness=shared.readiness,
        metrics_page=MetricsPage(registry, shared.settings.federated_metrics, shared.http),
    ).router()
