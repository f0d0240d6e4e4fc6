"""The gateway's /metrics shows what the other services really call their metrics."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
from aiohttp import web
from photochanger_gateway.adapters.http.metrics import MetricsPage
from photochanger_ingest.application.metrics import JobMetrics
from photochanger_media.metrics import MediaMetrics
from photochanger_providers.adapters.measures import PrometheusMeasures
from photochanger_tasks.metrics import TaskMetrics
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families


async def served(registry: CollectorRegistry, stack: AsyncExitStack) -> str:
    """Serves a registry's metrics as a service does; returns `host:port`."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry))

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return f"{host}:{port}"


async def test_the_gateways_page_has_every_metric_of_the_services() -> None:
    services = {
        "ingest": JobMetrics,
        "providers": PrometheusMeasures,
        "media": MediaMetrics,
        "worker": TaskMetrics,
    }
    wanted: dict[str, set[str]] = {}
    targets: dict[str, str] = {}
    async with AsyncExitStack() as stack:
        for name, metrics in services.items():
            registry = CollectorRegistry()
            metrics(registry)
            wanted[name] = {family.name for family in registry.collect()}
            targets[name] = await served(registry, stack)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        async with asyncio.timeout(10):
            page = await MetricsPage(CollectorRegistry(), targets, session).render()
    shown = {family.name for family in text_string_to_metric_families(page.decode())}
    assert {name: names - shown for name, names in wanted.items()} == {
        "ingest": set(),
        "providers": set(),
        "media": set(),
        "worker": set(),
    }
