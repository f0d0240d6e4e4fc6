"""Events on JetStream: what is told, in which order, and what is heard."""

import asyncio
from datetime import UTC
from typing import TYPE_CHECKING

import pytest
from nats.aio.client import Client
from photochanger.ingest.v1 import job_events_pb2, job_pb2
from photochanger.providers.v1 import processing_events_pb2
from photochanger_ingest.testing.camera import Camera, a_photo
from photochanger_ingest.testing.fakes import Refusal, a_result, answer_at_once

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from photochanger.providers.v1 import processing_service_pb2
    from photochanger_devstack.testing.servers import OwnNats

    from .conftest import Platform

Told = job_events_pb2.JobCreated | job_events_pb2.JobStarted | job_events_pb2.JobFinished
MESSAGES: dict[str, type[Told]] = {
    "events.ingest.job.created": job_events_pb2.JobCreated,
    "events.ingest.job.started": job_events_pb2.JobStarted,
    "events.ingest.job.finished": job_events_pb2.JobFinished,
}


@pytest.fixture
async def events_url(own_nats: "Callable[[], OwnNats]") -> str:
    return (await asyncio.to_thread(own_nats)).url


@pytest.fixture
async def client(events_url: str) -> "AsyncIterator[Client]":
    client = Client()
    await client.connect(events_url)
    yield client
    await client.close()


async def told(client: Client, count: int) -> list[tuple[str, job_pb2.Job]]:
    """The next events of ingest's."""
    jetstream = client.jetstream()
    subscription = await jetstream.pull_subscribe("events.ingest.>", durable="test", stream="EVENTS")
    events: list[tuple[str, job_pb2.Job]] = []
    while len(events) < count:
        for message in await subscription.fetch(count - len(events), timeout=10):
            body = MESSAGES[message.subject].FromString(message.data)
            assert message.headers is not None
            assert message.headers["ce-subject"] == body.job.id
            events.append((message.subject.removeprefix("events.ingest.job."), body.job))
            await message.ack()
    return events


async def test_each_job_is_told_in_order(platform: "Platform", camera: Camera, client: Client) -> None:
    async def sometimes(
        request: "processing_service_pb2.ProcessRequest",
    ) -> "processing_service_pb2.ProcessResponse":
        if request.slot_id == "slot-002":
            raise Refusal("NO_IMAGE")
        return await answer_at_once(request)

    platform.outside.providers.script = sometimes
    other = (await platform.start()).camera
    jobs = await asyncio.gather(
        *((camera, other)[number % 2].send(slot_id=f"slot-00{number % 3 + 1}") for number in range(12))
    )
    events = await told(client, 36)
    for job in jobs:
        mine = [(what, told_job) for what, told_job in events if told_job.id == job.id]
        assert [what for what, _ in mine] == ["created", "started", "finished"]
        assert [told_job.state for _, told_job in mine] == [
            job_pb2.JOB_STATE_PENDING,
            job_pb2.JOB_STATE_RUNNING,
            job.state,
        ]
        assert mine[-1][1] == job
    # Published first, deleted after; each look at the database lets the relay go on.
    while await platform.sql("SELECT 1 FROM outbox"):
        continue


async def test_an_outcome_told_by_event_completes_the_job(
    platform: "Platform", camera: Camera, client: Client
) -> None:
    async def hang(_: "processing_service_pb2.ProcessRequest") -> "processing_service_pb2.ProcessResponse":
        await asyncio.Event().wait()
        raise AssertionError

    platform.outside.providers.script = hang
    opened = await camera.open(a_photo())
    caller = asyncio.create_task(camera.run(opened.job.id))
    await platform.outside.providers.began.wait()
    event = processing_events_pb2.ProcessingFinished(job_id=opened.job.id)
    event.finished_at.FromDatetime(platform.clock.now())
    event.succeeded.result.CopyFrom(a_result(opened.job.id))
    await client.jetstream().publish(
        "events.providers.processing.finished",
        event.SerializeToString(),
        headers={
            "ce-id": "1",
            "ce-type": "photochanger.providers.v1.ProcessingFinished",
            "ce-subject": opened.job.id,
            "ce-time": platform.clock.now().astimezone(UTC).isoformat(),
        },
    )
    assert (await caller).state == job_pb2.JOB_STATE_DONE
