"""Health, readiness, metrics, and a stop that finishes what is being answered."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from photochanger.providers.v1 import provider_pb2
from photochanger_chassis.clock import SystemClock
from photochanger_chassis.testing import ManualClock
from photochanger_devstack.testing.servers import OwnNats
from photochanger_gateway.testing.platform import (
    SIGNING_KEY,
    Gateway,
    Platform,
    a_gateway,
    a_platform,
    settings_for,
)
from photochanger_gateway.testing.wire import Answer, ask, connected, post_photo
from prometheus_client.parser import text_string_to_metric_families


async def test_health_names_every_component(gateway: Gateway) -> None:
    answer = await ask(gateway.port, "/healthz")
    assert (answer.status, answer.json()["status"]) == (200, "ok")
    assert set(answer.json()["components"]) == {
        "ingest",
        "ingest.postgres",
        "media",
        "media.postgres",
        "media.storage",
        "providers",
        "providers.postgres",
        "provider.local",
        "nats",
    }


async def test_a_provider_that_is_down_degrades_and_does_not_fail(
    gateway: Gateway, platform: Platform
) -> None:
    platform.providers.states["local"] = provider_pb2.PROVIDER_HEALTH_STATE_DEGRADED
    answer = await ask(gateway.port, "/healthz")
    assert (answer.status, answer.json()["status"]) == (200, "degraded")
    assert (await ask(gateway.port, "/readyz")).status == 200


async def test_storage_that_is_down_fails_health_and_readiness(gateway: Gateway, platform: Platform) -> None:
    platform.media_server.broken.add("storage")
    await platform.media_server.look_again()
    answer = await ask(gateway.port, "/healthz")
    assert (answer.status, answer.json()["status"]) == (503, "failing")
    assert answer.json()["components"]["media.storage"]["healthy"] is False
    assert answer.json()["components"]["ingest"]["healthy"] is True
    assert (await ask(gateway.port, "/readyz")).status == 503
    assert (await ask(gateway.port, "/livez")).status == 200


async def test_a_service_that_is_gone_fails_health(gateway: Gateway, platform: Platform) -> None:
    await platform.ingest_server.stop()
    answer = await ask(gateway.port, "/healthz")
    assert answer.status == 503
    assert answer.json()["components"]["ingest"]["healthy"] is False


async def test_without_nats_health_fails_photos_are_taken_and_nobody_is_limited(
    platform: Platform, clock: ManualClock, own_nats: Callable[[], OwnNats]
) -> None:
    nats = await asyncio.to_thread(own_nats)
    settings = settings_for(platform, nats.server.url, ingest_rate_per_minute=1)
    async with a_gateway(settings, clock) as gateway:
        assert (await post_photo(gateway.port)).status == 200
        assert (await post_photo(gateway.port)).status == 429
        await asyncio.to_thread(nats.kill)
        assert (await post_photo(gateway.port)).status == 200
        assert (await ask(gateway.port, "/healthz")).status == 503
        assert (await ask(gateway.port, "/readyz")).status == 200


async def test_a_gateway_that_stops_is_not_ready(gateway: Gateway) -> None:
    assert (await ask(gateway.port, "/readyz")).json() == {"status": "ok"}
    gateway.readiness.stop()
    answer = await ask(gateway.port, "/readyz")
    assert (answer.status, answer.json()) == (503, {"status": "stopping"})


@asynccontextmanager
async def a_metrics_page(text: str) -> AsyncIterator[str]:
    """Another service's metrics; yields where they are."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=text)

    app = web.Application()
    app.router.add_get("/metrics", page)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield "{}:{}".format(*runner.addresses[0][:2])
    finally:
        await runner.cleanup()


