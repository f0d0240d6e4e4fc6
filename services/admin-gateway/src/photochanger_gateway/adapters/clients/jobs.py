"""Jobs as admins look at them, which ingest owns, over gRPC."""

from datetime import datetime
from typing import Final

import grpc.aio
from photochanger.ingest.v1 import gallery_service_pb2, job_pb2, job_service_pb2
from photochanger.ingest.v1.gallery_service_pb2_grpc import GalleryServiceStub
from photochanger.ingest.v1.job_service_pb2_grpc import JobServiceStub
from photochanger_chassis.errors import ServiceError
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.application.ports_admin import JobFilter, Page, PageRequest
from photochanger_gateway.domain.jobs import Job, JobSource
from photochanger_gateway.domain.slots import JobDetails, TemplateImage

_QUICK_SECONDS: Final = 5.0
_SOURCES: Final = {
    None: job_pb2.JOB_SOURCE_UNSPECIFIED,
    JobSource.INGEST: job_pb2.JOB_SOURCE_INGEST,
    JobSource.UI_TEST: job_pb2.JOB_SOURCE_UI_TEST,
    JobSource.API: job_pb2.JOB_SOURCE_API,
}


class GrpcJobs:
    """Keeps the promises of `application.ports_admin.Jobs`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._jobs = JobServiceStub(channel)
        self._galleries = GalleryServiceStub(channel)

    async def list(self, wanted: JobFilter, page: PageRequest) -> Page[Job]:
        """See the port."""
        request = job_service_pb2.ListJobsRequest(
            slot_id=wanted.slot_id,
            states=[translate.STATES_BACK[state] for state in wanted.states],
            source=_SOURCES[wanted.source],
            page_size=page.size,
            page_token=page.cursor,
        )
        with translate_rpc_errors():
            answer = await self._jobs.ListJobs(request, timeout=_QUICK_SECONDS)
        return Page(tuple(translate.job(item) for item in answer.jobs), answer.next_page_token)

    async def details(self, job_id: str) -> JobDetails:
        """See the port."""
        request = job_service_pb2.GetJobDetailsRequest(job_id=job_id)
        with translate_rpc_errors():
            answer = await self._jobs.GetJobDetails(request, timeout=_QUICK_SECONDS)
        return JobDetails(
            job=translate.job(answer.job),
            slot_display_name=answer.slot_display_name,
            settings=translate.json_object(answer.settings_json),
            template_media=tuple(TemplateImage(item.media_object_id, item.role) for item in answer.templates),
            form_fields=dict(answer.form_fields),
            input_size_bytes=answer.input_size_bytes,
            input_sha256=answer.input_sha256,
            late_until=translate.instant(answer.late_until) if answer.HasField("late_until") else None,
        )

    async def gallery(self, slot_id: str, page: PageRequest) -> tuple[str, Page[Job]]:
        """See the port."""
        request = job_service_pb2.ListGalleryRequest(
            slot_id=slot_id, page_size=page.size, page_token=page.cursor
        )
        with translate_rpc_errors():
            answer = await self._jobs.ListGallery(request, timeout=_QUICK_SECONDS)
        jobs = tuple(translate.job(item) for item in answer.jobs)
        return answer.slot_display_name, Page(jobs, answer.next_page_token)

    async def shared_until(self) -> datetime | None:
        """See the port."""
        request = gallery_service_pb2.ListSharedGalleriesRequest(pictures_per_slot=1)
        try:
            with translate_rpc_errors():
                answer = await self._galleries.ListSharedGalleries(request, timeout=_QUICK_SECONDS)
        except ServiceError as error:
            if error.reason == "GALLERY_NOT_SHARED":
                return None
            raise
        return translate.instant(answer.share_until)
