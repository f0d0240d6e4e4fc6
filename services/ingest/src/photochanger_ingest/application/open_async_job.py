"""Accepts photos of API clients as asynchronous jobs, and repeats jobs that have ended."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import FieldViolation, InvalidArgument
from photochanger_chassis.ids import Ids

from photochanger_ingest.application.async_store import AsyncStore, AsyncWork, ClientKey
from photochanger_ingest.application.outside import Media, Providers
from photochanger_ingest.application.store import Assignment, NewJob, Store
from photochanger_ingest.application.templates import OF_TEST_RUNS, Templates
from photochanger_ingest.domain.async_job import Order, accepted, for_clients, photo_of
from photochanger_ingest.domain.errors import (
    IdempotencyMismatch,
    JobNotFinal,
    JobNotFound,
    SlotNotFound,
)
from photochanger_ingest.domain.form import require_form
from photochanger_ingest.domain.ids import ClientId, JobId
from photochanger_ingest.domain.job import Job
from photochanger_ingest.domain.picture import Picture
from photochanger_ingest.domain.rules import plan_violations
from photochanger_ingest.domain.slot import Plan, Slot

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The job of an order. `replayed`: it was there already."""

    job: Job
    replayed: bool


class Handover(Protocol):
    """Sees to it that accepted jobs get to the providers service."""

    def soon(self, job_id: JobId) -> None:
        """Has a job handed over, once its transaction has been committed."""
        ...


class Signing(Protocol):
    """Knows whose webhooks can be signed."""

    async def require(self, client_id: ClientId) -> None:
        """Raises `WebhookSecretRequired` unless this client's can."""
        ...


class OpenAsyncJob:
    """Decides everything in one transaction. Once it is committed the job is brought to its end, whatever restarts."""

    def __init__(
        self,
        store: Store,
        async_store: AsyncStore,
        *,
        templates: Templates,
        providers: Providers,
        media: Media,
        hand_over: Handover,
        webhooks: Signing,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._store = store
        self._async_store = async_store
        self._templates = templates
        self._providers = providers
        self._media = media
        self._hand_over = hand_over
        self._webhooks = webhooks
        self._clock = clock
        self._ids = ids

    async def __call__(self, order: Order) -> Accepted:
        """Accepts an order. Repeating the call with the same job id, or the client's key, returns the same job.

        Raises:
            ServiceError: one of those `AsyncJobService.OpenAsyncJob` names.
        """
        order.require_sane()
        if order.job_id is not None:
            earlier = await self._store.job(order.job_id)
            if earlier is not None:
                return Accepted(_own(earlier, order.client_id), replayed=True)
        if order.webhook_url is not None:
            await self._webhooks.require(order.client_id)
        described = await self._media.describe(order.input_media_object_id)
        photo = photo_of(order, described, self._clock.now())
        require_form(order.form_fields, sha256=photo.sha256, idempotency_key=order.idempotency_key)
        if order.plan is not None and order.retry_of is None:
            await self._check(order.plan)
        outcome = await self._accept(order, photo)
        if not outcome.replayed:
            self._hand_over.soon(outcome.job.id)
        return outcome

    async def retry(
        self, job_id: JobId, *, client_id: ClientId | None, idempotency_key: str, time_limit: timedelta | None
    ) -> Accepted:
        """Accepts a new job for the photo, the plan and the form fields of one that has ended.

        Raises:
            JobNotFound: there is no such job of the client's.
            JobNotFinal: it has not ended.
            ServiceError: one of those of a new job.
        """
        earlier = await self._async_store.submission(job_id)
        if earlier is None or (client_id is not None and earlier.job.client_id != client_id):
            raise JobNotFound
        job = earlier.job
        if job.client_id is None:
            raise RuntimeError(f"Asynchronous job {job.id} is nobody's.")
        if not job.final:
            raise JobNotFinal(job.id, job.state)
        return await self(
            Order(
                client_id=job.client_id,
                input_media_object_id=job.input_media_object_id,
                slot_id=job.slot_id,
                plan=earlier.assignment.plan,
                job_id=None,
                form_fields=earlier.assignment.form_fields,
                idempotency_key=idempotency_key,
                priority=earlier.priority,
                time_limit=time_limit,
                webhook_url=earlier.webhook_url,
                retry_of=job.id,
                slot_version=job.slot_version,
            )
        )

    async def _check(self, plan: Plan) -> None:
        violations = tuple(plan_violations(plan, at="explicit"))
        if violations:
            raise InvalidArgument("The order cannot be used.", field_violations=violations)
        await self._providers.validate_settings(
            plan.provider_id,
            plan.operation_id,
            plan.settings_json,
            tuple(template.role for template in plan.templates),
        )
        await self._templates.require(plan.templates, of=OF_TEST_RUNS)

    async def _accept(self, order: Order, photo: Picture) -> Accepted:
        retention = (await self._store.settings()).result_retention
        digest = order.digest(photo.sha256)
        job_id = order.job_id or JobId(self._ids.new_id())
        async with self._async_store.async_work() as work:
            opened = await work.client_jobs.opened(job_id)
            if opened is not None:
                return Accepted(_own(opened, order.client_id), replayed=True)
            now = self._clock.now()
            if order.idempotency_key:
                used = await work.client_jobs.use_key(order.client_id, order.idempotency_key, now)
                if used is not None:
                    return Accepted(await _replayed(work, used, digest), replayed=True)
            slot = await _slot_of(work, order, photo)
            plan = order.plan or for_clients(_required(slot).plan)
            job = accepted(
                order,
                photo,
                plan,
                job_id=job_id,
                slot_version=order.slot_version or (slot.version if slot is not None else None),
                now=now,
            )
            await work.jobs.add(
                NewJob(
                    job,
                    Assignment(plan, order.form_fields, retention),
                    sha256=photo.sha256,
                    size_bytes=photo.size_bytes,
                    dedupe_key=None,
                    priority=order.priority,
                    webhook_url=order.webhook_url,
                )
            )
            if order.idempotency_key:
                await work.client_jobs.add_key(
                    ClientKey(order.client_id, order.idempotency_key, digest, job.id, now + retention)
                )
            await work.events.created(job)
        _log.info("job.accepted", job_id=job.id, client_id=job.client_id, provider=job.provider_id)
        return Accepted(job, replayed=False)


async def _slot_of(work: AsyncWork, order: Order, photo: Picture) -> Slot | None:
    """Returns the order's slot as it is now, if it has one and that takes the photo."""
    if order.slot_id is None:
        return None
    found = await work.slots.with_settings(order.slot_id)
    if found is None:
        raise SlotNotFound(order.slot_id)
    slot = found[0]
    slot.require_active()
    slot.require_size(photo.size_bytes)
    return slot


def _required(slot: Slot | None) -> Slot:
    if slot is None:
        raise InvalidArgument(
            "The job cannot be accepted.", field_violations=(FieldViolation("order", "a slot or a plan"),)
        )
    return slot


async def _replayed(work: AsyncWork, used: ClientKey, digest: str) -> Job:
    if used.payload_digest != digest:
        raise IdempotencyMismatch
    job = await work.jobs.lock(used.job_id)
    if job is None:
        raise RuntimeError(f"Job {used.job_id} is referred to but does not exist.")
    return job


def _own(job: Job, client_id: ClientId) -> Job:
    if job.client_id != client_id:
        raise InvalidArgument(
            "The job cannot be accepted.",
            field_violations=(FieldViolation("job_id", "an id that no other job has"),),
        )
    return job
