"""The service's settings. Each is read from the environment variable of the same name in capitals."""

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
from pydantic import Field, SecretStr, field_validator

from photochanger_media.adapters.s3.signing import S3Address
from photochanger_media.adapters.s3.writer import MIN_PART_BYTES
from photochanger_media.domain.retention import Retentions


class StorageSettings(ServiceSettings):
    """The bucket."""

    s3_endpoint_url: str = Field(description="The S3 server, `http://host:9000`.")
    s3_access_key: SecretStr = Field(description="Access key of the bucket.")
    s3_secret_key: SecretStr = Field(description="Secret key of the bucket.")
    s3_region: str = Field("us-east-1", description="Region of the bucket; must be the server's.")
    s3_bucket: str = Field("photochanger-media", description="The bucket. `migrate` and `serve` create it.")
    s3_part_bytes: int = Field(
        16 * 1024 * 1024,
        ge=MIN_PART_BYTES,
        le=64 * 1024 * 1024,
        description="Uploads up to this size are one request; larger ones go in parts of it.",
    )
    s3_read_url_seconds: Seconds = Field(
        timedelta(seconds=60), description="How long a URL for another service works, in seconds."
    )

    @field_validator("s3_endpoint_url")
    @classmethod
    def _is_a_url(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @property
    def address(self) -> S3Address:
        """Where the bucket is."""
        return S3Address(
            endpoint_url=self.s3_endpoint_url,
            access_key=self.s3_access_key.get_secret_value(),
            secret_key=self.s3_secret_key.get_secret_value(),
            region=self.s3_region,
            bucket=self.s3_bucket,
        )


class RetentionSettings(ServiceSettings):
    """How long objects live."""

    result_ttl_hours: float = Field(
        72, gt=0, description="Retention of results and their previews, in hours."
    )
    input_ttl_hours: float = Field(24, gt=0, description="Retention of photos as they came, in hours.")
    temp_ttl_seconds: Seconds = Field(
        timedelta(hours=1), description="Retention of temporary objects, in seconds."
    )
    cleanup_interval_seconds: Seconds = Field(
        timedelta(minutes=15), description="Time between two sweeps, in seconds."
    )

    @property
    def retentions(self) -> Retentions:
        """The lifetimes by kind."""
        return Retentions(
            result=timedelta(hours=self.result_ttl_hours),
            input=timedelta(hours=self.input_ttl_hours),
            temporary=self.temp_ttl_seconds,
        )


class LimitSettings(ServiceSettings):
    """What is taken."""

    max_upload_bytes: int = Field(
        25 * 1024 * 1024, gt=0, description="Largest picture in bytes; a slot's own limit is below it."
    )
    max_parallel_uploads: int = Field(
        32, ge=1, le=1000, description="Uploads at once in this process; more wait for their turn."
    )
    max_upload_seconds: Seconds = Field(
        timedelta(minutes=5), description="Longest upload, in seconds; parts of older ones are swept."
    )
    image_threads: int = Field(2, ge=1, le=32, description="Pictures decoded at once.")
    public_media_base_url: str | None = Field(
        None, description="Where the outside world reaches the gateway; providers get links to it."
    )


class Settings(
    LoggingSettings,
    TracingSettings,
    PostgresSettings,
    NatsSettings,
    GrpcServerSettings,
    StorageSettings,
    RetentionSettings,
    LimitSettings,
):
    """Everything `serve` needs."""


class CleanupSettings(
    LoggingSettings, TracingSettings, PostgresSettings, StorageSettings, RetentionSettings, LimitSettings
):
    """What `cleanup` needs."""


class MigrateSettings(LoggingSettings, PostgresSettings, StorageSettings):
    """What `migrate` needs."""
