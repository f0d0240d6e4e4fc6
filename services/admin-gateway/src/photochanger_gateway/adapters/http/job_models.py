"""Bodies about jobs, as admins see them."""

from datetime import timedelta
from typing import Literal

from pydantic import Field

from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.adapters.http.fields import (
    Body,
    Count,
    Cursor,
    Instant,
    JobId,
    StoredJsonObject,
    Url,
    instant,
    plain,
)
from photochanger_gateway.adapters.http.models import JobRow, result_url
from photochanger_gateway.adapters.http.slot_models import TemplateBody
from photochanger_gateway.adapters.http.urls import Addresses
from photochanger_gateway.application.job_views import JobDetail, JobSummary
from photochanger_gateway.domain.jobs import (
    HashCheck,
    Job,
    JobFailure,
    JobMode,
    JobState,
    Picture,
    ResultOrigin,
)
from photochanger_gateway.domain.refusals import meaning_of_failure

_MOST_STAGES = 32


def row_of(summary: JobSummary, addresses: Addresses) -> JobRow:
    """The row for a job."""
    return JobRow.row_of(summary.job, addresses.public, summary.slot_display_name, addresses.own)


class JobListBody(Body):
    """A page of jobs."""

    jobs: list[JobRow] = Field(description="Newest first.", max_length=200)
    next_cursor: Cursor | None


class StageBody(Body):
    """How long one stage took."""

    stage: str = Field(max_length=64)
    milliseconds: float = Field(ge=0)

    @classmethod
    def all_of(cls, stages: dict[str, timedelta]) -> "list[StageBody]":
        """The bodies for stages, in order."""
        return [
            cls(stage=name, milliseconds=max(0.0, round(length / timedelta(milliseconds=1), 1)))
            for name, length in stages.items()
        ]


class FailureBody(Body):
    """Why a job has no picture of the provider's."""

    reason: str = Field(description="The fine code, e.g. `no_image`.", max_length=64)
    message: str = Field(description="In words that say what to do.", max_length=1000)

    @classmethod
    def of(cls, failure: JobFailure) -> "FailureBody":
        """The body for a failure."""
        return cls(reason=failure.reason, message=failure.message[:1000])


class MomentBody(Body):
    """One moment of a job's life."""

    event: Literal["received", "admitted", "started", "finished"]
    at: Instant


class InputBody(Body):
    """The camera's photo."""

    url: Url | None = Field(description="For signed-in admins; null once it is no longer kept.")
    size_bytes: Count
    sha256: str = Field(max_length=64)
    kept: bool


class ResultBody(Body):
    """A job's picture."""

    url: Url
    thumbnail_url: Url = Field(description="A small WebP, there a moment after the picture.")
    expires_at: Instant | None
    mime: str = Field(max_length=64)
    width_px: Count = Field(description="0: not known.")
    height_px: Count = Field(description="0: not known.")
    size_bytes: Count

    @classmethod
    def of(cls, job: Job, picture: Picture, addresses: Addresses) -> "ResultBody":
        """The body for a job's picture."""
        return cls(
            url=result_url(addresses.public, job),
            thumbnail_url=f"{result_url(addresses.own, job)}/preview",
            expires_at=rfc3339(picture.expires_at),
            mime=picture.mime_type,
            width_px=picture.width_px,
            height_px=picture.height_px,
            size_bytes=picture.size_bytes,
        )


