"""The gateway's metrics, and those of the other services on the same page."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

import aiohttp
import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from photochanger_gateway.domain.jobs import Job

_log: Final = structlog.stdlib.get_logger(__name__)

_SECONDS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 40, 50, 60, 75)
_FEDERATION_SECONDS: Final = 2.0
_OURS: Final = ("photochanger_", "ingest_", "providers_", "media_", "tasks_")
"""How the product's metrics begin. Those of each process and its gRPC server are read where they are."""


class HttpMetrics:
    """Requests by route and status; photos by slot, provider and status."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Histogram(
            "photochanger_http_request_duration_seconds",
            "Duration of requests.",
            ("method", "route", "status"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._photos = Histogram(
            "photochanger_ingest_duration_seconds",
            "From the head of a camera's request to its answer.",
            ("slot", "provider", "status"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._refused = Counter(
            "photochanger_ingest_refused_total",
            "Camera requests answered without a job, by reason.",
            ("reason",),
            registry=registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Counts a request."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def photo_answered(self, job: Job, status: int, seconds: float) -> None:
        """Counts a camera's request that had a job."""
        self._photos.labels(job.slot_id, job.provider, str(status)).observe(seconds)

    def photo_refused(self, failure_reason: str) -> None:
        """Counts a camera's request that had none."""
        self._refused.labels(failure_reason).inc()


class MetricsPage:
    """Renders /metrics: the gateway's own and, where targets are set, the product's metrics of each service."""

    def __init__(
        self, registry: CollectorRegistry, targets: Mapping[str, str], session: aiohttp.ClientSession
    ) -> None:
        self._registry = registry
        self._targets = targets
        self._session = session

    async def render(self) -> bytes:
        """Returns the page in Prometheus' text format. A service that does not answer is left out."""
        pages = await asyncio.gather(*(self._fetch(name, address) for name, address in self._targets.items()))
        merged = CollectorRegistry()
        merged.register(_Merged([metric for page in pages for metric in page]))
        return generate_latest(self._registry) + generate_latest(merged)

    async def _fetch(self, name: str, address: str) -> list[Metric]:
        try:
            timeout = aiohttp.ClientTimeout(total=_FEDERATION_SECONDS)
            async with self._session.get(f"http://{address}/metrics", timeout=timeout) as answer:
                answer.raise_for_status()
                families = list(text_string_to_metric_families(await answer.text()))
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:  # ValueError: not metrics
            _log.warning("metrics.service_away", service=name, error=type(error).__name__)
            return []
        families = [family for family in families if family.name.startswith(_OURS)]
        for family in families:
            family.samples = [
                sample._replace(labels={**sample.labels, "service": name}) for sample in family.samples
            ]
        return families


class _Merged(Collector):
    """Families of several services; those of one name become one family, as the text format wants."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families: dict[str, Metric] = {}
        for family in families:
            known = self._families.setdefault(family.name, family)
            if known is not family:
                known.samples.extend(family.samples)

    def collect(self) -> Iterable[Metric]:
        return self._families.values()
