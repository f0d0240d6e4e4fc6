"""Connections of slow, greedy and broken clients."""

import asyncio

import pytest
from photochanger.ingest.v1 import job_pb2
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.adapters.http.server import ConnectionLimits, HttpServer
from photochanger_gateway.testing.builders import JPEG, a_job
from photochanger_gateway.testing.platform import Gateway, Platform, a_gateway, settings_for
from photochanger_gateway.testing.wire import connected, post_photo


async def test_a_client_that_never_ends_its_head_is_cut_off(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    limits = ConnectionLimits(head_seconds=0.2)
    async with a_gateway(settings_for(platform, nats_url), clock, limits=limits) as gateway:
        for sent in (b"", b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Slow: "):
            async with connected(gateway.port) as connection:
                await connection.send(sent)
                assert await connection.rest() == b""


async def test_a_kept_connection_may_rest_longer_than_a_head_may_take(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    limits = ConnectionLimits(head_seconds=0.1)
    async with (
        a_gateway(settings_for(platform, nats_url), clock, limits=limits) as gateway,
        connected(gateway.port) as rested,
    ):
        await rested.send_head("GET", "/livez")
        assert (await rested.answer()).status == 200
        async with connected(gateway.port) as silent:
            await silent.rest()  # as long as a head may take
        await rested.send_head("GET", "/livez")
        assert (await rested.answer()).status == 200


@pytest.mark.parametrize("in_one_piece", [True, False])
async def test_a_head_of_too_many_bytes_is_refused(gateway: Gateway, in_one_piece: bool) -> None:
    head = b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Huge: " + b"x" * 100_000
    async with connected(gateway.port) as connection:
        await connection.send(head + (b"\r\n\r\n" if in_one_piece else b""))
        answer = await connection.answer()
    assert (answer.status, answer.json()["failure_reason"]) == (431, "invalid_request")


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x16\x03\x01\x02\x00 this is TLS\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST /ingest/slot-001 HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_and_closed(gateway: Gateway, nonsense: bytes) -> None:
    async with connected(gateway.port) as connection:
        await connection.send(nonsense)
        answer = await connection.answer()
        assert await connection.rest() == b""
    assert (answer.status, answer.json()["status"]) == (400, "error")


async def test_more_connections_than_allowed_are_told_to_come_back(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    limits = ConnectionLimits(connections=1)
    async with (
        a_gateway(settings_for(platform, nats_url), clock, limits=limits) as gateway,
        connected(gateway.port) as first,
    ):
        await first.send_head("GET", "/livez")
        assert (await first.answer()).status == 200
        async with connected(gateway.port) as second:
            answer = await second.answer()
            assert (answer.status, answer.headers["retry-after"]) == (503, "5")
            assert await second.rest() == b""
        await first.send_head("GET", "/livez")
        assert (await first.answer()).status == 200


async def test_a_guest_who_stops_reading_is_let_go(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    stored = platform.media.store(JPEG + b"x" * 30_000_000)
    job = platform.ingest.keep(a_job(state=job_pb2.JOB_STATE_DONE, result=stored))
    limits = ConnectionLimits(stalled_seconds=0.2)
    async with (
        a_gateway(settings_for(platform, nats_url), clock, limits=limits) as gateway,
        connected(gateway.port) as connection,
    ):
        await connection.send_head("GET", f"/public/results/{job.id}")
        status, headers = await connection.head()
        assert status == 200
        await platform.media.download_ended.wait()  # it is given up while nothing of it is read
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await connection.reader.readexactly(int(headers["content-length"]))


async def test_a_refused_client_that_keeps_sending_is_let_go(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    limits = ConnectionLimits(linger_seconds=0.3)
    async with (
        a_gateway(settings_for(platform, nats_url), clock, limits=limits) as gateway,
        connected(gateway.port) as connection,
    ):
        await connection.send_photo_head(path="/ingest/slot-099", Content_Length="999999999")
        assert (await connection.answer()).status == 404
        with pytest.raises(ConnectionError):
            while True:
                await connection.send(b"x" * 100_000)
                await asyncio.sleep(0)


async def test_pipelined_requests_are_answered_in_turn(gateway: Gateway) -> None:
    async with connected(gateway.port) as connection:
        await connection.send(
            b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /api/me HTTP/1.1\r\nHost: x\r\n\r\n"
        )
        assert [(await connection.answer()).status for _ in range(2)] == [200, 401]


async def test_the_gateway_serves_ipv6(platform: Platform, clock: ManualClock, nats_url: str) -> None:
    settings = settings_for(platform, nats_url, http_listen="[::1]:0")
    async with a_gateway(settings, clock) as gateway, connected(gateway.port, "::1") as connection:
        await connection.send_head("GET", "/livez")
        assert (await connection.answer()).status == 200


async def test_an_address_that_is_taken_is_an_error_at_once(gateway: Gateway) -> None:
    async def app(*_: object) -> None: ...

    with pytest.raises(OSError, match="in use"):
        HttpServer(app, listen=f"127.0.0.1:{gateway.port}")


async def test_leaving_a_gateway_finishes_what_is_being_answered(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    platform.ingest.release.clear()
    settings = settings_for(platform, nats_url, drain_grace_seconds=30)
    async with asyncio.TaskGroup() as tasks, a_gateway(settings, clock) as gateway:
        photo = tasks.create_task(post_photo(gateway.port))
        await platform.ingest.script.entering("RunJob").wait()
        gateway.server.stop()
        platform.ingest.release.set()
    assert photo.result().status == 200
