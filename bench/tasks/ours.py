"""Our engine as the bench drives it: `ours.py worker` runs tasks until SIGTERM, `ours.py submit` obeys its stdin."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

from google.protobuf.wrappers_pb2 import Int64Value
from photochanger_chassis.lifecycle import run_until_stopped
from photochanger_chassis.postgres.pool import transaction
from photochanger_tasks import Attempt, Kinds, Queue, TaskKind
from photochanger_tasks.testing import Engine, engine

KIND = TaskKind(
    name="bench.note", queue="bench", payload=Int64Value, announce=os.environ.get("BENCH_EVENTS") == "yes"
)
SLOTS = int(os.environ.get("BENCH_SLOTS", "16"))
PROVIDER_SECONDS = float(os.environ.get("BENCH_PROVIDER_SECONDS", "0"))


def _opened(kind: TaskKind[Int64Value]):  # type: ignore[no-untyped-def] # an engine's context manager
    kinds = Kinds.of("bench", kind, queues=[Queue("bench")])
    return engine(
        kinds, postgres_url=os.environ["DATABASE_URL"], nats_url=os.environ["NATS_URL"], connections=20
    )


async def worker(out: str) -> None:
    """Tells the pipe when each task starts."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(15, stop.set)
    with open(out, "w", buffering=1) as notes:  # noqa: ASYNC230, PTH123 - one line a task, as the peer does

        async def note(attempt: Attempt[Int64Value]) -> None:
            notes.write(f"{attempt.payload.value} {time.time_ns()}\n")
            if PROVIDER_SECONDS:
                await asyncio.sleep(PROVIDER_SECONDS)

        async with _opened(KIND.handled_by(note)) as opened:
            print("ready", flush=True)
            # With a name of its own: leases are by owner.
            own = opened.worker({"bench": SLOTS}, worker_id=f"worker-{os.getpid()}")
            await run_until_stopped(stop, opened.relay.run(), opened.keeper.run(), own.run(stop))


async def submit() -> None:
    """Per line: `burst FIRST N` submits N tasks at once, `each FIRST N PARALLEL` one by one. Answers with JSON."""
    async with _opened(KIND) as opened:
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        while line := (await loop.run_in_executor(None, sys.stdin.readline)).split():
            numbers = range(int(line[1]), int(line[1]) + int(line[2]))
            began = time.time_ns()
            if line[0] == "burst":
                await _burst(opened, numbers)
            else:
                await _each(opened, numbers, int(line[3]))
            print(json.dumps([began, time.time_ns()]), flush=True)


async def _burst(opened: Engine, numbers: range) -> None:
    async with transaction(opened.pool) as conn:
        await opened.tasks.submit_all(conn, [KIND.task(Int64Value(value=n), tenant="bench") for n in numbers])


async def _each(opened: Engine, numbers: range, parallel: int) -> None:
    left = iter(numbers)

    async def sender(tenant: str) -> None:
        for number in left:
            async with transaction(opened.pool) as conn:
                await opened.tasks.submit(conn, KIND.task(Int64Value(value=number), tenant=tenant))

    async with asyncio.TaskGroup() as group:
        for place in range(parallel):
            group.create_task(sender(f"client-{place}"))


if __name__ == "__main__":
    asyncio.run(worker(sys.argv[2]) if sys.argv[1] == "worker" else submit())
