"""What a provider's queue lets in, and what it shows, over the service's real interface."""

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import TypeVar

import pytest
from photochanger.tasks.v1 import queue_service_pb2 as queues
from photochanger.tasks.v1.task_events_pb2 import (
    TASK_STATE_DONE,
    TASK_STATE_SCHEDULED,
)
from photochanger_chassis.errors import ServiceError
from photochanger_chassis.grpc.errors import translate_rpc_errors
from photochanger_chassis.settings import SettingsError
from photochanger_providers.testing.scripted_driver import Script, answers, waits_for
from photochanger_providers.testing.task_bench import Bench, ended, look, submit, until

_T = TypeVar("_T")


async def refusal(call: Awaitable[_T]) -> ServiceError:
    with pytest.raises(ServiceError) as caught, translate_rpc_errors():
        await call
    return caught.value


async def test_tasks_and_cameras_share_a_providers_limit_and_some_of_it_is_the_cameras(bench: Bench) -> None:
    go = asyncio.Event()
    tasks = Script(deque([waits_for(go, answers(bench.picture))] * 6))
    cameras = Script(deque([waits_for(go, answers(bench.picture))] * 2))
    replica = await bench.serve(cameras, limit=4, task_share=0.5)
    await bench.work(tasks, limit=4, task_share=0.5)
    await bench.work(tasks, limit=4, task_share=0.5)
    requests = [bench.request() for _ in range(6)]

    for request in requests:
        await submit(replica, request)
    await tasks.busy(2)
    calls = [
        asyncio.ensure_future(replica.processing.Process(bench.request(seconds=20), timeout=20))
        for _ in range(2)
    ]
    await cameras.busy(2)
    under_way = tasks.under_way
    go.set()
    await asyncio.gather(*calls)
    ends = [await ended(replica, request.job_id) for request in requests]

    assert under_way == tasks.most_under_way == 2
    assert [each.state for each in ends] == [TASK_STATE_DONE] * 6


async def test_a_task_that_finds_every_place_taken_by_cameras_comes_again_later(bench: Bench) -> None:
    go = asyncio.Event()
    script = Script(deque([waits_for(go, answers(bench.picture)), answers(bench.picture)]))
    replica = await bench.serve(script, limit=1)
    call = asyncio.ensure_future(replica.processing.Process(bench.request(seconds=20), timeout=20))
    await script.busy()
    await bench.work(script, limit=1)
    request = bench.request()

    await submit(replica, request)
    waiting = await until(replica, request.job_id, lambda found: found.state == TASK_STATE_SCHEDULED)
    go.set()
    await call
    done = await ended(replica, request.job_id)

    assert waiting.reason == "provider_busy"
    assert done.state == TASK_STATE_DONE
    assert script.most_under_way == 1


async def test_queues_and_workers_can_be_looked_at(bench: Bench) -> None:
    go = asyncio.Event()
    script = Script(deque([waits_for(go, answers(bench.picture))] * 3))
    other = Script().entry(provider_id=f"{bench.provider}-other")
    replica = await bench.serve(script, other, limit=10)
    await bench.work(script, other, limit=10, queues=(bench.provider,), worker_slots={bench.provider: 2})
    requests = [bench.request() for _ in range(3)]

    for request in requests:
        await submit(replica, request)
    await script.busy(2)
    listed = await replica.queues.ListQueues(queues.ListQueuesRequest(), timeout=5)
    (worker,) = (await replica.queues.ListWorkers(queues.ListWorkersRequest(), timeout=5)).workers
    go.set()
    for request in requests:
        await ended(replica, request.job_id)

    assert [(each.name, each.queued, each.running, each.limit, each.workers) for each in listed.queues] == [
        (bench.provider, 1, 2, 8, 1),
        (f"{bench.provider}-other", 0, 0, 24, 0),
    ]
    assert listed.queues[0].HasField("oldest_at")
    assert (list(worker.queues), worker.slots, worker.guard) == ([bench.provider], 2, "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"provider_id": "nobody"}, "PROVIDER_NOT_FOUND"),
        ({"operation_id": "nothing"}, "OPERATION_NOT_FOUND"),
        ({"seconds": 25 * 3600}, "INVALID_ARGUMENT"),
    ],
)
async def test_what_cannot_be_run_is_refused_when_it_is_submitted(
    bench: Bench, changes: dict[str, object], reason: str
) -> None:
    replica = await bench.serve(Script())
    request = bench.request(**changes)

    assert (await refusal(submit(replica, request))).reason == reason
    assert (await refusal(look(replica, request.job_id))).reason == "PROCESSING_NOT_FOUND"


async def test_a_worker_for_a_queue_that_is_not_there_does_not_start(bench: Bench) -> None:
    with pytest.raises(SettingsError, match=f"There is no queue nobody. There are: {bench.provider}"):
        await bench.work(Script(), queues=("nobody",))
