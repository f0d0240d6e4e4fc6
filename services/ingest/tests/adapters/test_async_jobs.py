"""Asynchronous jobs: accepted, handed over, told of, waited for, and no camera's business."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from google.protobuf.duration_pb2 import Duration
from photochanger.ingest.v1 import async_job_service_pb2 as pb
from photochanger.ingest.v1 import job_pb2, job_service_pb2, slot_pb2, statistics_service_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger.providers.v1 import processing_service_pb2
from photochanger_chassis.errors import ErrorKind
from photochanger_chassis.testing import ManualClock
from photochanger_ingest.testing.admin import activity_of, get_slot, update_slot
from photochanger_ingest.testing.camera import Camera, a_photo, refused
from photochanger_ingest.testing.client import CLIENT, OTHER_CLIENT, ApiClient
from photochanger_ingest.testing.fakes import Refusal, an_effort
from photochanger_ingest.testing.webhooks import WebhookClient
from photochanger_ingest.testing.worker import Worker

if TYPE_CHECKING:
    from .conftest import Platform, Replica

PENDING = job_pb2.JOB_STATE_PENDING
RUNNING = job_pb2.JOB_STATE_RUNNING
DONE = job_pb2.JOB_STATE_DONE
FAILED = job_pb2.JOB_STATE_FAILED


async def handed_over(platform: "Platform", job_id: str) -> None:
    """Returns once ingest knows that providers has the job; each look lets it go on."""
    while not await platform.sql("SELECT 1 FROM jobs WHERE id = %s AND handed_over_at IS NOT NULL", job_id):
        continue


async def has_secret(platform: "Platform", client: ApiClient) -> None:
    """Gives a client what it has to have before it may ask to be told."""
    await platform.add_key(client.client_id)
    await WebhookClient(client.camera.webhooks, client.client_id).rotate()


async def test_a_job_is_accepted_before_any_work_and_handed_over_as_its_slot_does_it(
    platform: "Platform", client: ApiClient, camera: Camera, clock: ManualClock
) -> None:
    slot = slot_pb2.Slot(
        id="slot-001",
        provider_id="gemini",
        operation_id="style_transfer",
        settings_json='{"prompt": "a suit"}',
        on_failure=slot_pb2.FAILURE_MODE_ORIGINAL,
        late_results=slot_pb2.LATE_RESULTS_KEEP,
    )
    await update_slot(
        camera, slot, "provider_id", "operation_id", "settings_json", "on_failure", "late_results"
    )
    await has_secret(platform, client)
    order = client.order()
    order.priority = 2
    order.form_fields["name"] = "Ada"
    order.webhook_url = "https://studio.example/hooks?token=secret"
    accepted = await client.ask(order)
    job = accepted.job
    assert not accepted.replayed
    assert (job.state, job.mode, job.source) == (
        PENDING,
        job_pb2.JOB_MODE_ASYNC,
        job_pb2.JOB_SOURCE_API,
    )
    assert (job.client_id, job.slot_id, job.slot_version) == (CLIENT, "slot-001", 2)
    assert job.deadline.ToDatetime(UTC) - clock.now() == timedelta(hours=1)
    await handed_over(platform, job.id)
    [sent] = platform.outside.providers.queue.submitted
    assert (sent.client_id, sent.priority) == (CLIENT, 2)
    process = sent.process
    assert (process.job_id, process.slot_id, process.provider_id) == (job.id, "slot-001", "gemini")
    assert process.input_media_object_id == order.input_media_object_id
    assert (process.settings_json, dict(process.form_fields)) == ('{"prompt": "a suit"}', {"name": "Ada"})
    # A second is left to store the picture; nothing is kept that comes later.
    assert process.deadline.ToDatetime(UTC) == job.deadline.ToDatetime(UTC) - timedelta(seconds=1)
    assert not process.HasField("late_until")
    assert (await client.look(job.id)).queue_position == 1


async def test_a_client_may_name_provider_and_operation_itself(
    platform: "Platform", client: ApiClient
) -> None:
    platform.outside.media.kinds["t1"] = media_object_pb2.MEDIA_KIND_TEMPLATE
    order = client.order()
    order.explicit.provider_id = "local"
    order.explicit.operation_id = "background_image"
    order.explicit.settings_json = '{"a": 1}'
    order.explicit.templates.add(media_object_id="t1", role="background")
    order.explicit.output_format = processing_service_pb2.OUTPUT_FORMAT_PNG
    order.time_limit.FromSeconds(60)
    job = (await client.ask(order)).job
    assert (job.slot_id, job.slot_version, job.provider_id) == ("", 0, "local")
    await handed_over(platform, job.id)
    [sent] = platform.outside.providers.queue.submitted
    assert (sent.process.slot_id, sent.process.operation_id) == ("api", "background_image")
    assert [item.media_object_id for item in sent.process.templates] == ["t1"]
    assert sent.process.output_format == processing_service_pb2.OUTPUT_FORMAT_PNG
    assert await platform.sql("SELECT slot_id FROM jobs") == [(None,)]


async def test_the_work_on_a_job_is_told_step_by_step(
    platform: "Platform", client: ApiClient, worker: Worker
) -> None:
    job = await client.open()
    await handed_over(platform, job.id)
    await worker.starts(job.id)
    seen = await client.look(job.id)
    assert (seen.job.state, seen.job.attempts) == (RUNNING, 1)
    assert not seen.HasField("queue_position")
    await worker.tells("progressed", job.id, percent=40, stage="asking the provider")
    seen = await client.look(job.id)
    assert (seen.job.progress_percent, seen.job.stage) == (40, "asking the provider")
    await worker.tells("postponed", job.id, percent=40)
    await worker.starts(job.id, attempt=2)
    # What the first attempt said comes too late.
    await worker.tells("progressed", job.id, attempt=1, percent=80)
    seen = await client.look(job.id)
    assert (seen.job.state, seen.job.attempts, seen.job.progress_percent) == (RUNNING, 2, 0)
    await worker.finishes(job.id)
    await worker.finishes(job.id)
    seen = await client.look(job.id)
    assert (seen.job.state, seen.job.progress_percent, seen.job.stage) == (DONE, 100, "")
    assert seen.job.result.media_object.job_id == job.id
    await worker.tells("progressed", job.id, attempt=2, percent=90)
    assert (await client.look(job.id)).job == seen.job


async def test_an_end_that_overtakes_the_beginning_counts(
    platform: "Platform", client: ApiClient, worker: Worker
) -> None:
    job = await client.open()
    await handed_over(platform, job.id)
    await worker.finishes(job.id)
    await worker.starts(job.id)
    done = (await client.look(job.id)).job
    assert (done.state, done.attempts) == (DONE, 1)
    assert done.HasField("started_at")
    told = await platform.sql("SELECT subject FROM outbox ORDER BY position")
    assert [str(row[0]).rpartition(".")[2] for row in told] == ["created", "started", "finished"]


async def test_a_failure_is_told_with_its_reason(
    platform: "Platform", client: ApiClient, worker: Worker, camera: Camera
) -> None:
    slot = slot_pb2.Slot(id="slot-001", on_failure=slot_pb2.FAILURE_MODE_ORIGINAL)
    await update_slot(camera, slot, "on_failure")
    job = await client.open()
    await handed_over(platform, job.id)
    await worker.starts(job.id)
    await worker.fails(job.id, "CONTENT_BLOCKED")
    failed = (await client.look(job.id)).job
    assert (failed.state, failed.failure.reason) == (FAILED, "content_blocked")
    assert (list(failed.stages), failed.provider_calls) == (list(an_effort().stages), 2)
    # Nobody gets their own photo instead.
    assert not failed.HasField("result")
    assert platform.outside.media.published == []


async def test_a_failed_job_gets_the_picture_of_its_dead_task_that_was_tried_again(
    platform: "Platform", client: ApiClient, worker: Worker
) -> None:
    job = await client.open()
    await handed_over(platform, job.id)
    await worker.starts(job.id)
    await worker.fails(job.id, "PROVIDER_5XX")
    await worker.starts(job.id, attempt=6)
    await worker.finishes(job.id)
    seen = (await client.look(job.id)).job
    assert (seen.state, seen.failure.reason) == (FAILED, "provider_5xx")
    assert seen.result.origin == job_pb2.RESULT_ORIGIN_LATE
    assert platform.outside.media.deleted == []
    told = await platform.sql("SELECT subject FROM outbox ORDER BY position")
    assert [str(row[0]).rpartition(".")[2] for row in told] == [
        "created",
        "started",
        "finished",
        "result-kept",
    ]


async def test_a_job_is_waited_for_on_any_replica(
    platform: "Platform", client: ApiClient, worker: Worker, clock: ManualClock
) -> None:
    other = ApiClient((await platform.start()).camera, platform.outside.media)
    job = await client.open()
    await handed_over(platform, job.id)
    waiting = asyncio.create_task(other.look(job.id, until=clock.now() + timedelta(seconds=60)))
    await worker.starts(job.id)
    await worker.finishes(job.id)
    assert (await waiting).job.state == DONE


async def test_who_waits_in_vain_gets_the_job_as_it_is(client: ApiClient, clock: ManualClock) -> None:
    job = await client.open()
    assert (await client.look(job.id, until=clock.now())).job.state == PENDING


async def test_run_job_does_not_take_an_asynchronous_job_away_from_its_worker(
    platform: "Platform", client: ApiClient, camera: Camera, clock: ManualClock
) -> None:
    job = await client.open()
    with refused("JOB_NOT_FINISHED"):
        await camera.run(job.id, wait_until=clock.now())
    assert platform.outside.providers.requests == []
    assert await platform.sql("SELECT driver FROM jobs") == [(None,)]


async def test_a_client_sees_its_own_jobs_only(
    platform: "Platform", client: ApiClient, camera: Camera
) -> None:
    stranger = ApiClient(camera, platform.outside.media, OTHER_CLIENT)
    mine = [(await client.open()).id for _ in range(3)]
    theirs = await stranger.open()
    sync = (await camera.open(a_photo())).job
    assert await client.list(client_id=CLIENT) == mine[::-1]
    assert await client.list(client_id="") == [theirs.id, *mine[::-1]]
    for job_id in (theirs.id, sync.id, "0" * 32, "", "\0"):
        with refused("JOB_NOT_FOUND"):
            await client.look(job_id)
        with refused("JOB_NOT_FOUND"):
            await client.cancel(job_id)
        with refused("JOB_NOT_FOUND"):
            await client.retry(job_id)
    assert (await client.look(theirs.id, anybodys=True)).job.client_id == OTHER_CLIENT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"slot_id": "slot-099"}, "SLOT_NOT_FOUND"),
        ({"slot_id": "\0"}, "INVALID_ARGUMENT"),
        ({"client_id": "studio"}, "INVALID_ARGUMENT"),
        ({"job_id": "x"}, "INVALID_ARGUMENT"),
        ({"priority": 10}, "INVALID_ARGUMENT"),
        ({"time_limit": Duration(seconds=59)}, "INVALID_ARGUMENT"),
        ({"time_limit": Duration(seconds=24 * 3600 + 1)}, "INVALID_ARGUMENT"),
        ({"time_limit": Duration(seconds=2**60)}, "INVALID_ARGUMENT"),
        ({"webhook_url": "ftp://studio.example"}, "INVALID_ARGUMENT"),
        ({"webhook_url": "https://"}, "INVALID_ARGUMENT"),
        ({"webhook_url": "https://studio.example"}, "WEBHOOK_SECRET_NOT_FOUND"),
        ({"idempotency_key": "ä"}, "INVALID_ARGUMENT"),
        ({"input_media_object_id": "gone"}, "INPUT_NOT_FOUND"),
        ({"explicit": pb.ExplicitOrder(provider_id="local", settings_json="[]")}, "INVALID_ARGUMENT"),
        (
            {"explicit": pb.ExplicitOrder(provider_id="local", settings_json='{"wrong": 1}')},
            "INVALID_SETTINGS",
        ),
    ],
)
async def test_what_cannot_be_done_is_not_accepted(
    platform: "Platform", client: ApiClient, change: dict[str, object], reason: str
) -> None:
    order = client.order()
    for name, value in change.items():
        if isinstance(value, (Duration, pb.ExplicitOrder)):
            getattr(order, name).CopyFrom(value)
        else:
            setattr(order, name, value)
    with refused(reason):
        await client.ask(order)
    assert await platform.sql("SELECT FROM jobs") == []


async def test_a_slot_that_is_off_takes_nothing_and_no_photo_over_its_size(
    client: ApiClient, camera: Camera
) -> None:
    await update_slot(camera, slot_pb2.Slot(id="slot-002", active=False), "active")
    with refused("SLOT_DISABLED"):
        await client.open(slot_id="slot-002")
    order = client.order()
    order.input_media_object_id = client.upload(size_bytes=15 * 1_048_576 + 1)
    with refused("PAYLOAD_TOO_LARGE"):
        await client.ask(order)


async def test_an_input_belongs_to_the_job_it_was_uploaded_for(client: ApiClient) -> None:
    order = client.order(job_id="a" * 32)
    order.input_media_object_id = client.upload(kind=media_object_pb2.MEDIA_KIND_INPUT, job_id="b" * 32)
    with refused("INPUT_NOT_FOUND"):
        await client.ask(order)
    order.job_id = "b" * 32
    assert (await client.ask(order)).job.id == "b" * 32


async def test_a_picture_that_is_no_input_is_none(client: ApiClient) -> None:
    order = client.order()
    order.input_media_object_id = client.upload(kind=media_object_pb2.MEDIA_KIND_RESULT)
    with refused("INPUT_NOT_FOUND"):
        await client.ask(order)


async def test_a_deadline_is_never_past_the_end_of_the_photo(client: ApiClient, clock: ManualClock) -> None:
    order = client.order()
    order.input_media_object_id = client.upload(lives=timedelta(minutes=10))
    job = (await client.ask(order)).job
    assert timedelta(minutes=9) < job.deadline.ToDatetime(UTC) - clock.now() < timedelta(minutes=11)
    order.job_id = "a" * 32
    order.input_media_object_id = client.upload(lives=timedelta(seconds=30))
    with refused("INPUT_NOT_FOUND"):
        await client.ask(order)


async def test_the_job_id_and_the_key_of_a_client_give_the_same_job(
    platform: "Platform", client: ApiClient, camera: Camera
) -> None:
    photo = a_photo()
    first = await client.ask(client.order(photo, key="order 1".replace(" ", "-"), job_id="a" * 32))
    by_id = await client.ask(client.order(a_photo(), job_id="a" * 32))
    by_key = await client.ask(client.order(photo, key="order-1"))
    assert (first.replayed, by_id.replayed, by_key.replayed) == (False, True, True)
    assert first.job.id == by_id.job.id == by_key.job.id
    with refused("IDEMPOTENCY_MISMATCH"):
        await client.ask(client.order(a_photo(), key="order-1"))
    other_settings = client.order(photo, key="order-1")
    other_settings.priority = 1
    with refused("IDEMPOTENCY_MISMATCH"):
        await client.ask(other_settings)
    # Another client's keys are its own; a job's id is not.
    stranger = ApiClient(camera, platform.outside.media, OTHER_CLIENT)
    assert not (await stranger.ask(stranger.order(photo, key="order-1"))).replayed
    with refused("INVALID_ARGUMENT"):
        await stranger.ask(stranger.order(photo, job_id="a" * 32))
    assert await platform.sql("SELECT count(*) FROM jobs") == [(2,)]


@pytest.mark.parametrize(("key", "job_id"), [("same", ""), ("", "a" * 32)])
async def test_the_same_order_at_the_same_time_is_one_job(
    platform: "Platform", client: ApiClient, key: str, job_id: str
) -> None:
    other = ApiClient((await platform.start()).camera, platform.outside.media)
    photo = a_photo()
    orders = [(client, other)[number % 2] for number in range(8)]
    answers = await asyncio.gather(*(who.ask(who.order(photo, key=key, job_id=job_id)) for who in orders))
    assert len({answer.job.id for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1


async def test_a_key_runs_out_with_the_results(
    platform: "Platform", replica: "Replica", client: ApiClient, clock: ManualClock
) -> None:
    photo = a_photo()
    first = await client.ask(client.order(photo, key="k"))
    clock.advance(timedelta(hours=72))
    order = client.order(photo, key="k")
    order.input_media_object_id = client.upload(photo, lives=timedelta(hours=100))
    again = await client.ask(order)
    assert again.job.id != first.job.id
    clock.advance(timedelta(hours=72))
    await replica.ingest.sweeper.prune()
    assert await platform.sql("SELECT FROM client_idempotency_keys") == []


async def test_what_providers_refuses_is_the_jobs_failure(platform: "Platform", client: ApiClient) -> None:
    platform.outside.providers.queue.refuses = Refusal("OPERATION_NOT_FOUND", ErrorKind.NOT_FOUND)
    job = await client.open()
    final = (await client.look(job.id, until=datetime.now(UTC) + timedelta(seconds=30))).job
    assert (final.state, final.failure.reason) == (FAILED, "config")


async def test_cameras_do_not_notice_a_bulk_sender(
    platform: "Platform", client: ApiClient, camera: Camera, worker: Worker, replica: "Replica"
) -> None:
    jobs = [await client.open() for _ in range(30)]
    await asyncio.gather(*(handed_over(platform, job.id) for job in jobs))
    for job in jobs[:15]:
        await worker.starts(job.id)
    # Four run and eight wait at most, were they cameras'.
    assert (await camera.send()).state == DONE
    for job in jobs[:10]:
        await worker.finishes(job.id)
    activity = await activity_of(camera)
    assert (activity.running_jobs, activity.waiting_jobs) == (0, 0)
    assert activity.latest_result.client_id == ""
    request = statistics_service_pb2.GetStatisticsRequest()
    request.window.FromSeconds(3600)
    counted = await camera.statistics.GetStatistics(request, timeout=10)
    assert counted.finished_ever == 1
    gallery = await camera.jobs.ListGallery(
        job_service_pb2.ListGalleryRequest(slot_id="slot-001"), timeout=10
    )
    assert [job.source for job in gallery.jobs] == [job_pb2.JOB_SOURCE_INGEST]
    # Nor does the sweeper of jobs that nobody drives.
    platform.clock.advance(timedelta(minutes=1))
    assert await replica.ingest.sweeper.end_overdue() == 0
    # They are in the admins' list.
    listed = await camera.jobs.ListJobs(
        job_service_pb2.ListJobsRequest(source=job_pb2.JOB_SOURCE_API, page_size=200), timeout=10
    )
    assert len(listed.jobs) == 30


async def test_an_admin_sees_what_a_job_without_a_slot_was_asked_to_do(
    client: ApiClient, camera: Camera
) -> None:
    order = client.order()
    order.explicit.provider_id, order.explicit.operation_id = "local", "pencil"
    job = (await client.ask(order)).job
    details = await camera.jobs.GetJobDetails(job_service_pb2.GetJobDetailsRequest(job_id=job.id), timeout=10)
    assert (details.job.id, details.slot_display_name, details.settings_json) == (job.id, "", "{}")


async def test_the_slot_may_change_while_a_job_waits(
    platform: "Platform", client: ApiClient, camera: Camera
) -> None:
    job = await client.open()
    before = await get_slot(camera)
    await update_slot(
        camera, slot_pb2.Slot(id="slot-001", provider_id="local", operation_id="comic"), "operation_id"
    )
    await handed_over(platform, job.id)
    [sent] = platform.outside.providers.queue.submitted
    assert sent.process.operation_id == before.operation_id
