"""Photos that are cancelled or late, and workers that stop or die, over the service's real interface."""

import asyncio
from collections import deque

from nats.aio.subscription import Subscription
from photochanger.media.v1.media_object_pb2 import MEDIA_KIND_RESULT
from photochanger.providers.v1.processing_service_pb2 import CancelProcessingRequest
from photochanger.tasks.v1.task_events_pb2 import (
    TASK_STATE_CANCELLED,
    TASK_STATE_DONE,
    TASK_STATE_QUEUED,
    TASK_STATE_RUNNING,
)
from photochanger_providers.testing.scripted_driver import Script, answers, waits_for
from photochanger_providers.testing.task_bench import Bench, ended, look, submit, told


async def test_a_photo_that_waits_for_a_worker_is_cancelled_at_once(
    bench: Bench, events: Subscription
) -> None:
    script = Script()
    replica = await bench.serve(script)
    request = bench.request()
    wanted = CancelProcessingRequest(job_id=request.job_id)

    await submit(replica, request)
    first = await replica.processing.CancelProcessing(wanted, timeout=5)
    second = await replica.processing.CancelProcessing(wanted, timeout=5)
    event, _ = await told(events, request.job_id)
    await bench.work(script)

    assert (first.stopped, second.stopped) == (True, False)
    assert event.failed.reason == "CANCELLED"
    assert (await look(replica, request.job_id)).state == TASK_STATE_CANCELLED
    assert not script.requests


async def test_a_photo_under_way_is_stopped_when_it_is_cancelled(bench: Bench) -> None:
    script = Script(deque([waits_for(asyncio.Event(), answers(bench.picture))]))
    replica = await bench.serve(script)
    await bench.work(script)
    request = bench.request()

    await submit(replica, request)
    await script.busy()
    answer = await replica.processing.CancelProcessing(
        CancelProcessingRequest(job_id=request.job_id), timeout=5
    )
    await script.busy(0)
    cancelled = await ended(replica, request.job_id)

    assert answer.stopped
    assert cancelled.state == TASK_STATE_CANCELLED
    assert [stage.stage for stage in cancelled.effort.stages] == ["fetch", "provider"]
    assert not bench.media.of_job(request.job_id, MEDIA_KIND_RESULT)


async def test_a_photo_whose_deadline_passes_times_out_wherever_it_is(
    bench: Bench, events: Subscription
) -> None:
    script = Script(deque([waits_for(asyncio.Event(), answers(bench.picture))]))
    replica = await bench.serve(script)
    waiting = bench.request(seconds=0.5)
    await submit(replica, waiting)
    first, _ = await told(events, waiting.job_id)
    await bench.work(script)
    running = bench.request(seconds=2)
    await submit(replica, running)
    await script.busy()
    second, _ = await told(events, running.job_id)

    assert first.failed.reason == second.failed.reason == "TIMEOUT"
    assert not first.failed.effort.stages
    assert [stage.stage for stage in second.failed.effort.stages] == ["fetch", "provider"]
    assert script.under_way == 0


async def test_what_a_dead_worker_had_is_done_by_another_and_once(bench: Bench, events: Subscription) -> None:
    never = Script(deque([waits_for(asyncio.Event(), answers(bench.picture))]))
    script = Script(deque([answers(bench.picture)]))
    replica = await bench.serve(script)
    one = await bench.work(never, lease_seconds=2)
    request = bench.request()

    await submit(replica, request)
    await never.busy()
    await one.die()
    await bench.work(script, lease_seconds=2)
    event, changes = await told(events, request.job_id)
    done = await ended(replica, request.job_id)

    assert (done.state, done.attempts) == (TASK_STATE_DONE, 2)
    assert event.HasField("succeeded")
    assert len(bench.media.of_job(request.job_id, MEDIA_KIND_RESULT)) == 1
    assert [change for change in changes if change.state == TASK_STATE_RUNNING and change.attempt == 2]


async def test_a_stopping_worker_finishes_what_it_can_and_gives_the_rest_to_others(bench: Bench) -> None:
    go = asyncio.Event()
    one = Script(
        deque(
            [
                waits_for(go, answers(bench.picture)),
                waits_for(asyncio.Event(), answers(bench.picture)),
            ]
        )
    )
    other = Script(deque([answers(bench.picture)]))
    replica = await bench.serve(one)
    first = await bench.work(one, drain_grace=1)
    quick, slow = (bench.request() for _ in range(2))

    await submit(replica, quick)
    await one.busy(1)
    await submit(replica, slow)
    await one.busy(2)
    stopping = asyncio.ensure_future(first.stop())
    go.set()
    await stopping
    ended_quick, waiting = await look(replica, quick.job_id), await look(replica, slow.job_id)
    await bench.work(other)
    ended_slow = await ended(replica, slow.job_id)

    assert ended_quick.state == TASK_STATE_DONE
    assert waiting.state == TASK_STATE_QUEUED
    assert (ended_slow.state, ended_slow.attempts) == (TASK_STATE_DONE, 2)
    assert len(one.requests) == 2
