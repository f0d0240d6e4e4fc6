"""Sends photos one by one or many at a time, each on a connection of its own, and says what became of each."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

import aiohttp

from photochanger_devstack.answers import first_line, picture_extension, reason_of, retry_after
from photochanger_devstack.camera.form import camera_form
from photochanger_devstack.camera.unique import mark

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_PAUSE_SECONDS = 1.0
# Pauses grow with each repeat (1, 2, 4 s…): together longer than a service takes to be started again, and a crowd
# of cameras does not come back in step.
_PAUSE_GROWTH = 2.0
_LONGEST_PAUSE_SECONDS = 30.0
_REPEATED = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


@dataclass(frozen=True, slots=True)
class Target:
    """Where photos go and how patient the camera is. `timeout_seconds` covers one attempt from connect to end."""

    url: str
    password: str = field(repr=False)
    timeout_seconds: float = 60
    retries: int = 6


@dataclass(frozen=True, slots=True)
class Shot:
    """One photo for one slot; `number` counts from 1."""

    number: int
    slot: str
    photo: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one shot: a picture, or the failure in words. `seconds` is the last attempt's time."""

    shot: Shot = field(repr=False)
    seconds: float
    status: int | None = None
    failure: str | None = None
    repeats: int = 0
    picture: bytes = field(default=b"", repr=False)
    extension: str = ""
    job_id: str = ""
    result_url: str = ""


def shots(photo: bytes, slots: Sequence[str], count: int, *, same: bool) -> list[Shot]:
    """`count` shots over `slots` in turn; more than one differ in their bytes unless `same`."""
    stamp = f"{time.time_ns():x}"
    return [
        Shot(
            number=number,
            slot=slots[(number - 1) % len(slots)],
            photo=photo if same or count == 1 else mark(photo, f"photochanger send {stamp} {number}"),
        )
        for number in range(1, count + 1)
    ]


async def send_all(
    target: Target, shots: Sequence[Shot], *, parallel: int, done: Callable[[Outcome], None] = lambda _: None
) -> list[Outcome]:
    """Sends every shot, at most `parallel` at a time; outcomes come in the order of `shots`."""
    gate = asyncio.Semaphore(parallel)
    connector = aiohttp.TCPConnector(limit=parallel, force_close=True)
    timeout = aiohttp.ClientTimeout(total=target.timeout_seconds)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False) as session:

        async def one(shot: Shot) -> Outcome:
            async with gate:
                outcome = await _until_decided(session, target, shot)
            done(outcome)
            return outcome

        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(one(shot)) for shot in shots]
    return [task.result() for task in running]


async def _until_decided(session: aiohttp.ClientSession, target: Target, shot: Shot) -> Outcome:
    """Repeats what may pass: no connection, 429 and 503, after the wait the answer asks for, longer each time."""
    repeats = 0
    while True:
        outcome, pause = await _attempt(session, target, shot, repeats)
        if pause is None or repeats >= target.retries:
            return outcome
        repeats += 1
        await asyncio.sleep(min(pause * _PAUSE_GROWTH ** (repeats - 1), _LONGEST_PAUSE_SECONDS))


async def _attempt(
    session: aiohttp.ClientSession, target: Target, shot: Shot, repeats: int
) -> tuple[Outcome, float | None]:
    """One attempt; the second item is how long to wait before another, None when there should be none."""
    form = camera_form(shot.photo, password=target.password, number=shot.number)
    begin = time.perf_counter()
    try:
        async with session.post(
            f"{target.url.rstrip('/')}/api/ingest/{shot.slot}",
            data=form.body,
            headers={"Content-Type": form.content_type},
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            expect100=True,
            allow_redirects=False,
        ) as response:
            body = await response.read()
            seconds = time.perf_counter() - begin
            return _judge(shot, response, body, seconds, repeats)
    except TimeoutError:
        seconds = time.perf_counter() - begin
        return Outcome(shot, seconds, failure="no answer in time", repeats=repeats), None
    except aiohttp.ClientError as error:
        seconds = time.perf_counter() - begin
        failure = f"connection: {first_line(error)}"
        return Outcome(shot, seconds, failure=failure, repeats=repeats), _PAUSE_SECONDS


def _judge(
    shot: Shot, response: aiohttp.ClientResponse, body: bytes, seconds: float, repeats: int
) -> tuple[Outcome, float | None]:
    status = response.status
    if status != HTTPStatus.OK:
        outcome = Outcome(shot, seconds, status, failure=reason_of(status, body), repeats=repeats)
        if status not in _REPEATED:
            return outcome, None
        pause = retry_after(response.headers)
        return outcome, _PAUSE_SECONDS if pause is None else pause
    extension = picture_extension(response.content_type, body)
    if extension is None:
        failure = f"the answer is no picture ({response.content_type}, {len(body)} bytes)"
        return Outcome(shot, seconds, status, failure=failure, repeats=repeats), None
    outcome = Outcome(
        shot,
        seconds,
        status,
        repeats=repeats,
        picture=body,
        extension=extension,
        job_id=response.headers.get("X-Job-Id", ""),
        result_url=response.headers.get("X-Result-Url", ""),
    )
    return outcome, None
