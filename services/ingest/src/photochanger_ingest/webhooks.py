"""Wires the part of ingest that tells API clients of the ends of their jobs; `main` wires the rest and opens it."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from photochanger.ingest.v1 import webhook_service_pb2_grpc
from photochanger.tasks.v1 import queue_service_pb2_grpc
from photochanger_chassis.clock import Clock
from photochanger_chassis.grpc.server import GrpcServer
from photochanger_chassis.ids import Ids
from photochanger_chassis.lifecycle import cancel_until_done
from photochanger_chassis.nats.connection import NatsConnection
from photochanger_chassis.postgres.notify import Notifications
from photochanger_chassis.postgres.pool import Pool
from photochanger_chassis.secret_box import SecretBox
from photochanger_tasks import Keeper, Kinds, Limits, TaskMetrics, Tasks, Worker, WorkerOptions
from photochanger_tasks.grpc.queue_service import QueueServicer
from prometheus_client import CollectorRegistry

from photochanger_ingest.adapters.grpc.webhooks import WebhookServicer
from photochanger_ingest.adapters.http.receivers import open_receivers
from photochanger_ingest.adapters.postgres.job_webhooks import JobWebhooks
from photochanger_ingest.adapters.postgres.webhook_secrets import PostgresWebhookSecrets
from photochanger_ingest.adapters.postgres.webhooks import PostgresDeliveryLog, PostgresDueDeliveries
from photochanger_ingest.adapters.tasks.webhook_handler import WebhookHandler
from photochanger_ingest.adapters.tasks.webhook_kind import DELIVER_WEBHOOK, QUEUE
from photochanger_ingest.application.deliver_webhook import DeliverWebhook
from photochanger_ingest.application.metrics import WebhookMetrics
from photochanger_ingest.application.webhook_secrets import WebhookSecrets
from photochanger_ingest.application.webhooks import Webhooks
from photochanger_ingest.domain.address import AddressPolicy
from photochanger_ingest.domain.webhook import Schedule
from photochanger_ingest.settings import WebhookSettings

_SLOTS: Final = 8
# A message costs next to nothing: also a busy machine sends it.
_NO_LIMITS: Final = Limits(memory=1, cpu=1, free_bytes=0)
_STORING: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class WebhookPart:
    """What makes deliveries, what answers calls, what works in the background."""

    job_webhooks: JobWebhooks
    secrets: WebhookSecrets
    servicer: WebhookServicer
    tasks: Tasks
    keeper: Keeper
    worker: Worker
    nats: NatsConnection

    def add_to(self, server: GrpcServer) -> None:
        """Adds its services to the server."""
        server.add(webhook_service_pb2_grpc.add_WebhookServiceServicer_to_server, self.servicer)
        server.add(queue_service_pb2_grpc.add_QueueServiceServicer_to_server, QueueServicer(self.tasks))

    def background(self) -> tuple[Coroutine[object, object, None], ...]:
        """Returns its endless loops."""
        return (self.keeper.run(),)

    async def work(self, stop: asyncio.Event) -> None:
        """Sends messages until `stop` is set and those under way are sent. Before NATS is there, nothing is."""
        waiting = [asyncio.create_task(event.wait()) for event in (self.nats.connected, stop)]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_until_done(*waiting)
        if not stop.is_set():
            await self.worker.run(stop)


@asynccontextmanager
async def open_webhooks(
    settings: WebhookSettings,
    *,
    pool: Pool,
    nats: NatsConnection,
    notifications: Notifications,
    clock: Clock,
    ids: Ids,
    registry: CollectorRegistry,
) -> AsyncIterator[WebhookPart]:
    """Puts the part together. Nothing runs yet. `notifications` listen to the engine's `CANCEL_CHANNEL`, too."""
    schedule = Schedule(settings.webhook_retry_pauses)
    store = PostgresWebhookSecrets(
        pool, SecretBox.from_text(settings.secrets_encryption_key.get_secret_value())
    )
    async with open_receivers(
        AddressPolicy(settings.webhook_allowed_networks), timeout=settings.webhook_timeout, clock=clock
    ) as receivers:
        deliver = DeliverWebhook(
            PostgresDueDeliveries(pool),
            store,
            receivers,
            schedule,
            clock=clock,
            chance=random.random,
            metrics=WebhookMetrics(registry),
        )
        kinds = Kinds.of("ingest", DELIVER_WEBHOOK.handled_by(WebhookHandler(deliver)), queues=[QUEUE])
        tasks = Tasks(pool, clock, ids, kinds, TaskMetrics(registry))
        secrets = WebhookSecrets(store, clock)
        yield WebhookPart(
            job_webhooks=JobWebhooks(tasks, ids, schedule),
            secrets=secrets,
            servicer=WebhookServicer(secrets, Webhooks(PostgresDeliveryLog(pool, tasks, schedule), clock)),
            tasks=tasks,
            keeper=Keeper(pool, nats, tasks, clock),
            worker=Worker(
                worker_id=f"ingest-{ids.new_id()}",
                pool=pool,
                nats=nats,
                notifications=notifications,
                tasks=tasks,
                clock=clock,
                options=WorkerOptions(
                    slots={QUEUE.name: _SLOTS}, grace=settings.webhook_timeout + _STORING, limits=_NO_LIMITS
                ),
            ),
            nats=nats,
        )
