"""Asynchronous jobs that are tried again by their client."""

from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from photochanger.ingest.v1 import job_pb2, slot_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger_chassis.testing import ManualClock
from photochanger_ingest.testing.admin import update_slot
from photochanger_ingest.testing.camera import Camera, refused
from photochanger_ingest.testing.client import ApiClient
from photochanger_ingest.testing.worker import Worker

from .test_async_jobs import handed_over, has_secret

if TYPE_CHECKING:
    from .conftest import Platform


async def test_a_retry_is_a_new_job_for_the_same_photo_and_order(
    platform: "Platform", client: ApiClient, worker: Worker, camera: Camera
) -> None:
    await has_secret(platform, client)
    order = client.order(job_id="a" * 32)
    order.input_media_object_id = client.upload(kind=media_object_pb2.MEDIA_KIND_INPUT, job_id="a" * 32)
    order.form_fields["name"] = "Ada"
    order.priority = 7
    order.webhook_url = "https://studio.example/hook"
    first = (await client.ask(order)).job
    await handed_over(platform, first.id)
    await worker.starts(first.id)
    await worker.fails(first.id)
    # The slot has another operation by now; the order stays what it was.
    await update_slot(camera, slot_pb2.Slot(id="slot-001", operation_id="comic"), "operation_id")
    again = (await client.retry(first.id)).job
    assert (again.retry_of, again.client_id, again.state) == (
        first.id,
        first.client_id,
        job_pb2.JOB_STATE_PENDING,
    )
    assert (again.operation_id, again.slot_version) == (first.operation_id, first.slot_version)
    await handed_over(platform, again.id)
    before, after = platform.outside.providers.queue.submitted
    assert (after.process.job_id, after.priority) == (again.id, 7)
    after.process.job_id = before.process.job_id
    after.process.ClearField("deadline")
    before.process.ClearField("deadline")
    assert after == before
    assert await platform.sql("SELECT DISTINCT webhook_url FROM jobs") == [("https://studio.example/hook",)]
    await worker.starts(again.id)
    await worker.finishes(again.id)
    # The first stays as it ended; a retry can be repeated as well.
    assert (await client.look(first.id)).job.state == job_pb2.JOB_STATE_FAILED
    assert (await client.retry(again.id)).job.retry_of == again.id


async def test_only_what_has_ended_is_repeated(client: ApiClient) -> None:
    job = await client.open()
    with refused("JOB_NOT_FINAL") as refusal:
        await client.retry(job.id)
    assert refusal.error.metadata == {"jobId": job.id, "state": "pending"}
    await client.cancel(job.id)
    assert (await client.retry(job.id)).job.retry_of == job.id


async def test_a_retry_under_a_key_is_one_job(client: ApiClient) -> None:
    jobs = [await client.open() for _ in range(2)]
    for job in jobs:
        await client.cancel(job.id)
    first = await client.retry(jobs[0].id, key="again")
    second = await client.retry(jobs[0].id, key="again")
    assert (first.job.id, second.replayed) == (second.job.id, True)
    with refused("IDEMPOTENCY_MISMATCH"):
        await client.retry(jobs[1].id, key="again")


async def test_a_photo_that_is_gone_cannot_be_tried_again(
    platform: "Platform", client: ApiClient, clock: ManualClock
) -> None:
    job = await client.open()
    await client.cancel(job.id)
    platform.outside.media.photos.clear()
    with refused("INPUT_NOT_FOUND"):
        await client.retry(job.id)


async def test_the_shared_photo_bounds_the_retrys_time(client: ApiClient, clock: ManualClock) -> None:
    order = client.order()
    order.input_media_object_id = client.upload(lives=timedelta(minutes=90))
    job = (await client.ask(order)).job
    await client.cancel(job.id)
    clock.advance(timedelta(hours=1))
    again = (await client.retry(job.id)).job
    left = again.deadline.ToDatetime(UTC) - clock.now()
    assert timedelta(minutes=29) < left < timedelta(minutes=31)


async def test_a_slot_that_was_switched_off_takes_no_retry(client: ApiClient, camera: Camera) -> None:
    job = await client.open()
    await client.cancel(job.id)
    await update_slot(camera, slot_pb2.Slot(id="slot-001", active=False), "active")
    with refused("SLOT_DISABLED"):
        await client.retry(job.id)
