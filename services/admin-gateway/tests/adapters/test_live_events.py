"""Live events: in order, without a gap, and over when they should be."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import nats
import pytest
from photochanger.ingest.v1 import job_pb2, slot_pb2
from photochanger_chassis.testing import ManualClock
from photochanger_devstack.testing.servers import OwnNats
from photochanger_gateway.adapters.http.event_stream import MOST_LISTENERS, Listeners
from photochanger_gateway.domain.refusals import TooManyListeners
from photochanger_gateway.testing.accounts import bearer, browser, write_account
from photochanger_gateway.testing.builders import a_job, an_object
from photochanger_gateway.testing.live import Listener, Publisher, listening, publishing
from photochanger_gateway.testing.platform import Gateway, Platform, a_gateway, settings_for
from photochanger_gateway.testing.wire import ask

BEAT = timedelta(milliseconds=200)


@dataclass(slots=True)
class Studio:
    """A gateway with a NATS of its own, an admin, and what publishes events."""

    gateway: Gateway
    nats: OwnNats
    publisher: Publisher
    admin: dict[str, str]

    @asynccontextmanager
    async def listener(self, after: str | None = None) -> AsyncIterator[Listener]:
        """Listens as the admin."""
        async with listening(self.gateway.port, self.admin, after=after) as listener:
            assert listener.answer.status == 200
            yield listener

    async def publish(self, count: int, *, first: int = 0) -> list[str]:
        """Publishes events of so many jobs and returns the jobs' ids."""
        ids = [f"{number:032x}" for number in range(first, first + count)]
        for job_id in ids:
            await self.publisher.job("created", a_job(job_id=job_id))
        return ids


@pytest.fixture
async def studio(
    platform: Platform, clock: ManualClock, credentials_file: Path, own_nats: Callable[[], OwnNats]
) -> AsyncIterator[Studio]:
    server = await asyncio.to_thread(own_nats)
    settings = settings_for(platform, server.url, credentials_file=credentials_file)
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(a_gateway(settings, clock, heartbeat=BEAT))
        publisher = await stack.enter_async_context(publishing(server.url))
        await publisher.elsewhere()  # makes the stream
        yield Studio(gateway, server, publisher, await bearer(gateway.port))


async def jobs_heard(listener: Listener, count: int) -> list[str]:
    return [(await listener.event()).json()["job"]["job_id"] for _ in range(count)]


async def test_a_jobs_way_is_told_as_it_goes(studio: Studio) -> None:
    job = a_job(result=an_object(), state=job_pb2.JOB_STATE_DONE)
    async with studio.listener() as listener:
        assert listener.answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        begin = await listener.event()
        for step in ("created", "started", "progressed", "finished", "result-kept"):
            await studio.publisher.elsewhere()
            await studio.publisher.job(step, job)
        events = [await listener.event() for _ in range(5)]
    assert begin.event == ""
    assert [event.event for event in events] == [
        "job.created",
        "job.started",
        "job.progressed",
        "job.finished",
        "job.result-kept",
    ]
    row = events[3].json()["job"]
    url = f"{studio.gateway.url}/public/results/{job.id}"
    assert (row["job_id"], row["status"], row["operation"]) == (job.id, "done", "blur")
    assert (row["result_url"], row["thumbnail_url"]) == (url, f"{url}/preview")
    sequences = [int(event.id.partition("-")[0]) for event in (begin, *events)]
    assert sequences == [1, 3, 5, 7, 9, 11]


async def test_changes_of_slots_and_settings_are_told(studio: Studio) -> None:
    async with studio.listener() as listener:
        await listener.event()
        await studio.publisher.slot(
            slot_pb2.Slot(id="slot-003", display_name="Waves", version=7, updated_by="olga")
        )
        await studio.publisher.settings(4)
        await studio.publisher.job("created", a_job(slot_id="slot-003"))
        slot, settings, job = [await listener.event() for _ in range(3)]
    assert slot.event == "slot.changed"
    assert slot.json() == {"slot_id": "slot-003", "version": 7, "updated_by": "olga"}
    assert (settings.event, settings.json()) == ("settings.changed", {"version": 4})
    assert job.json()["job"]["slot_display_name"] == "Waves"


async def test_nothing_is_missed_or_told_twice_by_one_who_comes_and_goes(studio: Studio) -> None:
    async with asyncio.TaskGroup() as tasks:
        async with studio.listener() as listener:
            last = (
                await listener.event()
            ).id  # nothing has happened yet, and still there is a place to resume
        publishing = tasks.create_task(studio.publish(60))
        heard: list[str] = []
        while len(heard) < 60:
            async with studio.listener(after=last) as listener:
                for _ in range(min(7, 61 - len(heard))):  # the first says where we are
                    event = await listener.event()
                    if event.event:
                        heard.append(event.json()["job"]["job_id"])
                    last = event.id
    assert heard == publishing.result()


async def test_the_last_id_may_come_in_the_address_and_without_the_streams_name(studio: Studio) -> None:
    ids = await studio.publish(3)
    async with listening(studio.gateway.port, studio.admin, after="2") as listener:
        await listener.event()
        assert await jobs_heard(listener, 2) == ids[1:]
    answer = await ask(studio.gateway.port, "/api/events?last_event_id=" + "9" * 65, headers=studio.admin)
    assert answer.status == 400


