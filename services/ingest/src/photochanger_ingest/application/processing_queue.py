"""What asynchronous jobs need of the providers service: its queue."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from photochanger_ingest.application.async_store import Submission
from photochanger_ingest.domain.ids import JobId
from photochanger_ingest.domain.job import Failed, Outcome, Progress


@dataclass(frozen=True, slots=True)
class Processing:
    """Where the work on a job is, and what came of it once it has ended.

    Position, from 1, and expected start are known of some that wait.
    """

    progress: Progress
    outcome: Outcome | None = None
    ended_at: datetime | None = None
    queue_position: int | None = None
    expected_start_at: datetime | None = None


class ProcessingQueue(Protocol):
    """The providers service, which owns the queues and their workers. Every method raises `Unavailable`."""

    async def submit(self, submission: Submission) -> Failed | None:
        """Puts a job into its provider's queue. Repeating it changes nothing. Returns why it was refused, if it was."""
        ...

    async def find(self, job_id: JobId) -> Processing | None:
        """Returns where the work on a job is; None: it was never submitted."""
        ...

    async def cancel(self, job_id: JobId) -> None:
        """Stops the work on a job, where it waits or runs."""
        ...
