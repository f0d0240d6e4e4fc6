"""Clean-ups in the background."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from photochanger_chassis.errors import ServiceError, Unavailable
from photochanger_gateway.application.clean_up import CleanUps
from photochanger_gateway.application.ports_admin import Cleaned


class SomeLibrary:
    """Notes what it cleans; each clean-up waits for `go`."""

    def __init__(self) -> None:
        self.cleaned: asyncio.Queue[str] = asyncio.Queue()
        self.begun: asyncio.Queue[str] = asyncio.Queue()
        self.go = asyncio.Semaphore(0)
        self.refusal: ServiceError | None = None

    async def clean_up(self, slot_id: str) -> Cleaned:
        self.begun.put_nowait(slot_id)
        await self.go.acquire()
        self.cleaned.put_nowait(slot_id)
        if self.refusal is not None:
            raise self.refusal
        return Cleaned(1, 0, 100)


@pytest.fixture
async def library() -> SomeLibrary:
    return SomeLibrary()


@pytest.fixture
async def clean_ups(library: SomeLibrary) -> AsyncIterator[CleanUps]:
    clean_ups = CleanUps(library)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(clean_ups.run())
        yield clean_ups
        running.cancel()


async def test_they_run_one_after_another_in_the_order_asked(
    clean_ups: CleanUps, library: SomeLibrary
) -> None:
    for slot_id in ("slot-002", "", "slot-001"):
        clean_ups.ask(slot_id)
    for slot_id in ("slot-002", "", "slot-001"):
        assert await library.begun.get() == slot_id
        assert library.begun.empty()
        library.go.release()
        assert await library.cleaned.get() == slot_id


async def test_what_is_asked_again_while_it_waits_runs_once(
    clean_ups: CleanUps, library: SomeLibrary
) -> None:
    clean_ups.ask("slot-001")
    await library.begun.get()
    for _ in range(5):
        clean_ups.ask("slot-002")
        clean_ups.ask("slot-001")
    for _ in range(3):
        library.go.release()
    assert [await library.cleaned.get() for _ in range(3)] == ["slot-001", "slot-002", "slot-001"]
    assert library.begun.qsize() == 2
    clean_ups.ask("slot-003")
    library.go.release()
    assert await library.cleaned.get() == "slot-003"


async def test_one_that_fails_does_not_stop_the_next(clean_ups: CleanUps, library: SomeLibrary) -> None:
    library.refusal = Unavailable("The bucket is away.")
    clean_ups.ask()
    library.go.release()
    assert await library.cleaned.get() == ""
    clean_ups.ask("slot-001")
    library.go.release()
    assert await library.cleaned.get() == "slot-001"
