"""The services of the stack, as data. A new one is one more entry of `SERVICES`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from photochanger_devstack.embedded.launch import Launch
from photochanger_devstack.probes import grpc_ready, http_ok
from photochanger_devstack.stack.scale import read_scale

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from photochanger_devstack.stack.plan import Plan


@dataclass(frozen=True, slots=True)
class Service:
    """One process of ours.

    `run` are the interpreter's arguments; `settings` its environment beside what all get; `ready` whether
    it serves. One that `migrates` runs `… migrate` once before it first serves. `port` names its main port.
    `serves` is the command that serves. What can be scaled is a `group`, each of it with a `number` from 1. It needs
    the migration of the service `after`.
    """

    name: str
    run: tuple[str, ...]
    port: str
    settings: Callable[[Plan], Mapping[str, str]]
    ready: Callable[[Plan], bool]
    migrates: bool = False
    start_seconds: float = 60
    stop_seconds: float = 20
    serves: str = "serve"
    group: str = ""
    number: int = 1
    after: str = ""

    def launch(self, plan: Plan, command: str, environ: Mapping[str, str]) -> Launch:
        """How to run `command` (`serve` or `migrate`); `environ` is the user's, which ours overrides."""
        return Launch(
            argv=(sys.executable, *self.run, self.serves if command == "serve" else command),
            env={**_defaults(plan), **environ, **_common(plan), **self.settings(plan)},
            cwd=plan.layout.root,
        )


def _defaults(plan: Plan) -> dict[str, str]:
    """What the user's environment may override."""
    return {
        "LOG_LEVEL": "INFO",
        "RESULT_TTL_HOURS": "72",
        "TEMP_TTL_SECONDS": "3600",
        "PUBLIC_MEDIA_BASE_URL": plan.gateway_url,
    }


def _common(plan: Plan) -> dict[str, str]:
    return {
        "NATS_URL": plan.nats_url,
        "INGEST_TARGET": plan.listen("ingest"),
        "PROVIDERS_TARGET": plan.listen("providers"),
        "MEDIA_TARGET": plan.listen("media"),
        "PYTHONUNBUFFERED": "1",
    }


def _grpc(plan: Plan, name: str) -> dict[str, str]:
    return {
        "DATABASE_URL": plan.database_url(name),
        "GRPC_LISTEN": plan.listen(name),
        "METRICS_LISTEN": plan.listen(f"{name}-metrics"),
    }


def _media(plan: Plan) -> dict[str, str]:
    return _grpc(plan, "media") | plan.s3_env()


def _providers(plan: Plan) -> dict[str, str]:
    return _grpc(plan, "providers") | {
        "SECRETS_ENCRYPTION_KEY": plan.secrets.secrets_encryption_key,
        "LOCAL_MODELS_DIR": str(plan.layout.models),
    }


def _worker(plan: Plan, name: str) -> dict[str, str]:
    return _providers(plan) | {
        "GRPC_LISTEN": plan.listen(name),
        "METRICS_LISTEN": plan.listen(f"{name}-metrics"),
    }


def _ingest(plan: Plan) -> dict[str, str]:
    return _grpc(plan, "ingest") | {
        "INGEST_PASSWORD": plan.secrets.ingest_password,
        "PASSWORD_PEPPER": plan.secrets.password_pepper,
        "SECRETS_ENCRYPTION_KEY": plan.secrets.secrets_encryption_key,
        # Receivers to try things out with run on this machine.
        "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
    }


def _gateway(plan: Plan) -> dict[str, str]:
    workers = read_scale(plan.layout).get("worker", 1)
    others = ("ingest", "providers", "media", *(f"worker-{number}" for number in range(1, workers + 1)))
    return {
        "HTTP_LISTEN": plan.listen("gateway"),
        "METRICS_TARGETS": ",".join(f"{name}={plan.listen(f'{name}-metrics')}" for name in others),
        "JWT_SIGNING_KEY": plan.secrets.jwt_signing_key,
        "CREDENTIALS_FILE": str(plan.layout.credentials),
    }


def _a_worker(number: int) -> Service:
    name = f"worker-{number}"
    return Service(
        name=name,
        run=("-m", "photochanger_providers"),
        port=name,
        settings=lambda plan: _worker(plan, name),
        ready=lambda plan: grpc_ready(plan.listen(name)),
        # It finishes the photos it has.
        stop_seconds=90,
        serves="worker",
        group="worker",
        number=number,
        after="providers",
    )


MOST_WORKERS = 10
SERVICES = (
    Service(
        name="media",
        run=("-m", "photochanger_media"),
        port="media",
        settings=_media,
        ready=lambda plan: grpc_ready(plan.listen("media")),
        migrates=True,
    ),
    Service(
        name="providers",
        run=("-m", "photochanger_providers"),
        port="providers",
        settings=_providers,
        ready=lambda plan: grpc_ready(plan.listen("providers")),
        migrates=True,
    ),
    Service(
        name="ingest",
        run=("-m", "photochanger_ingest"),
        port="ingest",
        settings=_ingest,
        ready=lambda plan: grpc_ready(plan.listen("ingest")),
        migrates=True,
    ),
    Service(
        name="gateway",
        run=("-m", "photochanger_gateway"),
        port="gateway",
        settings=_gateway,
        ready=lambda plan: http_ok(f"{plan.gateway_url}/readyz"),
        # It finishes what it is answering, and a camera may wait for up to a minute.
        stop_seconds=80,
    ),
    _a_worker(1),
)
"""What runs unless `photochanger scale` was told otherwise."""

ALL_SERVICES = (*SERVICES, *(_a_worker(number) for number in range(2, MOST_WORKERS + 1)))
"""What can run."""
