"""Admits one photo as a job, or finds the job that answers it already."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from typing import Final

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import Unavailable

from photochanger_ingest.application.metrics import JobMetrics
from photochanger_ingest.application.passwords import PasswordCheck
from photochanger_ingest.application.store import (
    Assignment,
    IdempotencyKey,
    NewJob,
    Situation,
    Store,
    Work,
)
from photochanger_ingest.domain.admission import admitted, require_place, require_time
from photochanger_ingest.domain.errors import (
    IdempotencyConflict,
    IdempotencyMismatch,
    SlotNotFound,
)
from photochanger_ingest.domain.form import HashCheck, check_hash, dedupe_key, payload_digest, require_form
from photochanger_ingest.domain.ids import JobId, MediaObjectId, SlotId
from photochanger_ingest.domain.job import Job, JobSource
from photochanger_ingest.domain.settings import Settings, Terms
from photochanger_ingest.domain.slot import Slot
from photochanger_ingest.domain.timing import Ticket

_log = structlog.stdlib.get_logger(__name__)

_PASSWORD_ROUNDS: Final = 3


class Admission(Enum):
    """How a photo was admitted."""

    OPENED = auto()
    DUPLICATE = auto()
    REPLAYED = auto()


@dataclass(frozen=True, slots=True)
class PhotoForm:
    """A whole form. `digests` are of the photo as it was received, lower-case hex, `sha256` among them."""

    ticket: Ticket
    slot_id: SlotId
    password: str
    hash_field: str
    input_media_object_id: MediaObjectId
    sha256: str
    digests: frozenset[str]
    size_bytes: int
    fields: Mapping[str, str]
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """The job that answers a photo."""

    job: Job
    admission: Admission


@dataclass(frozen=True, slots=True)
class OpenJobTuning:
    """`shortest_time`: with less left a photo is refused. `late_window`: how long late pictures are awaited."""

    shortest_time: timedelta = timedelta(seconds=2)
    late_window: timedelta = timedelta(seconds=120)


class OpenJob:
    """Decides password, hash policy, idempotency, duplicates and limits in one transaction."""

    def __init__(
        self,
        store: Store,
        passwords: PasswordCheck,
        clock: Clock,
        metrics: JobMetrics,
        tuning: OpenJobTuning,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._metrics = metrics
        self._tuning = tuning

    async def __call__(self, form: PhotoForm) -> Admitted:
        """Admits a photo. Repeating the call with the same ticket returns the same job.

        Raises:
            ServiceError: one of those `JobService.OpenJob` names.
        """
        form.ticket.require_sane(self._clock.now())
        require_form(form.fields, sha256=form.sha256, idempotency_key=form.idempotency_key)
        for _ in range(_PASSWORD_ROUNDS):
            async with self._store.work() as work:
                slot, settings = await _slot_of(work, form.slot_id)
                password_hash = Terms.of(slot, settings).password_hash
                if self._passwords.remembers(password_hash, form.password):
                    return await self._admit(work, form, slot, settings)
            # Hashing takes milliseconds, too long to hold a connection. Then everything is read anew: what is
            # checked and what is decided on must be the same password.
            await self._passwords.require(password_hash, form.password)
        raise Unavailable("The ingest password changes faster than it can be checked.")

    async def _admit(self, work: Work, form: PhotoForm, slot: Slot, settings: Settings) -> Admitted:
        slot.require_active()
        hash_check = check_hash(settings.hash_policy, form.hash_field, form.digests)
        slot.require_size(form.size_bytes)
        terms = Terms.of(slot, settings)
        key = dedupe_key(slot.id, slot.version, sha256=form.sha256) if terms.dedupe else None
        digest = payload_digest(form.fields, sha256=form.sha256, hash_field=form.hash_field)

        await work.admissions.lock()
        now = self._clock.now()
        situation = await work.admissions.situation(
            form.ticket.job_id, slot, idempotency_key=form.idempotency_key, dedupe_key=key, now=now
        )
        if situation.existing is not None:
            return Admitted(situation.existing, Admission.OPENED)
        earlier = await self._earlier(work, form, situation, digest)
        if earlier is not None:
            return earlier
        require_time(now, form.ticket.deadline, at_least=self._tuning.shortest_time)
        require_place(
            slot.id, slot.plan.provider_id, terms, situation.load, now=now, deadline=form.ticket.deadline
        )
        job = admitted(
            form.ticket,
            slot,
            source=JobSource.INGEST,
            input_media_object_id=form.input_media_object_id,
            hash_check=hash_check,
            now=now,
            late_window=self._tuning.late_window,
        )
        await work.jobs.add(
            NewJob(
                job,
                Assignment(slot.plan, form.fields, settings.result_retention),
                sha256=form.sha256,
                size_bytes=form.size_bytes,
                # A job opened under a key of its own answers later duplicates unless another does already.
                dedupe_key=key if situation.duplicate_of is None else None,
            )
        )
        if form.idempotency_key:
            expires_at = now + settings.result_retention
            await work.admissions.add_key(
                IdempotencyKey(slot.id, form.idempotency_key, digest, job.id, expires_at)
            )
        await work.events.created(job)
        if hash_check is HashCheck.MISMATCH:
            self._metrics.hash_mismatches.labels(slot.id).inc()
            _log.warning("job.hash_mismatch", job_id=job.id, slot_id=slot.id)
        return Admitted(job, Admission.OPENED)

    async def _earlier(
        self, work: Work, form: PhotoForm, situation: Situation, digest: str
    ) -> Admitted | None:
        used = situation.used_key
        if used is not None:
            if used.payload_digest != digest:
                raise IdempotencyMismatch
            job = await _existing(work, used.job_id)
            if not job.final:
                raise IdempotencyConflict(job.id)
            return Admitted(job, Admission.REPLAYED)
        # A key of one's own asks for a job of one's own.
        if situation.duplicate_of is not None and not form.idempotency_key:
            return Admitted(await _existing(work, situation.duplicate_of), Admission.DUPLICATE)
        return None


async def _slot_of(work: Work, slot_id: SlotId) -> tuple[Slot, Settings]:
    found = await work.slots.with_settings(slot_id)
    if found is None:
        raise SlotNotFound(slot_id)
    return found


async def _existing(work: Work, job_id: JobId) -> Job:
    job = await work.jobs.lock(job_id)
    if job is None:
        raise RuntimeError(f"Job {job_id} is referred to but does not exist.")
    return job
