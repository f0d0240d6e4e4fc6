"""Servers that die in the middle of the work and come back."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from photochanger_tasks import Attempt, Kinds, State, TaskKind
from photochanger_tasks.testing import create_tables, engine


@pytest.mark.parametrize("victim", ["postgres", "nats"])
async def test_when_a_server_is_killed_and_comes_back_every_task_ends_done(
    victim: str, queue: str, own_postgres: Any, own_nats: Any
) -> None:
    servers = {
        "postgres": await asyncio.to_thread(own_postgres),
        "nats": await asyncio.to_thread(own_nats),
    }
    create_tables(servers["postgres"].url)
    half_way, back = asyncio.Event(), asyncio.Event()
    ran: list[str] = []

    async def work(attempt: Attempt[StringValue]) -> None:
        ran.append(attempt.task_id)
        if len(ran) >= 20:
            half_way.set()
            await back.wait()

    kind = TaskKind(name="say", queue=queue, payload=StringValue).handled_by(work)
    async with (
        engine(
            Kinds.of("test", kind),
            postgres_url=servers["postgres"].url,
            nats_url=servers["nats"].url,
            reconcile=timedelta(seconds=1),
        ) as opened,
        opened.working(opened.worker({queue: 2}), keeper=True),
    ):
        submitted = await opened.submit(*(kind.task(StringValue(), tenant="a") for _ in range(60)))
        await half_way.wait()
        await asyncio.to_thread(servers[victim].kill)
        await asyncio.to_thread(servers[victim].start)
        back.set()
        ended = await opened.ended(*(each.task.id for each in submitted), within=timedelta(seconds=90))
    assert {task.state for task in ended} == {State.DONE}
