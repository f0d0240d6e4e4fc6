"""The JSON bodies of answers, as the OpenAPI document describes them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.domain.jobs import Gallery, Job, JobState

SLOT_ID_PATTERN = r"^slot-0(0[1-9]|1[0-5])$"
JOB_ID_PATTERN = r"^[0-9a-f]{32}$"

_Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"}, max_length=40)]


class _Body(BaseModel):
    # An input in an error would be in the log, and the ids in it open pictures.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class FieldError(_Body):
    """One field that is wrong."""

    field: str = Field(description="Its path: `settings.prompt`, `template_media.0.role`.", max_length=200)
    message: str = Field(description="What is wanted.", max_length=500)


class ErrorBody(_Body):
    """A refusal or failure."""

    status: Literal["error", "timeout"] = Field(description="`timeout` only for 504.")
    failure_reason: str = Field(description="Stable code.", max_length=64)
    details: str | None = Field(None, description="In words, with what to do.", max_length=1000)
    retry_after: int | None = Field(None, description="Seconds to wait, as in `Retry-After`.", ge=1, le=86400)
    job_id: str | None = Field(None, description="The job, where there is one.", pattern=JOB_ID_PATTERN)
    errors: list[FieldError] | None = Field(
        None, description="The fields that are wrong, with 422.", max_length=50
    )
    current_version: int | None = Field(
        None, description="What somebody else made it meanwhile, with 409 `version_conflict`.", ge=0
    )


class ProblemBody(BaseModel):
    """A refusal by RFC 9457, sent where `Accept` asks for `application/problem+json`."""

    type: str = Field(description="`urn:photochanger:` and the failure reason.", max_length=100)
    title: str = Field(description="The status in words.", max_length=64)
    status: int = Field(description="The HTTP status.", ge=400, le=599)
    detail: str = Field(description="In words, with what to do.", max_length=1000)
    failure_reason: str = Field(description="Stable code.", max_length=64)
    errors: list[FieldError] | None = Field(
        None, description="The fields that are wrong, with 422.", max_length=50
    )
    current_version: int | None = Field(
        None, description="What somebody else made it meanwhile, with 409 `version_conflict`.", ge=0
    )


class JobBody(_Body):
    """A job, as whoever knows its id may see it."""

    job_id: str = Field(pattern=JOB_ID_PATTERN)
    slot_id: str | None = Field(
        description="Null where an API client named provider and operation itself.", pattern=SLOT_ID_PATTERN
    )
    status: JobState
    source: Literal["ingest", "ui_test", "api"]
    provider: str = Field(max_length=64)
    started_at: _Instant = Field(description="When the camera's request arrived.")
    finished_at: _Instant | None
    duration_ms: int | None = Field(ge=0)
    failure_reason: str | None = Field(description="The fine code, e.g. `no_image`.", max_length=64)
    result_url: str | None = Field(max_length=2048)
    result_expires_at: _Instant | None

    @classmethod
    def of(cls, job: Job, base_url: str) -> "JobBody":
        """The body for a job."""
        return cls(
            job_id=job.id,
            slot_id=job.slot_id or None,
            status=job.state,
            source=job.source.value,
            provider=job.provider,
            started_at=rfc3339(job.received_at) or "",
            finished_at=rfc3339(job.finished_at),
            duration_ms=None if job.duration is None else max(0, round(job.duration.total_seconds() * 1000)),
            failure_reason=None if job.failure is None else job.failure.reason,
            result_url=result_url(base_url, job) if job.picture is not None else None,
            result_expires_at=None if job.picture is None else rfc3339(job.picture.expires_at),
        )


class JobRow(JobBody):
    """A job as admins see it in lists and in live events."""

    operation: str = Field(max_length=64)
    slot_display_name: str = Field(
        description="The slot's name for people now; empty without a slot.", max_length=80
    )
    received_at: _Instant
    thumbnail_url: str | None = Field(description="A small WebP of the picture.", max_length=2048)
    result_origin: Literal["provider", "late", "original"] | None
    mode: Literal["sync", "async"] = Field(description="`async`: run by the task engine, for an API client.")
    progress: int = Field(description="Of asynchronous jobs, as is what follows.", ge=0, le=100)
    stage: str = Field(description="What it is at, for people; empty where nobody said.", max_length=200)
    client_id: str | None = Field(description="The API client whose it is.", max_length=64)
    retry_of: str | None = Field(description="The job it repeats.", pattern=JOB_ID_PATTERN)
    attempts: int = Field(description="How often a worker has begun with it.", ge=0)

    @classmethod
    def row_of(
        cls, job: Job, base_url: str, slot_display_name: str, previews_url: str | None = None
    ) -> "JobRow":
        """The row for a job; `previews_url` is the base of the preview's URL."""
        preview = f"{result_url(previews_url or base_url, job)}/preview"
        return cls(
            **JobBody.of(job, base_url).model_dump(),
            operation=job.operation,
            slot_display_name=slot_display_name,
            received_at=rfc3339(job.received_at) or "",
            thumbnail_url=preview if job.picture is not None else None,
            result_origin=None if job.origin is None else job.origin.value,
            mode=job.mode.value,
            progress=job.progress,
            stage=job.stage[:200],
            client_id=job.client_id or None,
            retry_of=job.retry_of or None,
            attempts=job.attempts,
        )


