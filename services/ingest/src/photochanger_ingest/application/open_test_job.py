"""Admits an admin's photo as a job, to see what a slot would make of it before the change is saved."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import InvalidArgument

from photochanger_ingest.application.open_job import OpenJobTuning
from photochanger_ingest.application.outside import Providers
from photochanger_ingest.application.store import Assignment, NewJob, Store
from photochanger_ingest.application.templates import OF_TEST_RUNS, Templates
from photochanger_ingest.domain.admission import admitted, require_place, require_time
from photochanger_ingest.domain.errors import SlotNotFound
from photochanger_ingest.domain.form import HashCheck, require_form
from photochanger_ingest.domain.ids import MediaObjectId, SlotId
from photochanger_ingest.domain.job import Job, JobSource
from photochanger_ingest.domain.rules import plan_violations
from photochanger_ingest.domain.settings import Settings, Terms
from photochanger_ingest.domain.slot import Plan, Slot
from photochanger_ingest.domain.timing import Ticket


@dataclass(frozen=True, slots=True)
class AdminsPhoto:
    """A stored photo, and form fields as a camera would send them. `sha256` is of the photo as it was received."""

    ticket: Ticket
    slot_id: SlotId
    input_media_object_id: MediaObjectId
    sha256: str
    size_bytes: int
    fields: Mapping[str, str]


class OpenTestJob:
    """Opens test runs: no password, no hash, no duplicates, and the slot may be off; limits hold as for a camera."""

    def __init__(
        self, store: Store, templates: Templates, providers: Providers, clock: Clock, tuning: OpenJobTuning
    ) -> None:
        self._store = store
        self._templates = templates
        self._providers = providers
        self._clock = clock
        self._tuning = tuning

    async def __call__(self, photo: AdminsPhoto, override: Callable[[Slot], Slot]) -> Job:
        """Admits a photo under the slot's plan as `override` changes it, for this job alone.

        Repeating the call with the same ticket returns the same job.

        Raises:
            ServiceError: one of those `JobService.OpenTestJob` names.
        """
        photo.ticket.require_sane(self._clock.now())
        require_form(photo.fields, sha256=photo.sha256, idempotency_key="")
        earlier = await self._store.job(photo.ticket.job_id)
        if earlier is not None:
            return earlier
        found = await self._store.slot(photo.slot_id)
        if found is None:
            raise SlotNotFound(photo.slot_id)
        slot, settings = found
        tried = override(slot)
        await self._check(tried.plan, slot.plan)
        slot.require_size(photo.size_bytes)
        return await self._admit(photo, tried, settings)

    async def _check(self, plan: Plan, saved: Plan) -> None:
        violations = tuple(plan_violations(plan, at="overrides"))
        if violations:
            raise InvalidArgument("The overrides cannot be used.", field_violations=violations)
        if plan != saved:
            await self._providers.validate_settings(
                plan.provider_id,
                plan.operation_id,
                plan.settings_json,
                tuple(template.role for template in plan.templates),
            )
        if plan.templates != saved.templates:
            await self._templates.require(plan.templates, of=OF_TEST_RUNS)

    async def _admit(self, photo: AdminsPhoto, slot: Slot, settings: Settings) -> Job:
        """Uses the slot as it was checked; a change saved meanwhile counts from the next photo on."""
        terms = Terms.of(slot, settings)
        async with self._store.work() as work:
            await work.admissions.lock()
            now = self._clock.now()
            situation = await work.admissions.situation(
                photo.ticket.job_id, slot, idempotency_key="", dedupe_key=None, now=now
            )
            if situation.existing is not None:
                return situation.existing
            require_time(now, photo.ticket.deadline, at_least=self._tuning.shortest_time)
            require_place(
                slot.id, slot.plan.provider_id, terms, situation.load, now=now, deadline=photo.ticket.deadline
            )
            job = admitted(
                photo.ticket,
                slot,
                source=JobSource.UI_TEST,
                input_media_object_id=photo.input_media_object_id,
                hash_check=HashCheck.UNCHECKED,
                now=now,
                late_window=self._tuning.late_window,
            )
            await work.jobs.add(
                NewJob(
                    job,
                    Assignment(slot.plan, photo.fields, settings.result_retention),
                    sha256=photo.sha256,
                    size_bytes=photo.size_bytes,
                    dedupe_key=None,
                )
            )
            await work.events.created(job)
        return job
