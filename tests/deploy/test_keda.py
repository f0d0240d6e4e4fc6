"""What KEDA will read, asked by its own request of a real NATS while the engine works on it.

Stream, consumer and account are those of the shipped manifest; the engine makes what they name.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from deployment.cluster import Cluster
from deployment.keda import Trigger
from deployment.overlays import FOLDER
from deployment.render import render
from google.protobuf.wrappers_pb2 import StringValue
from photochanger_tasks import Attempt, Kinds, Queue, State, TaskKind
from photochanger_tasks.testing import Engine, create_tables, engine

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from photochanger_devstack.testing.servers import OwnNats

TRIGGERS = {
    trigger.consumer: trigger
    for trigger in map(Trigger.of, Cluster(render(FOLDER / "production")).of("ScaledObject"))
}
LOOK_SECONDS = 0.02
WITHIN_SECONDS = 30


@dataclass
class Autoscaled:
    """The engine, and KEDA looking at one of its queues."""

    engine: Engine
    trigger: Trigger
    kind: TaskKind[StringValue]
    endpoint: str
    gate: asyncio.Semaphore
    submitted: list[str] = field(default_factory=list)

    async def submit(self, number: int) -> None:
        new = (self.kind.task(StringValue(), tenant="a") for _ in range(number))
        self.submitted += [each.task.id for each in await self.engine.submit(*new)]

    async def lag(self) -> int | None:
        return await asyncio.to_thread(self.trigger.lag, self.endpoint)

    async def unfinished(self) -> int:
        tasks = [await self.engine.tasks.get(task_id) for task_id in self.submitted]
        return sum(not task.state.finished for task in tasks)

    async def running(self, number: int) -> None:
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                tasks = [await self.engine.tasks.get(task_id) for task_id in self.submitted]
                if sum(task.state is State.RUNNING for task in tasks) == number:
                    return
                await asyncio.sleep(LOOK_SECONDS)

    async def lag_rises_to(self, wanted: int) -> None:
        """Waits until KEDA reads a number: tickets leave the database a moment after the tasks are there."""
        async with asyncio.timeout(WITHIN_SECONDS):
            while await self.lag() != wanted:  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(LOOK_SECONDS)

    async def lag_falls_to(self, wanted: int) -> None:
        """Waits until KEDA reads a number, and until then never reads less than what is unfinished."""
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                read = await self.lag()
                # In this order: what ends in between can only make the right side smaller.
                assert read is not None
                assert read >= await self.unfinished()
                if read == wanted:
                    return
                await asyncio.sleep(LOOK_SECONDS)


@pytest.fixture
async def queue(
    request: pytest.FixtureRequest, postgres_url: str, own_nats: Callable[[], OwnNats]
) -> AsyncIterator[Autoscaled]:
    trigger = TRIGGERS[getattr(request, "param", "gemini")]
    gate = asyncio.Semaphore(0)

    async def work(_: Attempt[StringValue]) -> None:
        await gate.acquire()

    kind = TaskKind(name="photo.process", queue=trigger.consumer, payload=StringValue, handler=work)
    nats = await asyncio.to_thread(own_nats)
    await asyncio.to_thread(create_tables, postgres_url)
    kinds = Kinds.of("providers", kind, queues=[Queue(trigger.consumer, 30)])
    async with engine(kinds, postgres_url=postgres_url, nats_url=nats.url) as opened, opened.working():
        yield Autoscaled(opened, trigger, kind, f"127.0.0.1:{nats.server.monitoring_port}", gate)


@pytest.mark.parametrize("queue", sorted(TRIGGERS), indirect=True)
async def test_the_lag_is_what_was_accepted_and_has_not_finished(queue: Autoscaled) -> None:
    with_two_slots = queue.engine.worker({queue.trigger.consumer: 2})
    await queue.submit(3)
    async with queue.engine.working(with_two_slots, relay=False):
        await queue.lag_rises_to(3)
        await queue.submit(2)
        await queue.lag_rises_to(5)
        await queue.running(2)
        assert await queue.lag() == 5
        for left in (4, 3, 2, 1, 0):
            queue.gate.release()
            await queue.lag_falls_to(left)
            assert await queue.unfinished() == left
        await queue.submit(1)
        await queue.lag_rises_to(1)
        queue.gate.release()
        await queue.lag_falls_to(0)


async def test_a_worker_that_goes_takes_nothing_out_of_the_lag(queue: Autoscaled) -> None:
    name = queue.trigger.consumer
    goes = queue.engine.worker({name: 2}, worker_id="goes", grace=timedelta(seconds=0))
    await queue.submit(3)
    async with queue.engine.working(goes, relay=False):
        await queue.running(2)
    assert await queue.lag() == 3
    async with queue.engine.working(queue.engine.worker({name: 2}, worker_id="comes"), relay=False):
        await queue.running(2)
        assert await queue.lag() == 3
        for left in (2, 1, 0):
            queue.gate.release()
            await queue.lag_falls_to(left)


async def test_without_a_worker_keda_sees_an_error_and_its_fallback_starts_one(queue: Autoscaled) -> None:
    await queue.submit(1)
    await queue.engine.until_tickets(queue.trigger.consumer, 1)
    assert await queue.lag() is None
    async with queue.engine.working(queue.engine.worker({queue.trigger.consumer: 1}), relay=False):
        await queue.lag_rises_to(1)
        queue.gate.release()
        await queue.lag_falls_to(0)


async def test_what_a_manifest_names_wrongly_is_an_error_and_not_an_empty_queue(queue: Autoscaled) -> None:
    async with queue.engine.working(queue.engine.worker({queue.trigger.consumer: 1}), relay=False):
        await queue.submit(1)
        await queue.lag_rises_to(1)
        for wrong in (
            replace(queue.trigger, account="PHOTOS"),
            replace(queue.trigger, stream="JOBS"),
            replace(queue.trigger, consumer="other"),
        ):
            assert await asyncio.to_thread(wrong.lag, queue.endpoint) is None
        queue.gate.release()
        await queue.lag_falls_to(0)
