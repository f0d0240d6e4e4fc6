"""Speaks to ingest as the gateway does."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import grpc
from photochanger.ingest.v1 import (
    api_key_service_pb2_grpc,
    async_job_service_pb2_grpc,
    audit_service_pb2_grpc,
    gallery_service_pb2_grpc,
    job_pb2,
    job_service_pb2,
    job_service_pb2_grpc,
    settings_service_pb2_grpc,
    slot_service_pb2_grpc,
    statistics_service_pb2_grpc,
    webhook_service_pb2_grpc,
)
from photochanger.media.v1 import media_service_pb2
from photochanger_chassis.errors import ServiceError
from photochanger_chassis.grpc.errors import from_rpc_error

PASSWORD = "a studio's password"  # noqa: S105 - of test databases
_TIMEOUT = 60.0


@dataclass(frozen=True)
class Photo:
    """A photo that arrived; two with the same content are the same photo."""

    content: str

    @property
    def sha256(self) -> str:
        """Its digest."""
        return hashlib.sha256(self.content.encode()).hexdigest()

    @property
    def md5(self) -> str:
        """What a well-behaved camera puts into the field `hash`."""
        return hashlib.md5(self.content.encode(), usedforsecurity=False).hexdigest()


def a_photo() -> Photo:
    """A photo like no other."""
    return Photo(uuid4().hex)


class Camera:
    """One client of one instance of ingest."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.jobs = job_service_pb2_grpc.JobServiceStub(channel)
        self.slots = slot_service_pb2_grpc.SlotServiceStub(channel)
        self.settings = settings_service_pb2_grpc.SettingsServiceStub(channel)
        self.galleries = gallery_service_pb2_grpc.GalleryServiceStub(channel)
        self.statistics = statistics_service_pb2_grpc.StatisticsServiceStub(channel)
        self.api_keys = api_key_service_pb2_grpc.ApiKeyServiceStub(channel)
        self.async_jobs = async_job_service_pb2_grpc.AsyncJobServiceStub(channel)
        self.audit = audit_service_pb2_grpc.AuditServiceStub(channel)
        self.webhooks = webhook_service_pb2_grpc.WebhookServiceStub(channel)

    async def ticket(self, slot_id: str = "slot-001") -> job_service_pb2.JobTicket:
        """Asks for admission."""
        answer = await self.jobs.CheckAdmission(
            job_service_pb2.CheckAdmissionRequest(slot_id=slot_id), timeout=_TIMEOUT
        )
        return answer.ticket

    async def open(
        self,
        photo: Photo,
        *,
        slot_id: str = "slot-001",
        ticket: job_service_pb2.JobTicket | None = None,
        password: str = PASSWORD,
        hash_field: str | None = None,
        fields: dict[str, str] | None = None,
        key: str = "",
        size_bytes: int = 1000,
    ) -> job_service_pb2.OpenJobResponse:
        """Hands in the whole form; without a ticket, asks for one first."""
        ticket = ticket or await self.ticket(slot_id)
        request = job_service_pb2.OpenJobRequest(
            ticket=ticket,
            slot_id=slot_id,
            password=password,
            hash=photo.md5 if hash_field is None else hash_field,
            input_media_object_id=f"input-{ticket.job_id}",
            size_bytes=size_bytes,
            form_fields=fields or {},
            idempotency_key=key,
            digests=[
                media_service_pb2.Digest(
                    algorithm=media_service_pb2.DIGEST_ALGORITHM_SHA256, hex=photo.sha256
                ),
                media_service_pb2.Digest(algorithm=media_service_pb2.DIGEST_ALGORITHM_MD5, hex=photo.md5),
            ],
        )
        return await self.jobs.OpenJob(request, timeout=_TIMEOUT)

    async def run(self, job_id: str, *, wait_until: datetime | None = None) -> job_pb2.Job:
        """Waits for the picture."""
        request = job_service_pb2.RunJobRequest(job_id=job_id)
        if wait_until is not None:
            request.wait_until.FromDatetime(wait_until)
        return (await self.jobs.RunJob(request, timeout=_TIMEOUT)).job

    async def get(self, job_id: str) -> job_pb2.Job:
        """Looks at a job."""
        return (await self.jobs.GetJob(job_service_pb2.GetJobRequest(job_id=job_id), timeout=_TIMEOUT)).job

    async def send(self, photo: Photo | None = None, *, slot_id: str = "slot-001") -> job_pb2.Job:
        """Does all of it."""
        opened = await self.open(photo or a_photo(), slot_id=slot_id)
        return await self.run(opened.job.id)


class Refused:
    """What a refused call said, once the block is left."""

    error: ServiceError


@contextmanager
def refused(reason: str) -> Iterator[Refused]:
    """Expects the block's call to be refused for this reason."""
    refusal = Refused()
    try:
        yield refusal
    except grpc.aio.AioRpcError as error:
        refusal.error = from_rpc_error(error)
        if refusal.error.reason != reason:
            raise AssertionError(f"refused for {refusal.error.reason}, not {reason}") from error
        return
    raise AssertionError(f"not refused; expected {reason}")
