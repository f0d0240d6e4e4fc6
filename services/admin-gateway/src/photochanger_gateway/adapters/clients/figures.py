"""How the cameras' jobs went, which ingest counts, over gRPC."""

from datetime import timedelta
from typing import Final

import grpc.aio
from google.protobuf.duration_pb2 import Duration
from photochanger.ingest.v1 import statistics_service_pb2
from photochanger.ingest.v1.statistics_service_pb2_grpc import StatisticsServiceStub
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.domain.statistics import (
    JobCounts,
    RecentFailure,
    Series,
    SlotStatistics,
    Statistics,
    Step,
)

_QUICK_SECONDS: Final = 5.0


class GrpcFigures:
    """Keeps the promises of `application.ports_admin.Figures`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._statistics = StatisticsServiceStub(channel)

    async def window(self, window: timedelta, *, failures: int) -> Statistics:
        """See the port."""
        request = statistics_service_pb2.GetStatisticsRequest(window=_duration(window), failures=failures)
        with translate_rpc_errors():
            answer = await self._statistics.GetStatistics(request, timeout=_QUICK_SECONDS)
        return Statistics(
            total=_counts(answer.total),
            finished_ever=answer.finished_ever,
            slots=tuple(
                SlotStatistics(
                    slot_id=item.slot_id,
                    counts=_counts(item.counts),
                    last_success_at=translate.instant(item.last_success_at)
                    if item.HasField("last_success_at")
                    else None,
                    last_failure_reason=item.last_failure_reason or None,
                )
                for item in answer.slots
            ),
            recent_failures=tuple(
                RecentFailure(item.job_id, item.slot_id, translate.instant(item.finished_at), item.reason)
                for item in answer.recent_failures
            ),
        )

    async def series(self, window: timedelta, slot_id: str) -> Series:
        """See the port."""
        request = statistics_service_pb2.GetStatisticsSeriesRequest(window=_duration(window), slot_id=slot_id)
        with translate_rpc_errors():
            answer = await self._statistics.GetStatisticsSeries(request, timeout=_QUICK_SECONDS)
        steps = tuple(Step(translate.instant(item.starts_at), _counts(item.counts)) for item in answer.steps)
        return Series(answer.step.ToTimedelta(), steps)


def _counts(message: statistics_service_pb2.JobCounts) -> JobCounts:
    return JobCounts(
        finished=message.finished,
        done=message.done,
        failed=message.failed,
        timeout=message.timeout,
        cancelled=message.cancelled,
        provider_errors=message.provider_errors,
        p50=message.p50.ToTimedelta() if message.HasField("p50") else None,
        p95=message.p95.ToTimedelta() if message.HasField("p95") else None,
    )


def _duration(length: timedelta) -> Duration:
    message = Duration()
    message.FromTimedelta(length)
    return message
