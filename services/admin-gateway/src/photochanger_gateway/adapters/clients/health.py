"""Health of the other services and of what stands behind them, by `grpc.health.v1` and the providers' own report."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from nats.aio.client import Client
from photochanger.providers.v1 import catalogue_service_pb2, provider_pb2
from photochanger.providers.v1.catalogue_service_pb2_grpc import (
    CatalogueServiceStub,
)
from photochanger_chassis.errors import ServiceError
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.application.health import Component

_PROBE_SECONDS: Final = 1.0
_PROVIDERS_SECONDS: Final = 2.0
"""The service gives each provider a second."""


@dataclass(frozen=True, slots=True)
class ServiceProbe:
    """One service, and named components behind it (`postgres`, `storage`) as `service.component`."""

    name: str
    channel: grpc.aio.Channel
    components: tuple[str, ...] = ()

    async def __call__(self) -> Sequence[Component]:
        """Asks for readiness and for each component."""
        checks = [self._check(self.name, "readiness")]
        checks += [self._check(f"{self.name}.{item}", item) for item in self.components]
        return await asyncio.gather(*checks)

    async def _check(self, name: str, service: str) -> Component:
        # `HealthStub` has no types of its own for asyncio; the answer is checked below.
        stub = health_pb2_grpc.HealthStub(self.channel)
        try:
            with translate_rpc_errors():
                answer = await stub.Check(
                    health_pb2.HealthCheckRequest(service=service), timeout=_PROBE_SECONDS
                )
        except ServiceError as error:
            return Component(name, healthy=False, required=True, detail=error.reason.lower())
        healthy = answer.status == health_pb2.HealthCheckResponse.SERVING
        return Component(name, healthy=healthy, required=True, detail=None if healthy else "not serving")


class ProvidersProbe:
    """Every configured provider. One that is down degrades the platform and does not fail it."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._catalogue = CatalogueServiceStub(channel)

    async def __call__(self) -> Sequence[Component]:
        """Asks the providers service, which asks them."""
        try:
            with translate_rpc_errors():
                answer = await self._catalogue.CheckHealth(
                    catalogue_service_pb2.CheckHealthRequest(), timeout=_PROVIDERS_SECONDS
                )
        except ServiceError:
            return ()  # the service's own probe tells it
        return [
            Component(
                f"provider.{report.provider_id}",
                healthy=report.health.state == provider_pb2.PROVIDER_HEALTH_STATE_HEALTHY,
                required=False,
                detail=report.health.detail or None,
            )
            for report in answer.reports
            if report.health.state != provider_pb2.PROVIDER_HEALTH_STATE_NOT_CONFIGURED
        ]


@dataclass(frozen=True, slots=True)
class NatsProbe:
    """The event stream. Photos are taken without it, so it is no part of readiness; events and previews wait."""

    client: Client

    async def __call__(self) -> Sequence[Component]:
        """Tells whether there is a connection."""
        healthy = self.client.is_connected
        return [
            Component("nats", healthy=healthy, required=True, detail=None if healthy else "not connected")
        ]
