"""The gateway's settings: environment variables, read once."""

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Final, Self

from photochanger_chassis.settings import (
    GrpcClientSettings,
    LoggingSettings,
    NatsSettings,
    Seconds,
    TracingSettings,
)
from pydantic import Field, SecretStr, field_validator, model_validator

_SHORTEST_SIGNING_KEY: Final = 32


class Settings(LoggingSettings, TracingSettings, NatsSettings, GrpcClientSettings):
    """Everything the gateway reads from its environment."""

    http_listen: str = Field(
        "127.0.0.1:8000", description="`host:port` to serve HTTP on; port 0 takes a free one."
    )
    ingest_target: str = Field(description="The ingest service, `host:port`.")
    providers_target: str = Field(description="The providers service, `host:port`.")
    media_target: str = Field(description="The media service, `host:port`.")
    jwt_signing_key: SecretStr = Field(
        description="Keys of the admins' tokens, comma separated, 32 characters or more each: the first signs."
    )
    credentials_file: Path = Field(
        Path("secrets/runtime_credentials.json"),
        description="The admins' password hashes, made by `photochanger admin set-password`.",
    )
    trusted_proxies: str = Field(
        "127.0.0.1",
        description="Addresses or networks, comma separated, whose `X-Forwarded-For` and `-Proto` are believed.",
    )
    public_media_base_url: str | None = Field(
        None,
        description="Address guests and cameras reach the gateway at, in result links. Unset: the one they used.",
    )
    metrics_targets: str = Field(
        "",
        description="`name=host:port` of other services' metrics, comma separated, shown on /metrics as well.",
    )
    public_rate_per_minute: int = Field(
        600, ge=1, description="Public requests (pages, pictures, jobs) a client may make in a minute."
    )
    ingest_rate_per_minute: int = Field(
        1200, ge=1, description="Photos a client may post in a minute; several booths may share one address."
    )
    wrong_password_rate_per_minute: int = Field(
        30, ge=1, description="Wrong ingest passwords a client may send in a minute."
    )
    api_rate_per_minute: int = Field(
        3000, ge=1, description="Requests of any kind an API client may make in a minute."
    )
    api_submissions_per_minute: int = Field(
        20,
        ge=1,
        description="Submissions (a batch is one) an API client may make in a minute without waiting.",
    )
    api_waiting_submissions_per_minute: int = Field(
        10, ge=1, description="Submissions with `Prefer: wait` an API client may make in a minute."
    )
    http_max_connections: int = Field(
        1000, ge=1, description="Connections served at once; more are answered 503 and closed."
    )
    drain_delay: Seconds = Field(
        timedelta(0),
        description="Wait between /readyz turning 503 and closing the port, in seconds. 5 behind a balancer.",
    )
    drain_grace_seconds: int = Field(
        75,
        ge=0,
        description="How long requests in flight may go on while stopping; longer than any deadline.",
    )

    @field_validator("jwt_signing_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if any(len(key.strip()) < _SHORTEST_SIGNING_KEY for key in value.get_secret_value().split(",")):
            raise ValueError(f"each key needs {_SHORTEST_SIGNING_KEY} characters or more")
        return value

    @model_validator(mode="after")
    def _readable(self) -> Self:
        self.trusted_networks  # noqa: B018 - raises where one is not readable
        for item in filter(None, self.metrics_targets.split(",")):
            if "=" not in item:
                raise ValueError(f"METRICS_TARGETS: {item!r} is not name=host:port")
        return self

    @property
    def signing_keys(self) -> tuple[bytes, ...]:
        """JWT_SIGNING_KEY, the one that signs first."""
        return tuple(key.strip().encode() for key in self.jwt_signing_key.get_secret_value().split(","))

    @property
    def trusted_networks(self) -> list[str]:
        """TRUSTED_PROXIES as a list."""
        items = (item.strip() for item in self.trusted_proxies.split(","))
        # Host bits cleared: uvicorn would take `10.0.0.1/8` for a name and trust nobody.
        return [str(ip_network(item, strict=False)) for item in items if item]

    @property
    def federated_metrics(self) -> dict[str, str]:
        """METRICS_TARGETS as a mapping of names to addresses."""
        pairs = (item.strip().partition("=") for item in self.metrics_targets.split(",") if item.strip())
        return {name: address for name, _, address in pairs}
