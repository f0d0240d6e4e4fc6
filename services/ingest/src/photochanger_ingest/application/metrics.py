"""What ingest measures."""

from collections.abc import Mapping
from typing import Final

from photochanger_chassis.metrics import DURATION_BUCKETS_SECONDS
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from photochanger_ingest.domain.ids import ProviderId
from photochanger_ingest.domain.job import Job, JobMode, JobSource, JobState
from photochanger_ingest.domain.webhook import Sent


class JobMetrics:
    """Jobs by slot, provider and state; how long they took; how many run and wait."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.finished: Final = Counter(
            "ingest_jobs_finished_total",
            "Cameras' jobs that reached their final state. The share of timeouts is this by state `timeout`.",
            ("slot", "provider", "state"),
            registry=registry,
        )
        self.failures: Final = Counter(
            "ingest_job_failures_total",
            "Cameras' jobs without the provider's picture, by reason.",
            ("provider", "reason"),
            registry=registry,
        )
        self.duration: Final = Histogram(
            "ingest_job_duration_seconds",
            "From the camera's request to the job's final state; test runs are not counted.",
            ("provider", "state"),
            buckets=DURATION_BUCKETS_SECONDS,
            registry=registry,
        )
        self.waited: Final = Histogram(
            "ingest_job_wait_seconds",
            "From admission to the start of the provider's turn.",
            ("provider",),
            buckets=DURATION_BUCKETS_SECONDS,
            registry=registry,
        )
        self.hash_mismatches: Final = Counter(
            "ingest_hash_mismatches_total",
            "Photos whose form field `hash` was not their digest.",
            ("slot",),
            registry=registry,
        )
        self.late_results: Final = Counter(
            "ingest_late_results_total",
            "Pictures that came after the deadline, by what became of them.",
            ("slot", "fate"),
            registry=registry,
        )
        self.async_finished: Final = Counter(
            "ingest_async_jobs_finished_total",
            "API clients' jobs that reached their final state.",
            ("provider", "state"),
            registry=registry,
        )
        self.unfinished: Final = Gauge(
            "ingest_jobs_unfinished",
            "Cameras' jobs and test runs running and waiting now, over all replicas.",
            ("provider", "state"),
            registry=registry,
        )
        self.swept: Final = Counter(
            "ingest_jobs_swept_total",
            "Jobs ended by the sweeper, because nobody drove them.",
            ("kind",),
            registry=registry,
        )

    def started(self, job: Job) -> None:
        """Notes that a job's turn began. Asynchronous ones wait in a queue, which is measured there."""
        if job.started_at is not None and job.mode is JobMode.SYNC:
            self.waited.labels(job.provider_id).observe((job.started_at - job.created_at).total_seconds())

    def ended(self, job: Job) -> None:
        """Notes that a job reached its final state. Test runs, which try what may not work, count for no goal."""
        if job.mode is JobMode.ASYNC:
            self.async_finished.labels(job.provider_id, job.state).inc()
        if job.source is not JobSource.INGEST:
            return
        self.finished.labels(job.slot_id, job.provider_id, job.state).inc()
        if job.failure is not None:
            self.failures.labels(job.provider_id, job.failure.reason).inc()
        if job.finished_at is not None:
            seconds = (job.finished_at - job.received_at).total_seconds()
            self.duration.labels(job.provider_id, job.state).observe(seconds)

    def load(self, counts: Mapping[tuple[ProviderId, JobState], int]) -> None:
        """Notes how many jobs are unfinished, by provider and state."""
        self.unfinished.clear()
        for (provider_id, state), count in counts.items():
            self.unfinished.labels(provider_id, state).set(count)


class WebhookMetrics:
    """Attempts to reach clients' receivers."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.attempts: Final = Counter(
            "ingest_webhook_attempts_total",
            "Messages sent to receivers, by outcome: `ok`, or what went wrong.",
            ("outcome",),
            registry=registry,
        )
        self.duration: Final = Histogram(
            "ingest_webhook_attempt_seconds",
            "How long an attempt took.",
            buckets=DURATION_BUCKETS_SECONDS,
            registry=registry,
        )

    def attempted(self, sent: Sent) -> None:
        """Notes an attempt."""
        self.attempts.labels("ok" if sent.error is None else sent.error.lower()).inc()
        self.duration.observe(sent.duration.total_seconds())
