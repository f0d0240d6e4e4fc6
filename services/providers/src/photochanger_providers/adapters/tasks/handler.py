"""Runs a task's photo: the same work as a call's, its errors told in the engine's words."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Final, Protocol

import structlog
from photochanger.providers.v1.processing_service_pb2 import ProcessResponse
from photochanger.providers.v1.processing_tasks_pb2 import ProcessPhoto
from photochanger_chassis.errors import ServiceError, Unavailable
from photochanger_tasks import Attempt, Deferred, Failed

from photochanger_providers.adapters.outcome_codec import to_response
from photochanger_providers.application.ports import PlaceLender
from photochanger_providers.application.run_photo import RunPhoto
from photochanger_providers.application.work_log import WorkLog
from photochanger_providers.domain.errors import (
    BadInput,
    ContentBlocked,
    NoImage,
    ProviderAuthFailed,
    ProviderBusy,
    ProviderMisconfigured,
    ProviderUnavailable,
    QuotaExceeded,
    StorageUnavailable,
)
from photochanger_providers.domain.order import Effort, JobId, Order

_log = structlog.stdlib.get_logger(__name__)
_HOPELESS: Final = (ContentBlocked, NoImage, BadInput, ProviderAuthFailed, ProviderMisconfigured)
"""Another attempt would cost the same and end the same. What may help has been repeated inside the call."""
_NOT_NOW: Final = (QuotaExceeded, ProviderBusy, ProviderUnavailable)
"""The provider's back-pressure, or our own for it."""
_QUOTA_PAUSE: Final = timedelta(minutes=1)
_SPREAD: Final = 0.2


class Orders(Protocol):
    """What is to be done with jobs' photos."""

    async def order(self, job_id: JobId) -> Order | None:
        """Returns the order; None once it has been done."""
        ...

    async def note_effort(self, job_id: JobId, effort: Effort) -> None:
        """Notes what an attempt without a picture has done, for when it was the last one."""
        ...


class PhotoHandler:
    """Handles the tasks of all providers."""

    def __init__(
        self,
        *,
        orders: Orders,
        run_photo: Callable[[PlaceLender], RunPhoto],
        places: PlaceLender,
        random: Random,
    ) -> None:
        self._orders = orders
        self._run_photo = run_photo
        self._places = places
        self._random = random

    async def __call__(self, attempt: Attempt[ProcessPhoto]) -> ProcessResponse:
        """Runs the photo.

        Raises:
            Failed: no repeat helps.
            Deferred: the provider wants to be left alone for a while, or is busy.
            ServiceError: it may go better the next time.
        """
        job_id = JobId(attempt.payload.job_id)
        structlog.contextvars.bind_contextvars(job_id=job_id)
        order = await self._orders.order(job_id)
        if order is None:
            raise Failed("config", "What was to be done with the photo is no longer known.")
        await attempt.progress(5, "fetching the photo")
        work, log = self._run_photo(_Reporting(self._places, attempt.progress)), WorkLog()
        try:
            succeeded = await work(replace(order, deadline=attempt.deadline, late_until=None), log)
        except ServiceError as error:
            await self._note(job_id, log)
            raise self._told(error) from error
        except asyncio.CancelledError:
            # The engine has ended the attempt and allows it a clean-up.
            await self._note(job_id, log)
            raise
        return to_response(succeeded)

    async def _note(self, job_id: JobId, log: WorkLog) -> None:
        try:
            await self._orders.note_effort(job_id, log.effort)
        except Unavailable as error:
            # How it ended matters more than where the time went.
            _log.warning("photo.effort_not_noted", reason=error.reason)

    def _told(self, error: ServiceError) -> Exception:
        hopeless = isinstance(error, _HOPELESS) or (
            # The media service refused; when it is only away, it says when to come again.
            isinstance(error, StorageUnavailable) and error.retry_after is None
        )
        if hopeless:
            return Failed(error.reason.lower(), error.message)
        if isinstance(error, _NOT_NOW):
            pause = error.retry_after or _QUOTA_PAUSE
            # Never sooner than it said, and not all at once.
            return Deferred(
                pause * (1 + _SPREAD * self._random.random()), error.reason.lower(), error.message
            )
        return error


class _Reporting:
    """Lends places and reports, as they are taken and left, how far the photo is."""

    def __init__(self, places: PlaceLender, progress: Callable[[int, str], Awaitable[None]]) -> None:
        self._places = places
        self._progress = progress

    @asynccontextmanager
    async def hold(self, order: Order, limit: int) -> AsyncIterator[None]:
        """Holds a place while the block runs."""
        async with self._places.hold(order, limit):
            await self._progress(20, "asking the provider")
            yield
        await self._progress(90, "storing the picture")
