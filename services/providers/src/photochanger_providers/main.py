"""Wires the service and the worker, of what `parts.py` opens for both. The only place where things meet."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Final

from photochanger.providers.v1.catalogue_service_pb2_grpc import add_CatalogueServiceServicer_to_server
from photochanger.providers.v1.key_service_pb2_grpc import add_KeyServiceServicer_to_server
from photochanger.providers.v1.processing_service_pb2_grpc import add_ProcessingServiceServicer_to_server
from photochanger.tasks.v1.queue_service_pb2_grpc import add_QueueServiceServicer_to_server
from photochanger_chassis.concurrency import run_every
from photochanger_chassis.grpc.server import GrpcServer
from photochanger_chassis.lifecycle import run_until_stopped
from photochanger_chassis.metrics import serve_metrics
from photochanger_chassis.settings import SettingsError
from photochanger_chassis.tracing import tracing
from photochanger_tasks import Limits, Worker, WorkerOptions
from photochanger_tasks.grpc.queue_service import QueueServicer
from prometheus_client import REGISTRY, CollectorRegistry

from photochanger_providers.adapters.grpc.catalogue import CatalogueServicer
from photochanger_providers.adapters.grpc.keys import KeyServicer
from photochanger_providers.adapters.grpc.processing import ProcessingServicer
from photochanger_providers.adapters.postgres.calls import PostgresCallStore
from photochanger_providers.adapters.postgres.photo_tasks import PostgresOrders, PostgresPhotoTaskStore
from photochanger_providers.adapters.postgres.task_places import PostgresTaskPlaceStore
from photochanger_providers.adapters.tasks.handler import PhotoHandler
from photochanger_providers.application.catalogue import Catalogue
from photochanger_providers.application.places import Places
from photochanger_providers.application.processing import LeasePolicy, Processing
from photochanger_providers.application.submitted import SubmittedProcessing
from photochanger_providers.application.task_places import TaskPlaces
from photochanger_providers.drivers.entry import DriverEntry
from photochanger_providers.drivers.registry import registered_drivers
from photochanger_providers.parts import MIGRATIONS, SERVICE, open_parts, pause
from photochanger_providers.settings import Settings, WorkerSettings

__all__ = ["MIGRATIONS", "SERVICE", "SHORT_IN_LOGS", "WORKER", "run", "serve", "work", "work_queues"]

WORKER: Final = "providers-worker"
SHORT_IN_LOGS: Final = ("job_id",)  # the whole id opens the job\'s picture
_DRAIN_SHARE: Final = 0.9
"""Jobs get this share of the server's grace, so that calls that wait for them are still answered."""
_SLOTS: Final = 10
_HISTORY: Final = timedelta(days=2)


async def serve(settings: Settings, stop: asyncio.Event) -> None:
    """Runs the service as a process of its own until `stop` is set."""
    with tracing(SERVICE, settings):
        async with serve_metrics(settings):
            await run(settings, stop, drivers=registered_drivers(), registry=REGISTRY)


