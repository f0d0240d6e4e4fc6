"""What the engine measures."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from photochanger_chassis.metrics import DURATION_BUCKETS_SECONDS
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from photochanger_tasks.model import Task
from photochanger_tasks.postgres.reads import QueueDepth


class TaskMetrics:
    """Counters of what this process did, and gauges of the queues as the keeper last saw them."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._submitted: Final = Counter(
            "tasks_submitted_total", "Tasks submitted.", ("queue", "kind"), registry=registry
        )
        self._started: Final = Counter(
            "tasks_attempts_started_total", "Attempts started.", ("queue", "kind"), registry=registry
        )
        self._retried: Final = Counter(
            "tasks_attempts_failed_total",
            "Attempts that failed and are tried again, or were the last.",
            ("queue", "kind"),
            registry=registry,
        )
        self._finished: Final = Counter(
            "tasks_finished_total", "Tasks ended, by state.", ("queue", "kind", "state"), registry=registry
        )
        self._waited: Final = Histogram(
            "tasks_wait_seconds",
            "From a task's submission to its first start.",
            ("queue",),
            buckets=DURATION_BUCKETS_SECONDS,
            registry=registry,
        )
        self._took: Final = Histogram(
            "tasks_total_seconds",
            "From a task's submission to its end.",
            ("queue",),
            buckets=DURATION_BUCKETS_SECONDS,
            registry=registry,
        )
        self.running: Final = Gauge(
            "tasks_running_here", "Attempts under way in this process.", ("queue",), registry=registry
        )
        self.guard_closed: Final = Gauge(
            "tasks_guard_closed",
            "1 while this process takes no tasks for want of resources.",
            registry=registry,
        )
        self.missing_tickets: Final = Counter(
            "tasks_tickets_missing_total",
            "Tickets the reconciler published again.",
            ("queue",),
            registry=registry,
        )
        self._depth: Final = Gauge(
            "tasks_queue_depth", "Tasks by state.", ("queue", "state"), registry=registry
        )
        self._oldest: Final = Gauge(
            "tasks_queue_oldest_seconds", "Age of the task waiting longest.", ("queue",), registry=registry
        )

    def submitted(self, tasks: Sequence[Task]) -> None:
        """Counts new tasks."""
        for task in tasks:
            self._submitted.labels(task.queue, task.kind).inc()

    def started(self, tasks: Sequence[Task], now: datetime) -> None:
        """Counts new attempts."""
        for task in tasks:
            self._started.labels(task.queue, task.kind).inc()
            if task.attempt == 1:
                self._waited.labels(task.queue).observe(max((now - task.created_at).total_seconds(), 0))

    def failed_attempt(self, task: Task) -> None:
        """Counts an attempt that failed."""
        self._retried.labels(task.queue, task.kind).inc()

    def finished(self, tasks: Sequence[Task], now: datetime) -> None:
        """Counts tasks that ended."""
        for task in tasks:
            self._finished.labels(task.queue, task.kind, task.state.value).inc()
            self._took.labels(task.queue).observe(max((now - task.created_at).total_seconds(), 0))

    def depths(self, depths: Sequence[QueueDepth], now: datetime) -> None:
        """Shows the queues."""
        for each in depths:
            for state in ("queued", "running", "scheduled", "blocked", "dead"):
                self._depth.labels(each.queue, state).set(getattr(each, state))
            age = (now - each.oldest_at).total_seconds() if each.oldest_at is not None else 0
            self._oldest.labels(each.queue).set(max(age, 0))
