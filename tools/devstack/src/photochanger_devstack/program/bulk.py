"""Many photos as asynchronous jobs: each handed in once, followed to its end, its picture fetched and checked."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from photochanger_devstack.answers import picture_extension, refusal
from photochanger_devstack.camera.unique import mark
from photochanger_devstack.program.api import MOST_IN_BATCH, Api, Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

_POLL_SECONDS: Final = 1.0
_ROUNDS: Final = 7
"""How often jobs of a batch that were refused for the moment are submitted again, after 1, 2, 4… s."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One photo for one slot; `number` counts from 1."""

    number: int
    slot: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one photo: a picture, or the failure in words.

    `job_id` is empty where none was accepted, `status` where its end is not known. `until_start` and `until_end` are
    seconds from the job's submission, by the platform's clock.
    """

    photo: Photo
    job_id: str = ""
    status: str = ""
    attempts: int = 0
    until_start: float | None = None
    until_end: float | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a run is. `waiting` and `running` are jobs as they were seen last."""

    accepted: int = 0
    waiting: int = 0
    running: int = 0
    done: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Delivered:
    """A whole run. `strangers` are jobs the key has got meanwhile that none of the answers named."""

    deliveries: list[Delivery]
    strangers: frozenset[str]
    repeats: int


@dataclass
class Bulk:
    """Hands in copies of one photo, which differ in a comment unless `same`, and brings the pictures to `keep`.

    `parallel` uploads and downloads run at a time. `tell` hears how far it is, `keep` gets each picture with the
    ending of its file's name, on a thread, and may raise `OSError`.
    """

    api: Api
    photo: bytes = field(repr=False)
    parallel: int
    keep: Callable[[Photo, str, bytes], None]
    tell: Callable[[Standing], None] = lambda _: None
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    same: bool = False

    def __post_init__(self) -> None:
        self._run = secrets.token_hex(8)
        self._gate = asyncio.Semaphore(self.parallel)
        # One upload serves all of the same photo, so the others wait for it.
        self._uploading = asyncio.Semaphore(1) if self.same else self._gate
        self._open: dict[str, Photo] = {}
        self._owners: dict[str, Photo] = {}
        self._fetching = 0
        self._shared = ""
        self._deliveries: dict[int, Delivery] = {}
        self._standing = Standing()

    async def deliver(self, photos: Sequence[Photo]) -> Delivered:
        """Sees every photo to its end.

        Raises:
            Refused: the key opens nothing; or at the end nobody tells whether there are more jobs than answers named.
        """
        try:
            newest = await self.api.newest()
        except Refused as error:
            raise Refused(f"Nothing was sent: {error}") from error
        async with asyncio.TaskGroup() as tasks:
            submitting = tasks.create_task(self._submit_all(photos))
            tasks.create_task(self._follow(submitting, tasks))
        try:
            strangers = await self.api.since(newest) - self._owners.keys()
        except Refused as error:
            raise Refused(f"All was sent, but whether jobs were doubled is not known: {error}") from error
        return Delivered(
            [self._deliveries[photo.number] for photo in photos], frozenset(strangers), self.api.repeats
        )

    async def _submit_all(self, photos: Sequence[Photo]) -> None:
        for first in range(0, len(photos), MOST_IN_BATCH):
            group = photos[first : first + MOST_IN_BATCH]
            async with asyncio.TaskGroup() as tasks:
                uploads = [(photo, tasks.create_task(self._upload(photo))) for photo in group]
            await self._submit(
                {photo: media_id for photo, upload in uploads if (media_id := upload.result())}
            )

    async def _upload(self, photo: Photo) -> str:
        async with self._uploading:
            if self._shared:
                return self._shared
            copy = (
                self.photo if self.same else mark(self.photo, f"photochanger send {self._run} {photo.number}")
            )
            try:
                media_id = await self.api.upload(copy)
            except Refused as error:
                self._end(Delivery(photo, failure=f"not uploaded: {error}"))
                return ""
            if self.same:
                self._shared = media_id
            return media_id

    async def _submit(self, uploaded: Mapping[Photo, str]) -> None:
        """Submits a batch. Each job has a key of its own, so that the platform knows it when it comes again."""
        left = dict(uploaded)
        for round_number in range(_ROUNDS):
            if not left:
                return
            orders = [
                {
                    "slot_id": photo.slot,
                    "media_object_id": media_id,
                    "idempotency_key": f"send-{self._run}-{photo.number}",
                }
                for photo, media_id in left.items()
            ]
            try:
                answers = await self.api.submit(orders)
            except Refused as error:
                self._give_up(left, f"not accepted: {error}")
                return
            for photo, answer in zip(list(left), answers, strict=True):
                if "job_id" in answer and "status_url" in answer:
                    self._accept(photo, answer["job_id"])
                elif answer.get("retry_after") is not None or answer["status"] == "timeout":
                    continue
                else:
                    self._end(Delivery(photo, failure=f"not accepted: {refusal(answer)}"))
                del left[photo]
            self.tell(self._standing)
            if left:
                await self.pause(2.0**round_number)
        self._give_up(left, "not accepted: refused for the moment, again and again")

    def _accept(self, photo: Photo, job_id: str) -> None:
        if (other := self._owners.get(job_id)) is not None:
            self._end(Delivery(photo, job_id, failure=f"its job is that of photo {other.number}"))
            return
        self._owners[job_id] = self._open[job_id] = photo
        self._count(accepted=1)

    async def _follow(self, submitting: asyncio.Task[None], tasks: asyncio.TaskGroup) -> None:
        """Looks which jobs are not final yet, and fetches the others. One that was not there any more is final:
        a job is listed from its submission on.
        """
        while not submitting.done() or self._open or self._fetching:
            known = dict(self._open)
            if known:
                try:
                    states = await self.api.unfinished()
                except Refused as error:
                    self._give_up_following(str(error))
                else:
                    self._sort_out(known, states, tasks)
            await self.pause(_POLL_SECONDS)

    def _sort_out(
        self, known: Mapping[str, Photo], states: Mapping[str, str], tasks: asyncio.TaskGroup
    ) -> None:
        ended = [job_id for job_id in known if job_id not in states]
        for job_id in ended:
            del self._open[job_id]
            self._fetching += 1
            tasks.create_task(self._fetch(job_id, known[job_id]))
        running = sum(states.get(job_id) == "running" for job_id in known)
        waiting = len(known) - len(ended) - running
        self._standing = replace(self._standing, waiting=waiting, running=running)
        self.tell(self._standing)

    async def _fetch(self, job_id: str, photo: Photo) -> None:
        async with self._gate:
            try:
                delivery = await self._fetched(job_id, photo)
            except Refused as error:
                delivery = Delivery(photo, job_id, failure=f"lost after it was accepted: {error}")
            self._fetching -= 1
            if delivery is None:
                self._open[job_id] = photo
            else:
                self._end(delivery)

    async def _fetched(self, job_id: str, photo: Photo) -> Delivery | None:
        """What became of a job; None where it is not final after all."""
        job = await self.api.job(job_id)
        if not job.final:
            return None
        delivery = Delivery(photo, job_id, job.status, job.attempts, job.until_start, job.until_end)
        if job.status != "done":
            return replace(delivery, failure=job.failure or job.status)
        content_type, body = await self.api.result(job_id)
        extension = await asyncio.to_thread(picture_extension, content_type, body, decode=True)
        if extension is None:
            return replace(delivery, failure=f"its result is no picture ({content_type}, {len(body)} bytes)")
        try:
            await asyncio.to_thread(self.keep, photo, extension, body)
        except OSError as error:
            return replace(delivery, failure=f"its picture could not be written: {error.strerror}")
        return delivery

    def _give_up(self, photos: Mapping[Photo, str], why: str) -> None:
        for photo in photos:
            self._end(Delivery(photo, failure=why))

    def _give_up_following(self, why: str) -> None:
        for job_id, photo in self._open.items():
            self._end(Delivery(photo, job_id, failure=f"not followed any longer: {why}"))
        self._open.clear()

    def _end(self, delivery: Delivery) -> None:
        self._deliveries[delivery.photo.number] = delivery
        self._count(**{"failed" if delivery.failure else "done": 1})

    def _count(self, *, accepted: int = 0, done: int = 0, failed: int = 0) -> None:
        now = self._standing
        self._standing = replace(
            now, accepted=now.accepted + accepted, done=now.done + done, failed=now.failed + failed
        )
        self.tell(self._standing)
