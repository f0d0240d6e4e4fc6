"""Puts the service together. Nothing else does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from photochanger.media.v1.media_service_pb2_grpc import add_MediaServiceServicer_to_server
from photochanger_chassis.clock import Clock, SystemClock
from photochanger_chassis.concurrency import Workers, run_every
from photochanger_chassis.grpc.health import Check
from photochanger_chassis.grpc.server import GrpcServer
from photochanger_chassis.ids import Ids, RandomIds
from photochanger_chassis.lifecycle import run_until_stopped
from photochanger_chassis.logging import configure_logging
from photochanger_chassis.metrics import serve_metrics
from photochanger_chassis.nats.connection import open_nats
from photochanger_chassis.nats.events import EventConsumer
from photochanger_chassis.postgres.migrate import check_schema
from photochanger_chassis.postgres.migrate import migrate as migrate_database
from photochanger_chassis.postgres.pool import Pool, open_pool, probe
from photochanger_chassis.settings import load
from photochanger_chassis.tracing import tracing
from photochanger_imaging.info import DEFAULT_LIMITS
from prometheus_client import REGISTRY, CollectorRegistry

from photochanger_media.adapters.grpc.media_service import MediaServicer, UseCases
from photochanger_media.adapters.nats.job_events import DURABLE, SUBJECTS, JobEventHandler
from photochanger_media.adapters.postgres.inventory import PostgresInventories
from photochanger_media.adapters.postgres.links import PostgresLinks
from photochanger_media.adapters.postgres.locks import PostgresLocks
from photochanger_media.adapters.postgres.media_objects import PostgresMediaObjects
from photochanger_media.adapters.s3.bucket import S3Bucket, open_bucket
from photochanger_media.application.cleanup import CleanupReport, RunCleanup
from photochanger_media.application.job_events import JobFinished, JobResultKept
from photochanger_media.application.linking import CreateLink
from photochanger_media.application.listing import GetUsage, ListMedia
from photochanger_media.application.previews import MakePreview
from photochanger_media.application.publishing import PublishInput
from photochanger_media.application.reading import CreateReadUrl, Download, DownloadLink, FindMedia
from photochanger_media.application.receiving import Receive
from photochanger_media.application.removal import DeleteJobMedia, DeleteMediaObject, Purge
from photochanger_media.application.storing import Storing
from photochanger_media.application.upload import UploadLimits, UploadMedia
from photochanger_media.metrics import MediaMetrics
from photochanger_media.settings import CleanupSettings, MigrateSettings, Settings

SERVICE: Final = "media"
SHORT_IN_LOGS: Final = ("job_id",)  # the whole id opens the job\'s picture
MIGRATIONS: Final = "photochanger_media.migrations"
_RECENT_BYTES: Final = 12 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The wired service, without its server."""

    pool: Pool
    bucket: S3Bucket
    use_cases: UseCases
    events: JobEventHandler
    metrics: MediaMetrics


