"""A process that dies as if killed, at the worst places, and another that takes over."""

import asyncio
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import StringValue
from photochanger_chassis.postgres.pool import connection
from photochanger_tasks import Kinds, Queue, State, TaskKind
from photochanger_tasks.testing import engine, worker_process

_KILLED = 137
_TASKS = 20


@pytest.mark.parametrize(
    "place",
    [
        "tasks.after_claim",
        "tasks.before_end",
        "tasks.after_end",
        "outbox.before_publish",
        "outbox.after_publish",
    ],
)
async def test_when_a_process_dies_every_task_still_ends_once(
    place: str, postgres_url: str, own_nats: Any
) -> None:
    nats = await asyncio.to_thread(own_nats)
    say = TaskKind(name="say", queue="crash", payload=StringValue)
    plain = TaskKind(name="plain", queue="crash", payload=StringValue)

    def start(worker_id: str, crash_at: str = "") -> subprocess.Popen[bytes]:
        command, environment = worker_process(
            "crash_kinds:kinds",
            postgres_url=postgres_url,
            nats_url=nats.url,
            slots={"crash": 4},
            worker_id=worker_id,
            lease=timedelta(seconds=1),
            crash_at=crash_at,
        )
        environment["PYTHONPATH"] += f":{Path(__file__).parent}"
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    known = Kinds.of("test", say, plain, queues=[Queue("crash")])
    async with engine(known, postgres_url=postgres_url, nats_url=nats.url) as opened:
        async with connection(opened.pool) as conn:
            await conn.execute("CREATE TABLE effects (task_id text, attempt integer)")
        submitted = await opened.submit(
            *(kind.task(StringValue(), tenant="a") for _ in range(_TASKS // 2) for kind in (say, plain))
        )
        dying = start("dying", place)
        assert await asyncio.to_thread(dying.wait, 60) == _KILLED
        heir = start("heir")
        try:
            ended = await opened.ended(*(each.task.id for each in submitted), within=timedelta(seconds=60))
        finally:
            heir.terminate()
            assert await asyncio.to_thread(heir.wait, 30) == 0
        async with connection(opened.pool) as conn:
            rows = await (await conn.execute("SELECT task_id, attempt FROM effects")).fetchall()
    assert {task.state for task in ended} == {State.DONE}
    # The effect of the attempt that ended the task, and of no other.
    assert sorted(rows) == sorted((task.id, task.attempt) for task in ended if task.kind == "say")
