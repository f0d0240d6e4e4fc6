"""The load: cameras that post their forms, a process of its own.

A command is a run: its photos are made before the clock starts, each on a connection of its own, as cameras
do. Each is timed from connecting to the answer's last byte.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypedDict, cast

import aiohttp
import uvloop
from photochanger_devstack.camera.form import Form, camera_form

from bench.photos import marked
from bench.worker import Message, serve_commands

_CHUNK_BYTES = 256 * 1024
_PATIENCE_SECONDS = 70


class Target(TypedDict):
    """Where photos go. `name` tells the targets of one run apart."""

    name: str
    url: str
    password: str


class Run(TypedDict):
    """`count` photos to each target in turn, at most `parallel` at a time, over `slots`."""

    label: str
    photo: str
    count: int
    parallel: int
    slots: list[str]
    targets: list[Target]


class Shot(TypedDict):
    """What became of one photo; `token` is what its provider call is known by."""

    token: str
    target: str
    status: int
    seconds: float
    size_bytes: int
    server_timing: str


class Shots(TypedDict):
    """A whole run."""

    shots: list[Shot]
    wall_seconds: float


async def _handle(message: Message) -> Message:
    run = cast("Run", message)
    photo = await asyncio.to_thread(Path(run["photo"]).read_bytes)
    work: list[tuple[Target, str, str, Form]] = []
    for number in range(run["count"]):
        slot = run["slots"][number % len(run["slots"])]
        for target in run["targets"]:
            token = f"{run['label']}-{target['name']}-{number:04d}"
            form = camera_form(
                marked(photo, token), password=target["password"], number=number, fields={"id": token}
            )
            work.append((target, slot, token, form))
    gate = asyncio.Semaphore(run["parallel"])
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def one(target: Target, slot: str, token: str, form: Form) -> Shot:
            async with gate:
                return await _send(session, target, slot, token, form)

        began = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            sent = [tasks.create_task(one(*item)) for item in work]
        wall = time.perf_counter() - began
    answer: Shots = {"shots": [task.result() for task in sent], "wall_seconds": wall}
    return cast("Message", answer)


async def _send(session: aiohttp.ClientSession, target: Target, slot: str, token: str, form: Form) -> Shot:
    headers = {"Content-Type": form.content_type, "Content-Length": str(len(form.body))}
    status, size, timing = 0, 0, ""
    began = time.perf_counter()
    try:
        async with session.post(
            f"{target['url']}/api/ingest/{slot}", data=_pieces(form.body), headers=headers
        ) as response:
            async for chunk in response.content.iter_any():
                size += len(chunk)
            status = response.status
            timing = response.headers.get("Server-Timing", "")
    except (aiohttp.ClientError, TimeoutError) as error:
        timing = type(error).__name__
    seconds = time.perf_counter() - began
    return {
        "token": token,
        "target": target["name"],
        "status": status,
        "seconds": seconds,
        "size_bytes": size,
        "server_timing": timing,
    }


async def _pieces(body: bytes) -> AsyncIterator[memoryview]:
    view = memoryview(body)
    for start in range(0, len(view), _CHUNK_BYTES):
        yield view[start : start + _CHUNK_BYTES]


if __name__ == "__main__":
    uvloop.run(serve_commands(_handle))
