"""A photo's way through the queues, over the service's real interface: submitted here, run by a worker there."""

from collections import deque
from datetime import UTC, datetime, timedelta

import pytest
from nats.aio.subscription import Subscription
from photochanger.media.v1.media_object_pb2 import MEDIA_KIND_RESULT
from photochanger.tasks.v1 import queue_service_pb2 as queues
from photochanger.tasks.v1.task_events_pb2 import (
    TASK_STATE_DEAD,
    TASK_STATE_DONE,
    TASK_STATE_FAILED,
    TASK_STATE_QUEUED,
    TASK_STATE_RUNNING,
    TASK_STATE_SCHEDULED,
)
from photochanger_providers.domain.errors import (
    BadInput,
    ContentBlocked,
    NetworkFailed,
    NoImage,
    ProviderAuthFailed,
    ProviderError,
    ProviderFault,
    ProviderMisconfigured,
    QuotaExceeded,
)
from photochanger_providers.testing.scripted_driver import Script, answers, fails
from photochanger_providers.testing.task_bench import Bench, ended, look, submit, told, until


async def test_a_submitted_photo_is_run_by_a_worker_and_its_end_is_told(
    bench: Bench, events: Subscription
) -> None:
    script = Script(deque([answers(bench.picture)]))
    replica = await bench.serve(Script())
    await bench.work(script)
    request = bench.request()

    waiting = await submit(replica, request)
    event, changes = await told(events, request.job_id)
    done = await ended(replica, request.job_id)
    again = await submit(replica, request)

    assert waiting.state in (TASK_STATE_QUEUED, TASK_STATE_RUNNING)
    assert (done.state, done.progress_percent, done.attempts) == (TASK_STATE_DONE, 100, 1)
    ((stored, content),) = bench.media.of_job(request.job_id, MEDIA_KIND_RESULT)
    assert event.succeeded.result.id == stored.id
    assert event.succeeded.model == "large-2"
    assert done.result == event.succeeded
    assert content == bench.picture
    assert [change.state for change in changes][:2] == [TASK_STATE_QUEUED, TASK_STATE_RUNNING]
    assert again == done
    assert len(script.requests) == 1


async def test_a_photo_waits_for_a_worker_and_is_told_its_place(bench: Bench) -> None:
    script = Script(deque([answers(bench.picture)] * 2))
    replica = await bench.serve(script)
    first, second = (bench.request() for _ in range(2))

    places = [(await submit(replica, each)).queue_position for each in (first, second)]
    assert not (await look(replica, second.job_id)).HasField("expected_start_at")
    await bench.work(script)
    ends = [await ended(replica, each.job_id) for each in (first, second)]

    assert places == [1, 2]
    assert [each.state for each in ends] == [TASK_STATE_DONE] * 2
    assert not ends[0].HasField("queue_position")


async def test_an_urgent_photo_goes_first(bench: Bench) -> None:
    script = Script(deque([answers(bench.picture)] * 3))
    replica = await bench.serve(script)
    requests = [bench.request(settings_json=f'{{"prompt": "{name}"}}') for name in ("later", "last", "first")]
    for request, priority in zip(requests, (5, 9, 0), strict=True):
        await submit(replica, request, priority=priority)

    await bench.work(script, worker_slots={bench.provider: 1})
    for request in requests:
        await ended(replica, request.job_id)

    assert [request.settings["prompt"] for request in script.requests] == ["first", "later", "last"]


@pytest.mark.parametrize(
    "error",
    [
        ContentBlocked("no"),
        NoImage("no"),
        BadInput("no"),
        ProviderAuthFailed("no"),
        ProviderMisconfigured("no"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_no_repeat_helps_fails_at_once(
    bench: Bench, error: ProviderError, events: Subscription
) -> None:
    script = Script(deque([fails(error)]))
    replica = await bench.serve(script)
    await bench.work(script)
    request = bench.request()

    await submit(replica, request)
    event, _ = await told(events, request.job_id)
    failed = await ended(replica, request.job_id)

    assert event.failed.reason == failed.reason == error.reason
    assert (failed.state, failed.attempts) == (TASK_STATE_FAILED, 1)
    assert failed.effort == event.failed.effort
    assert [stage.stage for stage in failed.effort.stages] == ["fetch", "provider"]
    assert failed.effort.provider_calls == 1


async def test_what_passes_is_tried_again(bench: Bench) -> None:
    script = Script(
        deque([fails(ProviderFault("busy")), fails(NetworkFailed("lost")), answers(bench.picture)])
    )
    replica = await bench.serve(script)
    await bench.work(script)
    request = bench.request()

    await submit(replica, request)
    done = await ended(replica, request.job_id)

    assert (done.state, done.attempts) == (TASK_STATE_DONE, 3)


async def test_a_photo_whose_attempts_are_used_up_is_dead_and_can_be_requeued(
    bench: Bench, events: Subscription
) -> None:
    script = Script(deque([fails(ProviderFault("busy"))] * 5))
    replica = await bench.serve(script, breaker_threshold=100)
    await bench.work(script, breaker_threshold=100)
    request = bench.request()

    await submit(replica, request)
    event, _ = await told(events, request.job_id)
    dead = await look(replica, request.job_id)
    (listed,) = (await replica.queues.ListDeadTasks(queues.ListDeadTasksRequest(), timeout=5)).tasks
    script.acts.append(answers(bench.picture))
    await replica.queues.RequeueTask(queues.RequeueTaskRequest(task_id=listed.id, actor="serg"), timeout=5)
    done = await until(replica, request.job_id, lambda found: found.state == TASK_STATE_DONE)

    assert event.failed.reason == dead.reason == "PROVIDER_5XX"
    assert (dead.state, listed.unique_key, listed.failures) == (TASK_STATE_DEAD, request.job_id, 5)
    assert done.attempts == 6


async def test_a_provider_that_wants_to_be_left_alone_is_and_no_attempt_is_used_up(bench: Bench) -> None:
    long, short = timedelta(minutes=10), timedelta(milliseconds=10)
    script = Script(
        deque(
            [
                *[fails(QuotaExceeded("slow down", retry_after=short))] * 7,
                answers(bench.picture),
                fails(QuotaExceeded("slow down", retry_after=long)),
            ]
        )
    )
    replica = await bench.serve(script)
    await bench.work(script)
    soon, later = (bench.request() for _ in range(2))

    await submit(replica, soon)
    done = await ended(replica, soon.job_id)
    before = datetime.now(UTC)
    await submit(replica, later)
    waiting = await until(replica, later.job_id, lambda found: found.state == TASK_STATE_SCHEDULED)

    assert (done.state, done.attempts) == (TASK_STATE_DONE, 8)
    assert waiting.reason == "quota"
    assert waiting.expected_start_at.ToDatetime(tzinfo=UTC) >= before + long
