"""What operators and orchestrators ask: alive, ready, healthy, metrics."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from photochanger_gateway.adapters.http.metrics import MetricsPage
from photochanger_gateway.adapters.http.models import ComponentBody, HealthBody, StateBody
from photochanger_gateway.application.health import HealthProbe, check_health

_NO_STORE: Final = {"Cache-Control": "no-store"}


class Readiness:
    """Whether this replica takes requests: not before it serves, and not while it stops."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()

    @property
    def stopping(self) -> bool:
        """Whether it stops."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Says that it stops from now on."""
        self._stopped.set()

    async def stopped(self) -> None:
        """Returns when it stops. What would go on for ever ends then, or it would hold up the rest."""
        await self._stopped.wait()


@dataclass(frozen=True, slots=True)
class OperationRoutes:
    """The operators' routes. `core` are the probes without which no photo can be taken."""

    core: Sequence[HealthProbe]
    all_probes: Sequence[HealthProbe]
    readiness: Readiness
    metrics_page: MetricsPage

    def router(self) -> APIRouter:
        """The routes."""
        router = APIRouter(tags=["operators"], default_response_class=Response)
        unwell: dict[int | str, dict[str, Any]] = {
            503: {"model": HealthBody, "description": "Something required does not work."}
        }
        router.add_api_route(
            "/healthz",
            self._healthz,
            methods=["GET"],
            operation_id="get_health",
            summary="Health of every component",
            responses={200: {"model": HealthBody, "description": "All that is required works."}, **unwell},
        )
        router.add_api_route(
            "/livez",
            self._livez,
            methods=["GET"],
            operation_id="get_liveness",
            summary="Whether this process answers",
            responses={200: {"model": StateBody, "description": "It does."}},
        )
        router.add_api_route(
            "/readyz",
            self._readyz,
            methods=["GET"],
            operation_id="get_readiness",
            summary="Whether this replica takes photos",
            responses={
                200: {"model": StateBody, "description": "It does."},
                503: {"model": StateBody, "description": "It does not."},
            },
        )
        router.add_api_route(
            "/metrics",
            self._metrics,
            methods=["GET"],
            operation_id="get_metrics",
            summary="Prometheus metrics",
            responses={
                200: {
                    "description": "The metrics.",
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                }
            },
        )
        return router

    async def _healthz(self) -> Response:
        report = await check_health(self.all_probes)
        status: Literal["ok", "degraded", "failing"] = "ok"
        if report.degraded:
            status = "failing" if report.failing else "degraded"
        components = {
            item.name: ComponentBody(healthy=item.healthy, detail=item.detail, required=item.required)
            for item in report.components
        }
        body = HealthBody(status=status, components=components)
        return Response(
            body.model_dump_json(exclude_none=True),
            status_code=503 if report.failing else 200,
            media_type="application/json",
            headers=_NO_STORE,
        )

    async def _livez(self) -> Response:
        return _state(StateBody(status="ok"), 200)

    async def _readyz(self) -> Response:
        if self.readiness.stopping:
            return _state(StateBody(status="stopping"), 503)
        report = await check_health(self.core)
        if report.failing:
            return _state(StateBody(status="unavailable"), 503)
        return _state(StateBody(status="ok"), 200)

    async def _metrics(self) -> Response:
        return Response(await self.metrics_page.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _state(body: StateBody, status: int) -> Response:
    return Response(
        body.model_dump_json(), status_code=status, media_type="application/json", headers=_NO_STORE
    )
