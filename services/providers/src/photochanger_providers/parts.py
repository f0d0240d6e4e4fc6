"""What the service and a worker have in common, wired."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random, SystemRandom
from typing import Final

from photochanger.providers.v1.processing_tasks_pb2 import ProcessPhoto
from photochanger_chassis.clock import Clock, SystemClock
from photochanger_chassis.concurrency import ByteBudget, Workers
from photochanger_chassis.grpc.channel import open_channel
from photochanger_chassis.grpc.health import Check
from photochanger_chassis.ids import Ids, RandomIds
from photochanger_chassis.nats.connection import NatsConnection, open_nats
from photochanger_chassis.nats.events import EventPublisher
from photochanger_chassis.postgres import outbox
from photochanger_chassis.postgres.migrate import check_schema
from photochanger_chassis.postgres.notify import Notifications, open_notifications
from photochanger_chassis.postgres.outbox import OutboxRelay
from photochanger_chassis.postgres.pool import Pool, open_pool, probe
from photochanger_chassis.secret_box import SecretBox
from photochanger_tasks import CANCEL_CHANNEL, Keeper, TaskMetrics, Tasks, TicketPublisher
from photochanger_tasks.kinds import Handler
from prometheus_client import CollectorRegistry

from photochanger_providers.adapters.clients.media import RETRIED_READS, MediaClient
from photochanger_providers.adapters.measures import PrometheusMeasures
from photochanger_providers.adapters.postgres.breakers import PostgresBreakerStore
from photochanger_providers.adapters.postgres.keys import PostgresKeyStore
from photochanger_providers.adapters.tasks.kinds import photo_kinds
from photochanger_providers.adapters.workspace import open_workspace, remove_leftovers
from photochanger_providers.application.ask_provider import AskProvider
from photochanger_providers.application.pictures import Pictures
from photochanger_providers.application.ports import WAKE_CANCEL, WAKE_FINISHED, WAKE_PLACES, PlaceLender
from photochanger_providers.application.provider_keys import KeyRing
from photochanger_providers.application.run_photo import Provider, RunPhoto
from photochanger_providers.domain.breaker import BreakerPolicy
from photochanger_providers.domain.catalogue import ProviderId
from photochanger_providers.drivers.entry import DriverEntry, DriverTools
from photochanger_providers.drivers.http import ProviderHttp, open_foreign_session, open_trusted_session
from photochanger_providers.settings import Settings, base_url_of, environment_key_of

SERVICE: Final = "providers"
MIGRATIONS: Final = "photochanger_providers.migrations"


@dataclass(frozen=True, slots=True)
class Parts:
    """Connections, providers, and the work on one photo. `owner` names this process in rows it holds."""

    settings: Settings
    owner: str
    clock: Clock
    ids: Ids
    random: Random
    pool: Pool
    nats: NatsConnection
    notifications: Notifications
    registry: CollectorRegistry
    measures: PrometheusMeasures
    breakers: PostgresBreakerStore
    keys: KeyRing
    providers: Mapping[ProviderId, Provider]
    ask: AskProvider
    media: MediaClient
    pictures: Pictures
    work_dir: Path

    @property
    def checks(self) -> list[Check]:
        """What health looks at."""
        return [Check("postgres", partial(probe, self.pool)), Check("nats", self.nats.probe, required=False)]

    def run_photo(self, places: PlaceLender) -> RunPhoto:
        """Makes the work on photos, with these places of providers."""
        return RunPhoto(
            providers=self.providers,
            keys=self.keys,
            breakers=self.breakers,
            places=places,
            ask=self.ask,
            media=self.media,
            pictures=self.pictures,
            open_workspace=partial(open_workspace, self.work_dir),
            measures=self.measures,
            clock=self.clock,
            pause=pause,
        )

    def tasks(self, handler: Handler[ProcessPhoto] | None = None) -> Tasks:
        """Makes the task engine; with a handler where tasks are run."""
        kinds = photo_kinds(
            list(self.providers.values()),
            context=SERVICE,
            ids=self.ids,
            measures=self.measures,
            share=self.settings.task_share,
            timeout=self.settings.task_timeout,
            handler=handler,
        )
        return Tasks(self.pool, self.clock, self.ids, kinds, TaskMetrics(self.registry))

    def relay(self) -> OutboxRelay:
        """Makes what sends events and tickets on their way."""
        publisher = TicketPublisher(self.nats, EventPublisher(self.nats, service=SERVICE))
        return OutboxRelay(self.pool, publisher, self.notifications)

    def keeper(self, tasks: Tasks) -> Keeper:
        """Makes what keeps tasks going when workers, NATS or time have their way with them."""
        return Keeper(self.pool, self.nats, tasks, self.clock, lease=self.settings.lease_seconds)


@asynccontextmanager
async def open_parts(
    settings: Settings, *, application: str, drivers: tuple[DriverEntry, ...], registry: CollectorRegistry
) -> AsyncIterator[Parts]:
    """Opens everything; closes it in reverse. `application` names this process to PostgreSQL and NATS.

    Raises:
        SchemaOutdated: the database has to be migrated first.
    """
    clock, ids, random = SystemClock(), RandomIds(), SystemRandom()
    cores = os.cpu_count() or 1
    await asyncio.to_thread(check_schema, settings, MIGRATIONS)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(open_pool(settings, application=application))
        nats = await stack.enter_async_context(open_nats(settings, service=application))
        notifications = await stack.enter_async_context(
            open_notifications(
                settings,
                application=application,
                channels=(outbox.CHANNEL, WAKE_FINISHED, WAKE_PLACES, WAKE_CANCEL, CANCEL_CHANNEL),
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
            pause=pause,
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
        yield Parts(
            settings=settings,
            owner=ids.new_id(),
            clock=clock,
            ids=ids,
            random=random,
            pool=pool,
            nats=nats,
            notifications=notifications,
            registry=registry,
            measures=measures,
            breakers=breakers,
            keys=keys,
            providers=providers,
            ask=AskProvider(breakers=breakers, measures=measures, clock=clock, random=random, pause=pause),
            media=MediaClient(media_channel, trusted, clock),
            pictures=Pictures(threads=threads, memory=memory),
            work_dir=work_dir,
        )


async def pause(length: timedelta) -> None:
    """Waits."""
    await asyncio.sleep(max(length.total_seconds(), 0))


@asynccontextmanager
async def _open_provider(entry: DriverEntry, tools: DriverTools, *, limit: int) -> AsyncIterator[Provider]:
    driver = entry.build(tools)
    try:
        yield Provider(entry.info, driver, limit)
    finally:
        await driver.close()
