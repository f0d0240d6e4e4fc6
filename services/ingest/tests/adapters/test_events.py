"""Events on JetStream: what is told, in which order, and what is heard."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from google.protobuf.message import Message
from nats.aio.client import Client
from photochanger.ingest.v1 import job_events_pb2, job_pb2
from photochanger.providers.v1 import processing_events_pb2
from photochanger.tasks.v1 import task_events_pb2
from photochanger_ingest.testing.camera import Camera, a_photo
from photochanger_ingest.testing.client import ApiClient
from photochanger_ingest.testing.fakes import Refusal, a_result, answer_at_once

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from photochanger.providers.v1 import processing_service_pb2
    from photochanger_devstack.testing.servers import OwnNats

    from .conftest import Platform

Told = (
    job_events_pb2.JobCreated
    | job_events_pb2.JobStarted
    | job_events_pb2.JobProgressed
    | job_events_pb2.JobFinished
)
MESSAGES: dict[str, type[Told]] = {
    "events.ingest.job.created": job_events_pb2.JobCreated,
    "events.ingest.job.started": job_events_pb2.JobStarted,
    "events.ingest.job.progressed": job_events_pb2.JobProgressed,
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


@pytest.fixture
def api_client(platform: "Platform", camera: Camera) -> ApiClient:
    return ApiClient(camera, platform.outside.media)


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


async def publish(client: Client, subject: str, message: Message, event_id: str) -> None:
    """Tells an event as the providers service does."""
    headers = {
        "ce-id": event_id,
        "ce-type": message.DESCRIPTOR.full_name,
        "ce-subject": "aggregate",
        "ce-time": datetime.now(UTC).isoformat(),
    }
    await client.jetstream().publish(subject, message.SerializeToString(), headers=headers)


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
    await publish(client, "events.providers.processing.finished", event, "1")
    assert (await caller).state == job_pb2.JOB_STATE_DONE


async def test_the_tasks_of_an_asynchronous_job_are_heard_and_told_on(
    platform: "Platform", api_client: ApiClient, client: Client
) -> None:
    opened = await api_client.open()
    now = platform.clock.now()
    change = task_events_pb2.TaskEvent(task_id="f" * 32, unique_key=opened.id, attempt=1)
    change.occurred_at.FromDatetime(now)
    end = processing_events_pb2.ProcessingFinished(job_id=opened.id)
    end.finished_at.FromDatetime(now)
    end.succeeded.result.CopyFrom(a_result(opened.id))
    # Tasks that carry no job are none of ingest's business.
    await publish(client, "events.providers.task.started", task_events_pb2.TaskEvent(task_id="0" * 32), "1")
    await publish(client, "events.providers.task.started", change, "2")
    # Order is kept by waiting for each: subjects have consumers of their own.
    assert [what for what, _ in await told(client, 2)] == ["created", "started"]
    change.progress_percent, change.stage = 20, "asking the provider"
    await publish(client, "events.providers.task.progressed", change, "3")
    [(what, job)] = await told(client, 1)
    assert (what, job.progress_percent, job.stage) == ("progressed", 20, "asking the provider")
    await publish(client, "events.providers.processing.finished", end, "4")
    [(what, job)] = await told(client, 1)
    assert (what, job.state, job.client_id) == ("finished", job_pb2.JOB_STATE_DONE, opened.client_id)
    assert job == (await api_client.look(opened.id)).job
