"""A client of live events, and a service that publishes them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import aiohttp
from google.protobuf.message import Message
from photochanger.ingest.v1 import configuration_events_pb2, job_events_pb2, job_pb2, slot_pb2
from photochanger_chassis.nats.connection import open_nats
from photochanger_chassis.nats.events import EventPublisher
from photochanger_chassis.postgres.outbox import OutboxEvent
from photochanger_chassis.settings import NatsSettings
from pydantic import SecretStr

_PATIENCE_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two empty lines of an event stream. A heartbeat has no fields."""

    fields: Mapping[str, str]

    @property
    def id(self) -> str:
        """Its id."""
        return self.fields["id"]

    @property
    def event(self) -> str:
        """Its name; empty for what is no event."""
        return self.fields.get("event", "")

    def json(self) -> dict[str, Any]:
        """Its data."""
        parsed: dict[str, Any] = json.loads(self.fields["data"])
        return parsed


class Listener:
    """Reads an event stream block by block."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer: Final = answer

    async def block(self) -> Block | None:
        """The next block; None at the stream's end."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while line := (await self.answer.content.readline()).decode():
                if line == "\n":
                    return Block(fields)
                name, _, value = line.rstrip("\n").partition(": ")
                fields[name] = value
        return None

    async def event(self) -> Block:
        """The next block with an id, which may be that of the stream's beginning. Fails at the stream's end."""
        while (block := await self.block()) is not None:
            if "id" in block.fields:
                return block
        raise EOFError

    async def end(self) -> None:
        """Reads to the end."""
        while await self.block() is not None:
            pass


@asynccontextmanager
async def listening(
    port: int, headers: Mapping[str, str], *, after: str | None = None, path: str = "/api/events"
) -> AsyncIterator[Listener]:
    """Listens for the block, from now on or after an event's id."""
    sent = dict(headers) | ({} if after is None else {"Last-Event-ID": after})
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}{path}", headers=sent) as answer,
    ):
        yield Listener(answer)


class Publisher:
    """Publishes as ingest does."""

    def __init__(self, events: EventPublisher) -> None:
        self._events = events

    async def job(self, step: str, job: job_pb2.Job) -> None:
        """One of a job's events: `created`, `started`, `progressed`, `finished`, `result-kept`."""
        kinds = {
            "created": job_events_pb2.JobCreated,
            "started": job_events_pb2.JobStarted,
            "progressed": job_events_pb2.JobProgressed,
            "finished": job_events_pb2.JobFinished,
            "result-kept": job_events_pb2.JobResultKept,
        }
        await self._publish(f"events.ingest.job.{step}", kinds[step](job=job))

    async def slot(self, slot: slot_pb2.Slot) -> None:
        """A slot has changed."""
        await self._publish("events.ingest.slot.changed", configuration_events_pb2.SlotChanged(slot=slot))

    async def settings(self, version: int) -> None:
        """The settings have changed."""
        changed = configuration_events_pb2.SettingsChanged()
        changed.settings.version = version
        await self._publish("events.ingest.settings.changed", changed)

    async def elsewhere(self) -> None:
        """Something that admins do not follow."""
        await self._publish("events.media.object.stored", job_events_pb2.JobCreated())

    async def _publish(self, subject: str, message: Message) -> None:
        await self._events.publish(
            OutboxEvent(
                id=uuid4().hex,
                subject=subject,
                aggregate_id="test",
                data=message.SerializeToString(),
                data_type=message.DESCRIPTOR.full_name,
                occurred_at=datetime(2026, 1, 1, 12, tzinfo=UTC),
            )
        )


@asynccontextmanager
async def publishing(nats_url: str) -> AsyncIterator[Publisher]:
    """Publishes for the block."""
    async with open_nats(NatsSettings(nats_url=SecretStr(nats_url)), service="test") as connection:
        await connection.connected.wait()
        yield Publisher(EventPublisher(connection, service="ingest"))
