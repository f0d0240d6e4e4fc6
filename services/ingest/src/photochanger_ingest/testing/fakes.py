"""Providers and media as small servers that keep the contract."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from photochanger.media.v1 import media_object_pb2, media_service_pb2, media_service_pb2_grpc
from photochanger.providers.v1 import (
    catalogue_service_pb2,
    catalogue_service_pb2_grpc,
    processing_service_pb2,
    processing_service_pb2_grpc,
)
from photochanger.tasks.v1 import task_events_pb2
from photochanger_chassis.errors import ErrorKind, FieldViolation, ServiceError
from photochanger_chassis.grpc.errors import to_status

_Context = grpc.aio.ServicerContext[Any, Any]
_NOTHING_BEGUN = {"PROVIDER_BUSY", "GONE", "UNAVAILABLE", "SERVER_BUSY", "DATABASE_UNAVAILABLE"}
"""Refusals after which the same job may be asked for anew."""

Script = Callable[[processing_service_pb2.ProcessRequest], Awaitable[processing_service_pb2.ProcessResponse]]


class Refusal(ServiceError):
    """An answer with a reason."""

    def __init__(
        self,
        reason: str,
        kind: ErrorKind = ErrorKind.UNKNOWN,
        *,
        retry_after: timedelta | None = None,
        violations: tuple[FieldViolation, ...] = (),
        effort: processing_service_pb2.ProcessingEffort | None = None,
    ) -> None:
        super().__init__(f"It is {reason}.", retry_after=retry_after, field_violations=violations)
        self.kind, self.reason = kind, reason
        self.details = () if effort is None else (effort,)


def an_effort() -> processing_service_pb2.ProcessingEffort:
    """What two calls of a provider, which came to nothing, took."""
    effort = processing_service_pb2.ProcessingEffort(provider_calls=2)
    effort.stages.add(stage="fetch").duration.FromMilliseconds(12)
    effort.stages.add(stage="provider").duration.FromMilliseconds(3400)
    return effort


def a_result(job_id: str, slot_id: str = "slot-001") -> media_object_pb2.MediaObject:
    """A stored picture of a job, good for three days."""
    stored = media_object_pb2.MediaObject(
        id=hashlib.md5(f"result-{job_id}".encode(), usedforsecurity=False).hexdigest(),
        kind=media_object_pb2.MEDIA_KIND_RESULT,
        slot_id=slot_id,
        job_id=job_id,
        mime_type="image/jpeg",
        size_bytes=1000,
        width_px=100,
        height_px=80,
        sha256=hashlib.sha256(job_id.encode()).hexdigest(),
        orientation=1,
    )
    now = datetime.now(UTC)
    stored.created_at.FromDatetime(now)
    stored.expires_at.FromDatetime(now + timedelta(hours=72))
    return stored


async def answer_at_once(
    request: processing_service_pb2.ProcessRequest,
) -> processing_service_pb2.ProcessResponse:
    """A provider that takes no time."""
    response = processing_service_pb2.ProcessResponse(
        result=a_result(request.job_id, request.slot_id), provider_calls=1, model="fake"
    )
    stage = response.stages.add(stage="provider")
    stage.duration.FromMilliseconds(7)
    return response


@dataclass
class FakeQueue:
    """What providers has taken for its workers. A test is the worker: it moves `work` and tells of it by event.

    Holding `submitting` keeps submissions from being answered; `down` makes the service unreachable; `refuses` is the
    reason for which submissions are refused.
    """

    submitted: list[processing_service_pb2.SubmitProcessingRequest] = field(default_factory=list)
    work: dict[str, processing_service_pb2.Processing] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    submitting: asyncio.Lock = field(default_factory=asyncio.Lock)
    down: bool = False
    refuses: Refusal | None = None

    async def submit(
        self, request: processing_service_pb2.SubmitProcessingRequest
    ) -> processing_service_pb2.SubmitProcessingResponse:
        """Takes a job once; its first answer counts."""
        self.submitted.append(request)
        self.came.set()
        async with self.submitting:
            self.require_up()
            if self.refuses is not None:
                raise self.refuses
            job_id = request.process.job_id
            created = job_id not in self.work
            if created:
                self.work[job_id] = processing_service_pb2.Processing(
                    job_id=job_id, state=task_events_pb2.TASK_STATE_QUEUED, queue_position=len(self.work) + 1
                )
            return processing_service_pb2.SubmitProcessingResponse(
                processing=self.work[job_id], created=created
            )

    def find(self, job_id: str) -> processing_service_pb2.Processing:
        """Returns where the work on a job is."""
        self.require_up()
        found = self.work.get(job_id)
        if found is None:
            raise Refusal("PROCESSING_NOT_FOUND", ErrorKind.NOT_FOUND)
        return found

    def require_up(self) -> None:
        """Raises while the service is down."""
        if self.down:
            raise Refusal("DATABASE_UNAVAILABLE", ErrorKind.UNAVAILABLE)


@dataclass
class FakeProviders(
    processing_service_pb2_grpc.ProcessingServiceServicer, catalogue_service_pb2_grpc.CatalogueServiceServicer
):
    """Runs each job once, whoever asks and however often; `script` says what comes of it."""

    script: Script = answer_at_once
    queue: FakeQueue = field(default_factory=FakeQueue)
    requests: list[processing_service_pb2.ProcessRequest] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    cancelled: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    began: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    cancelling: asyncio.Event = field(default_factory=asyncio.Event)
    _work: dict[str, asyncio.Task[processing_service_pb2.ProcessResponse]] = field(default_factory=dict)

    async def Process(  # noqa: N802
        self, request: processing_service_pb2.ProcessRequest, context: _Context
    ) -> processing_service_pb2.ProcessResponse:
        """Joins the work on a job, or begins it."""
        self.requests.append(request)
        work = self._work.get(request.job_id)
        if work is None:
            work = self._work[request.job_id] = asyncio.create_task(self._run(request))
        try:
            return await asyncio.shield(work)
        except Refusal as refusal:
            if refusal.reason in _NOTHING_BEGUN:
                self._work.pop(request.job_id, None)
            if refusal.reason == "GONE":
                await context.abort(grpc.StatusCode.UNAVAILABLE, "connection lost")
            await context.abort_with_status(to_status(refusal, "photochanger.providers"))
            raise

    async def _run(
        self, request: processing_service_pb2.ProcessRequest
    ) -> processing_service_pb2.ProcessResponse:
        self.calls[request.job_id] += 1
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        self.began.set()
        try:
            return await self.script(request)
        finally:
            self.running -= 1
            self.answered.set()

    async def SubmitProcessing(  # noqa: N802
        self, request: processing_service_pb2.SubmitProcessingRequest, context: _Context
    ) -> processing_service_pb2.SubmitProcessingResponse:
        """Takes a job for its workers."""
        try:
            return await self.queue.submit(request)
        except Refusal as refusal:
            await context.abort_with_status(to_status(refusal, "photochanger.providers"))
            raise

    async def GetProcessing(  # noqa: N802
        self, request: processing_service_pb2.GetProcessingRequest, context: _Context
    ) -> processing_service_pb2.GetProcessingResponse:
        """Tells where the work on a job is."""
        try:
            return processing_service_pb2.GetProcessingResponse(processing=self.queue.find(request.job_id))
        except Refusal as refusal:
            await context.abort_with_status(to_status(refusal, "photochanger.providers"))
            raise

    async def CancelProcessing(  # noqa: N802
        self, request: processing_service_pb2.CancelProcessingRequest, context: _Context
    ) -> processing_service_pb2.CancelProcessingResponse:
        """Notes the wish."""
        try:
            self.queue.require_up()
        except Refusal as refusal:
            await context.abort_with_status(to_status(refusal, "photochanger.providers"))
        self.queue.stopped.append(request.job_id)
        self.cancelled.append(request.job_id)
        self.cancelling.set()
        return processing_service_pb2.CancelProcessingResponse(stopped=True)

    async def ValidateSettings(  # noqa: N802
        self, request: catalogue_service_pb2.ValidateSettingsRequest, context: _Context
    ) -> catalogue_service_pb2.ValidateSettingsResponse:
        """Takes all settings but those with something `wrong`."""
        if "wrong" in request.settings_json:
            refusal = Refusal(
                "INVALID_SETTINGS",
                ErrorKind.INVALID_ARGUMENT,
                violations=(FieldViolation("settings.wrong", "no such setting"),),
            )
            await context.abort_with_status(to_status(refusal, "photochanger.providers"))
        return catalogue_service_pb2.ValidateSettingsResponse(settings_json=request.settings_json)

    def end(self) -> None:
        """Ends what still runs."""
        for work in self._work.values():
            work.cancel()


@dataclass
class FakeMedia(media_service_pb2_grpc.MediaServiceServicer):
    """Publishes inputs, knows the `kinds` of objects a test has put there, or all about its `photos`, and notes what
    was deleted.

    Holding `asking` or `deleting` keeps questions about kinds, or deletions, from being answered.
    """

    published: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    kinds: dict[str, "media_object_pb2.MediaKind.ValueType"] = field(default_factory=dict)
    photos: dict[str, media_object_pb2.MediaObject] = field(default_factory=dict)
    never_were: set[str] = field(default_factory=set)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    began_deleting: asyncio.Event = field(default_factory=asyncio.Event)
    deleting: asyncio.Lock = field(default_factory=asyncio.Lock)
    fails: bool = False

    async def GetMediaObject(  # noqa: N802
        self, request: media_service_pb2.GetMediaObjectRequest, context: _Context
    ) -> media_service_pb2.GetMediaObjectResponse:
        """Tells the object's kind, unless it is none."""
        photo = self.photos.get(request.media_object_id)
        if photo is not None:
            return media_service_pb2.GetMediaObjectResponse(media_object=photo)
        kind = self.kinds.get(request.media_object_id)
        self.asked.set()
        async with self.asking:
            if kind is None:
                refusal = Refusal("MEDIA_NOT_FOUND", ErrorKind.NOT_FOUND)
                await context.abort_with_status(to_status(refusal, "photochanger.media"))
            return media_service_pb2.GetMediaObjectResponse(
                media_object=media_object_pb2.MediaObject(id=request.media_object_id, kind=kind)
            )

    async def PublishInput(  # noqa: N802
        self, request: media_service_pb2.PublishInputRequest, context: _Context
    ) -> media_service_pb2.PublishInputResponse:
        """Publishes, unless it `fails`."""
        if self.fails:
            refusal = Refusal("STORAGE_UNAVAILABLE", ErrorKind.UNAVAILABLE)
            await context.abort_with_status(to_status(refusal, "photochanger.media"))
        self.published.append(request.media_object_id)
        return media_service_pb2.PublishInputResponse(
            media_object=a_result(f"original-{request.media_object_id}")
        )

    async def DeleteMediaObject(  # noqa: N802
        self, request: media_service_pb2.DeleteMediaObjectRequest, context: _Context
    ) -> media_service_pb2.DeleteMediaObjectResponse:
        """Notes what was deleted; deleting twice is no error, deleting what never was is one."""
        self.began_deleting.set()
        async with self.deleting:
            if request.media_object_id in self.never_were:
                refusal = Refusal("MEDIA_NOT_FOUND", ErrorKind.NOT_FOUND)
                await context.abort_with_status(to_status(refusal, "photochanger.media"))
            self.kinds.pop(request.media_object_id, None)
            self.deleted.append(request.media_object_id)
        return media_service_pb2.DeleteMediaObjectResponse()


@dataclass(frozen=True)
class Outside:
    """Both servers, and where they listen."""

    providers: FakeProviders
    media: FakeMedia
    target: str


@asynccontextmanager
async def open_outside() -> AsyncIterator[Outside]:
    """Serves both on one port."""
    server = grpc.aio.server()
    # The contract has more methods than ingest calls; asked for, they answer UNIMPLEMENTED.
    providers = FakeProviders()  # type: ignore[abstract]
    media = FakeMedia()  # type: ignore[abstract]
    processing_service_pb2_grpc.add_ProcessingServiceServicer_to_server(providers, server)
    catalogue_service_pb2_grpc.add_CatalogueServiceServicer_to_server(providers, server)
    media_service_pb2_grpc.add_MediaServiceServicer_to_server(media, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield Outside(providers, media, f"127.0.0.1:{port}")
    finally:
        providers.end()
        await server.stop(None)
