"""What ingest reads from its environment."""

from datetime import timedelta

from photochanger_chassis.settings import (
    GrpcServerSettings,
    LoggingSettings,
    NatsSettings,
    PostgresSettings,
    Seconds,
    ServiceSettings,
    TracingSettings,
)
from pydantic import Field, SecretStr


class PasswordSettings(ServiceSettings):
    """The ingest password."""

    password_pepper: SecretStr = Field(
        default=SecretStr(""),
        description="Secret mixed into every ingest password before it is hashed. Changing it voids them all.",
    )


class MigrateSettings(LoggingSettings, PostgresSettings, PasswordSettings):
    """What `migrate` reads."""

    ingest_password: SecretStr | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        description="Global ingest password, set by `migrate` where there is none; later: `photochanger settings set`.",
    )


class IngestSettings(
    LoggingSettings, TracingSettings, PostgresSettings, NatsSettings, GrpcServerSettings, PasswordSettings
):
    """What `serve` reads."""

    providers_target: str = Field(description="`host:port` of the providers service.")
    media_target: str = Field(description="`host:port` of the media service.")
    password_threads: int = Field(
        default=1, ge=1, le=16, description="Ingest passwords hashed at once, about 20 ms of a core each."
    )
    late_result_window: Seconds = Field(
        default=timedelta(seconds=120),
        description="How long after a job's deadline its picture is awaited where late results are kept, in seconds.",
    )
    shortest_job: Seconds = Field(
        default=timedelta(seconds=2),
        description="A photo that has less than this left until its deadline is refused, in seconds.",
    )
    job_retention_days: int = Field(
        default=30, ge=7, le=3650, description="Days after which finished jobs are forgotten."
    )
    sweep_interval: Seconds = Field(
        default=timedelta(seconds=1),
        description="How often jobs past their deadline are looked for, in seconds.",
    )
