"""Jobs and galleries that keep the contract of `protos/` in memory."""

import asyncio
from datetime import timedelta
from typing import Final
from uuid import uuid4

from photochanger.ingest.v1 import (
    gallery_service_pb2,
    gallery_service_pb2_grpc,
    job_pb2,
    job_service_pb2,
    job_service_pb2_grpc,
    slot_pb2,
)
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ErrorKind

from photochanger_gateway.adapters.clients.translate import timestamp
from photochanger_gateway.testing.builders import a_job, a_refusal
from photochanger_gateway.testing.script import Script, page_of

PASSWORD: Final = "booth-password-9"  # noqa: S105 - of the fake, nowhere else


class FakeIngest(job_service_pb2_grpc.JobServiceServicer, gallery_service_pb2_grpc.GalleryServiceServicer):
    """Admits everything with the right password; every job ends as `ending`, at once or when `release` is set."""

    def __init__(self, clock: Clock) -> None:
        self.script = Script()
        self.clock = clock
        self.password: str | None = PASSWORD
        """None: any is right."""
        self.deadline = timedelta(seconds=30)
        self.size_limit_bytes = 15 * 1024 * 1024
        self.response_mode = slot_pb2.RESPONSE_MODE_IMAGE
        self.admission = job_service_pb2.ADMISSION_OPENED
        self.ending = a_job()
        self.release = asyncio.Event()
        self.release.set()
        self.jobs: dict[str, job_pb2.Job] = {}
        self.any_job: job_pb2.Job | None = None
        """What every unknown id stands for, where a test cannot choose ids."""
        self.details = job_service_pb2.GetJobDetailsResponse()
        """What every job was asked to do."""
        self.galleries: dict[str, list[job_pb2.Job]] = {}
        self.display_name = "First booth"
        self.shared = False

    def keep(self, job: job_pb2.Job) -> job_pb2.Job:
        """Makes a job known."""
        self.jobs[job.id] = job
        return job

    async def CheckAdmission(  # noqa: N802 - gRPC's names, here and below
        self, request: job_service_pb2.CheckAdmissionRequest, context: object
    ) -> job_service_pb2.CheckAdmissionResponse:
        """See the proto."""
        await self.script.enter("CheckAdmission", request)
        if request.declared_size_bytes > self.size_limit_bytes + 128 * 1024:
            raise a_refusal("PAYLOAD_TOO_LARGE", ErrorKind.OUT_OF_RANGE)
        now = self.clock.now()
        return job_service_pb2.CheckAdmissionResponse(
            ticket=job_service_pb2.JobTicket(
                job_id=uuid4().hex, received_at=timestamp(now), deadline=timestamp(now + self.deadline)
            ),
            size_limit_bytes=self.size_limit_bytes,
            response_mode=self.response_mode,
        )

    async def VerifyPassword(  # noqa: N802
        self, request: job_service_pb2.VerifyPasswordRequest, context: object
    ) -> job_service_pb2.VerifyPasswordResponse:
        """See the proto."""
        await self.script.enter("VerifyPassword", request)
        self._check_password(request.password)
        return job_service_pb2.VerifyPasswordResponse()

    async def OpenJob(  # noqa: N802
        self, request: job_service_pb2.OpenJobRequest, context: object
    ) -> job_service_pb2.OpenJobResponse:
        """See the proto."""
        await self.script.enter("OpenJob", request)
        self._check_password(request.password)
        job = job_pb2.Job()
        job.CopyFrom(self.ending)
        if self.admission == job_service_pb2.ADMISSION_OPENED:
            job.id = request.ticket.job_id
        self.keep(job)
        opened = job_pb2.Job()
        opened.CopyFrom(job)
        if self.admission != job_service_pb2.ADMISSION_REPLAYED:
            opened.state = job_pb2.JOB_STATE_PENDING
            opened.ClearField("result")
            opened.ClearField("failure")
        return job_service_pb2.OpenJobResponse(job=opened, admission=self.admission)

    async def OpenTestJob(  # noqa: N802
        self, request: job_service_pb2.OpenTestJobRequest, context: object
    ) -> job_service_pb2.OpenTestJobResponse:
        """See the proto."""
        await self.script.enter("OpenTestJob", request)
        job = job_pb2.Job()
        job.CopyFrom(self.ending)
        job.id, job.slot_id, job.source = request.ticket.job_id, request.slot_id, job_pb2.JOB_SOURCE_UI_TEST
        job.input_media_object_id = request.input_media_object_id
        self.keep(job)
        opened = job_pb2.Job()
        opened.CopyFrom(job)
        opened.state = job_pb2.JOB_STATE_PENDING
        opened.ClearField("result")
        opened.ClearField("failure")
        return job_service_pb2.OpenTestJobResponse(job=opened)

    async def GetJobDetails(  # noqa: N802
        self, request: job_service_pb2.GetJobDetailsRequest, context: object
    ) -> job_service_pb2.GetJobDetailsResponse:
        """See the proto."""
        await self.script.enter("GetJobDetails", request)
        details = job_service_pb2.GetJobDetailsResponse()
        details.CopyFrom(self.details)
        details.job.CopyFrom(self._job(request.job_id))
        details.slot_display_name = self.display_name
        return details

    async def ListJobs(  # noqa: N802
        self, request: job_service_pb2.ListJobsRequest, context: object
    ) -> job_service_pb2.ListJobsResponse:
        """See the proto."""
        await self.script.enter("ListJobs", request)
        wanted = [
            job
            for job in reversed(self.jobs.values())
            if request.slot_id in {"", job.slot_id}
            and (not request.states or job.state in request.states)
            and request.source in {job_pb2.JOB_SOURCE_UNSPECIFIED, job.source}
        ]
        jobs, token = page_of(wanted, request.page_size, request.page_token)
        return job_service_pb2.ListJobsResponse(jobs=jobs, next_page_token=token)

    async def RunJob(  # noqa: N802
        self, request: job_service_pb2.RunJobRequest, context: object
    ) -> job_service_pb2.RunJobResponse:
        """See the proto."""
        await self.script.enter("RunJob", request)
        await self.release.wait()
        return job_service_pb2.RunJobResponse(job=self._job(request.job_id))

    async def GetJob(  # noqa: N802
        self, request: job_service_pb2.GetJobRequest, context: object
    ) -> job_service_pb2.GetJobResponse:
        """See the proto."""
        await self.script.enter("GetJob", request)
        return job_service_pb2.GetJobResponse(job=self._job(request.job_id))

    async def ListGallery(  # noqa: N802
        self, request: job_service_pb2.ListGalleryRequest, context: object
    ) -> job_service_pb2.ListGalleryResponse:
        """See the proto."""
        await self.script.enter("ListGallery", request)
        kept = self.galleries.get(request.slot_id, [])
        jobs, token = page_of(kept, request.page_size or 10, request.page_token)
        return job_service_pb2.ListGalleryResponse(
            slot_display_name=self.display_name, jobs=jobs, next_page_token=token
        )

    async def ShareGalleries(  # noqa: N802
        self, request: gallery_service_pb2.ShareGalleriesRequest, context: object
    ) -> gallery_service_pb2.ShareGalleriesResponse:
        """See the proto."""
        await self.script.enter("ShareGalleries", request)
        self.shared = True
        now = self.clock.now()
        return gallery_service_pb2.ShareGalleriesResponse(
            share_until=timestamp(now + timedelta(minutes=15)), requested_at=timestamp(now)
        )

    async def ListSharedGalleries(  # noqa: N802
        self, request: gallery_service_pb2.ListSharedGalleriesRequest, context: object
    ) -> gallery_service_pb2.ListSharedGalleriesResponse:
        """See the proto."""
        await self.script.enter("ListSharedGalleries", request)
        if not self.shared:
            raise a_refusal("GALLERY_NOT_SHARED", ErrorKind.FAILED_PRECONDITION)
        return gallery_service_pb2.ListSharedGalleriesResponse(
            galleries=[
                gallery_service_pb2.SharedGallery(
                    slot_id=slot_id, slot_display_name=self.display_name, jobs=jobs
                )
                for slot_id, jobs in self.galleries.items()
            ],
            share_until=timestamp(self.clock.now() + timedelta(minutes=15)),
        )

    def _job(self, job_id: str) -> job_pb2.Job:
        if job_id not in self.jobs:
            if self.any_job is None:
                raise a_refusal("JOB_NOT_FOUND", ErrorKind.NOT_FOUND)
            known = job_pb2.Job()
            known.CopyFrom(self.any_job)
            known.id = job_id
            return known
        return self.jobs[job_id]

    def _check_password(self, password: str) -> None:
        if self.password is not None and password != self.password:
            raise a_refusal("INVALID_PASSWORD", ErrorKind.UNAUTHENTICATED)
