"""`procrastinate` as the bench drives it, in an environment of its own; the same commands as `ours.py`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from typing import TextIO

import procrastinate  # type: ignore[import-not-found] # it is in an environment of its own

APP = procrastinate.App(
    connector=procrastinate.PsycopgConnector(conninfo=os.environ["DATABASE_URL"], min_size=2, max_size=20)
)
SLOTS = 16
NOTES: list[TextIO] = []


@APP.task(name="note", queue="bench")  # type: ignore[untyped-decorator] # as above
async def note(number: int) -> None:
    """Notes when the task starts."""
    print(number, time.time_ns(), file=NOTES[0])


async def worker(out: str) -> None:
    """Runs tasks until SIGTERM."""
    NOTES.append(open(out, "w", buffering=1))  # noqa: ASYNC230, PTH123, SIM115 - it lives as long as the process
    async with APP.open_async():
        print("ready", flush=True)
        await APP.run_worker_async(queues=["bench"], concurrency=SLOTS, install_signal_handlers=True)


async def submit() -> None:
    """Obeys stdin, see `ours.py`."""
    async with APP.open_async():
        print("ready", flush=True)
        loop = asyncio.get_running_loop()
        while line := (await loop.run_in_executor(None, sys.stdin.readline)).split():
            numbers = range(int(line[1]), int(line[1]) + int(line[2]))
            began = time.time_ns()
            if line[0] == "burst":
                await note.batch_defer_async(*({"number": number} for number in numbers))
            else:
                await _each(numbers, int(line[3]))
            print(json.dumps([began, time.time_ns()]), flush=True)


async def _each(numbers: range, parallel: int) -> None:
    left = iter(numbers)

    async def sender() -> None:
        for number in left:
            await note.defer_async(number=number)

    async with asyncio.TaskGroup() as group:
        for _ in range(parallel):
            group.create_task(sender())


async def schema() -> None:
    """Makes its tables."""
    async with APP.open_async():
        await APP.schema_manager.apply_schema_async()


if __name__ == "__main__":
    asyncio.run(
        {"submit": submit, "schema": schema}[sys.argv[1]]() if len(sys.argv) < 3 else worker(sys.argv[2])
    )
