"""Bodies about how the cameras' jobs went."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.adapters.http.fields import Body, Count, Instant, JobId, SlotId, instant
from photochanger_gateway.application.job_views import Overview
from photochanger_gateway.domain.media import KindUsage, MediaKind
from photochanger_gateway.domain.refusals import meaning_of_failure
from photochanger_gateway.domain.slots import Slot
from photochanger_gateway.domain.statistics import (
    JobCounts,
    RecentFailure,
    Series,
    SlotStatistics,
    Statistics,
    Step,
)

_MEGABYTE = 1024 * 1024

_Rate = Annotated[float, Field(ge=0, le=1)]
_Milliseconds = Annotated[int, Field(ge=0)]
_Megabytes = Annotated[float, Field(description="1 MB is 1,048,576 bytes.", ge=0)]
_WindowMinutes = Annotated[int, Field(ge=5, le=4320)]


class _Rates(Body):
    success_rate: _Rate | None = Field(description="Of all that ended in the window; null: none did.")
    timeout_rate: _Rate | None
    p50_ms: _Milliseconds | None = Field(description="Median duration of those that went well.")
    p95_ms: _Milliseconds | None = Field(description="95th percentile, exact to 5 %.")


class StorageBody(Body):
    """What the store holds of one kind."""

    kind: MediaKind
    objects: Count
    megabytes: _Megabytes


class SystemBody(_Rates):
    """All slots together."""

    jobs_total: int = Field(description="Counted since the platform was installed.", ge=0)
    jobs_last_window: Count
    success_last_window: Count
    failures_last_window: Count
    timeouts_last_window: Count
    provider_errors_last_window: Count
    storage_usage_mb: _Megabytes
    storage: list[StorageBody] = Field(max_length=16)

    @classmethod
    def of(cls, statistics: Statistics, usage: tuple[KindUsage, ...]) -> "SystemBody":
        """The body for everything."""
        return cls.model_validate(
            {
                **_window(statistics.total),
                "jobs_total": statistics.finished_ever,
                "storage_usage_mb": _megabytes(sum(item.size_bytes for item in usage)),
                "storage": [
                    StorageBody(kind=item.kind, objects=item.objects, megabytes=_megabytes(item.size_bytes))
                    for item in usage
                ],
            }
        )


class SlotStatisticsBody(_Rates):
    """One slot."""

    slot_id: SlotId
    display_name: str = Field(max_length=80)
    is_active: bool
    jobs_last_window: Count
    success_last_window: Count
    failures_last_window: Count = Field(description="`failed`, for whatever reason; timeouts apart.")
    timeouts_last_window: Count
    provider_errors_last_window: Count = Field(description="Failures that the provider is to blame for.")
    last_success_at: Instant | None
    last_error_reason: str | None = Field(description="Within the window.", max_length=64)

    @classmethod
    def of(cls, slot: Slot, figures: SlotStatistics) -> "SlotStatisticsBody":
        """The body for a slot."""
        return cls.model_validate(
            {
                **_window(figures.counts),
                "slot_id": slot.id,
                "display_name": slot.values.display_name,
                "is_active": slot.values.is_active,
                "last_success_at": rfc3339(figures.last_success_at),
                "last_error_reason": figures.last_failure_reason,
            }
        )


class RecentFailureBody(Body):
    """A camera's job that did not end well."""

    job_id: JobId
    finished_at: Instant
    slot_id: SlotId
    failure_reason: str = Field(description="The fine code.", max_length=64)
    http_status: int = Field(description="What its camera was answered.", ge=200, le=599)

    @classmethod
    def of(cls, failure: RecentFailure) -> "RecentFailureBody":
        """The body for a failure."""
        return cls(
            job_id=failure.job_id,
            finished_at=instant(failure.finished_at),
            slot_id=failure.slot_id,
            failure_reason=failure.reason,
            http_status=meaning_of_failure(failure.reason).status,
        )


class OverviewBody(Body):
    """A window's figures, of everything and of each slot."""

    window_minutes: _WindowMinutes
    system: SystemBody
    slots: list[SlotStatisticsBody] = Field(description="By id, switched off or not.", max_length=15)

    @classmethod
    def of(cls, window_minutes: int, overview: Overview) -> "OverviewBody":
        """The body for a window."""
        return cls(
            window_minutes=window_minutes,
            system=SystemBody.of(overview.statistics, overview.usage),
            slots=_slots(overview),
        )


class SlotsStatisticsBody(Body):
    """A window's figures of the slots that are switched on, and what failed lately."""

    window_minutes: _WindowMinutes
    slots: list[SlotStatisticsBody] = Field(max_length=15)
    recent_failures: list[RecentFailureBody] = Field(
        description="Newest first, within the window.", max_length=20
    )

    @classmethod
    def of(cls, window_minutes: int, overview: Overview) -> "SlotsStatisticsBody":
        """The body for a window."""
        return cls(
            window_minutes=window_minutes,
            slots=[slot for slot in _slots(overview) if slot.is_active],
            recent_failures=[RecentFailureBody.of(item) for item in overview.statistics.recent_failures],
        )


class StepBody(Body):
    """The figures of one step."""

    starts_at: Instant
    jobs: Count
    success: Count
    failures: Count
    timeouts: Count
    provider_errors: Count
    p50_ms: _Milliseconds | None
    p95_ms: _Milliseconds | None

    @classmethod
    def of(cls, step: Step) -> "StepBody":
        """The body for a step."""
        counts = step.counts
        return cls(
            starts_at=instant(step.starts_at),
            jobs=counts.finished,
            success=counts.done,
            failures=counts.failed,
            timeouts=counts.timeout,
            provider_errors=counts.provider_errors,
            p50_ms=_milliseconds(counts.p50),
            p95_ms=_milliseconds(counts.p95),
        )


class SeriesBody(Body):
    """A window's figures, step by step."""

    window_minutes: _WindowMinutes
    step_seconds: int = Field(ge=60, le=3600)
    steps: list[StepBody] = Field(description="In order, none left out.", max_length=100)

    @classmethod
    def of(cls, window_minutes: int, series: Series) -> "SeriesBody":
        """The body for a series."""
        return cls(
            window_minutes=window_minutes,
            step_seconds=round(series.step.total_seconds()),
            steps=[StepBody.of(step) for step in series.steps],
        )


def _slots(overview: Overview) -> list[SlotStatisticsBody]:
    figures = {item.slot_id: item for item in overview.statistics.slots}
    none = JobCounts()
    return [
        SlotStatisticsBody.of(slot, figures.get(slot.id, SlotStatistics(slot.id, none, None, None)))
        for slot in overview.slots
    ]


def _window(counts: JobCounts) -> dict[str, object]:
    return {
        "jobs_last_window": counts.finished,
        "success_last_window": counts.done,
        "failures_last_window": counts.failed,
        "timeouts_last_window": counts.timeout,
        "provider_errors_last_window": counts.provider_errors,
        "success_rate": counts.success_rate,
        "timeout_rate": counts.timeout_rate,
        "p50_ms": _milliseconds(counts.p50),
        "p95_ms": _milliseconds(counts.p95),
    }


def _milliseconds(length: timedelta | None) -> int | None:
    return None if length is None else max(0, round(length / timedelta(milliseconds=1)))


def _megabytes(size_bytes: int) -> float:
    return round(size_bytes / _MEGABYTE, 3)
