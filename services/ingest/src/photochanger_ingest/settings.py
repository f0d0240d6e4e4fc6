"""What ingest reads from its environment."""

from datetime import timedelta
from typing import Annotated

from photochanger_chassis.secret_box import SecretBox
from photochanger_chassis.settings import (
    GrpcServerSettings,
    LoggingSettings,
    NatsSettings,
    PostgresSettings,
    Seconds,
    ServiceSettings,
    TracingSettings,
)
from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from photochanger_ingest.domain.address import Network
from photochanger_ingest.domain.webhook import USUAL_PAUSES

_Pause = Annotated[Seconds, Field(ge=timedelta(), le=timedelta(days=7))]


def _listed(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


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


class SecretsSettings(ServiceSettings):
    """Encryption of stored webhook secrets."""

    secrets_encryption_key: SecretStr = Field(
        default=SecretStr(""),
        description="32 random bytes in base64 that encrypt stored webhook secrets; several separated by commas, "
        "newest first. Unset: there are no webhooks.",
    )

    @field_validator("secrets_encryption_key")
    @classmethod
    def _usable(cls, value: SecretStr) -> SecretStr:
        SecretBox.from_text(value.get_secret_value())
        return value


class WebhookSettings(SecretsSettings):
    """Webhooks of API clients."""

    webhook_retry_pauses: Annotated[tuple[_Pause, ...], NoDecode, BeforeValidator(_listed)] = Field(
        default=",".join(f"{pause.total_seconds():g}" for pause in USUAL_PAUSES),
        validate_default=True,
        max_length=20,
        description="Pauses after failed attempts at a webhook, in seconds, separated by commas; after one more "
        "failure it is given up.",
    )
    webhook_timeout: Seconds = Field(
        default=timedelta(seconds=15),
        gt=timedelta(),
        le=timedelta(seconds=60),
        description="How long a webhook's receiver may take to answer, in seconds.",
    )
    webhook_allowed_networks: Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_listed)] = Field(
        default="",
        validate_default=True,
        description="Networks that webhooks may be sent to beside the public Internet, as CIDRs separated by commas.",
    )


class RotateSettings(LoggingSettings, PostgresSettings, SecretsSettings):
    """What `rotate-keys` reads."""


class IngestSettings(
    LoggingSettings,
    TracingSettings,
    PostgresSettings,
    NatsSettings,
    GrpcServerSettings,
    PasswordSettings,
    WebhookSettings,
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
