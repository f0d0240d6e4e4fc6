"""The gRPC server every service runs."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Self, TypeVar, cast

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import REGISTRY, CollectorRegistry

from photochanger_chassis.grpc.errors import domain_of
from photochanger_chassis.grpc.health import Check, Health
from photochanger_chassis.grpc.interceptors import ErrorMapping, Limits, Telemetry
from photochanger_chassis.grpc.tls import server_credentials
from photochanger_chassis.metrics import GrpcServerMetrics
from photochanger_chassis.settings import GrpcServerSettings, split_listen

_log = structlog.stdlib.get_logger(__name__)
_Servicer = TypeVar("_Servicer")

# Bytes travel as streams of 256 KiB messages; nothing needs more than gRPC's default, stated on both sides.
MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024


class GrpcServer:
    """Serves with deadlines, limits, error details, telemetry, health and a graceful drain.

        async with GrpcServer("ingest", settings, checks=[Check("postgres", probe)]) as server:
            server.add(add_JobServiceServicer_to_server, servicer)
            await server.start()
            await stop.wait()

    Leaving the block drains: health turns NOT_SERVING, after `DRAIN_DELAY` new calls are refused, calls in
    flight get `DRAIN_GRACE` to end. Metrics are kept in `registry`, one server for each.
    """

    def __init__(
        self,
        service: str,
        settings: GrpcServerSettings,
        *,
        checks: Iterable[Check] = (),
        registry: CollectorRegistry = REGISTRY,
    ) -> None:
        self.health: Final = Health(checks)
        self._settings: Final = settings
        self._names: list[str] = []
        self._port: int | None = None
        self._health_port: int | None = None
        self._checking: asyncio.Task[None] | None = None
        self._server: Final = grpc.aio.server(
            interceptors=(
                Telemetry(GrpcServerMetrics(registry)),
                ErrorMapping(domain_of(service)),
                Limits(settings.grpc_max_concurrent_rpcs),
            ),
            options=_options(settings),
        )
        health_pb2_grpc.add_HealthServicer_to_server(self.health.servicer, self._server)
        self._health_server: grpc.aio.Server | None = None

    @property
    def port(self) -> int:
        """The port bound, known once started."""
        if self._port is None:
            raise RuntimeError("The server has not been started.")
        return self._port

    @property
    def health_port(self) -> int | None:
        """The plaintext port with health only, if there is one."""
        return self._health_port

    def add(self, register: Callable[[_Servicer, grpc.aio.Server], None], servicer: _Servicer) -> None:
        """Serves a servicer; `register` is the generated `add_…Servicer_to_server`. Before `start`."""
        register(servicer, cast(grpc.aio.Server, _Recorder(self._server, self._names)))

    async def start(self) -> None:
        """Binds the ports and serves.

        Raises:
            RuntimeError: an address cannot be bound.
            OSError: the TLS files cannot be used.
        """
        settings = self._settings
        if settings.grpc_reflection:
            names = (*self._names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
            reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), self._server)
        credentials = server_credentials(settings)
        split_listen(settings.grpc_listen)
        if credentials is None:
            self._port = self._server.add_insecure_port(settings.grpc_listen)
        else:
            self._port = self._server.add_secure_port(settings.grpc_listen, credentials)
        if settings.health_listen is not None:
            split_listen(settings.health_listen)
            self._health_server = grpc.aio.server(options=_options(settings))
            health_pb2_grpc.add_HealthServicer_to_server(self.health.servicer, self._health_server)
            self._health_port = self._health_server.add_insecure_port(settings.health_listen)
            await self._health_server.start()
        await self._server.start()
        self._checking = asyncio.create_task(self.health.run(), name="health")
        _log.info(
            "grpc.listening", port=self._port, health_port=self._health_port, tls=credentials is not None
        )

    async def drain(self) -> None:
        """Stops as described for the class. Done when the last call has ended."""
        await self.health.stop_serving()
        if self._checking is None:
            return
        _log.info("grpc.draining")
        await asyncio.sleep(self._settings.drain_delay.total_seconds())
        await self._server.stop(self._settings.drain_grace.total_seconds())
        if self._health_server is not None:
            await self._health_server.stop(0)
        self._checking.cancel()
        with suppress(asyncio.CancelledError):
            await self._checking
        self._checking = None
        _log.info("grpc.drained")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.drain()


class _Recorder:
    """Passes registrations on to the server and notes the names of services, for reflection."""

    def __init__(self, server: grpc.aio.Server, names: list[str]) -> None:
        self._server = server
        self._names = names

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        self._server.add_generic_rpc_handlers(handlers)

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: "Mapping[str, grpc.RpcMethodHandler[Any, Any]]"
    ) -> None:
        self._names.append(service_name)
        # Missing from the annotations of grpc.aio.Server; generated code calls it.
        self._server.add_registered_method_handlers(service_name, method_handlers)


def _options(settings: GrpcServerSettings) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        # Our clients ping every 30 s (channel.py); the default minimum of 5 min would answer with GOAWAY.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        # Clients look for new servers only when a connection ends: https://github.com/grpc/grpc/issues/12295
        ("grpc.max_connection_age_ms", _milliseconds(settings.grpc_max_connection_age.total_seconds())),
        (
            "grpc.max_connection_age_grace_ms",
            _milliseconds(settings.grpc_max_connection_age_grace.total_seconds()),
        ),
        # gRPC would widen the windows of streams by what the line could carry, and keep in memory what a busy
        # loop has not read yet: 30 uploads of 15 MB then hold 400 MB more. A window of one message is enough
        # between neighbours.
        ("grpc.http2.bdp_probe", 0),
        # Two processes on one port would share its calls in silence.
        ("grpc.so_reuseport", 0),
    ]


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
