"""Prometheus metrics: the endpoint, and what every gRPC server measures."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from photochanger_chassis.settings import MetricsSettings, split_listen

_log = structlog.stdlib.get_logger(__name__)

# A cached read takes under a millisecond, a job with a slow provider over a minute.
DURATION_BUCKETS_SECONDS: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0,
)  # fmt: skip


@asynccontextmanager
async def serve_metrics(
    settings: MetricsSettings, *, registry: CollectorRegistry = REGISTRY
) -> AsyncIterator[int | None]:
    """Serves /metrics on `METRICS_LISTEN` from a thread of its own while the block runs.

    Yields the port, or None when the setting is absent.
    """
    if settings.metrics_listen is None:
        yield None
        return
    host, port = split_listen(settings.metrics_listen)
    server, thread = start_http_server(port, addr=host, registry=registry)
    bound = server.server_port
    _log.info("metrics.listening", host=host, port=bound)
    try:
        yield bound
    finally:
        # shutdown() blocks until the serving loop has noticed, up to half a second.
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join()


class GrpcServerMetrics:
    """Calls by method and code, how long they took, how many run now."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.calls: Final = Counter(
            "grpc_server_calls_total",
            "Calls answered, by method and status code.",
            ("method", "code"),
            registry=registry,
        )
        self.duration: Final = Histogram(
            "grpc_server_call_duration_seconds",
            "Time from a call's arrival to its status.",
            ("method",),
            buckets=DURATION_BUCKETS_SECONDS,
            registry=registry,
        )
        self.in_flight: Final = Gauge(
            "grpc_server_calls_in_flight", "Calls being served now.", ("method",), registry=registry
        )
