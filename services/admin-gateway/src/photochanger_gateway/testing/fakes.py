"""Small ingest, media and providers services that keep the contract of `protos/` and do as a test tells them."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import uuid4

from photochanger.ingest.v1 import (
    audit_service_pb2,
    audit_service_pb2_grpc,
    gallery_service_pb2,
    gallery_service_pb2_grpc,
    job_pb2,
    job_service_pb2,
    job_service_pb2_grpc,
    slot_pb2,
)
from photochanger.media.v1 import (
    media_object_pb2,
    media_service_pb2,
    media_service_pb2_grpc,
)
from photochanger.providers.v1 import (
    catalogue_service_pb2,
    catalogue_service_pb2_grpc,
    key_service_pb2,
    key_service_pb2_grpc,
    provider_pb2,
)
from photochanger_chassis.clock import Clock
from photochanger_chassis.errors import ErrorKind

from photochanger_gateway.adapters.clients.translate import instant, timestamp
from photochanger_gateway.testing.builders import JPEG, a_job, a_refusal, an_object
from photochanger_gateway.testing.script import Script, page_of

PASSWORD: Final = "booth-password-9"  # noqa: S105 - of the fake, nowhere else
_CHUNK_BYTES: Final = 256 * 1024


class FakeIngest(job_service_pb2_grpc.JobServiceServicer, gallery_service_pb2_grpc.GalleryServiceServicer):
    """Admits everything with the right password; every job ends as `ending`, at once or when `release` is set."""

    def __init__(self, clock: Clock) -> None:
        self.script = Script()
        self.clock = clock
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
        if password != PASSWORD:
            raise a_refusal("INVALID_PASSWORD", ErrorKind.UNAUTHENTICATED)


class FakeAudit(audit_service_pb2_grpc.AuditServiceServicer):
    """Keeps entries in memory, as ingest does in its database."""

    def __init__(self) -> None:
        self.script = Script()
        self.entries: dict[str, audit_service_pb2.AuditEntry] = {}

    def told(self) -> list[tuple[str, str, str]]:
        """Actor, action and outcome of each entry, the oldest first; the outcome is a refusal's reason, too."""
        names = {
            audit_service_pb2.AUDIT_OUTCOME_DONE: "done",
            audit_service_pb2.AUDIT_OUTCOME_UNSPECIFIED: "unknown",
        }
        return [
            (entry.actor, entry.action, names.get(entry.outcome, entry.refusal))
            for entry in self.entries.values()
        ]

    async def OpenAuditEntry(  # noqa: N802
        self, request: audit_service_pb2.OpenAuditEntryRequest, context: object
    ) -> audit_service_pb2.OpenAuditEntryResponse:
        """See the proto."""
        await self.script.enter("OpenAuditEntry", request)
        self.entries.setdefault(request.entry.id, request.entry)
        return audit_service_pb2.OpenAuditEntryResponse()

    async def CloseAuditEntry(  # noqa: N802
        self, request: audit_service_pb2.CloseAuditEntryRequest, context: object
    ) -> audit_service_pb2.CloseAuditEntryResponse:
        """See the proto."""
        await self.script.enter("CloseAuditEntry", request)
        if request.id not in self.entries:
            raise a_refusal("AUDIT_ENTRY_NOT_FOUND", ErrorKind.NOT_FOUND)
        entry = self.entries[request.id]
        if entry.outcome == audit_service_pb2.AUDIT_OUTCOME_UNSPECIFIED:
            entry.outcome, entry.refusal = request.outcome, request.refusal
            entry.facts.update(request.facts)
        return audit_service_pb2.CloseAuditEntryResponse()

    async def ListAuditEntries(  # noqa: N802
        self, request: audit_service_pb2.ListAuditEntriesRequest, context: object
    ) -> audit_service_pb2.ListAuditEntriesResponse:
        """See the proto."""
        await self.script.enter("ListAuditEntries", request)
        wanted = [
            entry
            for entry in reversed(self.entries.values())
            if request.actor in ("", entry.actor)
            and entry.action.startswith(request.action_prefix)
            and request.target in ("", entry.target)
        ]
        if not (request.page_token or "0").isdecimal():
            raise a_refusal("INVALID_ARGUMENT", ErrorKind.INVALID_ARGUMENT)
        start, size = int(request.page_token or 0), request.page_size or 50
        rest = str(start + size) if start + size < len(wanted) else ""
        return audit_service_pb2.ListAuditEntriesResponse(
            entries=wanted[start : start + size], next_page_token=rest
        )


