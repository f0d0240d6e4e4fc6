"""`send` against real HTTP servers that look at every byte of what a camera sends."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from photochanger_devstack.camera.client import Outcome, Target, send_all, shots
from photochanger_devstack.camera.form import camera_form
from PIL import Image


def a_photo(kind: str = "JPEG") -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(buffer, kind)
    return buffer.getvalue()


@dataclass
class Seen:
    """What a server saw on one connection."""

    head: str = ""
    before_the_answer: bytes = b""
    body: bytes = b""

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


@dataclass
class Server:
    url: str
    seen: list[Seen] = field(default_factory=list)


Answer = Callable[[int], bytes]


def an_answer(status: str, body: bytes, content_type: str = "application/json", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def a_picture() -> bytes:
    return an_answer("200 OK", a_photo("PNG"), "image/png", X_Job_Id="a" * 32)


@asynccontextmanager
async def a_server(answer: Answer, *, refuse_by_head: bool = False) -> AsyncIterator[Server]:
    """A server that answers connection number n (from 0) with `answer(n)`; 100 Continue unless it refuses."""
    server = Server("")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(server.seen)
        seen = Seen()
        server.seen.append(seen)
        seen.head = (await reader.readuntil(b"\r\n\r\n")).decode().removesuffix("\r\n\r\n")
        if not refuse_by_head:
            with_body = asyncio.create_task(reader.read(1))
            done, _ = await asyncio.wait({with_body}, timeout=0.05)
            seen.before_the_answer = with_body.result() if done else b""
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            first = await with_body
            seen.body = first + await reader.readexactly(int(seen.headers["content-length"]) - len(first))
        writer.write(answer(number))
        await writer.drain()
        if refuse_by_head:
            seen.body = await reader.read()
        writer.close()
        await writer.wait_closed()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        host, port = listener.sockets[0].getsockname()
        server.url = f"http://{host}:{port}"
        yield server


async def send(
    server: Server, photo: bytes, *, count: int = 1, retries: int = 0, patience: float = 20
) -> list[Outcome]:
    target = Target(server.url, "secret", timeout_seconds=patience, retries=retries)
    return await send_all(target, shots(photo, ("slot-007",), count, same=False), parallel=count)


async def test_the_photo_arrives_byte_for_byte_after_100_continue() -> None:
    photo = a_photo()
    async with a_server(lambda _: a_picture()) as server:
        (outcome,) = await send(server, photo)
    seen = server.seen[0]
    assert seen.head.startswith("POST /api/ingest/slot-007 HTTP/1.1\r\n")
    assert seen.headers["expect"] == "100-continue"
    assert seen.headers["connection"] == "close"
    assert seen.before_the_answer == b""
    boundary = seen.headers["content-type"].partition("boundary=")[2]
    expected = camera_form(photo, password="secret")
    ours = expected.content_type.partition("boundary=")[2]
    a_second_may_have_passed = slice(seen.body.index(b"user_id"), None)
    there = expected.body.replace(ours.encode(), boundary.encode())
    assert seen.body[a_second_may_have_passed] == there[there.index(b"user_id") :]
    assert (outcome.failure, outcome.picture, outcome.extension) == (None, a_photo("PNG"), "png")
    assert outcome.job_id == "a" * 32


async def test_a_refusal_by_the_head_alone_costs_no_upload() -> None:
    refusal = an_answer("404 Not Found", b'{"status": "error", "failure_reason": "slot_not_found"}')
    async with a_server(lambda _: refusal, refuse_by_head=True) as server:
        (outcome,) = await send(server, a_photo())
    assert server.seen[0].body == b""
    assert (outcome.status, outcome.failure, outcome.repeats) == (404, "404 slot_not_found", 0)


async def test_busy_answers_are_repeated_and_counted() -> None:
    busy = an_answer("429 Too Many", b'{"failure_reason": "rate_limited"}', Retry_After="0")
    gone = an_answer("503 Unavailable", b'{"failure_reason": "storage_unavailable"}', Retry_After="0")
    answers = [busy, gone, a_picture()]
    async with a_server(lambda number: answers[number]) as server:
        (outcome,) = await send(server, a_photo(), retries=3)
    assert (outcome.failure, outcome.repeats, len(server.seen)) == (None, 2, 3)
    assert len({seen.body[seen.body.index(b"fileToUpload") :][:2000] for seen in server.seen}) == 1


async def test_repeats_end_when_they_are_used_up() -> None:
    busy = an_answer("429 Too Many", b'{"failure_reason": "rate_limited"}', Retry_After="0")
    async with a_server(lambda _: busy) as server:
        (outcome,) = await send(server, a_photo(), retries=2)
    assert (outcome.failure, outcome.repeats, len(server.seen)) == ("429 rate_limited", 2, 3)


@pytest.mark.parametrize("status", ["400 Bad", "401 Unauthorized", "500 Oops", "502 Bad", "504 Timeout"])
async def test_final_answers_are_not_repeated(status: str) -> None:
    async with a_server(lambda _: an_answer(status, b'{"failure_reason": "why", "details": "so"}')) as server:
        (outcome,) = await send(server, a_photo(), retries=3)
    assert (outcome.failure, len(server.seen)) == (f"{status[:3]} why: so", 1)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"<html>", "image/png"),
        (a_photo("PNG"), "image/jpeg"),
        (a_photo("PNG")[:200], "image/png"),
        (b"", "image/png"),
    ],
    ids=["not a picture", "another type than it says", "cut off", "empty"],
)
async def test_a_200_whose_body_is_no_such_picture_is_a_failure(body: bytes, content_type: str) -> None:
    async with a_server(lambda _: an_answer("200 OK", body, content_type)) as server:
        (outcome,) = await send(server, a_photo())
    assert outcome.failure is not None
    assert "no picture" in outcome.failure


async def test_nobody_listening_is_repeated_and_then_said(free_port: Callable[[], int]) -> None:
    (outcome,) = await send(Server(f"http://127.0.0.1:{free_port()}"), a_photo(), retries=1)
    assert (outcome.status, outcome.repeats) == (None, 1)
    assert outcome.failure is not None
    assert outcome.failure.startswith("connection: ")


async def test_an_answer_that_never_comes_ends_the_wait() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    listener = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        (outcome,) = await send(Server(f"http://127.0.0.1:{port}"), a_photo(), patience=0.2, retries=3)
    assert (outcome.failure, outcome.repeats) == ("no answer in time", 0)


async def test_many_photos_come_on_connections_of_their_own_and_all_differ() -> None:
    async with a_server(lambda _: a_picture()) as server:
        outcomes = await send(server, a_photo(), count=5)
    assert [outcome.failure for outcome in outcomes] == [None] * 5
    assert len(server.seen) == 5
    assert len({seen.body for seen in server.seen}) == 5
