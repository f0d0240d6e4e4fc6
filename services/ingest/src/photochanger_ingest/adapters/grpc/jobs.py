"""`JobService`."""

from typing import Any, Final

import grpc
from photochanger.ingest.v1 import job_service_pb2, job_service_pb2_grpc
from photochanger.media.v1 import media_service_pb2

from photochanger_ingest.adapters.grpc.fields import (
    invalid,
    masked,
    page_size,
    page_token,
    position,
    value_of,
)
from photochanger_ingest.adapters.grpc.slot_edits import TRIABLE, edited
from photochanger_ingest.adapters.messages import (
    JOB_SOURCES,
    JOB_STATES,
    RESPONSE_MODES,
    instant,
    job_message,
    template_messages,
    timestamp,
)
from photochanger_ingest.application.check_admission import CheckAdmission
from photochanger_ingest.application.jobs import Jobs
from photochanger_ingest.application.open_job import Admission, OpenJob, PhotoForm
from photochanger_ingest.application.open_test_job import AdminsPhoto, OpenTestJob
from photochanger_ingest.application.run_job import JobRunner
from photochanger_ingest.application.store import JobQuery
from photochanger_ingest.application.verify_password import VerifyPassword
from photochanger_ingest.domain.ids import JobId, MediaObjectId, SlotId
from photochanger_ingest.domain.job import JobSource
from photochanger_ingest.domain.timing import Ticket

_Context = grpc.aio.ServicerContext[Any, Any]

_ADMISSIONS: Final = {
    Admission.OPENED: job_service_pb2.ADMISSION_OPENED,
    Admission.DUPLICATE: job_service_pb2.ADMISSION_DUPLICATE,
    Admission.REPLAYED: job_service_pb2.ADMISSION_REPLAYED,
}


