"""Wires ingest together: the only place where things meet."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from photochanger.ingest.v1 import (
    api_key_service_pb2_grpc,
    audit_service_pb2_grpc,
    gallery_service_pb2_grpc,
    job_service_pb2_grpc,
    settings_service_pb2_grpc,
    slot_service_pb2_grpc,
    statistics_service_pb2_grpc,
)
from photochanger_chassis.clock import Clock
from photochanger_chassis.concurrency import Workers, collapse_group, run_every
from photochanger_chassis.grpc.channel import open_channel
from photochanger_chassis.grpc.health import Check
from photochanger_chassis.grpc.server import GrpcServer
from photochanger_chassis.ids import RandomIds
from photochanger_chassis.lifecycle import run_until_stopped
from photochanger_chassis.nats.connection import open_nats
from photochanger_chassis.nats.events import EventConsumer, EventPublisher
from photochanger_chassis.postgres.notify import open_notifications
from photochanger_chassis.postgres.outbox import CHANNEL, OutboxRelay
from photochanger_chassis.postgres.pool import open_pool, probe
from photochanger_tasks import CANCEL_CHANNEL, TicketPublisher
from prometheus_client import REGISTRY, CollectorRegistry

from photochanger_ingest.adapters.argon2 import Argon2Hasher
from photochanger_ingest.adapters.clients.media import MediaClient
from photochanger_ingest.adapters.clients.providers import ProvidersClient
from photochanger_ingest.adapters.grpc.api_keys import ApiKeyServicer
from photochanger_ingest.adapters.grpc.audit import AuditServicer
from photochanger_ingest.adapters.grpc.galleries import GalleryServicer
from photochanger_ingest.adapters.grpc.jobs import JobServicer
from photochanger_ingest.adapters.grpc.settings import SettingsServicer
from photochanger_ingest.adapters.grpc.slots import SlotServicer
from photochanger_ingest.adapters.grpc.statistics import StatisticsServicer
from photochanger_ingest.adapters.nats.processing import DURABLE, SUBJECT, ProcessingFinishedHandler
from photochanger_ingest.adapters.postgres.activity import PostgresActivity
from photochanger_ingest.adapters.postgres.api_keys import PostgresApiKeys
from photochanger_ingest.adapters.postgres.audit import PostgresAuditLog
from photochanger_ingest.adapters.postgres.events import JOB_CHANNEL, PostgresWakeups
from photochanger_ingest.adapters.postgres.galleries import PostgresGalleries
from photochanger_ingest.adapters.postgres.statistics import PostgresStatistics
from photochanger_ingest.adapters.postgres.store import PostgresStore
from photochanger_ingest.adapters.postgres.versions import PostgresSlotVersions
from photochanger_ingest.application.api_keys import ApiKeys
from photochanger_ingest.application.audit import Audit
from photochanger_ingest.application.check_admission import CheckAdmission
from photochanger_ingest.application.complete_job import CompleteJob
from photochanger_ingest.application.configure import PlatformSettings, Slots
from photochanger_ingest.application.jobs import Jobs
from photochanger_ingest.application.metrics import JobMetrics
from photochanger_ingest.application.open_job import OpenJob, OpenJobTuning
from photochanger_ingest.application.open_test_job import OpenTestJob
from photochanger_ingest.application.passwords import PasswordCheck
from photochanger_ingest.application.run_job import JobRunner, RunTuning
from photochanger_ingest.application.share_galleries import ShareGalleries
from photochanger_ingest.application.slot_activity import ListSlotActivity
from photochanger_ingest.application.start_waiting import StartWaiting
from photochanger_ingest.application.statistics import Statistics
from photochanger_ingest.application.sweep import Sweeper, SweepTuning
from photochanger_ingest.application.take_outcome import TakeOutcome
from photochanger_ingest.application.templates import Templates
from photochanger_ingest.application.verify_password import VerifyPassword
from photochanger_ingest.asynchronous import AsynchronousJobs, Surroundings, wire_asynchronous_jobs
from photochanger_ingest.settings import IngestSettings
from photochanger_ingest.webhooks import WebhookPart, open_webhooks

SERVICE: Final = "ingest"
SHORT_IN_LOGS: Final = ("job_id",)  # the whole id opens the job\'s picture
MIGRATIONS: Final = "photochanger_ingest.migrations"
_PRUNE_INTERVAL: Final = timedelta(minutes=1)
_LOOK_INTERVAL: Final = timedelta(seconds=1)
_MEASURE_INTERVAL: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Ingest:
    """A running service, for whoever opened it."""

    server: GrpcServer
    runner: JobRunner
    sweeper: Sweeper
    on_processing_finished: ProcessingFinishedHandler
    asynchronous: AsynchronousJobs
    webhooks: WebhookPart


@asynccontextmanager
async def open_ingest(
    settings: IngestSettings,
    *,
    clock: Clock,
    tuning: RunTuning | None = None,
    sweeping: SweepTuning | None = None,
    registry: CollectorRegistry = REGISTRY,
) -> AsyncIterator[Ingest]:
    """Serves until the block is left. Needs the database to be migrated, and nothing else to be up.

    Leaving drains: new calls are refused, those in flight and the jobs nobody waits for get time to end, then
    what is left is let go for another replica.
    """
    tuning = tuning or RunTuning()
    sweeping = sweeping or SweepTuning(keep_jobs=timedelta(days=settings.job_retention_days))
    ids = RandomIds()
    metrics = JobMetrics(registry)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings, application=SERVICE))
        notifications = await stack.enter_async_context(
            open_notifications(settings, application=SERVICE, channels=(JOB_CHANNEL, CHANNEL, CANCEL_CHANNEL))
        )
        nats = await stack.enter_async_context(open_nats(settings, service=SERVICE))
        providers_channel = await stack.enter_async_context(open_channel(settings.providers_target, settings))
        providers = ProvidersClient(providers_channel, clock)
        media = MediaClient(await stack.enter_async_context(open_channel(settings.media_target, settings)))
        threads = await stack.enter_async_context(Workers(settings.password_threads, name="password"))
        passwords = PasswordCheck(Argon2Hasher(settings.password_pepper.get_secret_value()), threads, clock)
        webhooks = await stack.enter_async_context(
            open_webhooks(
                settings,
                pool=pool,
                nats=nats,
                notifications=notifications,
                clock=clock,
                ids=ids,
                registry=registry,
            )
        )
        store = PostgresStore(pool, ids, webhooks.job_webhooks)
        wakeups = PostgresWakeups(notifications)
        templates = Templates(store, media)
        opening = OpenJobTuning(settings.shortest_job, settings.late_result_window)
        complete = CompleteJob(store, media, clock, metrics)
        start_waiting = StartWaiting(store, clock, metrics)
        runner = await stack.enter_async_context(
            JobRunner(
                ids.new_id(),
                store=store,
                start_waiting=start_waiting,
                complete=complete,
                providers=providers,
                media=media,
                wakeups=wakeups,
                clock=clock,
                tuning=tuning,
            )
        )
        sweeper = Sweeper(
            store,
            complete=complete,
            start_waiting=start_waiting,
            clock=clock,
            metrics=metrics,
            tuning=sweeping,
        )
        on_processing_finished = ProcessingFinishedHandler(TakeOutcome(store, complete), start_waiting)
        consumer = EventConsumer(
            nats,
            durable=DURABLE,
            subjects=[SUBJECT],
            handler=on_processing_finished,
        )
        asynchronous = wire_asynchronous_jobs(
            Surroundings(
                pool=pool,
                store=store,
                nats=nats,
                providers_channel=providers_channel,
                providers=providers,
                media=media,
                templates=templates,
                webhooks=webhooks,
                complete=complete,
                wakeups=wakeups,
                clock=clock,
                ids=ids,
                metrics=metrics,
            )
        )
        publisher = TicketPublisher(nats, EventPublisher(nats, service=SERVICE))
        relay = OutboxRelay(pool, publisher, notifications)
        server = GrpcServer(
            SERVICE,
            settings,
            checks=[Check("postgres", lambda: probe(pool)), Check("nats", nats.probe, required=False)],
            registry=registry,
        )
        server.add(
            job_service_pb2_grpc.add_JobServiceServicer_to_server,
            JobServicer(
                check_admission=CheckAdmission(store, clock, ids),
                verify_password=VerifyPassword(store, passwords),
                open_job=OpenJob(store, passwords, clock, metrics, opening),
                open_test_job=OpenTestJob(store, templates, providers, clock, opening),
                runner=runner,
                jobs=Jobs(store, clock),
            ),
        )
        asynchronous.add_to(server)
        webhooks.add_to(server)
        server.add(
            slot_service_pb2_grpc.add_SlotServiceServicer_to_server,
            SlotServicer(
                Slots(
                    store,
                    versions=PostgresSlotVersions(pool),
                    templates=templates,
                    providers=providers,
                    passwords=passwords,
                    clock=clock,
                ),
                templates,
                ListSlotActivity(PostgresActivity(pool), clock),
            ),
        )
        server.add(
            gallery_service_pb2_grpc.add_GalleryServiceServicer_to_server,
            GalleryServicer(ShareGalleries(PostgresGalleries(pool), clock)),
        )
        server.add(
            settings_service_pb2_grpc.add_SettingsServiceServicer_to_server,
            SettingsServicer(PlatformSettings(store, passwords, clock)),
        )
        server.add(
            statistics_service_pb2_grpc.add_StatisticsServiceServicer_to_server,
            StatisticsServicer(Statistics(PostgresStatistics(pool), clock)),
        )
        server.add(
            audit_service_pb2_grpc.add_AuditServiceServicer_to_server,
            AuditServicer(Audit(PostgresAuditLog(pool), clock)),
        )
        server.add(
            api_key_service_pb2_grpc.add_ApiKeyServiceServicer_to_server,
            ApiKeyServicer(ApiKeys(PostgresApiKeys(pool), clock, ids)),
        )
        background = (
            relay.run(),
            consumer.run(),
            *asynchronous.background(settings.sweep_interval),
            *webhooks.background(),
            run_every(tuning.lease / 3, runner.renew_holds, name="renew-holds"),
            run_every(_LOOK_INTERVAL, runner.start_waiting, name="start-waiting"),
            run_every(settings.sweep_interval, sweeper.end_overdue, name="sweep"),
            run_every(_PRUNE_INTERVAL, sweeper.prune, name="prune"),
            run_every(_MEASURE_INTERVAL, sweeper.measure, name="measure"),
        )
        async with _running(server, runner, webhooks, background):
            yield Ingest(server, runner, sweeper, on_processing_finished, asynchronous, webhooks)


@asynccontextmanager
async def _running(
    server: GrpcServer,
    runner: JobRunner,
    webhooks: WebhookPart,
    background: Sequence[Coroutine[object, object, object]],
) -> AsyncIterator[None]:
    """Serves until the block is left. A background loop that breaks ends the service: it is restarted, and half a
    service would go unnoticed.
    """
    stopping, drained = asyncio.Event(), asyncio.Event()
    with collapse_group():
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run_until_stopped(stopping, *background), name="background")
            sending = tasks.create_task(webhooks.work(drained), name="webhooks")
            try:
                async with server:
                    await server.start()
                    yield
                    # Beside the calls: both fit into the time a pod is given. What comes now is another replica's.
                    drained.set()
                await runner.finish()
                # The relay goes on until the last messages are sent.
                await asyncio.wait({sending})
            finally:
                drained.set()
                stopping.set()
