"""A program hands in a photo, and maybe waits a while for what becomes of it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog
from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import FieldViolation, ServiceError
from photochanger_chassis.ids import Ids

from photochanger_gateway.application.audit import MAY_HAVE_HAPPENED
from photochanger_gateway.application.ports import Media, Terms
from photochanger_gateway.application.ports_clients import AsyncJobs, NewJob, Order
from photochanger_gateway.application.receive_form import drop_photo
from photochanger_gateway.application.receive_picture import receive_picture
from photochanger_gateway.domain.form import FormEvent
from photochanger_gateway.domain.jobs import Job, PlacedJob
from photochanger_gateway.domain.refusals import InvalidChange
from photochanger_gateway.domain.slots import ResponseMode, is_slot_id

_log: Final = structlog.stdlib.get_logger(__name__)

_NO_SLOT: Final = "api"
"""Media's place for photos whose job has no slot, or whose form names it only after the photo."""
_AT_ONCE: Final = 8
"""Jobs of one batch that are opened side by side."""


@dataclass(frozen=True, slots=True)
class OrderForm:
    """What a form says beside its photo. `media_object_id` is a photo uploaded before; empty: the form has its own."""

    order: Order
    media_object_id: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One job of a batch, whose photo was uploaded before."""

    order: Order
    media_object_id: str
    idempotency_key: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """An accepted job. `replayed`: it was there already."""

    job: Job
    replayed: bool


ReadOrder = Callable[[Mapping[str, str]], OrderForm]
"""Makes sense of a form's fields, or raises `InvalidChange`."""


class SubmitJob:
    """Opens asynchronous jobs."""

    def __init__(self, jobs: AsyncJobs, media: Media, clock: Clock, ids: Ids) -> None:
        self._jobs = jobs
        self._media = media
        self._clock = clock
        self._ids = ids

    async def posted(
        self,
        client_id: str,
        form: AsyncGenerator[FormEvent],
        *,
        read_order: ReadOrder,
        size_limit_bytes: int,
        deadline: Deadline,
        idempotency_key: str,
    ) -> Submitted:
        """Opens a job for a form, whose photo is kept only if the job is new.

        Raises:
            InvalidChange: fields do not fit, or there is no photo, or two.
            ServiceError: what ingest or media refused.
        """
        job_id = self._ids.new_id()
        structlog.contextvars.bind_contextvars(job_id=job_id)
        terms = Terms(job_id, self._clock.now(), deadline, size_limit_bytes, ResponseMode.IMAGE)
        received = await receive_picture(
            form,
            lambda content_type, fields: self._media.upload_input(
                terms, _place(fields), content_type=content_type, digest_algorithms=()
            ),
            self._media,
        )
        photo = received.picture
        try:
            told = read_order(received.fields)
            if (photo is None) == (not told.media_object_id):
                words = "send a photo, or the id of one that was uploaded, and not both"
                raise InvalidChange((FieldViolation("photo", words),))
            media_object_id = told.media_object_id if photo is None else photo.media_object_id
            submitted = await self._open(
                NewJob(client_id, job_id, media_object_id, told.order, idempotency_key)
            )
        except ServiceError as error:
            # A job that was opened, though nobody heard of it, needs its photo.
            if photo is not None and error.kind not in MAY_HAVE_HAPPENED:
                await drop_photo(self._media, photo.media_object_id)
            raise
        if submitted.replayed and photo is not None:
            await drop_photo(self._media, photo.media_object_id)
        structlog.contextvars.bind_contextvars(job_id=submitted.job.id)
        return submitted

    async def batch(self, client_id: str, items: Sequence[Item]) -> list[Submitted | ServiceError]:
        """Opens jobs side by side, each by itself: what came of each, in order."""
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(item: Item) -> Submitted | ServiceError:
            async with places:
                new = NewJob(
                    client_id, self._ids.new_id(), item.media_object_id, item.order, item.idempotency_key
                )
                try:
                    return await self._open(new)
                except ServiceError as error:
                    return error

        async with asyncio.TaskGroup() as tasks:
            opened = [tasks.create_task(one(item)) for item in items]
        return [task.result() for task in opened]

    async def again(
        self, client_id: str, job_id: str, *, idempotency_key: str, time_limit: timedelta | None = None
    ) -> Submitted:
        """Opens a job like one that has ended. Raises `ServiceError`: what ingest refused."""
        job, replayed = await self._jobs.retry(
            job_id, client_id=client_id, idempotency_key=idempotency_key, time_limit=time_limit
        )
        return Submitted(job, replayed)

    async def outcome(self, job: Job, *, wait: timedelta) -> PlacedJob:
        """The job once it is final, or as it is when nobody waits any longer, or nobody can tell."""
        if job.final or not wait:
            return PlacedJob(job)
        try:
            return await self._jobs.get(
                job.id, client_id=job.client_id, wait_until=Deadline(self._clock.now() + wait)
            )
        except ServiceError as error:
            # It is accepted, whatever happens to the waiting.
            _log.info("submit.not_waited", reason=error.reason)
            return PlacedJob(job)

    async def _open(self, new: NewJob) -> Submitted:
        job, replayed = await self._jobs.open(new)
        # The call is repeated by gRPC where ingest was away: its own job is no earlier one.
        return Submitted(job, replayed and job.id != new.id)


def _place(fields: Mapping[str, str]) -> str:
    slot_id = fields.get("slot_id", "")
    return slot_id if is_slot_id(slot_id) else _NO_SLOT