class JobServicer(job_service_pb2_grpc.JobServiceServicer):
    """Translates calls into use cases."""

    def __init__(
        self,
        *,
        check_admission: CheckAdmission,
        verify_password: VerifyPassword,
        open_job: OpenJob,
        open_test_job: OpenTestJob,
        runner: JobRunner,
        jobs: Jobs,
    ) -> None:
        self._check_admission = check_admission
        self._verify_password = verify_password
        self._open_job = open_job
        self._open_test_job = open_test_job
        self._runner = runner
        self._jobs = jobs

    async def CheckAdmission(  # noqa: N802 - gRPC's name
        self, request: job_service_pb2.CheckAdmissionRequest, context: _Context
    ) -> job_service_pb2.CheckAdmissionResponse:
        """See the contract."""
        declared = request.declared_size_bytes if request.HasField("declared_size_bytes") else None
        admittance = await self._check_admission(
            SlotId(request.slot_id),
            declared_size_bytes=declared,
            source=_source(request.source) or JobSource.INGEST,
        )
        ticket = admittance.ticket
        return job_service_pb2.CheckAdmissionResponse(
            ticket=job_service_pb2.JobTicket(
                job_id=ticket.job_id,
                received_at=timestamp(ticket.received_at),
                deadline=timestamp(ticket.deadline),
            ),
            size_limit_bytes=admittance.size_limit_bytes,
            response_mode=RESPONSE_MODES[admittance.response_mode],
        )

    async def VerifyPassword(  # noqa: N802 - gRPC's name
        self, request: job_service_pb2.VerifyPasswordRequest, context: _Context
    ) -> job_service_pb2.VerifyPasswordResponse:
        """See the contract."""
        await self._verify_password(SlotId(request.slot_id), request.password)
        return job_service_pb2.VerifyPasswordResponse()

    async def OpenJob(  # noqa: N802 - gRPC's name
        self, request: job_service_pb2.OpenJobRequest, context: _Context
    ) -> job_service_pb2.OpenJobResponse:
        """See the contract."""
        admitted = await self._open_job(_form(request))
        return job_service_pb2.OpenJobResponse(
            job=job_message(admitted.job), admission=_ADMISSIONS[admitted.admission]
        )

    async def OpenTestJob(  # noqa: N802 - gRPC's name
        self, request: job_service_pb2.OpenTestJobRequest, context: _Context
    ) -> job_service_pb2.OpenTestJobResponse:
        """See the contract."""
        fields = masked(request.override_mask, TRIABLE, field="override_mask")
        photo = AdminsPhoto(
            ticket=_ticket(request.ticket),
            slot_id=SlotId(request.slot_id),
            input_media_object_id=MediaObjectId(request.input_media_object_id),
            sha256=request.input_sha256,
            size_bytes=request.size_bytes,
            fields=dict(request.form_fields),
        )
        job = await self._open_test_job(
            photo, lambda slot: edited(slot, request.overrides, fields, at="overrides")
        )
        return job_service_pb2.OpenTestJobResponse(job=job_message(job))

    async def RunJob(  # noqa: N802 - gRPC's name
        self, request: job_service_pb2.RunJobRequest, context: _Context
    ) -> job_service_pb2.RunJobResponse:
        """See the contract."""
        wait_until = instant(request.wait_until) if request.HasField("wait_until") else None
        job = await self._runner.run(JobId(request.job_id), wait_until=wait_until)
        return job_service_pb2.RunJobResponse(job=job_message(job))

    async def GetJob(  # noqa: N802 - gRPC's name
        self, request: job_service_pb2.GetJobRequest, context: _Context
    ) -> job_service_pb2.GetJobResponse:
        """See the contract."""
        return job_service_pb2.GetJobResponse(job=job_message(await self._jobs.get(JobId(request.job_id))))

    async def GetJobDetails(  # noqa: N802 - gRPC's name
        self, request: job_service_pb2.GetJobDetailsRequest, context: _Context
    ) -> job_service_pb2.GetJobDetailsResponse:
        """See the contract."""
        details = await self._jobs.details(JobId(request.job_id))
        late_until = details.job.late_until
        return job_service_pb2.GetJobDetailsResponse(
            job=job_message(details.job),
            slot_display_name=details.slot_display_name,
            settings_json=details.plan.settings_json,
            templates=template_messages(details.plan.templates),
            form_fields=dict(details.form_fields),
            input_size_bytes=details.size_bytes,
            input_sha256=details.sha256,
            late_until=None if late_until is None else timestamp(late_until),
        )

    async def ListJobs(  # noqa: N802 - gRPC's name
        self, request: job_service_pb2.ListJobsRequest, context: _Context
    ) -> job_service_pb2.ListJobsResponse:
        """See the contract."""
        if any(number not in JOB_STATES for number in request.states):
            raise invalid("states", "states of jobs")
        query = JobQuery(
            slot_id=SlotId(request.slot_id) if request.slot_id else None,
            states=frozenset(JOB_STATES[number] for number in request.states),
            source=_source(request.source),
            limit=page_size(request.page_size, default=50, most=200),
            before=position(request.page_token),
        )
        page = await self._jobs.list(query)
        return job_service_pb2.ListJobsResponse(
            jobs=[job_message(job) for job in page.items], next_page_token=page_token(page.next)
        )

    async def ListGallery(  # noqa: N802 - gRPC's name
        self, request: job_service_pb2.ListGalleryRequest, context: _Context
    ) -> job_service_pb2.ListGalleryResponse:
        """See the contract."""
        gallery = await self._jobs.gallery(
            SlotId(request.slot_id),
            limit=page_size(request.page_size, default=10, most=100),
            before=position(request.page_token),
        )
        return job_service_pb2.ListGalleryResponse(
            slot_display_name=gallery.slot_display_name,
            jobs=[job_message(job) for job in gallery.page.items],
            next_page_token=page_token(gallery.page.next),
        )


def _source(number: int) -> JobSource | None:
    if number == 0:
        return None
    return value_of(JOB_SOURCES, number, field="source", unset=JobSource.INGEST)


def _ticket(ticket: job_service_pb2.JobTicket) -> Ticket:
    return Ticket(JobId(ticket.job_id), instant(ticket.received_at), instant(ticket.deadline))


def _form(request: job_service_pb2.OpenJobRequest) -> PhotoForm:
    sha256 = next(
        (
            digest.hex
            for digest in request.digests
            if digest.algorithm == media_service_pb2.DIGEST_ALGORITHM_SHA256
        ),
        "",
    )
    return PhotoForm(
        ticket=_ticket(request.ticket),
        slot_id=SlotId(request.slot_id),
        password=request.password,
        hash_field=request.hash,
        input_media_object_id=MediaObjectId(request.input_media_object_id),
        sha256=sha256,
        digests=frozenset(digest.hex for digest in request.digests),
        size_bytes=request.size_bytes,
        fields=dict(request.form_fields),
        idempotency_key=request.idempotency_key,
    )
