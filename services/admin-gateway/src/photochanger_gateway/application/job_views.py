"""Jobs and figures as admins look at them, put together from what several calls answer."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from photochanger_chassis.errors import ServiceError

from photochanger_gateway.application.ports_admin import (
    Figures,
    JobFilter,
    Jobs,
    MediaLibrary,
    Page,
    PageRequest,
    Slots,
)
from photochanger_gateway.application.ports_clients import AsyncJobs
from photochanger_gateway.application.side_by_side import first_refusal
from photochanger_gateway.domain.jobs import Gallery, Job, JobMode, PlacedJob
from photochanger_gateway.domain.media import KindUsage
from photochanger_gateway.domain.slots import JobDetails, Slot
from photochanger_gateway.domain.statistics import Statistics

_RECENT_FAILURES: Final = 20
_PICTURES: Final = 10
_GONE: Final = frozenset({"MEDIA_NOT_FOUND", "MEDIA_EXPIRED"})


@dataclass(frozen=True, slots=True)
class JobSummary:
    """A job, and its slot's name for people now."""

    job: Job
    slot_display_name: str


@dataclass(frozen=True, slots=True)
class JobDetail:
    """A job with what it was asked to do, whether its photo is still there, and where it waits."""

    details: JobDetails
    input_kept: bool
    placed: PlacedJob


class JobViews:
    """Reads jobs."""

    def __init__(self, jobs: Jobs, slots: Slots, library: MediaLibrary, async_jobs: AsyncJobs) -> None:
        self._jobs = jobs
        self._slots = slots
        self._library = library
        self._async_jobs = async_jobs

    async def page(self, wanted: JobFilter, page: PageRequest) -> Page[JobSummary]:
        """A page of jobs, newest first."""
        with first_refusal():
            async with asyncio.TaskGroup() as tasks:
                found = tasks.create_task(self._jobs.list(wanted, page))
                slots = tasks.create_task(self._slots.list())
        names = {slot.id: slot.values.display_name for slot in slots.result()}
        rows = (JobSummary(job, names.get(job.slot_id, job.slot_id)) for job in found.result().items)
        return Page(tuple(rows), found.result().next_cursor)

    async def one(self, job_id: str) -> JobDetail:
        """One job. Raises `ServiceError`: there is none of that id."""
        details = await self._jobs.details(job_id)
        with first_refusal():
            async with asyncio.TaskGroup() as tasks:
                kept = tasks.create_task(self._is_kept(details.job.input_media_object_id))
                placed = tasks.create_task(self._placed(details.job))
        return JobDetail(details, kept.result(), placed.result())

    async def _placed(self, job: Job) -> PlacedJob:
        if job.mode is JobMode.SYNC or job.final:
            return PlacedJob(job)
        return await self._async_jobs.get(job.id, client_id="")

    async def _is_kept(self, media_object_id: str) -> bool:
        if not media_object_id:
            return False
        try:
            await self._library.describe(media_object_id)
        except ServiceError as error:
            if error.reason in _GONE:
                return False
            raise
        return True


@dataclass(frozen=True, slots=True)
class Overview:
    """A window's figures, the slots they are about, and what the store holds now, where that was asked."""

    statistics: Statistics
    slots: tuple[Slot, ...]
    usage: tuple[KindUsage, ...]


class FigureViews:
    """Reads figures."""

    def __init__(self, figures: Figures, slots: Slots, library: MediaLibrary) -> None:
        self._figures = figures
        self._slots = slots
        self._library = library

    async def overview(self, window: timedelta) -> Overview:
        """The figures of a window before now, and the store's."""
        with first_refusal():
            async with asyncio.TaskGroup() as tasks:
                figures = tasks.create_task(self.slots(window))
                usage = tasks.create_task(self._library.usage())
        return replace(figures.result(), usage=usage.result())

    async def slots(self, window: timedelta) -> Overview:
        """The figures of a window before now."""
        with first_refusal():
            async with asyncio.TaskGroup() as tasks:
                statistics = tasks.create_task(self._figures.window(window, failures=_RECENT_FAILURES))
                slots = tasks.create_task(self._slots.list())
        return Overview(statistics.result(), slots.result(), ())


@dataclass(frozen=True, slots=True)
class Galleries:
    """All slots' galleries, and until when guests see them; None: they do not."""

    shared_until: datetime | None
    galleries: tuple[Gallery, ...]


class GalleryViews:
    """Reads galleries, shared or not."""

    def __init__(self, jobs: Jobs, slots: Slots) -> None:
        self._jobs = jobs
        self._slots = slots

    async def all(self) -> Galleries:
        """The newest pictures of every slot, by slot id."""
        slots = await self._slots.list()
        with first_refusal():
            async with asyncio.TaskGroup() as tasks:
                until = tasks.create_task(self._jobs.shared_until())
                found = [
                    tasks.create_task(self._jobs.gallery(slot.id, PageRequest(_PICTURES))) for slot in slots
                ]
        galleries = (
            Gallery(slot.id, name, page.items)
            for slot, (name, page) in zip(slots, (task.result() for task in found), strict=True)
        )
        return Galleries(until.result(), tuple(galleries))
