"""Jobs and pictures as the gateway's clients see them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class JobState(StrEnum):
    """Where a job is. The HTTP field is called `status`."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"


class JobSource(StrEnum):
    """Who opened a job."""

    INGEST = "ingest"
    UI_TEST = "ui_test"
    API = "api"


class JobMode(StrEnum):
    """How a job is run: somebody holds a connection and waits, or the task engine brings it to its end."""

    SYNC = "sync"
    ASYNC = "async"


class ResultOrigin(StrEnum):
    """Where a job's picture comes from."""

    PROVIDER = "provider"
    LATE = "late"
    INPUT = "original"


class HashCheck(StrEnum):
    """What the form's `hash` field turned out to be."""

    UNCHECKED = "unchecked"
    MATCH = "match"
    MISMATCH = "mismatch"


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored picture. `sha256` is of its bytes, in hex; `expires_at` is None for what never expires.

    Sizes in pixels are 0 where nobody has measured them.
    """

    media_object_id: str
    mime_type: str
    size_bytes: int
    sha256: str
    expires_at: datetime | None
    width_px: int = 0
    height_px: int = 0

    @property
    def extension(self) -> str:
        """The usual file name extension, without the dot."""
        return {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}.get(self.mime_type, "bin")


@dataclass(frozen=True, slots=True)
class JobFailure:
    """Why a job has no picture of the provider's: the fine code (`no_image`, `quota`…) and words."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Job:
    """One photo through one slot; `slot_id` is empty where a client named provider and operation itself.

    `progress` (0 to 100), `stage` (for people), `client_id`, `retry_of` (a job's id, or empty) and `attempts` are of
    asynchronous jobs.
    """

    id: str
    slot_id: str
    state: JobState
    source: JobSource
    provider: str
    operation: str
    received_at: datetime
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    failure: JobFailure | None = None
    picture: Picture | None = None
    origin: ResultOrigin | None = None
    stages: dict[str, timedelta] = field(default_factory=dict)
    deadline: datetime | None = None
    hash_check: HashCheck = HashCheck.UNCHECKED
    provider_calls: int = 0
    input_media_object_id: str = ""
    mode: JobMode = JobMode.SYNC
    progress: int = 0
    stage: str = ""
    client_id: str = ""
    retry_of: str = ""
    attempts: int = 0

    @property
    def final(self) -> bool:
        """Whether its state will not change any more."""
        return self.state not in {JobState.PENDING, JobState.RUNNING}

    @property
    def duration(self) -> timedelta | None:
        """From the camera's request to the final state; None while it runs."""
        return None if self.finished_at is None else self.finished_at - self.received_at


@dataclass(frozen=True, slots=True)
class PlacedJob:
    """An asynchronous job, and its place in its provider's queue (from 1) where it waits and somebody knows."""

    job: Job
    queue_position: int | None = None
    expected_start_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gallery:
    """A slot's unexpired pictures, newest first."""

    slot_id: str
    display_name: str
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """All galleries, open to guests from `requested_at` to `share_until`."""

    share_until: datetime
    requested_at: datetime
