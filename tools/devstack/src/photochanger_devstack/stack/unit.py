"""One supervised process: what the supervisor needs to know to start it, wait for it and stop it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from photochanger_devstack.stack.plan import DATABASES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from photochanger_devstack.embedded import EmbeddedServer, Launch
    from photochanger_devstack.stack.plan import Plan
    from photochanger_devstack.stack.services import Service


@dataclass(frozen=True, slots=True)
class Unit:
    """A process of the stack. The callables block; `provision` runs once, after it first answers.

    `first` is a command that must succeed once before it is started. `ports` are those it will listen on.
    `after` names a unit that must have succeeded with its `first` before.
    """

    name: str
    port: int
    ports: tuple[int, ...]
    launch: Callable[[], Launch]
    answers: Callable[[], bool]
    prepare: Callable[[], None] = lambda: None
    provision: Callable[[], object] = lambda: None
    first: Launch | None = None
    start_seconds: float = 60
    stop_seconds: float = 20
    after: str = ""


def servers(plan: Plan) -> list[Unit]:
    """The embedded servers this plan needs."""
    units = []
    if databases := [name for name in DATABASES if name not in plan.outside.databases]:
        units.append(
            _server(
                plan.postgres,
                (plan.postgres.port,),
                provision=lambda: [plan.postgres.create_database(name) for name in databases],
            )
        )
    if not plan.outside.nats_url:
        units.append(_server(plan.nats, (plan.nats.port, plan.nats.monitoring_port)))
    if not plan.outside.s3_endpoint_url:
        units.append(
            _server(
                plan.s3, (plan.s3.port,), provision=lambda: plan.s3.create_bucket(plan.s3_env()["S3_BUCKET"])
            )
        )
    return units


def service_units(plan: Plan, services: Sequence[Service], environ: Mapping[str, str]) -> list[Unit]:
    """The services, each to be started when all servers answer."""
    return [_service(plan, service, environ) for service in services]


def _service(plan: Plan, service: Service, environ: Mapping[str, str]) -> Unit:
    own = {service.port, f"{service.name}-metrics"}
    return Unit(
        name=service.name,
        port=plan.ports[service.port],
        ports=tuple(port for name, port in plan.ports.items() if name in own),
        launch=lambda: service.launch(plan, "serve", environ),
        answers=lambda: service.ready(plan),
        first=service.launch(plan, "migrate", environ) if service.migrates else None,
        start_seconds=service.start_seconds,
        stop_seconds=service.stop_seconds,
        after=service.after,
    )


def _server(
    server: EmbeddedServer, ports: tuple[int, ...], *, provision: Callable[[], object] = lambda: None
) -> Unit:
    return Unit(
        name=server.name,
        port=ports[0],
        ports=ports,
        launch=server.launch,
        answers=server.answers,
        prepare=server.prepare,
        provision=provision,
    )
