"""Wires the part of ingest that runs asynchronous jobs; `main` wires the rest and opens it."""

from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import grpc
from photochanger.ingest.v1 import async_job_service_pb2_grpc
from photochanger_chassis.clock import Clock
from photochanger_chassis.concurrency import run_every
from photochanger_chassis.grpc.server import GrpcServer
from photochanger_chassis.ids import Ids
from photochanger_chassis.nats.connection import NatsConnection
from photochanger_chassis.nats.events import EventConsumer
from photochanger_chassis.postgres.pool import Pool

from photochanger_ingest.adapters.clients.processing_queue import ProcessingQueueClient
from photochanger_ingest.adapters.grpc.async_jobs import AsyncJobServicer
from photochanger_ingest.adapters.nats.task_events import DURABLE, SUBJECTS, TaskEventHandler
from photochanger_ingest.adapters.postgres.async_jobs import PostgresAsyncStore
from photochanger_ingest.adapters.postgres.store import PostgresStore
from photochanger_ingest.application.async_jobs import AsyncJobs
from photochanger_ingest.application.complete_job import CompleteJob
from photochanger_ingest.application.follow_up import FollowUp, TakeProgress
from photochanger_ingest.application.hand_over import HandOver
from photochanger_ingest.application.metrics import JobMetrics
from photochanger_ingest.application.open_async_job import OpenAsyncJob
from photochanger_ingest.application.outside import Media, Providers, Wakeups
from photochanger_ingest.application.templates import Templates
from photochanger_ingest.webhooks import WebhookPart

_FOLLOW_UP_INTERVAL: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rest of ingest has and the asynchronous part uses as well."""

    pool: Pool
    store: PostgresStore
    nats: NatsConnection
    providers_channel: grpc.aio.Channel
    providers: Providers
    media: Media
    templates: Templates
    webhooks: WebhookPart
    complete: CompleteJob
    wakeups: Wakeups
    clock: Clock
    ids: Ids
    metrics: JobMetrics


@dataclass(frozen=True, slots=True)
class AsynchronousJobs:
    """The asynchronous part: what answers calls, what hears events, what works in the background."""

    servicer: AsyncJobServicer
    hand_over: HandOver
    follow_up: FollowUp
    on_task_event: TaskEventHandler
    consumer: EventConsumer

    def add_to(self, server: GrpcServer) -> None:
        """Adds its service to the server."""
        server.add(async_job_service_pb2_grpc.add_AsyncJobServiceServicer_to_server, self.servicer)

    def background(self, sweep_interval: timedelta) -> tuple[Coroutine[object, object, None], ...]:
        """Returns its endless loops."""
        return (
            self.consumer.run(),
            self.hand_over.run(),
            run_every(sweep_interval, self.hand_over.sweep, name="hand-over"),
            run_every(_FOLLOW_UP_INTERVAL, self.follow_up, name="follow-up"),
        )


def wire_asynchronous_jobs(around: Surroundings) -> AsynchronousJobs:
    """Puts the asynchronous part together. Nothing runs yet."""
    store = PostgresAsyncStore(around.pool, around.store, around.ids, around.webhooks.job_webhooks)
    queue = ProcessingQueueClient(around.providers_channel)
    hand_over = HandOver(store, queue, around.complete, around.clock)
    take_progress = TakeProgress(store, around.clock, around.metrics)
    on_task_event = TaskEventHandler(take_progress)
    open_job = OpenAsyncJob(
        around.store,
        store,
        templates=around.templates,
        providers=around.providers,
        media=around.media,
        hand_over=hand_over,
        webhooks=around.webhooks.secrets,
        clock=around.clock,
        ids=around.ids,
    )
    jobs = AsyncJobs(
        around.store,
        store,
        queue=queue,
        stopper=hand_over,
        wakeups=around.wakeups,
        clock=around.clock,
        metrics=around.metrics,
    )
    return AsynchronousJobs(
        servicer=AsyncJobServicer(open_job, jobs),
        hand_over=hand_over,
        follow_up=FollowUp(store, queue, take_progress, around.complete, around.clock),
        on_task_event=on_task_event,
        consumer=EventConsumer(around.nats, durable=DURABLE, subjects=SUBJECTS, handler=on_task_event),
    )
