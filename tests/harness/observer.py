"""Reads a stack's databases, bucket, stream and logs from the side."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, LiteralString

import nats
import psycopg
from minio import Minio
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError
from photochanger.ingest.v1 import job_events_pb2, job_pb2
from photochanger_devstack.stack.plan import BUCKET, DATABASES
from psycopg.rows import class_row, scalar_row

from harness.history import Event, JobRow, StoredRow

if TYPE_CHECKING:
    from collections.abc import Collection

    from nats.aio.msg import Msg
    from photochanger_devstack.stack.plan import Plan

_STREAM = "EVENTS"
_SUBJECT = "events.ingest.job."
_BATCH = 256
_WAIT_SECONDS = 5.0
_Told = (
    job_events_pb2.JobCreated
    | job_events_pb2.JobStarted
    | job_events_pb2.JobProgressed
    | job_events_pb2.JobFinished
    | job_events_pb2.JobResultKept
)
_MESSAGES: dict[str, type[_Told]] = {
    "created": job_events_pb2.JobCreated,
    "started": job_events_pb2.JobStarted,
    "progressed": job_events_pb2.JobProgressed,
    "finished": job_events_pb2.JobFinished,
    "result-kept": job_events_pb2.JobResultKept,
}


class Observer:
    """Looks at a stack while it runs."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._remembered: list[Event] = []

    async def jobs(self) -> tuple[JobRow, ...]:
        """All jobs, oldest first."""
        async with (
            await self._connect("ingest") as connection,
            connection.cursor(row_factory=class_row(JobRow)) as cursor,
        ):
            await cursor.execute(
                """
                SELECT id, slot_id, state, created_at, deadline, started_at, finished_at,
                       result_origin AS origin, coalesce(form_fields ->> 'shot', form_fields ->> 'id', '') AS shot
                FROM jobs ORDER BY position
                """
            )
            return tuple(await cursor.fetchall())

    async def unfinished(self) -> int:
        """How many jobs, and works for jobs with a provider, have not ended."""
        jobs = await self._count("ingest", "SELECT count(*) FROM jobs WHERE finished_at IS NULL")
        return jobs + await self._count(
            "providers", "SELECT count(*) FROM process_calls WHERE state <> 'finished'"
        )

    async def outboxes(self) -> dict[str, int]:
        """Events not yet published, by service."""
        return {
            service: await self._count(service, "SELECT count(*) FROM outbox")
            for service in DATABASES
            if service != "media"
        }

    async def dropped_inputs(self, photo: bytes) -> int:
        """How many uploads of this very file were dropped because another job answers them."""
        return await self._count(
            "media",
            "SELECT count(*) FROM media_objects WHERE kind = 'input' AND ended_at IS NOT NULL AND sha256 = %s",
            hashlib.sha256(photo).hexdigest(),
        )

    async def results_of(self, job_ids: Collection[str]) -> dict[str, int]:
        """How many results each of these jobs has, of those that have any."""
        async with await self._connect("media") as connection, connection.cursor() as cursor:
            await cursor.execute(
                """
                SELECT job_id, count(*) FROM media_objects
                WHERE kind = 'result' AND ended_at IS NULL AND job_id = ANY(%s) GROUP BY job_id
                """,
                (list(job_ids),),
            )
            return {str(job_id): int(str(number)) for job_id, number in await cursor.fetchall()}

    async def stored_rows(self) -> tuple[StoredRow, ...]:
        """Every media object's row."""
        async with (
            await self._connect("media") as connection,
            connection.cursor(row_factory=class_row(StoredRow)) as cursor,
        ):
            await cursor.execute(
                """
                SELECT key, ended_at IS NOT NULL AS ended, purged_at IS NOT NULL AS purged FROM media_objects
                """
            )
            return tuple(await cursor.fetchall())

    async def objects(self) -> frozenset[str]:
        """The bucket's keys."""
        return await asyncio.to_thread(self._list_bucket)

    async def events(self) -> tuple[Event, ...]:
        """Jobs' events as the stream has them, after those remembered."""
        first = len(self._remembered) and self._remembered[-1].number + 1
        known = {event.id for event in self._remembered}
        now = await self._read_stream(first)
        return (*self._remembered, *(event for event in now if event.id not in known))

    async def remember_events(self) -> None:
        """Keeps what the stream has now; call it before its store is deleted."""
        self._remembered = list(await self.events())

    def _list_bucket(self) -> frozenset[str]:
        s3 = self._plan.s3_env()
        client = Minio(
            s3["S3_ENDPOINT_URL"].removeprefix("http://"),
            access_key=s3["S3_ACCESS_KEY"],
            secret_key=s3["S3_SECRET_KEY"],
            secure=False,
            region=s3["S3_REGION"],
        )
        return frozenset(str(item.object_name) for item in client.list_objects(BUCKET, recursive=True))

    async def _read_stream(self, first: int) -> list[Event]:
        connection = await nats.connect(self._plan.nats_url, allow_reconnect=False)
        try:
            jetstream = connection.jetstream()
            try:
                subscription = await jetstream.pull_subscribe(
                    f"{_SUBJECT}*", stream=_STREAM, config=ConsumerConfig(ack_policy=AckPolicy.NONE)
                )
            except NotFoundError:
                return []
            found: list[Event] = []
            while (await subscription.consumer_info()).num_pending:
                try:
                    messages = await subscription.fetch(_BATCH, timeout=_WAIT_SECONDS)
                except NatsTimeoutError:
                    break
                found += [_event(message, first) for message in messages]
            return found
        finally:
            await connection.close()

    async def _count(self, database: str, statement: LiteralString, *parameters: str) -> int:
        async with (
            await self._connect(database) as connection,
            connection.cursor(row_factory=scalar_row) as cursor,
        ):
            found = await (await cursor.execute(statement, parameters)).fetchone()
        return int(found or 0)

    async def _connect(self, database: str) -> psycopg.AsyncConnection[tuple[object, ...]]:
        return await psycopg.AsyncConnection.connect(self._plan.database_url(database), autocommit=True)


def _event(message: Msg, first: int) -> Event:
    what = message.subject.removeprefix(_SUBJECT)
    job = _MESSAGES[what].FromString(message.data).job
    return Event(
        id=(message.headers or {})["ce-id"],
        number=first + message.metadata.sequence.stream,
        what=what,
        job_id=job.id,
        state=job_pb2.JobState.Name(job.state).removeprefix("JOB_STATE_").lower(),
    )
