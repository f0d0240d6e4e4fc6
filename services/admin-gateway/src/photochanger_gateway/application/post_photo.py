"""The main job: a camera posts a photo and gets the edited one."""

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Protocol

import structlog
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import ServiceError

from photochanger_gateway.application.ports import Admission, Ingest, Media, Terms
from photochanger_gateway.application.receive_form import ReceiveForm, drop_photo
from photochanger_gateway.domain.form import FormEvent
from photochanger_gateway.domain.jobs import Job
from photochanger_gateway.domain.slots import ResponseMode


@dataclass(slots=True)
class Stages:
    """How long each stage of a request took, in seconds of monotonic time, in order."""

    durations: dict[str, float] = field(default_factory=dict)
    _mark: float = field(default_factory=time.perf_counter)

    def end(self, stage: str) -> None:
        """Ends a stage that began where the one before ended."""
        now = time.perf_counter()
        self.durations[stage] = now - self._mark
        self._mark = now


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a posted photo: a final job, with or without a picture, to be told by the deadline."""

    job: Job
    admission: Admission
    response_mode: ResponseMode
    deadline: Deadline
    stages: Stages


class FormReader(Protocol):
    """Reads the request's body, once the slot's terms are known."""

    def __call__(self, terms: Terms) -> AsyncGenerator[FormEvent]:
        """Starts reading; nothing of the body is asked for before."""
        ...


class PostPhoto:
    """Runs one camera's request from its head to a final job."""

    def __init__(self, ingest: Ingest, media: Media) -> None:
        self._ingest = ingest
        self._media = media
        self._receive_form = ReceiveForm(ingest, media)

    async def __call__(
        self,
        slot_id: str,
        *,
        declared_size_bytes: int | None,
        password: str | None,
        idempotency_key: str,
        read_form: FormReader,
    ) -> Outcome:
        """Returns the final job. `password` is what the request's head offers, for forms without one.

        Raises:
            ServiceError: the slot does not take the photo, or the job has not ended by its deadline.
        """
        stages = Stages()
        terms = await self._ingest.check_admission(slot_id, declared_size_bytes)
        structlog.contextvars.bind_contextvars(job_id=terms.job_id)
        stages.end("admit")
        form = await self._receive_form(
            slot_id, terms, read_form(terms), password=password, idempotency_key=idempotency_key
        )
        stages.end("receive")
        photo_id = form.photo.media_object_id
        try:
            job, admission = await self._ingest.open_job(terms, form)
        except ServiceError:
            await drop_photo(self._media, photo_id)
            raise
        stages.end("open")
        if admission is not Admission.OPENED:
            structlog.contextvars.bind_contextvars(job_id=job.id)
            await drop_photo(self._media, photo_id)
        if not job.final:
            job = await self._ingest.run_job(job.id, terms.deadline)
            stages.end("run")
        return Outcome(job, admission, terms.response_mode, terms.deadline, stages)
