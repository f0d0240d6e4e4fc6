"""Building blocks for the settings of a service.

A service composes its own class from them and loads it once, in `main.py`:

    class Settings(LoggingSettings, PostgresSettings, GrpcServerSettings): ...

    settings = load(Settings)

Every field is read from the environment variable of the same name in capitals, without a prefix.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_Settings = TypeVar("_Settings", bound=BaseSettings)


def _number_of_seconds(value: object) -> object:
    # pydantic itself takes a string only as ISO 8601 ("PT5S"), which nobody writes into an environment.
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


Seconds = Annotated[timedelta, BeforeValidator(_number_of_seconds)]
"""A length of time that the environment gives as a number of seconds."""


class SettingsError(Exception):
    """The environment is not fit to start with. The message names each variable and what to set."""


class LogFormat(StrEnum):
    """How log lines look."""

    JSON = "json"
    CONSOLE = "console"


class ServiceSettings(BaseSettings):
    """The base of every block: environment only, empty values count as absent, immutable."""

    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True, extra="ignore")


class LoggingSettings(ServiceSettings):
    """Logs."""

    log_level: str = Field(
        default="INFO", description="Least severe level that is logged: DEBUG, INFO, WARNING, ERROR."
    )
    log_format: LogFormat = Field(
        default=LogFormat.JSON, description="`json` for machines, `console` for reading in a terminal."
    )

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        level = value.upper()
        if level not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
            raise ValueError("is not a level; use DEBUG, INFO, WARNING or ERROR")
        return level


class TracingSettings(ServiceSettings):
    """Traces."""

    otel_exporter_otlp_endpoint: str | None = Field(
        default=None,
        description="Where spans go by OTLP/gRPC, e.g. `http://collector:4317`. Unset: no export.",
    )


class MetricsSettings(ServiceSettings):
    """Metrics."""

    metrics_listen: str | None = Field(
        default=None,
        description="`host:port` that serves Prometheus metrics under /metrics. Unset: not served.",
    )


class PostgresSettings(ServiceSettings):
    """PostgreSQL."""

    database_url: SecretStr = Field(
        description="The service's own database, `postgresql://user:password@host:5432/name`."
    )
    database_pool_min: int = Field(default=2, ge=0, le=100, description="Connections kept open.")
    database_pool_max: int = Field(default=10, ge=1, le=100, description="Most connections at once.")
    database_pool_timeout: Seconds = Field(
        default=timedelta(seconds=5), description="Longest wait for a free connection, in seconds."
    )
    database_statement_timeout: Seconds = Field(
        default=timedelta(seconds=15), description="Longest single statement, in seconds."
    )


class NatsSettings(ServiceSettings):
    """NATS JetStream."""

    nats_url: SecretStr = Field(description="NATS servers, `nats://host:4222`, several separated by commas.")
    nats_tls_ca: Path | None = Field(
        default=None, description="Authorities (PEM) that sign the servers' certificates."
    )
    nats_replicas: int = Field(default=1, ge=1, le=5, description="Copies of each stream; 3 on a cluster.")


class GrpcTlsSettings(ServiceSettings):
    """Mutual TLS between services. All three files or none."""

    grpc_tls_cert: Path | None = Field(default=None, description="This service's certificate chain (PEM).")
    grpc_tls_key: Path | None = Field(default=None, description="The key of that certificate (PEM).")
    grpc_tls_ca: Path | None = Field(
        default=None, description="Authorities (PEM) that sign the peers' certificates."
    )

    @model_validator(mode="after")
    def _all_or_none(self) -> "GrpcTlsSettings":
        given = [self.grpc_tls_cert is not None, self.grpc_tls_key is not None, self.grpc_tls_ca is not None]
        if any(given) and not all(given):
            raise ValueError("set GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA together, or none of them")
        return self


class GrpcClientSettings(GrpcTlsSettings):
    """Calls to other services."""


class GrpcServerSettings(GrpcTlsSettings, MetricsSettings):
    """The gRPC server."""

    grpc_listen: str = Field(
        default="127.0.0.1:0", description="`host:port` to serve gRPC on; port 0 takes a free one."
    )
    health_listen: str | None = Field(
        default=None,
        description="`host:port` of a plaintext port with health only, for probes when mutual TLS is on.",
    )
    grpc_reflection: bool = Field(default=False, description="Offer gRPC reflection (grpcurl).")
    grpc_max_concurrent_rpcs: int = Field(
        default=256, ge=1, description="Calls served at once; more are refused with RESOURCE_EXHAUSTED."
    )
    grpc_max_connection_age: Seconds = Field(
        default=timedelta(seconds=300), description="Age at which a connection is renewed, in seconds."
    )
    grpc_max_connection_age_grace: Seconds = Field(
        default=timedelta(seconds=180),
        description="How long calls on a renewed connection may go on, in seconds.",
    )
    drain_delay: Seconds = Field(
        default=timedelta(seconds=0),
        description="Wait between turning not ready and refusing calls, in seconds. 5 behind a balancer.",
    )
    drain_grace: Seconds = Field(
        default=timedelta(seconds=75),
        description="How long calls in flight may go on while stopping, in seconds.",
    )


def load(settings: type[_Settings]) -> _Settings:
    """Reads the settings from the environment.

    Raises:
        SettingsError: something is missing or wrong; the message names each variable. It never holds a value.
    """
    try:
        return settings()
    except ValidationError as error:
        problems = [_problem(settings, item["loc"], item["type"], item["msg"]) for item in error.errors()]
        # The cause shows the values, secrets included.
        raise SettingsError("Cannot start:\n" + "\n".join(f"  {line}" for line in problems)) from None


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One line of the documentation's table of settings. `default` is None when the variable is required."""

    variable: str
    default: str | None
    description: str


def describe(settings: type[BaseSettings]) -> list[SettingRow]:
    """Lists the environment variables a settings class reads, in order of declaration."""
    rows = []
    for name, field in settings.model_fields.items():
        default = None if field.is_required() else _plain(field.get_default(call_default_factory=True))
        rows.append(SettingRow(_variable(settings, name), default, field.description or ""))
    return rows


def split_listen(address: str) -> tuple[str, int]:
    """Splits `host:port` (`[::1]:50051` for IPv6).

    Raises:
        ValueError: there is no port, or it is not a number of 0 to 65535.
    """
    host, separator, port = address.rpartition(":")
    if not separator or not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - ports end there
        raise ValueError(f"{address!r} is not host:port.")
    return host.strip("[]"), int(port)


def _problem(settings: type[BaseSettings], location: tuple[int | str, ...], kind: str, message: str) -> str:
    if not location:
        return message.removeprefix("Value error, ")
    name = str(location[0])
    field = settings.model_fields.get(name.lower())
    wanted = f" {field.description}" if field is not None and field.description else ""
    variable = _variable(settings, name)
    if kind == "missing":
        return f"{variable} is not set.{wanted}"
    return f"{variable}: {message.removeprefix('Value error, ')}.{wanted}"


def _variable(settings: type[BaseSettings], name: str) -> str:
    field = settings.model_fields.get(name)
    alias = field.validation_alias if field is not None else None
    return alias.upper() if isinstance(alias, str) else name.upper()


def _plain(value: object) -> str:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}"
    return "" if value is None else str(value)