class GalleryItem(_Body):
    """One picture of a gallery."""

    job_id: str = Field(pattern=JOB_ID_PATTERN)
    status: JobState
    finished_at: _Instant | None
    public_url: str = Field(max_length=2048)
    thumbnail_url: str = Field(max_length=2048)
    expires_at: _Instant | None
    mime: Literal["image/jpeg", "image/png", "image/webp"]

    @classmethod
    def all_of(
        cls, jobs: Iterable[Job], base_url: str, previews_url: str | None = None
    ) -> "list[GalleryItem]":
        """The items for those jobs that have a picture; `previews_url` is the base of the previews' URLs."""
        return [
            cls(
                job_id=job.id,
                status=job.state,
                finished_at=rfc3339(job.finished_at),
                public_url=result_url(base_url, job),
                thumbnail_url=f"{result_url(previews_url or base_url, job)}/preview",
                expires_at=rfc3339(job.picture.expires_at),
                mime=job.picture.mime_type,  # type: ignore[arg-type]  # media stores no other type
            )
            for job in jobs
            if job.picture is not None
        ]


class GalleryBody(_Body):
    """A slot's gallery."""

    slot_id: str = Field(pattern=SLOT_ID_PATTERN)
    display_name: str = Field(max_length=80)
    results: list[GalleryItem] = Field(max_length=10)

    @classmethod
    def of(cls, gallery: Gallery, base_url: str) -> "GalleryBody":
        """The body for a gallery."""
        return cls(
            slot_id=gallery.slot_id,
            display_name=gallery.display_name,
            results=GalleryItem.all_of(gallery.jobs, base_url),
        )


class SharedGalleriesBody(_Body):
    """All galleries that are open to guests."""

    status: Literal["ok"] = "ok"
    generated_at: _Instant
    slots: list[GalleryBody] = Field(max_length=15)

    @classmethod
    def of(cls, galleries: Iterable[Gallery], base_url: str, now: datetime) -> "SharedGalleriesBody":
        """The body for what is shared."""
        return cls(
            generated_at=rfc3339(now) or "", slots=[GalleryBody.of(item, base_url) for item in galleries]
        )


class ComponentBody(_Body):
    """One thing the platform stands on."""

    healthy: bool
    detail: str | None = Field(None, max_length=200)
    required: bool = Field(description="Whether the platform fails without it.")


class HealthBody(_Body):
    """The platform's health."""

    status: Literal["ok", "degraded", "failing"]
    components: dict[str, ComponentBody] = Field(max_length=64)


class StateBody(_Body):
    """One word."""

    status: Literal["ok", "stopping", "unavailable"]


def result_url(base_url: str, job: Job) -> str:
    """The public URL of a job's picture."""
    return f"{base_url}/public/results/{job.id}"