@pytest.mark.parametrize("after", ["999", "7-abc", "nonsense", "0-none"])
async def test_a_place_that_is_not_in_the_stream_means_load_everything_again(
    studio: Studio, after: str
) -> None:
    async with studio.listener(after=after) as listener:
        reset = await listener.event()
        assert (reset.event, reset.json()) == ("reset", {})
        ids = await studio.publish(1)
        assert await jobs_heard(listener, 1) == ids


async def test_events_that_are_no_longer_kept_mean_load_everything_again(studio: Studio) -> None:
    async with studio.listener() as listener:
        last = (await listener.event()).id
    await studio.publish(5)
    client = await nats.connect(studio.nats.url)
    await client.jetstream().purge_stream("EVENTS", keep=2)
    await client.close()
    async with studio.listener(after=last) as listener:
        assert (await listener.event()).event == "reset"


async def test_a_stream_that_was_made_anew_means_load_everything_again(studio: Studio) -> None:
    await studio.publish(2)
    async with studio.listener() as listener, studio.listener() as other:
        last = (await listener.event()).id
        await other.event()
        client = await nats.connect(studio.nats.url)
        await client.jetstream().delete_stream("EVENTS")
        await client.close()
        ids = await studio.publish(20, first=100)  # beyond the place the listeners were at
        reset = await other.event()
        assert reset.event == "reset"
    async with studio.listener(after=last) as listener:
        assert (await listener.event()).event == "reset"
    async with studio.listener(after=reset.id) as listener:
        await listener.event()
        more = await studio.publish(1, first=200)
        assert (await jobs_heard(listener, 1))[0] in (*ids, *more)


@pytest.mark.timeout(120)
async def test_a_restart_of_nats_is_survived_without_a_gap(studio: Studio) -> None:
    async with studio.listener() as listener:
        await listener.event()
        before = await studio.publish(2)
        assert await jobs_heard(listener, 2) == before
        await asyncio.to_thread(studio.nats.restart)
        async with publishing(studio.nats.url) as publisher:
            studio.publisher = publisher
            after = await studio.publish(2, first=10)
        assert await jobs_heard(listener, 2) == after


async def test_logging_out_ends_the_stream(studio: Studio) -> None:
    session = await browser(studio.gateway.port)
    async with listening(studio.gateway.port, session.reading) as listener:
        await listener.event()
        gone = await ask(studio.gateway.port, "/api/logout", method="POST", headers=session.changing)
        assert gone.status == 204
        await listener.end()
    async with listening(studio.gateway.port, session.reading) as listener:
        assert listener.answer.status == 401


async def test_another_password_ends_the_stream_even_while_events_come(
    studio: Studio, credentials_file: Path
) -> None:
    async with studio.listener() as listener:
        await listener.event()
        write_account(credentials_file, "another one", memory_kib=128)
        ended = asyncio.ensure_future(listener.end())
        number = 0
        while not ended.done():
            number += 1
            await studio.publish(1, first=number)
        await ended


async def test_a_quiet_stream_is_kept_alive(studio: Studio) -> None:
    async with studio.listener() as listener:
        await listener.event()
        heartbeats = [await listener.block() for _ in range(2)]
    assert [block and dict(block.fields) for block in heartbeats] == [{":": ""}] * 2


async def test_a_replica_that_stops_ends_its_streams_first_and_at_once(studio: Studio) -> None:
    async with studio.listener() as listener:
        await listener.event()
        studio.gateway.readiness.stop()
        await listener.end()
    async with studio.listener() as listener:  # until the port is closed a browser is told to come back
        first = await listener.block()
        assert first is not None
        assert first.fields["retry"] == "2000"
        await listener.end()


@pytest.mark.timeout(60)
async def test_a_listener_goes_on_at_another_replica_when_its_own_is_replaced(
    studio: Studio, platform: Platform, clock: ManualClock, credentials_file: Path
) -> None:
    # With a grace longer than the test may take: nobody waits for streams when a replica stops.
    settings = settings_for(
        platform, studio.nats.url, credentials_file=credentials_file, drain_grace_seconds=600
    )
    async with AsyncExitStack() as stack:
        async with a_gateway(settings, clock) as replaced:
            listener = await stack.enter_async_context(listening(replaced.port, studio.admin))
            await listener.event()
            before = await studio.publish(1)
            last = await listener.event()
            assert last.json()["job"]["job_id"] == before[0]
        await listener.end()
        after = await studio.publish(3, first=10)
        async with studio.listener(after=last.id) as listener:
            await listener.event()
            assert await jobs_heard(listener, 3) == after


async def test_a_listener_too_many_is_told_to_come_later(studio: Studio) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(MOST_LISTENERS):
            await stack.enter_async_context(studio.listener())
        answer = await ask(studio.gateway.port, "/api/events", headers=studio.admin)
        assert (answer.status, answer.headers["retry-after"]) == (503, "30")


def test_a_replica_has_a_bounded_number_of_listeners() -> None:
    listeners = Listeners(limit=1)
    with listeners.one("serg"), pytest.raises(TooManyListeners), listeners.one("olga"):
        pass
    with listeners.one("serg"):
        pass


def test_one_client_does_not_take_the_places_of_all() -> None:
    listeners = Listeners(limit=3, each=2)
    with listeners.one("books"), listeners.one("books"):
        with pytest.raises(TooManyListeners), listeners.one("books"):
            pass
        with listeners.one("prints"), pytest.raises(TooManyListeners), listeners.one("cards"):
            pass
