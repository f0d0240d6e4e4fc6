"""How the cameras' jobs went."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from photochanger_gateway.adapters.http.admin_answers import SlotQuery, json_answer
from photochanger_gateway.adapters.http.signed_in import SignedIn
from photochanger_gateway.adapters.http.statistics_models import (
    OverviewBody,
    SeriesBody,
    SlotsStatisticsBody,
)
from photochanger_gateway.application.job_views import FigureViews
from photochanger_gateway.application.ports_admin import Figures

_Window = Annotated[int, Query(description="The window's length in minutes, up to now.", ge=5, le=4320)]


@dataclass(frozen=True, slots=True)
class StatisticsRoutes:
    """The routes of figures. Test runs are not counted."""

    signed_in: SignedIn
    figures: Figures
    views: FigureViews

    def router(self) -> APIRouter:
        """The routes."""
        router = self.signed_in.router("statistics")
        router.add_api_route(
            "/api/stats/overview",
            self._overview,
            methods=["GET"],
            operation_id="get_statistics_overview",
            summary="How jobs went, all together and slot by slot",
            responses={200: {"model": OverviewBody, "description": "The figures."}},
        )
        router.add_api_route(
            "/api/stats/slots",
            self._slots,
            methods=["GET"],
            operation_id="get_slot_statistics",
            summary="How jobs went in the slots that are switched on, and what failed lately",
            responses={200: {"model": SlotsStatisticsBody, "description": "The figures."}},
        )
        router.add_api_route(
            "/api/stats/series",
            self._series,
            methods=["GET"],
            operation_id="get_statistics_series",
            summary="How jobs went, step by step",
            responses={200: {"model": SeriesBody, "description": "The figures."}},
        )
        return router

    async def _overview(self, window_minutes: _Window = 60) -> Response:
        overview = await self.views.overview(timedelta(minutes=window_minutes))
        return json_answer(OverviewBody.of(window_minutes, overview))

    async def _slots(self, window_minutes: _Window = 60) -> Response:
        overview = await self.views.slots(timedelta(minutes=window_minutes))
        return json_answer(SlotsStatisticsBody.of(window_minutes, overview))

    async def _series(self, window_minutes: _Window = 60, slot_id: SlotQuery = "") -> Response:
        series = await self.figures.series(timedelta(minutes=window_minutes), slot_id)
        return json_answer(SeriesBody.of(window_minutes, series))
