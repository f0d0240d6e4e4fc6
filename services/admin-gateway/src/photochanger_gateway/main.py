"""Starts the gateway; `wiring/` puts its parts together."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from importlib.resources.abc import Traversable
from typing import Any, Final

from fastapi import FastAPI
from photochanger_chassis.clock import Clock, SystemClock
from photochanger_chassis.ids import RandomIds
from photochanger_chassis.lifecycle import run_service
from photochanger_chassis.logging import configure_logging
from photochanger_chassis.nats.connection import NatsConnection
from photochanger_chassis.settings import load
from photochanger_chassis.tracing import tracing
from prometheus_client import REGISTRY, CollectorRegistry

from photochanger_gateway.adapters.http.app import make_app
from photochanger_gateway.adapters.http.event_stream import HEARTBEAT
from photochanger_gateway.adapters.http.form_stream import IDLE_TIMEOUT
from photochanger_gateway.adapters.http.metrics import HttpMetrics
from photochanger_gateway.adapters.http.operations import Readiness
from photochanger_gateway.adapters.http.server import ConnectionLimits, HttpServer
from photochanger_gateway.settings import Settings
from photochanger_gateway.wiring.admins import admin_routes
from photochanger_gateway.wiring.programs import program_routes
from photochanger_gateway.wiring.public import camera_routes, guest_routes, operator_routes
from photochanger_gateway.wiring.shared import SERVICE, Timing, open_shared

SHORT_IN_LOGS: Final = ("job_id",)  # the whole id opens the job's picture


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
    ids, metrics = RandomIds(), HttpMetrics(registry)
    timing = Timing(idle_timeout=idle_timeout, heartbeat=heartbeat)
    shared = await open_shared(
        settings, stack, readiness=readiness, clock=clock, ids=ids, metrics=metrics, timing=timing
    )
    app = make_app(
        [
            camera_routes(shared),
            guest_routes(shared),
            *program_routes(shared),
            *await admin_routes(shared, stack, web=web),
            operator_routes(shared, registry),
        ],
        pages=shared.pages,
        ids=ids,
        metrics=metrics,
        version=version("photochanger-gateway"),
    )
    return Wired(app, shared.nats)
