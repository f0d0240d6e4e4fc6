"""What receivers are told of a job's end, in the words of the public API."""

import json
from datetime import UTC, datetime
from typing import Final

from photochanger_ingest.domain.job import Job

JOB_FINISHED: Final = "job.finished"


def job_finished(job: Job) -> bytes:
    """Returns the body for a job that has reached its final state: JSON, the same bytes whenever it is sent.

    Fields and their values are those of `GET /api/v1/jobs/{id}`. There are no URLs: links are unguessable and
    expire, so a receiver fetches the result with its key.
    """
    picture = job.result.picture if job.result is not None else None
    message = {
        "type": JOB_FINISHED,
        "timestamp": _instant(job.finished_at),
        "data": {
            "job_id": job.id,
            "status": job.state,
            "slot_id": job.slot_id,
            "provider": job.provider_id,
            "operation": job.operation_id,
            "created_at": _instant(job.created_at),
            "started_at": _instant(job.started_at),
            "finished_at": _instant(job.finished_at),
            "deadline": _instant(job.deadline),
            "failure": None
            if job.failure is None
            else {"reason": job.failure.reason, "message": job.failure.message},
            "has_result": picture is not None,
            "result_expires_at": _instant(picture.expires_at) if picture is not None else None,
            "retry_of": job.retry_of,
            "attempts": job.attempts,
        },
    }
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()


def _instant(at: datetime | None) -> str | None:
    """Formats an instant in UTC to the millisecond, as the gateway does."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
