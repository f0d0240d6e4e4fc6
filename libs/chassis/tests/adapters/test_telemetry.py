import asyncio
import socket
import urllib.request
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from photochanger_chassis.metrics import serve_metrics
from photochanger_chassis.settings import MetricsSettings
from photochanger_chassis.tracing import continued_trace, current_trace_id, trace_headers
from prometheus_client import CollectorRegistry, Counter


async def test_metrics_are_served_while_the_block_runs_and_the_port_is_free_after_it() -> None:
    registry = CollectorRegistry()
    Counter("photos_total", "Photos.", registry=registry).inc(3)
    async with serve_metrics(MetricsSettings(metrics_listen="127.0.0.1:0"), registry=registry) as port:

        def scrape() -> bytes:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                body: bytes = answer.read()
            return body

        assert b"photos_total 3.0" in await asyncio.to_thread(scrape)
    assert port is not None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port)).close()


async def test_metrics_are_not_served_unless_asked_for() -> None:
    async with serve_metrics(MetricsSettings(metrics_listen=None)) as port:
        assert port is None


async def test_a_trace_goes_on_in_the_service_called(serve: Any, shape: str) -> None:
    seen: list[str | None] = []

    async def behave(text: str) -> str:
        seen.append(current_trace_id())
        return text

    with TracerProvider().get_tracer("test").start_as_current_span("caller"):
        here = current_trace_id()
        async with serve(behave) as running:
            await running.call(shape, "x")
    assert here is not None
    assert seen == [here]


def test_headers_carry_a_trace_and_mean_nothing_without_one() -> None:
    assert trace_headers() == {}
    with TracerProvider().get_tracer("test").start_as_current_span("event"):
        here, headers = current_trace_id(), trace_headers()
    with continued_trace(headers):
        assert current_trace_id() == here
    with continued_trace({"traceparent": "nonsense"}):
        assert not trace.get_current_span().get_span_context().is_valid
