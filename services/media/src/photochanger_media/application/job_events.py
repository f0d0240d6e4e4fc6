"""What a job's end means for its media."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

import structlog
from photochanger_chassis.clock import Clock

from photochanger_media.application.ports import MediaObjects
from photochanger_media.application.previews import MakePreview
from photochanger_media.application.removal import DeleteJobMedia
from photochanger_media.domain.media_object import JobId, MediaId, MediaKind

_log = structlog.stdlib.get_logger(__name__)

_LATE_RESULT_WAITS: Final = timedelta(minutes=1)
"""A result stored in the moment of a timeout may still be kept; the event that says so comes within seconds."""


class JobEnd(Enum):
    """How a job ended, as far as its media are concerned."""

    DONE_OR_FAILED = "done_or_failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class PublishedResult:
    """The picture a job has in the end."""

    media_id: MediaId
    expires_at: datetime | None


class JobFinished:
    """Makes the preview of a job's result; removes what nobody will ask for. Repeating it changes nothing."""

    def __init__(
        self,
        *,
        objects: MediaObjects,
        make_preview: MakePreview,
        delete: DeleteJobMedia,
        clock: Clock,
    ) -> None:
        self._objects = objects
        self._make_preview = make_preview
        self._delete = delete
        self._clock = clock

    async def __call__(
        self, job_id: JobId, end: JobEnd, result: PublishedResult | None, *, keep_input: bool = False
    ) -> None:
        """Reacts to a job that reached its final state.

        Inputs of done and failed jobs live until their own retention ends: an admin may want to see them. With
        `keep_input` so do the others': their client may repeat them.
        Raises StorageUnavailable: try again later.
        """
        if end is not JobEnd.DONE_OR_FAILED and not keep_input:
            await self._delete(job_id, (MediaKind.INPUT,))
        if result is not None:
            await self._make_preview(result.media_id)
        elif end is JobEnd.CANCELLED:
            await self._delete(job_id, (MediaKind.RESULT,))
        elif end is JobEnd.TIMEOUT:
            await self._objects.set_expiry(job_id, result_at_most=self._clock.now() + _LATE_RESULT_WAITS)


class JobResultKept:
    """Keeps a late result that would have been removed, and makes its preview."""

    def __init__(self, *, objects: MediaObjects, make_preview: MakePreview) -> None:
        self._objects = objects
        self._make_preview = make_preview

    async def __call__(self, result: PublishedResult) -> None:
        """Reacts to a result that is kept after its job's final state. Raises StorageUnavailable."""
        if result.expires_at is not None:
            await self._objects.restore_expiry(result.media_id, result.expires_at)
        await self._make_preview(result.media_id)
