"""Looks at jobs."""

from dataclasses import dataclass

from photochanger_chassis.clock import Clock

from photochanger_ingest.application.store import JobDetails, JobQuery, Page, Store
from photochanger_ingest.domain.errors import JobNotFound, SlotNotFound
from photochanger_ingest.domain.ids import JobId, SlotId
from photochanger_ingest.domain.job import Job


@dataclass(frozen=True, slots=True)
class Gallery:
    """A slot's unexpired pictures."""

    slot_display_name: str
    page: Page[Job]


class Jobs:
    """Reads jobs; changes none."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def get(self, job_id: JobId) -> Job:
        """Returns a job. Raises `JobNotFound`, also once its retention is over."""
        job = await self._store.job(job_id)
        if job is None:
            raise JobNotFound
        return job

    async def details(self, job_id: JobId) -> JobDetails:
        """Returns a job with what it was asked to do. Raises `JobNotFound`."""
        details = await self._store.job_details(job_id)
        if details is None:
            raise JobNotFound
        return details

    async def list(self, query: JobQuery) -> Page[Job]:
        """Returns a page of jobs, newest first."""
        return await self._store.list_jobs(query)

    async def gallery(self, slot_id: SlotId, *, limit: int, before: int | None) -> Gallery:
        """Returns a page of a slot's pictures, newest first. Raises `SlotNotFound`."""
        found = await self._store.slot(slot_id)
        if found is None:
            raise SlotNotFound(slot_id)
        page = await self._store.gallery(slot_id, now=self._clock.now(), limit=limit, before=before)
        return Gallery(found[0].display_name, page)
