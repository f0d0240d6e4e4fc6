"""Bodies of the API for programs."""

from datetime import timedelta
from typing import Final

from photochanger_chassis.errors import FieldViolation
from pydantic import Field

from photochanger_gateway.adapters.http.answers import rfc3339
from photochanger_gateway.adapters.http.fields import (
    NO_OTHER_NAMES,
    Body,
    Change,
    Count,
    Cursor,
    Instant,
    JobId,
    JsonObject,
    MediaObjectId,
    Name,
    SlotId,
    Url,
    Whole,
    instant,
)
from photochanger_gateway.adapters.http.job_models import FailureBody
from photochanger_gateway.adapters.http.models import ErrorBody, result_url
from photochanger_gateway.adapters.http.slot_models import FormName, FormValue, TemplateChange
from photochanger_gateway.adapters.http.urls import Addresses
from photochanger_gateway.application.ports_clients import ExplicitOrder, Order
from photochanger_gateway.domain.jobs import Job, JobState, PlacedJob
from photochanger_gateway.domain.media import MediaObject
from photochanger_gateway.domain.refusals import InvalidChange
from photochanger_gateway.domain.slots import OutputFormat, TemplateImage

MOST_IN_BATCH: Final = 100
_WEBHOOK_PATTERN: Final = r"^https?://[^\s\x00]+$"
_OF_EXPLICIT: Final = ("operation", "settings", "template_media", "output_format")


class OrderChange(Change):
    """What to make of a photo: as a slot does now, or as named here."""

    slot_id: SlotId = Field("", description="As this slot does now; in place of `provider` and `operation`.")
    provider: Name = Field(
        "", description="A provider, by its id; an admin finds it in `GET /api/providers`."
    )
    operation: Name = ""
    settings: JsonObject = Field(default={}, description="By the operation's `settings_schema`.")
    template_media: list[TemplateChange] = Field(
        default=[], description="Template images, or uploaded ones.", max_length=32
    )
    output_format: OutputFormat = OutputFormat.AS_IS
    form_fields: dict[FormName, FormValue] = Field(
        default={},
        description="For placeholders in prompts; kept with the job.",
        max_length=64,
        json_schema_extra=NO_OTHER_NAMES,
    )
    priority: Whole = Field(5, description="0 (most urgent) to 9, 5 where absent.", ge=0, le=9)
    deadline_seconds: Whole = Field(
        3600, description="How long the result is wanted, an hour where absent.", ge=60, le=86400
    )
    webhook_url: str = Field(
        "", description="Whom to tell when the job is final.", pattern=_WEBHOOK_PATTERN, max_length=2000
    )

    def order(self) -> Order:
        """The order for the use case. Raises `InvalidChange`: it names neither a slot nor an operation, or both."""
        given = self.model_fields_set
        if "slot_id" in given:
            wrong = [name for name in ("provider", *_OF_EXPLICIT) if name in given]
            words = "goes without `slot_id`: the slot has its own"
        else:
            wrong = [name for name in ("provider", "operation") if name not in given]
            words = "is required, or else `slot_id`"
        if wrong:
            raise InvalidChange(tuple(FieldViolation(name, words) for name in wrong))
        return Order(
            way=self.slot_id or self._explicit(),
            form_fields=self.form_fields,
            priority=self.priority if "priority" in given else None,
            time_limit=timedelta(seconds=self.deadline_seconds) if "deadline_seconds" in given else None,
            webhook_url=self.webhook_url,
        )

    def _explicit(self) -> ExplicitOrder:
        return ExplicitOrder(
            provider=self.provider,
            operation=self.operation,
            settings=self.settings,
            template_media=tuple(
                TemplateImage(item.media_object_id, item.role) for item in self.template_media
            ),
            output_format=self.output_format,
        )


class BatchItemChange(OrderChange):
    """One job of a batch."""

    media_object_id: MediaObjectId = Field(
        description="From `POST /api/v1/media`; several jobs may share one."
    )
    idempotency_key: str = Field(
        "", description="As the header of a single job.", pattern=r"^[\x21-\x7e]{1,255}$", max_length=255
    )


