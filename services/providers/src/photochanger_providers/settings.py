"""The service's configuration. `docs/settings` is made from it."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from photochanger_chassis.secret_box import SecretBox
from photochanger_chassis.settings import (
    GrpcServerSettings,
    LoggingSettings,
    NatsSettings,
    PostgresSettings,
    Seconds,
    ServiceSettings,
    SettingsError,
    TracingSettings,
)
from pydantic import Field, PositiveInt, SecretStr, field_validator

from photochanger_providers.domain.catalogue import ProviderId, ProviderInfo


class SecretsSettings(ServiceSettings):
    """Encryption of stored provider keys."""

    secrets_encryption_key: SecretStr = Field(
        SecretStr(""),
        description="32 random bytes in base64 that encrypt stored provider keys; several separated "
        "by commas, newest first. Unset: keys come from the environment only.",
    )

    @field_validator("secrets_encryption_key")
    @classmethod
    def _usable(cls, value: SecretStr) -> SecretStr:
        SecretBox.from_text(value.get_secret_value())
        return value


class RotateSettings(LoggingSettings, PostgresSettings, SecretsSettings):
    """What `rotate-keys` needs."""


class MigrateSettings(LoggingSettings, PostgresSettings):
    """What `migrate` needs."""


class Settings(
    LoggingSettings, TracingSettings, PostgresSettings, NatsSettings, GrpcServerSettings, SecretsSettings
):
    """What `serve` needs, and `worker`, too."""

    media_target: str = Field(description="The media service, `host:port`.")
    local_models_dir: Path = Field(
        Path(".local/models"), description="Folder with the model files of the `local` provider."
    )
    work_dir: Path | None = Field(
        None, description="Folder for temporary picture files, this process's own. Unset: the system's."
    )
    memory_budget_mb: int = Field(
        96, ge=16, description="Most memory for decoded pictures and big answers at once, in MiB."
    )
    provider_limits: dict[str, PositiveInt] = Field(
        default_factory=dict,
        description='Most calls to a provider at once over all replicas, as JSON: `{"gemini": 30}`. '
        "Unset: 30; `local`: the number of cores.",
    )
    lease_seconds: Seconds = Field(
        timedelta(seconds=15),
        description="How long a dead process holds a job before it is ended as lost, in seconds.",
    )
    breaker_threshold: int = Field(
        5, ge=1, description="Failures in a row after which a provider's model is left alone for a while."
    )
    breaker_pause: Seconds = Field(
        timedelta(seconds=15), description="How long it is left alone at first, in seconds."
    )
    breaker_long_pause: Seconds = Field(
        timedelta(minutes=5),
        description="How long after a refused key or an exhausted daily quota, in seconds.",
    )
    task_share: float = Field(
        0.8,
        gt=0,
        le=1,
        description="Share of a provider's limit that asynchronous jobs may take at once, at least one place; "
        "the rest stays free for cameras.",
    )
    task_timeout: Seconds = Field(
        timedelta(minutes=10),
        description="How long one attempt at an asynchronous job may take, in seconds; then it is tried again.",
    )


class WorkerSettings(Settings):
    """What `worker` needs."""

    worker_slots: dict[str, PositiveInt] = Field(
        default_factory=dict,
        description='Most tasks of a queue at once in this process, as JSON: `{"gemini": 10}`. '
        "Unset: 10; `local`: the number of cores.",
    )
    worker_memory_limit: float = Field(
        0.85, gt=0, le=1, description="Share of the machine's memory in use above which nothing new is taken."
    )
    worker_cpu_limit: float = Field(
        0.9,
        gt=0,
        le=1,
        description="Share of its CPUs in use, over a second, above which a queue's tasks run one by one; 1: never.",
    )
    worker_free_memory_mb: int = Field(
        500, ge=0, description="Free memory in MiB below which nothing new is taken."
    )


def base_url_of(info: ProviderInfo, environment: Mapping[str, str] = os.environ) -> str:
    """Returns a provider's base URL: `<ID>_BASE_URL`, or its own.

    Raises:
        SettingsError: it is no http(s) URL.
    """
    name = f"{_prefix(info.id)}_BASE_URL"
    url = environment.get(name) or info.default_base_url
    if url and not url.startswith(("https://", "http://")):
        raise SettingsError(
            f"Cannot start:\n  {name}: must begin with https:// (or http:// for a local mock)."
        )
    return url


def environment_key_of(provider_id: ProviderId, environment: Mapping[str, str] = os.environ) -> str:
    """Returns the key `<ID>_API_KEY`, or nothing."""
    return environment.get(f"{_prefix(provider_id)}_API_KEY", "").strip()


def _prefix(provider_id: ProviderId) -> str:
    return provider_id.upper().replace("-", "_")
