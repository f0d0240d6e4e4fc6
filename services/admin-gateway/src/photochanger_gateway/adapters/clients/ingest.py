"""The ingest service over gRPC."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

import grpc.aio
import structlog
from photochanger.ingest.v1 import gallery_service_pb2, job_pb2, job_service_pb2, slot_pb2
from photochanger.ingest.v1.gallery_service_pb2_grpc import GalleryServiceStub
from photochanger.ingest.v1.job_service_pb2_grpc import JobServiceStub
from photochanger.media.v1 import media_service_pb2
from photochanger_chassis.clock import Clock
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import DeadlinePassed, ErrorKind, ServiceError, Unavailable
from photochanger_chassis.grpc.errors import translate_rpc_errors

from photochanger_gateway.adapters.clients import translate
from photochanger_gateway.adapters.clients.changes import translate_change_errors
from photochanger_gateway.adapters.clients.slots import mask, slot_message
from photochanger_gateway.application.ports import Admission, Terms, Trial, WholeForm
from photochanger_gateway.domain.jobs import Gallery, Job, JobSource, Share
from photochanger_gateway.domain.slots import ResponseMode

_log: Final = structlog.stdlib.get_logger(__name__)
_T = TypeVar("_T")

_QUICK_SECONDS: Final = 5.0
"""For calls that read, or decide in one transaction."""
_ANSWER_SLACK: Final = timedelta(milliseconds=300)
"""How much longer than the deadline we listen: ingest itself ends the job at the deadline and says so."""
_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 1.0

_ADMISSIONS: Final = {
    job_service_pb2.ADMISSION_OPENED: Admission.OPENED,
    job_service_pb2.ADMISSION_DUPLICATE: Admission.DUPLICATE,
    job_service_pb2.ADMISSION_REPLAYED: Admission.REPLAYED,
}


class GrpcIngest:
    """Keeps the promises of `application.ports.Ingest`."""

    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self._jobs = JobServiceStub(channel)
        self._galleries = GalleryServiceStub(channel)
        self._clock = clock

    async def check_admission(
        self, slot_id: str, declared_size_bytes: int | None, *, source: JobSource = JobSource.INGEST
    ) -> Terms:
        """See the port."""
        request = job_service_pb2.CheckAdmissionRequest(
            slot_id=slot_id,
            declared_size_bytes=declared_size_bytes,
            source=job_pb2.JOB_SOURCE_UI_TEST if source is JobSource.UI_TEST else job_pb2.JOB_SOURCE_INGEST,
        )
        try:
            with translate_rpc_errors():
                answer = await self._jobs.CheckAdmission(request, timeout=_QUICK_SECONDS)
        except DeadlinePassed as error:
            # No job's deadline: there is none yet. Ingest waits for its database, say.
            raise Unavailable("Photos are not taken now. Send the photo again.") from error
        multipart = answer.response_mode == slot_pb2.RESPONSE_MODE_MULTIPART
        return Terms(
            job_id=answer.ticket.job_id,
            received_at=translate.instant(answer.ticket.received_at),
            deadline=Deadline(translate.instant(answer.ticket.deadline)),
            size_limit_bytes=answer.size_limit_bytes,
            response_mode=ResponseMode.MULTIPART if multipart else ResponseMode.IMAGE,
        )

    async def verify_password(self, slot_id: str, password: str, deadline: Deadline) -> None:
        """See the port."""
        request = job_service_pb2.VerifyPasswordRequest(slot_id=slot_id, password=password)
        with translate_rpc_errors():
            left = (deadline.remaining(self._clock.now()) + _ANSWER_SLACK).total_seconds()
            await self._jobs.VerifyPassword(request, timeout=min(_QUICK_SECONDS, left))

    async def open_job(self, terms: Terms, form: WholeForm) -> tuple[Job, Admission]:
        """See the port."""
        request = job_service_pb2.OpenJobRequest(
            ticket=_ticket(terms),
            slot_id=form.slot_id,
            password=form.password,
            hash=form.hash,
            input_media_object_id=form.photo.media_object_id,
            digests=[
                media_service_pb2.Digest(
                    algorithm=media_service_pb2.DigestAlgorithm.ValueType(number), hex=digest
                )
                for number, digest in form.photo.digests.items()
            ],
            size_bytes=form.photo.size_bytes,
            form_fields=form.fields,
            idempotency_key=form.idempotency_key,
        )

        async def call(seconds: float) -> job_service_pb2.OpenJobResponse:
            with translate_rpc_errors():
                return await self._jobs.OpenJob(request, timeout=seconds)

        answer = await self._keep_trying(call, terms.deadline)
        return translate.job(answer.job), _ADMISSIONS[answer.admission]

    async def open_test_job(self, terms: Terms, trial: Trial) -> Job:
        """See the port."""
        request = job_service_pb2.OpenTestJobRequest(
            ticket=_ticket(terms),
            slot_id=trial.slot_id,
            input_media_object_id=trial.photo.media_object_id,
            input_sha256=trial.photo.digests[media_service_pb2.DIGEST_ALGORITHM_SHA256],
            size_bytes=trial.photo.size_bytes,
            overrides=slot_message(trial.overrides.values),
            override_mask=mask(trial.overrides),
            form_fields=trial.form_fields,
        )

        async def call(seconds: float) -> job_service_pb2.OpenTestJobResponse:
            with translate_change_errors():
                return await self._jobs.OpenTestJob(request, timeout=seconds)

        return translate.job((await self._keep_trying(call, terms.deadline)).job)

    async def run_job(self, job_id: str, wait_until: Deadline) -> Job:
        """See the port."""
        request = job_service_pb2.RunJobRequest(job_id=job_id, wait_until=translate.timestamp(wait_until.at))

        async def call(seconds: float) -> job_service_pb2.RunJobResponse:
            with translate_rpc_errors():
                return await self._jobs.RunJob(request, timeout=seconds)

        return translate.job((await self._keep_trying(call, wait_until)).job)

    async def get_job(self, job_id: str) -> Job:
        """See the port."""
        with translate_rpc_errors():
            answer = await self._jobs.GetJob(
                job_service_pb2.GetJobRequest(job_id=job_id), timeout=_QUICK_SECONDS
            )
        return translate.job(answer.job)

    async def list_gallery(self, slot_id: str, size: int) -> Gallery:
        """See the port."""
        request = job_service_pb2.ListGalleryRequest(slot_id=slot_id, page_size=size)
        with translate_rpc_errors():
            answer = await self._jobs.ListGallery(request, timeout=_QUICK_SECONDS)
        return Gallery(slot_id, answer.slot_display_name, tuple(translate.job(item) for item in answer.jobs))

    async def share_galleries(self, requested_by: str) -> Share:
        """See the port."""
        request = gallery_service_pb2.ShareGalleriesRequest(requested_by=requested_by)
        with translate_rpc_errors():
            answer = await self._galleries.ShareGalleries(request, timeout=_QUICK_SECONDS)
        return Share(translate.instant(answer.share_until), translate.instant(answer.requested_at))

    async def list_shared_galleries(self) -> tuple[Gallery, ...]:
        """See the port."""
        with translate_rpc_errors():
            answer = await self._galleries.ListSharedGalleries(
                gallery_service_pb2.ListSharedGalleriesRequest(), timeout=_QUICK_SECONDS
            )
        return tuple(
            Gallery(item.slot_id, item.slot_display_name, tuple(translate.job(job) for job in item.jobs))
            for item in answer.galleries
        )

    async def _keep_trying(self, call: Callable[[float], Awaitable[_T]], deadline: Deadline) -> _T:
        """Repeats a keyed call while ingest restarts or moves, as long as somebody waits for the answer."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            left = deadline.remaining(self._clock.now())
            try:
                return await call((left + _ANSWER_SLACK).total_seconds())
            except ServiceError as error:
                away = error.kind in {ErrorKind.UNAVAILABLE, ErrorKind.CANCELLED}
                left = deadline.remaining(self._clock.now())
                if not away:
                    raise
                if left.total_seconds() <= pause:
                    raise DeadlinePassed("The photo could not be processed in time.") from error
                _log.info("ingest.call_repeated", reason=error.reason)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _ticket(terms: Terms) -> job_service_pb2.JobTicket:
    return job_service_pb2.JobTicket(
        job_id=terms.job_id,
        received_at=translate.timestamp(terms.received_at),
        deadline=translate.timestamp(terms.deadline.at),
    )