class BatchChange(Body):
    """Jobs to be opened."""

    jobs: list[BatchItemChange] = Field(min_length=1, max_length=MOST_IN_BATCH)


class RetryChange(Change):
    """How to repeat a job."""

    deadline_seconds: Whole = Field(
        3600, description="How long the result is wanted, an hour where absent.", ge=60, le=86400
    )

    @property
    def time_limit(self) -> timedelta | None:
        """How long the result is wanted; None: as usual."""
        given = "deadline_seconds" in self.model_fields_set
        return timedelta(seconds=self.deadline_seconds) if given else None


class AcceptedJobBody(Body):
    """A job that was accepted, and where to ask about it."""

    job_id: JobId
    status: JobState
    status_url: Url
    result_url: Url = Field(description="The picture, once the job is done.")
    cancel_url: Url
    events_url: Url = Field(description="Server-Sent Events of this job.")

    @classmethod
    def of(cls, job: Job, addresses: Addresses) -> "AcceptedJobBody":
        """The body for a job."""
        url = addresses.api_job(job.id)
        return cls(
            job_id=job.id,
            status=job.state,
            status_url=url,
            result_url=f"{url}/result",
            cancel_url=f"{url}/cancel",
            events_url=f"{url}/events",
        )


class JobStatusBody(Body):
    """A job, as its client sees it."""

    job_id: JobId
    status: JobState
    progress: int = Field(description="100 only when it is done.", ge=0, le=100)
    stage: str | None = Field(description="What it is at, for people.", max_length=200)
    queue_position: int | None = Field(description="From 1, while it waits and somebody knows.", ge=0)
    expected_start: Instant | None = Field(description="About when it will begin, likewise.")
    created_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    deadline: Instant | None = Field(description="From when on nobody wants the result.")
    failure: FailureBody | None
    result_url: Url | None = Field(
        description="The picture, with a key; null: there is none (yet, or any more)."
    )
    public_result_url: Url | None = Field(description="The same without a key, for whoever gets this URL.")
    result_expires_at: Instant | None
    retry_of: JobId | None = Field(description="The job it repeats.")
    slot_id: SlotId | None
    provider: str = Field(max_length=64)
    operation: str = Field(max_length=64)
    attempts: Count = Field(description="How often a worker has begun with it.")

    @classmethod
    def of(cls, placed: PlacedJob, addresses: Addresses) -> "JobStatusBody":
        """The body for a job."""
        job = placed.job
        has_picture = job.picture is not None
        return cls(
            job_id=job.id,
            status=job.state,
            progress=job.progress,
            stage=job.stage[:200] or None,
            queue_position=placed.queue_position,
            expected_start=rfc3339(placed.expected_start_at),
            created_at=instant(job.created_at or job.received_at),
            started_at=rfc3339(job.started_at),
            finished_at=rfc3339(job.finished_at),
            deadline=rfc3339(job.deadline),
            failure=None if job.failure is None else FailureBody.of(job.failure),
            result_url=f"{addresses.api_job(job.id)}/result" if has_picture else None,
            public_result_url=result_url(addresses.public, job) if has_picture else None,
            result_expires_at=None if job.picture is None else rfc3339(job.picture.expires_at),
            retry_of=job.retry_of or None,
            slot_id=job.slot_id or None,
            provider=job.provider,
            operation=job.operation,
            attempts=job.attempts,
        )


class JobStatusListBody(Body):
    """A page of a client's jobs."""

    jobs: list[JobStatusBody] = Field(description="Newest first.", max_length=200)
    next_cursor: Cursor | None


class BatchBody(Body):
    """What came of each job of a batch, in order."""

    jobs: list[AcceptedJobBody | ErrorBody] = Field(max_length=MOST_IN_BATCH)


class UploadedBody(Body):
    """A photo that was stored for a short time."""

    media_object_id: MediaObjectId
    expires_at: Instant | None

    @classmethod
    def of(cls, stored: MediaObject) -> "UploadedBody":
        """The body for a photo."""
        return cls(media_object_id=stored.id, expires_at=rfc3339(stored.expires_at))


class JobStatusEventBody(Body):
    """`data` of a job's events."""

    job: JobStatusBody
