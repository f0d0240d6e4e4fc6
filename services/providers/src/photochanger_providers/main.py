"""Wires the service. The only place where things meet."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import SystemRandom
from typing import Final

from photochanger.providers.v1.catalogue_service_pb2_grpc import add_CatalogueServiceServicer_to_server
from photochanger.providers.v1.key_service_pb2_grpc import add_KeyServiceServicer_to_server
from photochanger.providers.v1.processing_service_pb2_grpc import add_ProcessingServiceServicer_to_server
from photochanger_chassis.clock import SystemClock
from photochanger_chassis.concurrency import ByteBudget, Workers, run_every
from photochanger_chassis.grpc.channel import open_channel
from photochanger_chassis.grpc.health import Check
from photochanger_chassis.grpc.server import GrpcServer
from photochanger_chassis.ids import RandomIds
from photochanger_chassis.lifecycle import run_until_stopped
from photochanger_chassis.metrics import serve_metrics
from photochanger_chassis.nats.connection import open_nats
from photochanger_chassis.nats.events import EventPublisher
from photochanger_chassis.postgres import outbox
from photochanger_chassis.postgres.migrate import check_schema
from photochanger_chassis.postgres.notify import open_notifications
from photochanger_chassis.postgres.outbox import OutboxRelay
from photochanger_chassis.postgres.pool import open_pool, probe
from photochanger_chassis.tracing import tracing
from prometheus_client import REGISTRY, CollectorRegistry

from photochanger_providers.adapters.clients.media import RETRIED_READS, MediaClient
from photochanger_providers.adapters.grpc.catalogue import CatalogueServicer
from photochanger_providers.adapters.grpc.keys import KeyServicer
from photochanger_providers.adapters.grpc.processing import ProcessingServicer
from photochanger_providers.adapters.measures import PrometheusMeasures
from photochanger_providers.adapters.postgres.breakers import PostgresBreakerStore
from photochanger_providers.adapters.postgres.calls import PostgresCallStore
from photochanger_providers.adapters.postgres.keys import PostgresKeyStore
from photochanger_providers.adapters.secret_box import SecretBox
from photochanger_providers.adapters.workspace import open_workspace, remove_leftovers
from photochanger_providers.application.ask_provider import AskProvider
from photochanger_providers.application.catalogue import Catalogue
from photochanger_providers.application.pictures import Pictures
from photochanger_providers.application.places import Places
from photochanger_providers.application.ports import WAKE_CANCEL, WAKE_FINISHED, WAKE_PLACES
from photochanger_providers.application.processing import LeasePolicy, Processing
from photochanger_providers.application.provider_keys import KeyRing
from photochanger_providers.application.run_photo import Provider, RunPhoto
from photochanger_providers.domain.breaker import BreakerPolicy
from photochanger_providers.drivers.entry import DriverEntry, DriverTools
from photochanger_providers.drivers.http import ProviderHttp, open_foreign_session, open_trusted_session
from photochanger_providers.drivers.registry import registered_drivers
from photochanger_providers.settings import (
    Settings,
    base_url_of,
    environment_key_of,
)

SERVICE: Final = "providers"
SHORT_IN_LOGS: Final = ("job_id",)  # the whole id opens the job\'s picture
MIGRATIONS: Final = "photochanger_providers.migrations"
_DRAIN_SHARE: Final = 0.9
"""Jobs get this share of the server's grace, so that calls that wait for them are still answered."""


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Runs the service as a process of its own until `stop` is set."""
    with tracing(SERVICE, settings):
        async with serve_metrics(settings):
            await run(settings, stop, drivers=registered_drivers(), registry=REGISTRY)


async def run(
    settings: Settings,
    stop: asyncio.Event,
    *,
    drivers: tuple[DriverEntry, ...],
    registry: CollectorRegistry,
    started: "asyncio.Future[int] | None" = None,
) -> None:
    """Runs the service until `stop` is set, then drains. `started` gets the gRPC port once it serves.

    Raises:
        SchemaOutdated: the database has to be migrated first.
    """
    clock, ids, random = SystemClock(), RandomIds(), SystemRandom()
    cores = os.cpu_count() or 1
    owner = ids.new_id()
    await asyncio.to_thread(check_schema, settings, MIGRATIONS)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings, application=SERVICE))
        nats = await stack.enter_async_context(open_nats(settings, service=SERVICE))
        notifications = await stack.enter_async_context(
            open_notifications(
                settings,
                application=SERVICE,
                channels=(outbox.CHANNEL, WAKE_FINISHED, WAKE_PLACES, WAKE_CANCEL),
            )
        )
        media_channel = await stack.enter_async_context(
            open_channel(settings.media_target, settings, retried_reads=RETRIED_READS)
        )
        trusted = await stack.enter_async_context(open_trusted_session())
        foreign = await stack.enter_async_context(open_foreign_session())
        threads = await stack.enter_async_context(Workers(cores, name="pictures"))
        work_dir = settings.work_dir or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if settings.work_dir is not None:
            await asyncio.to_thread(remove_leftovers, work_dir)

        memory = ByteBudget(settings.memory_budget_mb * 1024 * 1024)
        measures = PrometheusMeasures(registry)
        calls = PostgresCallStore(pool, ids)
        breakers = PostgresBreakerStore(
            pool,
            BreakerPolicy(
                threshold=settings.breaker_threshold,
                pause=settings.breaker_pause,
                long_pause=settings.breaker_long_pause,
            ),
        )
        tools = partial(
            DriverTools,
            memory=memory,
            clock=clock,
            random=random,
            pause=_pause,
            models_dir=settings.local_models_dir,
            cores=cores,
        )
        providers = {
            entry.info.id: await stack.enter_async_context(
                _open_provider(
                    entry,
                    tools(ProviderHttp(base_url=base_url_of(entry.info), trusted=trusted, foreign=foreign)),
                    limit=settings.provider_limits.get(entry.info.id, entry.info.max_parallel or cores),
                )
            )
            for entry in drivers
        }
        keys = KeyRing(
            infos={entry.info.id: entry.info for entry in drivers},
            environment={entry.info.id: environment_key_of(entry.info.id) for entry in drivers},
            stored=PostgresKeyStore(
                pool, SecretBox.from_text(settings.secrets_encryption_key.get_secret_value())
            ),
            breakers=breakers,
            clock=clock,
        )
        run_photo = RunPhoto(
            providers=providers,
            keys=keys,
            breakers=breakers,
            places=Places(calls=calls, wake_ups=notifications, owner=owner, clock=clock),
            ask=AskProvider(breakers=breakers, measures=measures, clock=clock, random=random, pause=_pause),
            media=MediaClient(media_channel, trusted, clock),
            pictures=Pictures(threads=threads, memory=memory),
            open_workspace=partial(open_workspace, work_dir),
            measures=measures,
            clock=clock,
            pause=_pause,
        )
        processing = Processing(
            owner=owner,
            calls=calls,
            wake_ups=notifications,
            work=run_photo,
            measures=measures,
            clock=clock,
            pause=_pause,
            lease=LeasePolicy(settings.lease_seconds, settings.lease_seconds / 5),
        )
        relay = OutboxRelay(pool, EventPublisher(nats, service=SERVICE), notifications)

        async def measure_breakers() -> None:
            measures.open_breakers(await breakers.open_now(now=clock.now()))

        checks = [Check("postgres", partial(probe, pool)), Check("nats", nats.probe, required=False)]
        async with GrpcServer(SERVICE, settings, checks=checks, registry=registry) as server:
            server.add(add_ProcessingServiceServicer_to_server, ProcessingServicer(processing, clock))
            catalogue = Catalogue(providers=providers, keys=keys, breakers=breakers, clock=clock)
            server.add(add_CatalogueServiceServicer_to_server, CatalogueServicer(catalogue))
            server.add(add_KeyServiceServicer_to_server, KeyServicer(keys))
            await server.start()
            if started is not None:
                started.set_result(server.port)
            # Also when we are cancelled: what is under way ends with an outcome, so that nobody waits for it.
            stack.push_async_callback(processing.drain, timedelta())
            background = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(
                    run_until_stopped(
                        background,
                        relay.run(),
                        processing.keep_leases(),
                        processing.watch_cancels(),
                        run_every(timedelta(hours=1), processing.forget_old, name="forget"),
                        run_every(timedelta(seconds=10), measure_breakers, name="measure_breakers"),
                    )
                )
                await stop.wait()
                # Leases are renewed and events leave while the last jobs end.
                async with asyncio.TaskGroup() as draining:
                    draining.create_task(server.drain())
                    await _pause(settings.drain_delay)
                    draining.create_task(processing.drain(settings.drain_grace * _DRAIN_SHARE))
                background.set()


@asynccontextmanager
async def _open_provider(entry: DriverEntry, tools: DriverTools, *, limit: int) -> AsyncIterator[Provider]:
    driver = entry.build(tools)
    try:
        yield Provider(entry.info, driver, limit)
    finally:
        await driver.close()


async def _pause(length: timedelta) -> None:
    await asyncio.sleep(max(length.total_seconds(), 0))
