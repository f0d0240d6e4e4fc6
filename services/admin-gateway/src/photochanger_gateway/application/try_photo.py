"""An admin tries a slot: a photo through it, with values that are not saved."""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from photochanger_chassis.errors import FieldViolation, ServiceError

from photochanger_gateway.application.audit import OpenEntry
from photochanger_gateway.application.ports import Ingest, Media, StoredPhoto, Terms, Trial
from photochanger_gateway.application.ports_admin import Jobs, MediaLibrary
from photochanger_gateway.application.post_photo import Stages
from photochanger_gateway.application.receive_form import drop_photo
from photochanger_gateway.application.receive_picture import receive_picture
from photochanger_gateway.domain.form import FormEvent
from photochanger_gateway.domain.jobs import Job, JobSource
from photochanger_gateway.domain.media import MediaKind
from photochanger_gateway.domain.refusals import InputExpired, InvalidChange
from photochanger_gateway.domain.slots import SlotEdit, SlotValues

_GONE: Final = frozenset({"MEDIA_NOT_FOUND", "MEDIA_EXPIRED"})


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it: a final job, and the stages of the request before the job's own."""

    job: Job
    stages: dict[str, timedelta]


@dataclass(frozen=True, slots=True)
class TrialForm:
    """The fields of a trial's form. `media_object_id` is a temporary picture, where the form itself has none."""

    overrides: SlotEdit
    form_fields: Mapping[str, str]
    media_object_id: str = ""


ReadForm = Callable[[Terms], AsyncGenerator[FormEvent]]
"""Reads the request's body, once the slot's terms are known."""
ReadFields = Callable[[Mapping[str, str]], TrialForm]
"""Makes sense of a form's fields, or raises `InvalidChange`."""


class TryPhoto:
    """Runs a photo through a slot as a job of source `ui_test`."""

    def __init__(self, ingest: Ingest, media: Media, library: MediaLibrary, jobs: Jobs) -> None:
        self._ingest = ingest
        self._media = media
        self._library = library
        self._jobs = jobs

    async def posted(
        self,
        slot_id: str,
        *,
        declared_size_bytes: int | None,
        read_form: ReadForm,
        read_fields: ReadFields,
        entry: OpenEntry,
    ) -> Tried:
        """Tries a photo that is posted, or was uploaded before.

        Raises:
            InvalidChange: the form's fields do not fit, or it has no photo, or two.
            ServiceError: what ingest or media refused.
        """
        stages = Stages()
        terms = await self._ingest.check_admission(slot_id, declared_size_bytes, source=JobSource.UI_TEST)
        structlog.contextvars.bind_contextvars(job_id=terms.job_id)
        stages.end("admit")
        form = await receive_picture(
            read_form(terms),
            lambda content_type, _: self._media.upload_input(
                terms, slot_id, content_type=content_type, digest_algorithms=()
            ),
            self._media,
        )
        photo = form.picture
        try:
            trial = _one_photo(read_fields(form.fields), photo)
        except ServiceError:
            if photo is not None:
                await drop_photo(self._media, photo.media_object_id)
            raise
        if photo is None:
            photo = await self._uploaded_before(slot_id, terms, trial.media_object_id)
        stages.end("receive")
        return await self._run(
            terms, Trial(slot_id, photo, trial.overrides, trial.form_fields), stages, entry
        )

    async def again(self, job_id: str, entry: OpenEntry) -> Tried:
        """Tries a job's photo again, through its slot as it is now.

        Raises:
            InputExpired: the photo is no longer kept.
            ServiceError: what ingest or media refused.
        """
        stages = Stages()
        details = await self._jobs.details(job_id)
        slot_id = details.job.slot_id
        if not details.job.input_media_object_id:
            raise InputExpired
        terms = await self._ingest.check_admission(
            slot_id, details.input_size_bytes or None, source=JobSource.UI_TEST
        )
        structlog.contextvars.bind_contextvars(job_id=terms.job_id)
        stages.end("admit")
        try:
            photo = await self._copied(slot_id, terms, details.job.input_media_object_id)
        except ServiceError as error:
            if error.reason in _GONE:
                raise InputExpired from error
            raise
        stages.end("receive")
        as_it_is = SlotEdit(SlotValues(), frozenset())
        return await self._run(terms, Trial(slot_id, photo, as_it_is, details.form_fields), stages, entry)

    async def _run(self, terms: Terms, trial: Trial, stages: Stages, entry: OpenEntry) -> Tried:
        try:
            job = await self._ingest.open_test_job(terms, trial)
        except ServiceError:
            await drop_photo(self._media, trial.photo.media_object_id)
            raise
        stages.end("open")
        entry.add(job_id=job.id, fields=", ".join(trial.overrides.names))
        if not job.final:
            job = await self._ingest.run_job(job.id, terms.deadline)
        entry.add(state=job.state.value)
        return Tried(job, {name: timedelta(seconds=length) for name, length in stages.durations.items()})

    async def _uploaded_before(self, slot_id: str, terms: Terms, media_object_id: str) -> StoredPhoto:
        missing = InvalidChange(
            (FieldViolation("media_object_id", "there is no such temporary picture now"),)
        )
        try:
            if (await self._library.describe(media_object_id)).kind is not MediaKind.TEMPORARY:
                raise missing
            return await self._copied(slot_id, terms, media_object_id)
        except ServiceError as error:
            if error.reason in _GONE:
                raise missing from error
            raise

    async def _copied(self, slot_id: str, terms: Terms, media_object_id: str) -> StoredPhoto:
        """Streams a stored picture into a new input: each job owns its own, and ends it with itself."""
        async with self._media.download(media_object_id, deadline=terms.deadline) as download:
            opened = self._media.upload_input(
                terms, slot_id, content_type=download.picture.mime_type, digest_algorithms=()
            )
            async with opened as upload:
                async for chunk in download.chunks:
                    await upload.send(chunk)
                return await upload.finish()


def _one_photo(form: TrialForm, photo: StoredPhoto | None) -> TrialForm:
    if (photo is None) == (not form.media_object_id):
        words = "send a photo, or a temporary picture's id, and not both"
        raise InvalidChange((FieldViolation("test_image", words),))
    return form
