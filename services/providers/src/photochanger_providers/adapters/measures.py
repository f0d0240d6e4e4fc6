"""The service's metrics."""

from datetime import timedelta
from typing import Final

from photochanger_chassis.metrics import DURATION_BUCKETS_SECONDS
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram


class PrometheusMeasures:
    """What is counted and timed. Labels are names of providers, models and reasons, never ids."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._calls: Final = Histogram(
            "providers_call_duration_seconds",
            "Calls to providers, their in-call repeats and the check of the result included, by outcome.",
            ("provider", "model", "outcome"),
            buckets=DURATION_BUCKETS_SECONDS,
            registry=registry,
        )
        self._repeats: Final = Counter(
            "providers_call_repeats_total",
            "Calls made again, by the reason of the failure before.",
            ("provider", "reason"),
            registry=registry,
        )
        self._jobs: Final = Counter(
            "providers_jobs_finished_total",
            "Jobs whose processing ended, by outcome.",
            ("provider", "outcome"),
            registry=registry,
        )
        self._stages: Final = Histogram(
            "providers_stage_duration_seconds",
            "Where the time of successful jobs went.",
            ("provider", "stage"),
            buckets=DURATION_BUCKETS_SECONDS,
            registry=registry,
        )
        self._under_way: Final = Gauge(
            "providers_jobs_under_way", "Jobs this process works on now.", registry=registry
        )
        self._breakers: Final = Gauge(
            "providers_breaker_open",
            "1 while a circuit breaker keeps callers away.",
            ("provider", "model"),
            registry=registry,
        )

    def provider_call(self, provider_id: str, model: str, outcome: str, duration: timedelta) -> None:
        """Notes a call to a provider."""
        self._calls.labels(provider_id, model, outcome).observe(duration.total_seconds())

    def repeat(self, provider_id: str, reason: str) -> None:
        """Notes that a call is repeated."""
        self._repeats.labels(provider_id, reason).inc()

    def finished(self, provider_id: str, outcome: str) -> None:
        """Notes the end of a job's processing."""
        self._jobs.labels(provider_id, outcome).inc()

    def stage(self, provider_id: str, stage: str, duration: timedelta) -> None:
        """Notes how long a part of the work took."""
        self._stages.labels(provider_id, stage).observe(duration.total_seconds())

    def jobs_under_way(self, count: int) -> None:
        """Notes how many jobs this process works on."""
        self._under_way.set(count)

    def open_breakers(self, breakers: list[tuple[str, str]]) -> None:
        """Notes which breakers, by provider and model, are open."""
        self._breakers.clear()
        for provider_id, model in breakers:
            self._breakers.labels(provider_id, model).set(1)
