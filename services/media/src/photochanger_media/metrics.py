"""What media measures, beside what every gRPC server does."""

from typing import Final

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram

from photochanger_media.application.cleanup import CleanupReport
from photochanger_media.application.ports import Usage
from photochanger_media.domain.media_object import MediaKind

_PREVIEW_BUCKETS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class MediaMetrics:
    """Uploads, cleanups, previews, stored bytes."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._uploads = Counter(
            "media_uploads_total",
            "Uploads, by kind and outcome: `stored` or the reason of the refusal.",
            ("kind", "outcome"),
            registry=registry,
        )
        self._received = Counter(
            "media_received_bytes_total", "Bytes of stored uploads.", ("kind",), registry=registry
        )
        self._stored = Gauge("media_stored_bytes", "Bytes in the bucket.", ("kind",), registry=registry)
        self._objects = Gauge("media_objects", "Objects in the bucket.", ("kind",), registry=registry)
        self._cleanups = Counter("media_cleanups_total", "Sweeps that ran to their end.", registry=registry)
        self._cleaned = Counter(
            "media_cleaned_total",
            "What sweeps removed: expired, orphan_object, orphan_row, unfinished.",
            ("what",),
            registry=registry,
        )
        self._freed = Counter("media_freed_bytes_total", "Bytes given back by sweeps.", registry=registry)
        self._previews = Histogram(
            "media_preview_duration_seconds",
            "Time to make a preview, reading and storing included.",
            buckets=_PREVIEW_BUCKETS,
            registry=registry,
        )

    def uploaded(self, kind: MediaKind, received_bytes: int) -> None:
        """Notes one stored upload."""
        self._uploads.labels(kind.value, "stored").inc()
        self._received.labels(kind.value).inc(received_bytes)

    def upload_refused(self, kind: MediaKind, reason: str) -> None:
        """Notes one refused upload."""
        self._uploads.labels(kind.value, reason.lower()).inc()

    def cleaned(self, report: CleanupReport) -> None:
        """Notes one cleanup."""
        self._cleanups.inc()
        self._cleaned.labels("expired").inc(report.expired_count)
        self._cleaned.labels("orphan_object").inc(report.orphan_object_count)
        self._cleaned.labels("orphan_row").inc(report.orphan_row_count)
        self._cleaned.labels("unfinished").inc(report.unfinished_count)
        self._freed.inc(report.freed_bytes)

    def preview_made(self, seconds: float) -> None:
        """Notes one preview and how long it took."""
        self._previews.observe(seconds)

    def usage(self, usage: list[Usage]) -> None:
        """Shows what is in the bucket now."""
        by_kind = {item.kind: item for item in usage}
        for kind in MediaKind:
            item = by_kind.get(kind)
            self._stored.labels(kind.value).set(item.size_bytes if item else 0)
            self._objects.labels(kind.value).set(item.object_count if item else 0)