@asynccontextmanager
async def wired(
    settings: CleanupSettings | Settings,
    *,
    clock: Clock,
    ids: Ids,
    registry: CollectorRegistry = REGISTRY,
) -> AsyncIterator[Service]:
    """Opens database and bucket and puts the use cases on them."""
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings, application=SERVICE))
        locks = PostgresLocks(settings)
        stack.push_async_callback(locks.close)
        bucket = await stack.enter_async_context(
            open_bucket(settings.address, part_bytes=settings.s3_part_bytes, recent_bytes=_RECENT_BYTES)
        )
        workers = await stack.enter_async_context(Workers(settings.image_threads, name="image"))
        # Previews are waited for by nobody; a photo on its way goes first.
        preview_workers = await stack.enter_async_context(
            Workers(settings.image_threads, name="preview", niceness=10)
        )
        metrics = MediaMetrics(registry)
        objects = PostgresMediaObjects(pool)
        links = PostgresLinks(pool)
        storing = Storing(
            bucket=bucket, objects=objects, locks=locks, clock=clock, ids=ids, retentions=settings.retentions
        )
        receive = Receive(storing, workers)
        find = FindMedia(objects, clock)
        download = Download(find, bucket)
        purge = Purge(objects, bucket, locks, clock)
        delete_job_media = DeleteJobMedia(objects, purge, clock)
        make_preview = MakePreview(
            objects=objects,
            bucket=bucket,
            storing=storing,
            workers=preview_workers,
            limits=DEFAULT_LIMITS,
            metrics=metrics,
        )
        yield Service(
            pool=pool,
            bucket=bucket,
            metrics=metrics,
            use_cases=UseCases(
                upload=UploadMedia(
                    receive,
                    make_preview,
                    UploadLimits(
                        max_size_bytes=settings.max_upload_bytes,
                        max_parallel=settings.max_parallel_uploads,
                        max_duration=settings.max_upload_seconds,
                    ),
                    metrics,
                ),
                download=download,
                download_link=DownloadLink(links, download, clock),
                find=find,
                list=ListMedia(objects, clock),
                create_read_url=CreateReadUrl(find, bucket, clock, lifetime=settings.s3_read_url_seconds),
                create_link=CreateLink(
                    find, links, clock, ids, public_base_url=settings.public_media_base_url
                ),
                publish_input=PublishInput(
                    find=find,
                    download=download,
                    receive=receive,
                    objects=objects,
                    clock=clock,
                    limits=DEFAULT_LIMITS,
                ),
                delete=DeleteMediaObject(objects, purge, clock),
                delete_job_media=delete_job_media,
                run_cleanup=RunCleanup(
                    objects=objects,
                    inventories=PostgresInventories(pool),
                    bucket=bucket,
                    locks=locks,
                    purge=purge,
                    make_preview=make_preview,
                    clock=clock,
                    longest_upload=settings.max_upload_seconds,
                    metrics=metrics,
                ),
                get_usage=GetUsage(objects),
            ),
            events=JobEventHandler(
                JobFinished(objects=objects, make_preview=make_preview, delete=delete_job_media, clock=clock),
                JobResultKept(objects=objects, make_preview=make_preview),
            ),
        )


async def serve(stop: asyncio.Event) -> None:
    """Serves until `stop` is set."""
    settings = load(Settings)
    configure_logging(SERVICE, settings, shortened=SHORT_IN_LOGS)
    await asyncio.to_thread(check_schema, settings, MIGRATIONS)
    async with AsyncExitStack() as stack:
        stack.enter_context(tracing(SERVICE, settings))
        await stack.enter_async_context(serve_metrics(settings))
        service = await stack.enter_async_context(wired(settings, clock=SystemClock(), ids=RandomIds()))
        await service.bucket.ensure()
        events = await stack.enter_async_context(open_nats(settings, service=SERVICE))
        server = await stack.enter_async_context(
            GrpcServer(
                SERVICE,
                settings,
                checks=[
                    Check("postgres", lambda: probe(service.pool)),
                    Check("storage", service.bucket.check),
                    Check("nats", events.probe, required=False),
                ],
            )
        )
        server.add(add_MediaServiceServicer_to_server, MediaServicer(service.use_cases))
        await server.start()
        consumer = EventConsumer(
            events,
            durable=DURABLE,
            subjects=SUBJECTS,
            handler=service.events,
            concurrency=settings.image_threads,
        )

        async def sweep() -> None:
            await service.use_cases.run_cleanup()
            service.metrics.usage(await service.use_cases.get_usage(None))

        await run_until_stopped(
            stop,
            consumer.run(),
            run_every(settings.cleanup_interval_seconds, sweep, name="cleanup"),
        )


def migrate() -> None:
    """Brings the database to the newest schema and creates the bucket."""
    settings = load(MigrateSettings)
    configure_logging(SERVICE, settings, shortened=SHORT_IN_LOGS)
    migrate_database(settings, MIGRATIONS)
    asyncio.run(_create_bucket(settings))


async def _create_bucket(settings: MigrateSettings) -> None:
    async with open_bucket(settings.address) as bucket:
        await bucket.ensure()


async def cleanup() -> CleanupReport:
    """Sweeps once, as the service does every quarter of an hour."""
    settings = load(CleanupSettings)
    configure_logging(SERVICE, settings, shortened=SHORT_IN_LOGS)
    async with wired(settings, clock=SystemClock(), ids=RandomIds()) as service:
        return await service.use_cases.run_cleanup()
