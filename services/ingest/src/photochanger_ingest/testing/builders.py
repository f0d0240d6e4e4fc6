"""Domain values with good defaults: name in the call what the test is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from photochanger_ingest.domain.form import HashCheck
from photochanger_ingest.domain.ids import JobId, MediaObjectId, OperationId, ProviderId, SlotId
from photochanger_ingest.domain.job import Failed, Failure, FailureReason, Job, JobSource, JobState, Succeeded
from photochanger_ingest.domain.picture import MediaKind, Picture

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_picture(name: str = "result", **others: Any) -> Picture:
    """A stored JPEG, good for three days."""
    made = Picture(
        id=MediaObjectId(name),
        kind=MediaKind.RESULT,
        slot_id="slot-001",
        job_id="1" * 32,
        mime_type="image/jpeg",
        size_bytes=1000,
        width_px=100,
        height_px=80,
        sha256="a" * 64,
        created_at=NOW,
        expires_at=NOW + timedelta(hours=72),
    )
    return replace(made, **others)


def a_job(**others: Any) -> Job:
    """A job just admitted, with 48 s to go."""
    made = Job(
        id=JobId("1" * 32),
        slot_id=SlotId("slot-001"),
        slot_version=1,
        state=JobState.PENDING,
        source=JobSource.INGEST,
        provider_id=ProviderId("local"),
        operation_id=OperationId("pencil"),
        received_at=NOW,
        created_at=NOW,
        deadline=NOW + timedelta(seconds=48),
        input_media_object_id=MediaObjectId("input"),
        hash_check=HashCheck.MATCH,
    )
    return replace(made, **others)


def a_success(name: str = "result") -> Succeeded:
    """The provider's picture."""
    return Succeeded(a_picture(name), provider_calls=1)


def a_failure(reason: FailureReason = FailureReason.NETWORK) -> Failed:
    """The provider could not."""
    return Failed(Failure(reason, "It could not."), provider_calls=1)
