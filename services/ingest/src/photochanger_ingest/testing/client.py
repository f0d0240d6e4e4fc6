"""Speaks to ingest as the gateway does for clients of the public API."""

from datetime import datetime, timedelta
from uuid import uuid4

from photochanger.ingest.v1 import async_job_service_pb2, job_pb2
from photochanger.media.v1 import media_object_pb2

from photochanger_ingest.testing.camera import Camera, Photo, a_photo
from photochanger_ingest.testing.fakes import FakeMedia

CLIENT = "c" * 32
OTHER_CLIENT = "d" * 32
_TIMEOUT = 10.0


class ApiClient:
    """One client of one instance of ingest, and the media service where it leaves its photos."""

    def __init__(self, camera: Camera, media: FakeMedia, client_id: str = CLIENT) -> None:
        self.camera = camera
        self._jobs = camera.async_jobs
        self._media = media
        self.client_id = client_id

    def upload(
        self, photo: Photo | None = None, *, lives: timedelta = timedelta(hours=48), **others: object
    ) -> str:
        """Leaves a photo as a temporary object, unless `others` say otherwise, and returns its id."""
        stored = media_object_pb2.MediaObject(
            id=uuid4().hex,
            kind=media_object_pb2.MEDIA_KIND_TEMPORARY,
            sha256=(photo or a_photo()).sha256,
            size_bytes=1000,
        )
        stored.expires_at.FromDatetime(datetime.now().astimezone() + lives)
        stored.MergeFrom(media_object_pb2.MediaObject(**others))  # type: ignore[arg-type]  # fields by name
        self._media.photos[stored.id] = stored
        return stored.id

    async def ask(
        self, request: async_job_service_pb2.OpenAsyncJobRequest
    ) -> async_job_service_pb2.OpenAsyncJobResponse:
        """Sends an order as it is."""
        return await self._jobs.OpenAsyncJob(request, timeout=_TIMEOUT)

    def order(
        self, photo: Photo | None = None, *, slot_id: str = "slot-001", key: str = "", job_id: str = ""
    ) -> async_job_service_pb2.OpenAsyncJobRequest:
        """Returns an order for a photo, which it uploads."""
        return async_job_service_pb2.OpenAsyncJobRequest(
            client_id=self.client_id,
            job_id=job_id,
            input_media_object_id=self.upload(photo),
            slot_id=slot_id,
            idempotency_key=key,
        )

    async def open(self, photo: Photo | None = None, *, slot_id: str = "slot-001") -> job_pb2.Job:
        """Orders a photo and returns its job."""
        return (await self.ask(self.order(photo, slot_id=slot_id))).job

    async def look(
        self, job_id: str, *, until: datetime | None = None, anybodys: bool = False
    ) -> async_job_service_pb2.GetAsyncJobResponse:
        """Looks at a job, waiting for its end until then."""
        request = async_job_service_pb2.GetAsyncJobRequest(
            job_id=job_id, client_id="" if anybodys else self.client_id
        )
        if until is not None:
            request.wait_until.FromDatetime(until)
        return await self._jobs.GetAsyncJob(request, timeout=60)

    async def cancel(self, job_id: str) -> job_pb2.Job:
        """Cancels a job."""
        request = async_job_service_pb2.CancelJobRequest(job_id=job_id, client_id=self.client_id)
        return (await self._jobs.CancelJob(request, timeout=_TIMEOUT)).job

    async def retry(self, job_id: str, *, key: str = "") -> async_job_service_pb2.RetryJobResponse:
        """Repeats a job."""
        request = async_job_service_pb2.RetryJobRequest(
            job_id=job_id, client_id=self.client_id, idempotency_key=key
        )
        return await self._jobs.RetryJob(request, timeout=_TIMEOUT)

    async def list(self, *, client_id: str, page_size: int = 2) -> list[str]:
        """Returns the ids of a client's jobs, of all for an empty id, newest first."""
        request = async_job_service_pb2.ListAsyncJobsRequest(client_id=client_id, page_size=page_size)
        found: list[str] = []
        while True:
            page = await self._jobs.ListAsyncJobs(request, timeout=_TIMEOUT)
            found += [job.id for job in page.jobs]
            request.page_token = page.next_page_token
            if not request.page_token:
                return found
