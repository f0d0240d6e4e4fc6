"""Figures that a test sets."""

from photochanger.ingest.v1 import statistics_service_pb2, statistics_service_pb2_grpc

from photochanger_gateway.testing.script import Script


class FakeStatistics(statistics_service_pb2_grpc.StatisticsServiceServicer):
    """Answers what it is told, whatever the window."""

    def __init__(self) -> None:
        self.script = Script()
        self.figures = statistics_service_pb2.GetStatisticsResponse()
        self.series = statistics_service_pb2.GetStatisticsSeriesResponse()
        self.series.step.seconds = 60

    async def GetStatistics(  # noqa: N802 - gRPC's name
        self, request: statistics_service_pb2.GetStatisticsRequest, context: object
    ) -> statistics_service_pb2.GetStatisticsResponse:
        """See the proto."""
        await self.script.enter("GetStatistics", request)
        return self.figures

    async def GetStatisticsSeries(  # noqa: N802 - gRPC's name
        self, request: statistics_service_pb2.GetStatisticsSeriesRequest, context: object
    ) -> statistics_service_pb2.GetStatisticsSeriesResponse:
        """See the proto."""
        await self.script.enter("GetStatisticsSeries", request)
        return self.series