async def work(settings: WorkerSettings, stop: asyncio.Event, *, queues: Sequence[str]) -> None:
    """Runs a worker as a process of its own until `stop` is set. No queues: all of them."""
    with tracing(WORKER, settings):
        async with serve_metrics(settings):
            await work_queues(settings, stop, queues=queues, drivers=registered_drivers(), registry=REGISTRY)


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
    async with AsyncExitStack() as stack:
        parts = await stack.enter_async_context(
            open_parts(settings, application=SERVICE, drivers=drivers, registry=registry)
        )
        clock, calls, tasks = parts.clock, PostgresCallStore(parts.pool, parts.ids), parts.tasks()
        photo_tasks = PostgresPhotoTaskStore(parts.pool, tasks, clock)
        places = Places(calls=calls, wake_ups=parts.notifications, owner=parts.owner, clock=clock)
        processing = Processing(
            owner=parts.owner,
            calls=calls,
            wake_ups=parts.notifications,
            work=parts.run_photo(places),
            measures=parts.measures,
            clock=clock,
            pause=pause,
            lease=LeasePolicy(settings.lease_seconds, settings.lease_seconds / 5),
        )
        submitted = SubmittedProcessing(store=photo_tasks, providers=parts.providers, clock=clock)

        async def measure_breakers() -> None:
            parts.measures.open_breakers(await parts.breakers.open_now(now=clock.now()))

        async def forget_photo_tasks() -> None:
            await photo_tasks.forget(ended_before=clock.now() - _HISTORY)

        async with GrpcServer(SERVICE, settings, checks=parts.checks, registry=registry) as server:
            server.add(
                add_ProcessingServiceServicer_to_server, ProcessingServicer(processing, submitted, clock)
            )
            catalogue = Catalogue(
                providers=parts.providers, keys=parts.keys, breakers=parts.breakers, clock=clock
            )
            server.add(add_CatalogueServiceServicer_to_server, CatalogueServicer(catalogue))
            server.add(add_KeyServiceServicer_to_server, KeyServicer(parts.keys))
            server.add(add_QueueServiceServicer_to_server, QueueServicer(tasks))
            await server.start()
            if started is not None:
                started.set_result(server.port)
            # Also when we are cancelled: what is under way ends with an outcome, so that nobody waits for it.
            stack.push_async_callback(processing.drain, timedelta())
            background = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(
                    run_until_stopped(
                        background,
                        parts.relay().run(),
                        parts.keeper(tasks).run(),
                        processing.keep_leases(),
                        processing.watch_cancels(),
                        run_every(timedelta(hours=1), processing.forget_old, name="forget"),
                        run_every(timedelta(hours=1), forget_photo_tasks, name="forget_photo_tasks"),
                        run_every(timedelta(seconds=10), measure_breakers, name="measure_breakers"),
                    )
                )
                await stop.wait()
                # Leases are renewed and events leave while the last jobs end.
                async with asyncio.TaskGroup() as draining:
                    draining.create_task(server.drain())
                    await pause(settings.drain_delay)
                    draining.create_task(processing.drain(settings.drain_grace * _DRAIN_SHARE))
                background.set()


async def work_queues(
    settings: WorkerSettings,
    stop: asyncio.Event,
    *,
    queues: Sequence[str],
    drivers: tuple[DriverEntry, ...],
    registry: CollectorRegistry,
    started: "asyncio.Future[int] | None" = None,
) -> None:
    """Runs tasks until `stop` is set, then drains. `started` gets the port that answers about health.

    Raises:
        SchemaOutdated: the database has to be migrated first.
        SettingsError: there is no such queue.
    """
    slots = _slots(settings, drivers, queues)
    async with open_parts(settings, application=WORKER, drivers=drivers, registry=registry) as parts:
        places = TaskPlaces(
            store=PostgresTaskPlaceStore(parts.pool), owner=parts.owner, clock=parts.clock, pause=pause
        )
        tasks = parts.tasks(
            PhotoHandler(
                orders=PostgresOrders(parts.pool),
                run_photo=parts.run_photo,
                places=places,
                random=parts.random,
            )
        )
        worker = Worker(
            worker_id=parts.owner,
            pool=parts.pool,
            nats=parts.nats,
            notifications=parts.notifications,
            tasks=tasks,
            clock=parts.clock,
            options=WorkerOptions(
                slots=slots,
                lease=settings.lease_seconds,
                grace=settings.drain_grace,
                limits=Limits(
                    memory=settings.worker_memory_limit,
                    cpu=settings.worker_cpu_limit,
                    free_bytes=settings.worker_free_memory_mb * 1024 * 1024,
                ),
            ),
        )
        async with GrpcServer(WORKER, settings, checks=parts.checks, registry=registry) as server:
            await server.start()
            if started is not None:
                started.set_result(server.port)
            background = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                group.create_task(
                    run_until_stopped(
                        background, parts.relay().run(), parts.keeper(tasks).run(), places.keep()
                    )
                )
                # Places are renewed and events leave while the last tasks end.
                await worker.run(stop)
                background.set()


def _slots(settings: WorkerSettings, drivers: Sequence[DriverEntry], queues: Sequence[str]) -> dict[str, int]:
    infos = {entry.info.id: entry.info for entry in drivers}
    unknown = sorted(set(queues) - set(infos))
    if unknown:
        raise SettingsError(
            f"Cannot start:\n  There is no queue {', '.join(unknown)}. There are: {', '.join(sorted(infos))}."
        )
    cores = os.cpu_count() or 1
    return {
        name: settings.worker_slots.get(name, cores if info.max_parallel is None else _SLOTS)
        for name, info in infos.items()
        if not queues or name in queues
    }
