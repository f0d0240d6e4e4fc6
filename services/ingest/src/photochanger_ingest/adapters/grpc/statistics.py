"""`StatisticsService`."""

from datetime import timedelta
from typing import Any, Final

import grpc
from google.protobuf.duration_pb2 import Duration
from photochanger.ingest.v1 import statistics_service_pb2, statistics_service_pb2_grpc

from photochanger_ingest.adapters.grpc.fields import invalid
from photochanger_ingest.adapters.messages import duration, timestamp
from photochanger_ingest.application.statistics import Statistics
from photochanger_ingest.domain.ids import SlotId
from photochanger_ingest.domain.statistics import JobCounts, SlotStatistics

_Context = grpc.aio.ServicerContext[Any, Any]

_MOST_FAILURES: Final = 100
_MEDIAN, _P95 = 0.5, 0.95


class StatisticsServicer(statistics_service_pb2_grpc.StatisticsServiceServicer):
    """Translates calls into use cases."""

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics

    async def GetStatistics(  # noqa: N802 - gRPC's name
        self, request: statistics_service_pb2.GetStatisticsRequest, context: _Context
    ) -> statistics_service_pb2.GetStatisticsResponse:
        """See the contract."""
        if not 0 <= request.failures <= _MOST_FAILURES:
            raise invalid("failures", f"0 to {_MOST_FAILURES}")
        overview = await self._statistics.overview(_length(request.window), failures=request.failures)
        return statistics_service_pb2.GetStatisticsResponse(
            starts_at=timestamp(overview.window.starts_at),
            ends_at=timestamp(overview.window.ends_at),
            total=_counts_message(overview.total),
            finished_ever=overview.figures.finished_ever,
            slots=[_slot_message(slot) for slot in overview.figures.slots],
            recent_failures=[
                statistics_service_pb2.RecentFailure(
                    job_id=failure.job_id,
                    slot_id=failure.slot_id,
                    finished_at=timestamp(failure.finished_at),
                    reason=failure.reason,
                )
                for failure in overview.figures.recent_failures
            ],
        )

    async def GetStatisticsSeries(  # noqa: N802 - gRPC's name
        self, request: statistics_service_pb2.GetStatisticsSeriesRequest, context: _Context
    ) -> statistics_service_pb2.GetStatisticsSeriesResponse:
        """See the contract."""
        slot_id = SlotId(request.slot_id) if request.slot_id else None
        series = await self._statistics.series(_length(request.window), slot_id)
        return statistics_service_pb2.GetStatisticsSeriesResponse(
            step=duration(series.step),
            steps=[
                statistics_service_pb2.StatisticsStep(
                    starts_at=timestamp(step.starts_at), counts=_counts_message(step.counts)
                )
                for step in series.steps
            ],
        )


def _length(window: Duration) -> timedelta:
    try:
        return window.ToTimedelta()
    except (ValueError, OverflowError) as error:
        raise invalid("window", "a sensible length of time") from error


def _counts_message(counts: JobCounts) -> statistics_service_pb2.JobCounts:
    message = statistics_service_pb2.JobCounts(
        finished=counts.finished,
        done=counts.done,
        failed=counts.failed,
        timeout=counts.timeout,
        cancelled=counts.cancelled,
        provider_errors=counts.provider_errors,
    )
    median, p95 = counts.percentile(_MEDIAN), counts.percentile(_P95)
    if median is not None:
        message.p50.FromTimedelta(median)
    if p95 is not None:
        message.p95.FromTimedelta(p95)
    return message


def _slot_message(slot: SlotStatistics) -> statistics_service_pb2.SlotStatistics:
    message = statistics_service_pb2.SlotStatistics(
        slot_id=slot.slot_id,
        counts=_counts_message(slot.counts),
        last_failure_reason=slot.last_failure_reason or "",
    )
    if slot.last_success_at is not None:
        message.last_success_at.FromDatetime(slot.last_success_at)
    return message
