"""What the gateway needs of the other services. The adapters in `adapters/clients` keep these promises.

Every method raises `ServiceError` with the owning service's reason, and takes a deadline where work may be long.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from photochanger_chassis.deadline import Deadline

from photochanger_gateway.domain.jobs import Gallery, Job, JobSource, Picture, Share
from photochanger_gateway.domain.media import MediaObject
from photochanger_gateway.domain.ranges import ByteRange
from photochanger_gateway.domain.slots import ResponseMode, SlotEdit


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a slot takes a photo: what `CheckAdmission` answered."""

    job_id: str
    received_at: datetime
    deadline: Deadline
    size_limit_bytes: int
    response_mode: ResponseMode


@dataclass(frozen=True, slots=True)
class StoredPhoto:
    """An uploaded photo. `digests` maps the algorithm's number in the proto to hex.

    Digests and `size_bytes` are of the bytes received; `stored` is what became of them.
    """

    media_object_id: str
    size_bytes: int
    digests: dict[int, str]
    stored: MediaObject


class Admission(StrEnum):
    """How a photo was admitted."""

    OPENED = "opened"
    DUPLICATE = "duplicate"
    REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class WholeForm:
    """Everything a camera sent, the photo by reference."""

    slot_id: str
    password: str
    hash: str
    photo: StoredPhoto
    fields: dict[str, str]
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Trial:
    """An admin's photo, by reference, and what to try on it in place of the slot's own values."""

    slot_id: str
    photo: StoredPhoto
    overrides: SlotEdit
    form_fields: Mapping[str, str]


class Ingest(Protocol):
    """Slots and jobs."""

    async def check_admission(
        self, slot_id: str, declared_size_bytes: int | None, *, source: JobSource = JobSource.INGEST
    ) -> Terms:
        """Says whether the slot would take a photo now."""
        ...

    async def verify_password(self, slot_id: str, password: str, deadline: Deadline) -> None:
        """Returns when the password is right."""
        ...

    async def open_job(self, terms: Terms, form: WholeForm) -> tuple[Job, Admission]:
        """Admits the photo. Repeated by the adapter while ingest is away: it is keyed by the terms' job id."""
        ...

    async def open_test_job(self, terms: Terms, trial: Trial) -> Job:
        """Admits an admin's photo. Repeated as `open_job` is."""
        ...

    async def run_job(self, job_id: str, wait_until: Deadline) -> Job:
        """Returns the job in its final state. Repeated by the adapter while ingest is away: it joins."""
        ...

    async def get_job(self, job_id: str) -> Job:
        """Returns a job."""
        ...

    async def list_gallery(self, slot_id: str, size: int) -> Gallery:
        """Returns a slot's newest unexpired pictures."""
        ...

    async def share_galleries(self, requested_by: str) -> Share:
        """Opens all galleries to guests for 15 minutes."""
        ...

    async def list_shared_galleries(self) -> tuple[Gallery, ...]:
        """Returns the galleries that are open to guests now."""
        ...


class Upload(Protocol):
    """An upload under way."""

    async def send(self, data: bytes) -> None:
        """Sends the next bytes. Raises what the service refused the upload for."""
        ...

    async def finish(self) -> StoredPhoto:
        """Ends the stream and returns what was stored."""
        ...


@dataclass(frozen=True, slots=True)
class Download:
    """A stream of a stored picture. `offset` and `length` say which of the picture's bytes follow."""

    picture: Picture
    offset: int
    length: int
    chunks: AsyncIterator[bytes]


class Media(Protocol):
    """Pictures."""

    def upload_input(
        self,
        terms: Terms,
        slot_id: str,
        *,
        content_type: str,
        digest_algorithms: tuple[int, ...],
    ) -> AbstractAsyncContextManager[Upload]:
        """Opens an upload; leaving the block before `finish` aborts it, and nothing is kept."""
        ...

    def download(
        self,
        media_object_id: str,
        *,
        preview: bool = False,
        byte_range: ByteRange | None = None,
        deadline: Deadline | None = None,
    ) -> AbstractAsyncContextManager[Download]:
        """Opens a download, by the deadline where there is one; leaving the block ends it."""
        ...

    def download_link(
        self, token: str, *, byte_range: ByteRange | None = None
    ) -> AbstractAsyncContextManager[Download]:
        """Opens the download of what a public link points at."""
        ...

    async def delete(self, media_object_id: str) -> None:
        """Deletes an object that nobody needs."""
        ...