@dataclass(slots=True)
class Received:
    """One upload as media saw it. `whole` is None while it goes on, False when it was cut off."""

    header: media_service_pb2.UploadHeader
    data: bytearray = field(default_factory=bytearray)
    whole: bool | None = None
    media_object_id: str = ""
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class FakeMedia(media_service_pb2_grpc.MediaServiceServicer):
    """Keeps pictures in memory. `break_after` ends downloads with an error at the first chunk after that many bytes."""

    def __init__(self, clock: Clock) -> None:
        self.script = Script()
        self.clock = clock
        self.uploads: list[Received] = []
        self.upload_begun = asyncio.Event()
        self.download_ended = asyncio.Event()
        self.objects: dict[str, tuple[media_object_pb2.MediaObject, bytes]] = {}
        self.previews: dict[str, bytes] = {}
        self.links: dict[str, str] = {}
        self.deleted: list[str] = []
        self.break_after: int | None = None
        self.cancelled_within = 0.0
        """Seconds to wait for the cancellation of an upload, for tests that are sure it comes."""

    def store(self, data: bytes = JPEG, **facts: object) -> media_object_pb2.MediaObject:
        """Stores a picture; `facts` as `an_object` takes them."""
        stored = an_object(data, **facts)  # type: ignore[arg-type]  # passed on as they are
        self.objects[stored.id] = (stored, data)
        return stored

    async def Upload(  # noqa: N802
        self, request_iterator: AsyncIterator[media_service_pb2.UploadRequest], context: object
    ) -> media_service_pb2.UploadResponse:
        """See the proto."""
        first = await anext(request_iterator)
        await self.script.enter("Upload", first)
        received = Received(first.header)
        self.uploads.append(received)
        self.upload_begun.set()

        try:
            async for message in request_iterator:
                received.data += message.chunk
            # A stream that the client cancels ends like a whole one; the cancellation comes a moment later.
            await asyncio.sleep(self.cancelled_within)
            received.whole = True
        finally:
            received.whole = bool(received.whole)
            received.ended.set()
        data = bytes(received.data)
        header = received.header
        kept_for = timedelta(hours=1) if header.kind != media_object_pb2.MEDIA_KIND_TEMPLATE else None
        stored = self.store(
            data,
            kind=header.kind,
            slot_id=header.slot_id,
            mime_type=header.declared_mime_type or "image/jpeg",
            expires_at=None if kept_for is None else self.clock.now() + kept_for,
        )
        if header.kind == media_object_pb2.MEDIA_KIND_TEMPLATE:
            self.previews[stored.id] = data
        received.media_object_id = stored.id
        names = {1: "md5", 2: "sha1", 3: "sha256", 4: "sha512"}
        return media_service_pb2.UploadResponse(
            media_object=stored,
            received_size_bytes=len(data),
            received_digests=[
                media_service_pb2.Digest(
                    algorithm=media_service_pb2.DigestAlgorithm.ValueType(number),
                    hex=hashlib.new(names[number], data, usedforsecurity=False).hexdigest(),
                )
                for number in sorted({3, *received.header.digest_algorithms})
            ],
        )

    async def Download(  # noqa: N802
        self, request: media_service_pb2.DownloadRequest, context: object
    ) -> AsyncIterator[media_service_pb2.DownloadResponse]:
        """See the proto."""
        await self.script.enter("Download", request)
        preview = request.rendition == media_object_pb2.RENDITION_PREVIEW
        wanted = request.range if request.HasField("range") else None
        info, data = self._open(request.media_object_id, wanted, preview=preview)
        yield media_service_pb2.DownloadResponse(info=info)
        async for chunk in self._chunks(data):
            yield media_service_pb2.DownloadResponse(chunk=chunk)

    async def DownloadLink(  # noqa: N802
        self, request: media_service_pb2.DownloadLinkRequest, context: object
    ) -> AsyncIterator[media_service_pb2.DownloadLinkResponse]:
        """See the proto."""
        await self.script.enter("DownloadLink", request)
        if request.token not in self.links:
            raise a_refusal("LINK_NOT_FOUND", ErrorKind.NOT_FOUND)
        wanted = request.range if request.HasField("range") else None
        info, data = self._open(self.links[request.token], wanted, preview=False)
        yield media_service_pb2.DownloadLinkResponse(info=info)
        async for chunk in self._chunks(data):
            yield media_service_pb2.DownloadLinkResponse(chunk=chunk)

    async def DeleteMediaObject(  # noqa: N802
        self, request: media_service_pb2.DeleteMediaObjectRequest, context: object
    ) -> media_service_pb2.DeleteMediaObjectResponse:
        """See the proto."""
        await self.script.enter("DeleteMediaObject", request)
        self.deleted.append(request.media_object_id)
        return media_service_pb2.DeleteMediaObjectResponse()

    async def GetMediaObject(  # noqa: N802
        self, request: media_service_pb2.GetMediaObjectRequest, context: object
    ) -> media_service_pb2.GetMediaObjectResponse:
        """See the proto."""
        await self.script.enter("GetMediaObject", request)
        info, _ = self._open(request.media_object_id, None, preview=False)
        return media_service_pb2.GetMediaObjectResponse(media_object=info.media_object)

    async def GetUsage(  # noqa: N802
        self, request: media_service_pb2.GetUsageRequest, context: object
    ) -> media_service_pb2.GetUsageResponse:
        """See the proto."""
        await self.script.enter("GetUsage", request)
        usage: dict[media_object_pb2.MediaKind.ValueType, list[int]] = {}
        for stored, data in self.objects.values():
            usage.setdefault(stored.kind, []).append(len(data))
        return media_service_pb2.GetUsageResponse(
            kinds=[
                media_service_pb2.KindUsage(kind=kind, object_count=len(sizes), size_bytes=sum(sizes))
                for kind, sizes in usage.items()
            ]
        )

    async def RunCleanup(  # noqa: N802
        self, request: media_service_pb2.RunCleanupRequest, context: object
    ) -> media_service_pb2.RunCleanupResponse:
        """See the proto."""
        await self.script.enter("RunCleanup", request)
        return media_service_pb2.RunCleanupResponse(expired_count=3, freed_bytes=1000)

    def _open(
        self, media_object_id: str, wanted: media_service_pb2.ByteRange | None, *, preview: bool
    ) -> tuple[media_service_pb2.DownloadInfo, bytes]:
        if media_object_id not in self.objects or (preview and media_object_id not in self.previews):
            raise a_refusal("MEDIA_NOT_FOUND", ErrorKind.NOT_FOUND)
        stored, data = self.objects[media_object_id]
        if stored.HasField("expires_at") and instant(stored.expires_at) <= self.clock.now():
            raise a_refusal("MEDIA_EXPIRED", ErrorKind.FAILED_PRECONDITION)
        if preview:
            data = self.previews[media_object_id]
            stored = an_object(data, mime_type="image/webp")
        start, end = 0, len(data)
        if wanted is not None:
            start = wanted.offset if wanted.offset >= 0 else max(0, len(data) + wanted.offset)
            if start >= len(data):
                raise a_refusal("RANGE_NOT_SATISFIABLE", ErrorKind.OUT_OF_RANGE, sizeBytes=str(len(data)))
            end = min(len(data), start + wanted.length) if wanted.length else len(data)
        info = media_service_pb2.DownloadInfo(media_object=stored, offset=start, length=end - start)
        return info, data[start:end]

    async def _chunks(self, data: bytes) -> AsyncIterator[bytes]:
        try:
            for start in range(0, len(data), _CHUNK_BYTES):
                if self.break_after is not None and start >= self.break_after:
                    raise a_refusal("STORAGE_UNAVAILABLE", ErrorKind.UNAVAILABLE)
                yield data[start : start + _CHUNK_BYTES]
        finally:
            self.download_ended.set()


