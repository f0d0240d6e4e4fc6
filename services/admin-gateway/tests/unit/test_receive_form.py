"""A refused form makes one answer, whatever fails first, and leaves no photo behind."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

import pytest
from photochanger_chassis.deadline import Deadline
from photochanger_chassis.errors import ErrorKind, ServiceError
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.adapters.clients.translate import media_object
from photochanger_gateway.application.ports import Ingest, Media, StoredPhoto, Terms, Upload
from photochanger_gateway.application.receive_form import ReceiveForm
from photochanger_gateway.domain.form import FieldReceived, FormEvent, PhotoBegun, PhotoEnded
from photochanger_gateway.domain.refusals import InvalidRequest
from photochanger_gateway.domain.slots import ResponseMode
from photochanger_gateway.testing.builders import a_refusal, an_object

CLOCK = ManualClock()
TERMS = Terms(
    "0" * 32, CLOCK.now(), Deadline.after(CLOCK.now(), timedelta(seconds=9)), 1000, ResponseMode.IMAGE
)


class SlowPasswords:
    """Refuses every password, at the moment a test chooses."""

    def __init__(self) -> None:
        self.now = asyncio.Event()
        self.asked = asyncio.Event()

    async def verify_password(self, slot_id: str, password: str, deadline: Deadline) -> None:
        self.asked.set()
        await self.now.wait()
        raise a_refusal("INVALID_PASSWORD", ErrorKind.UNAUTHENTICATED)


class NoMedia:
    """Takes uploads and stores nothing."""

    @asynccontextmanager
    async def upload_input(self, *_: object, **__: object) -> AsyncIterator[Upload]:
        yield self

    async def send(self, data: bytes) -> None: ...

    async def finish(self) -> StoredPhoto:
        raise NotImplementedError


class SomeMedia(NoMedia):
    """Stores every photo under the same id, and remembers how often, and what it was told to delete."""

    def __init__(self) -> None:
        self.deleted: list[str] = []
        self.finished = 0

    async def finish(self) -> StoredPhoto:
        self.finished += 1
        return StoredPhoto("a photo", size_bytes=1, digests={}, stored=media_object(an_object(b"x")))

    async def delete(self, media_object_id: str) -> None:
        self.deleted.append(media_object_id)


async def receive(
    passwords: SlowPasswords, form: AsyncGenerator[FormEvent], *, media_service: NoMedia | None = None
) -> None:
    # The two have the methods this use case calls.
    ingest, media = cast(Ingest, passwords), cast(Media, media_service or NoMedia())
    await ReceiveForm(ingest, media)("slot-001", TERMS, form, password=None, idempotency_key="")


async def test_a_wrong_password_wins_over_a_form_that_breaks_at_the_same_moment() -> None:
    passwords = SlowPasswords()

    async def form() -> AsyncGenerator[FormEvent]:
        yield FieldReceived("password", "a guess")
        yield PhotoBegun("image/jpeg")
        await passwords.asked.wait()
        passwords.now.set()
        await passwords.now.wait()
        # Both are awake now; the check's failure is known to the group only after this.
        await asyncio.sleep(0)
        raise InvalidRequest("broken")

    with pytest.raises(ServiceError) as refusal:
        await receive(passwords, form())
    assert refusal.value.reason == "INVALID_PASSWORD"


async def test_a_bug_in_reading_a_form_is_not_hidden() -> None:
    async def form() -> AsyncGenerator[FormEvent]:
        yield PhotoBegun("image/jpeg")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await receive(SlowPasswords(), form())


async def test_a_strangers_photo_is_not_stored() -> None:
    passwords, media = SlowPasswords(), SomeMedia()

    async def form() -> AsyncGenerator[FormEvent]:
        yield FieldReceived("password", "a guess")
        yield PhotoBegun("image/jpeg")
        passwords.now.set()
        yield PhotoEnded()
        await asyncio.Event().wait()

    with pytest.raises(ServiceError) as refusal:
        await receive(passwords, form(), media_service=media)
    assert refusal.value.reason == "INVALID_PASSWORD"
    assert media.finished == 0


async def test_a_photo_whose_form_breaks_behind_it_is_deleted() -> None:
    media = SomeMedia()

    async def form() -> AsyncGenerator[FormEvent]:
        yield PhotoBegun("image/jpeg")
        yield PhotoEnded()
        raise InvalidRequest("broken")

    with pytest.raises(InvalidRequest):
        await receive(SlowPasswords(), form(), media_service=media)
    assert media.deleted == ["a photo"]


async def test_the_photo_of_a_form_without_a_password_is_deleted() -> None:
    media = SomeMedia()

    async def form() -> AsyncGenerator[FormEvent]:
        yield PhotoBegun("image/jpeg")
        yield PhotoEnded()

    with pytest.raises(InvalidRequest):
        await receive(SlowPasswords(), form(), media_service=media)
    assert media.deleted == ["a photo"]