def samples(answer: Answer) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample of a page that is one page: each family once."""
    families = list(text_string_to_metric_families(answer.body.decode()))
    assert len({family.name for family in families}) == len(families)
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


async def test_metrics_count_requests_photos_and_refusals_without_ids(gateway: Gateway) -> None:
    await post_photo(gateway.port)
    await post_photo(gateway.port, [("hash", b"")])
    await ask(gateway.port, f"/public/results/{'0' * 32}")
    answer = await ask(gateway.port, "/metrics")
    found = samples(answer)
    photo = {("slot", "slot-001"), ("provider", "local"), ("status", "200")}
    assert found["photochanger_ingest_duration_seconds_count", frozenset(photo)] == 1
    refused = frozenset({("reason", "invalid_request")})
    assert found["photochanger_ingest_refused_total", refused] == 1
    route = frozenset({("method", "GET"), ("route", "/public/results/{job_id}"), ("status", "404")})
    assert found["photochanger_http_request_duration_seconds_count", route] == 1
    assert "0" * 32 not in answer.body.decode()


async def test_metrics_of_the_services_are_on_the_same_page(
    platform: Platform, clock: ManualClock, nats_url: str
) -> None:
    text = (
        '# TYPE photochanger_queue_jobs gauge\nphotochanger_queue_jobs{{slot="slot-001"}} {value}\n'
        "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 7\n"
    )
    async with (
        a_metrics_page(text.format(value=3)) as one,
        a_metrics_page(text.format(value=4)) as two,
        a_metrics_page("<html>no metrics") as broken,
    ):
        targets = f"ingest={one},providers={two},media={broken},gone=127.0.0.1:1"
        settings = settings_for(platform, nats_url, metrics_targets=targets)
        async with a_gateway(settings, clock) as gateway:
            answer = await ask(gateway.port, "/metrics")
    found = samples(answer)
    assert answer.status == 200
    name = "photochanger_queue_jobs"
    assert found[name, frozenset({("slot", "slot-001"), ("service", "ingest")})] == 3
    assert found[name, frozenset({("slot", "slot-001"), ("service", "providers")})] == 4
    assert not any(key[0] == "process_cpu_seconds_total" for key in found)


@asynccontextmanager
async def a_process(
    platform: Platform, nats_url: str, port: int
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The gateway as it is run, by `python -m`."""
    settings = settings_for(platform, nats_url)
    environment = {
        "HTTP_LISTEN": f"127.0.0.1:{port}",
        "NATS_URL": nats_url,
        "INGEST_TARGET": settings.ingest_target,
        "MEDIA_TARGET": settings.media_target,
        "PROVIDERS_TARGET": settings.providers_target,
        "JWT_SIGNING_KEY": SIGNING_KEY,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "photochanger_gateway", env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def line_with(process: asyncio.subprocess.Process, words: str) -> None:
    """Reads the log until a line has the words."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        async for line in process.stdout:
            if words.encode() in line:
                return
    pytest.fail(f"no line has {words}")


async def test_sigterm_lets_a_photo_in_flight_have_its_answer(
    nats_url: str, free_port: Callable[[], int]
) -> None:
    port = free_port()
    async with a_platform(SystemClock()) as platform, a_process(platform, nats_url, port) as process:
        await line_with(process, "http.listening")
        platform.ingest.release.clear()
        async with asyncio.TaskGroup() as tasks, connected(port) as idle:
            await idle.send_head("GET", "/livez")
            assert (await idle.answer()).status == 200
            photo = tasks.create_task(post_photo(port))
            await platform.ingest.script.entering("RunJob").wait()
            process.send_signal(signal.SIGTERM)
            assert await idle.rest() == b""  # a connection without a request is closed: it is stopping
            platform.ingest.release.set()
        assert photo.result().status == 200
        assert await process.wait() == 0
        with pytest.raises(ConnectionError):
            await ask(port, "/livez")


async def test_a_gateway_without_its_key_says_what_is_missing_and_does_not_start() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "photochanger_gateway",
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 78
    assert b"JWT_SIGNING_KEY is not set" in errors