class JobDetailsBody(JobRow):
    """A job and what it was asked to do."""

    failure: FailureBody | None
    created_at: Instant | None = Field(description="When it was admitted.")
    provider_started_at: Instant | None
    deadline: Instant | None = Field(description="From when on nobody wants the answer.")
    queue_position: int | None = Field(
        description="An asynchronous job's place in its provider's queue, from 1, while it waits and somebody knows.",
        ge=0,
    )
    expected_start: Instant | None = Field(description="About when it will begin, likewise.")
    late_until: Instant | None = Field(
        description="Until when a late picture would be kept; null: it is not."
    )
    hash_check: HashCheck
    provider_calls: Count
    stages: list[StageBody] = Field(max_length=_MOST_STAGES)
    timeline: list[MomentBody] = Field(max_length=4)
    settings: StoredJsonObject = Field(description="What it runs with.")
    template_media: list[TemplateBody] = Field(max_length=32)
    form_fields: dict[str, str] = Field(
        description="What the camera sent beside the photo, never the password; empty once no longer kept.",
        max_length=64,
    )
    input: InputBody
    result: ResultBody | None
    http_status: int | None = Field(
        description="What its camera was answered; null while it runs, and of an asynchronous job.",
        ge=200,
        le=599,
    )

    @classmethod
    def whole(cls, detail: JobDetail, addresses: Addresses) -> "JobDetailsBody":
        """The body for a job."""
        details = detail.details
        job = details.job
        row = row_of(JobSummary(job, details.slot_display_name), addresses)
        return cls(
            **dict(row),
            failure=None if job.failure is None else FailureBody.of(job.failure),
            created_at=rfc3339(job.created_at),
            provider_started_at=rfc3339(job.started_at),
            deadline=rfc3339(job.deadline),
            queue_position=detail.placed.queue_position,
            expected_start=rfc3339(detail.placed.expected_start_at),
            late_until=rfc3339(details.late_until),
            hash_check=job.hash_check,
            provider_calls=job.provider_calls,
            stages=StageBody.all_of(job.stages)[:_MOST_STAGES],
            timeline=_timeline(job),
            settings=plain(details.settings),
            template_media=[TemplateBody.of(item, addresses) for item in details.template_media],
            form_fields=dict(details.form_fields),
            input=InputBody(
                url=addresses.job_input(job.id) if detail.input_kept else None,
                size_bytes=details.input_size_bytes,
                sha256=details.input_sha256,
                kept=detail.input_kept,
            ),
            result=None if job.picture is None else ResultBody.of(job, job.picture, addresses),
            http_status=http_status(job),
        )


class TestRunBody(Body):
    """What came of a test."""

    status: Literal["done"] = "done"
    job_id: JobId
    public_result_url: Url
    thumbnail_url: Url = Field(description="A small WebP, there a moment after the picture.")
    completed_in_seconds: float = Field(ge=0)
    stages: list[StageBody] = Field(max_length=_MOST_STAGES)

    @classmethod
    def of(cls, job: Job, stages: dict[str, timedelta], addresses: Addresses) -> "TestRunBody":
        """The body for a job that went well; `stages` are those of the request before its own."""
        return cls(
            job_id=job.id,
            public_result_url=result_url(addresses.public, job),
            thumbnail_url=f"{result_url(addresses.own, job)}/preview",
            completed_in_seconds=round((job.duration or timedelta(0)).total_seconds(), 3),
            stages=StageBody.all_of({**stages, **job.stages})[:_MOST_STAGES],
        )


def http_status(job: Job) -> int | None:
    """What a job's camera was answered; None where nobody waited. A late picture came after that answer."""
    if not job.final or job.mode is JobMode.ASYNC:
        return None
    if job.state is JobState.DONE or job.origin is ResultOrigin.INPUT:
        return 200
    if job.state is JobState.TIMEOUT:
        return meaning_of_failure("timeout").status
    return meaning_of_failure(job.failure.reason if job.failure is not None else job.state.value).status


def _timeline(job: Job) -> list[MomentBody]:
    moments = [MomentBody(event="received", at=instant(job.received_at))]
    if job.created_at is not None:
        moments.append(MomentBody(event="admitted", at=instant(job.created_at)))
    if job.started_at is not None:
        moments.append(MomentBody(event="started", at=instant(job.started_at)))
    if job.finished_at is not None:
        moments.append(MomentBody(event="finished", at=instant(job.finished_at)))
    return moments
