"""Builders of what the services answer. Name in a call only what the test is about."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from photochanger.ingest.v1 import job_pb2
from photochanger.media.v1 import media_object_pb2
from photochanger_chassis.errors import ErrorKind, RemoteError

from photochanger_gateway.adapters.clients.translate import timestamp

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40
"""Looks like a JPEG as far as the gateway looks."""


def a_refusal(
    reason: str,
    kind: ErrorKind,
    message: str = "Refused.",
    *,
    retry_after: timedelta | None = None,
    **facts: str,
) -> RemoteError:
    """What a service refuses a call with."""
    return RemoteError(
        message, kind=kind, reason=reason, domain="photochanger.fake", metadata=facts, retry_after=retry_after
    )


def an_object(
    data: bytes = JPEG,
    *,
    mime_type: str = "image/jpeg",
    expires_at: datetime | None = None,
    kind: media_object_pb2.MediaKind.ValueType = media_object_pb2.MEDIA_KIND_RESULT,
    slot_id: str = "",
) -> media_object_pb2.MediaObject:
    """A stored picture."""
    return media_object_pb2.MediaObject(
        id=uuid4().hex,
        kind=kind,
        slot_id=slot_id,
        mime_type=mime_type,
        width_px=640,
        height_px=480,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        expires_at=None if expires_at is None else timestamp(expires_at),
    )


def a_job(
    *,
    job_id: str = "",
    slot_id: str = "slot-001",
    state: job_pb2.JobState.ValueType = job_pb2.JOB_STATE_DONE,
    result: media_object_pb2.MediaObject | None = None,
    origin: job_pb2.ResultOrigin.ValueType = job_pb2.RESULT_ORIGIN_PROVIDER,
    failure: str = "",
    source: job_pb2.JobSource.ValueType = job_pb2.JOB_SOURCE_INGEST,
    at: datetime = datetime(2026, 1, 1, 12, tzinfo=UTC),
) -> job_pb2.Job:
    """A job, done unless told otherwise."""
    return job_pb2.Job(
        id=job_id or uuid4().hex,
        slot_id=slot_id,
        slot_version=1,
        state=state,
        source=source,
        provider_id="local",
        operation_id="blur",
        received_at=timestamp(at),
        created_at=timestamp(at),
        finished_at=timestamp(at + timedelta(seconds=2)),
        deadline=timestamp(at + timedelta(seconds=48)),
        failure=job_pb2.JobFailure(reason=failure, message=f"It failed: {failure}.") if failure else None,
        result=None if result is None else job_pb2.JobResult(media_object=result, origin=origin),
    )