class FakeProviders(
    catalogue_service_pb2_grpc.CatalogueServiceServicer, key_service_pb2_grpc.KeyServiceServicer
):
    """Two providers: `local`, which needs no key, and `gemini`. Reports the health it is told."""

    def __init__(self) -> None:
        self.script = Script()
        self.states = {
            "local": provider_pb2.PROVIDER_HEALTH_STATE_HEALTHY,
            "gemini": provider_pb2.PROVIDER_HEALTH_STATE_NOT_CONFIGURED,
        }
        self.schemas = {
            "local": {"type": "object", "properties": {"radius": {"type": "integer", "minimum": 1}}},
            "gemini": {
                "type": "object",
                "properties": {"prompt": {"type": "string"}},
                "required": ["prompt"],
            },
        }
        self.keys: dict[str, tuple[str, str]] = {}
        """Key and who stored it, by provider."""

    async def CheckHealth(  # noqa: N802
        self, request: catalogue_service_pb2.CheckHealthRequest, context: object
    ) -> catalogue_service_pb2.CheckHealthResponse:
        """See the proto."""
        await self.script.enter("CheckHealth", request)
        return catalogue_service_pb2.CheckHealthResponse(
            reports=[
                catalogue_service_pb2.ProviderReport(
                    provider_id=name, health=provider_pb2.ProviderHealth(state=state)
                )
                for name, state in self.states.items()
            ]
        )

    async def ListProviders(  # noqa: N802
        self, request: catalogue_service_pb2.ListProvidersRequest, context: object
    ) -> catalogue_service_pb2.ListProvidersResponse:
        """See the proto."""
        await self.script.enter("ListProviders", request)
        return catalogue_service_pb2.ListProvidersResponse(
            providers=[
                provider_pb2.Provider(
                    id=name,
                    title=name.title(),
                    operations=[
                        provider_pb2.Operation(
                            id="edit",
                            title="Edit",
                            settings_schema_json=json.dumps(self.schemas[name]),
                            template_roles=[
                                provider_pb2.TemplateRole(id="background", title="Background", max_count=1)
                            ],
                        )
                    ],
                    configured=name == "local" or name in self.keys,
                    health=provider_pb2.ProviderHealth(state=state),
                )
                for name, state in sorted(self.states.items())
            ]
        )

    async def ListProviderKeys(  # noqa: N802
        self, request: key_service_pb2.ListProviderKeysRequest, context: object
    ) -> key_service_pb2.ListProviderKeysResponse:
        """See the proto."""
        await self.script.enter("ListProviderKeys", request)
        return key_service_pb2.ListProviderKeysResponse(keys=[self._key("gemini")])

    async def SetProviderKey(  # noqa: N802
        self, request: key_service_pb2.SetProviderKeyRequest, context: object
    ) -> key_service_pb2.SetProviderKeyResponse:
        """See the proto."""
        await self.script.enter("SetProviderKey", request)
        self._must_have_key(request.provider_id)
        self.keys[request.provider_id] = (request.key, request.updated_by)
        return key_service_pb2.SetProviderKeyResponse(key=self._key(request.provider_id))

    async def DeleteProviderKey(  # noqa: N802
        self, request: key_service_pb2.DeleteProviderKeyRequest, context: object
    ) -> key_service_pb2.DeleteProviderKeyResponse:
        """See the proto."""
        await self.script.enter("DeleteProviderKey", request)
        self._must_have_key(request.provider_id)
        self.keys.pop(request.provider_id, None)
        return key_service_pb2.DeleteProviderKeyResponse(key=self._key(request.provider_id))

    def _must_have_key(self, provider_id: str) -> None:
        if provider_id != "gemini":
            raise a_refusal("PROVIDER_NOT_FOUND", ErrorKind.NOT_FOUND, providerId=provider_id)

    def _key(self, provider_id: str) -> key_service_pb2.ProviderKey:
        if provider_id not in self.keys:
            return key_service_pb2.ProviderKey(provider_id=provider_id)
        key, by = self.keys[provider_id]
        return key_service_pb2.ProviderKey(
            provider_id=provider_id,
            source=key_service_pb2.KEY_SOURCE_STORED,
            last_four=key[-4:],
            updated_by=by,
        )
