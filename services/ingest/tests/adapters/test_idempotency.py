"""Idempotency keys and duplicates, races included."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from photochanger.ingest.v1 import job_pb2, job_service_pb2
from photochanger_ingest.testing.camera import Camera, a_photo, refused
from photochanger_ingest.testing.fakes import Refusal

if TYPE_CHECKING:
    from photochanger.providers.v1 import processing_service_pb2

    from .conftest import Platform

OPENED = job_service_pb2.ADMISSION_OPENED
DUPLICATE = job_service_pb2.ADMISSION_DUPLICATE
REPLAYED = job_service_pb2.ADMISSION_REPLAYED


async def fail(_: "processing_service_pb2.ProcessRequest") -> "processing_service_pb2.ProcessResponse":
    raise Refusal("NO_IMAGE")


async def jobs_stored(platform: "Platform") -> int:
    [[count]] = await platform.sql("SELECT count(*) FROM jobs")
    assert isinstance(count, int)
    return count


async def test_repeating_a_call_returns_the_same_job(platform: "Platform", camera: Camera) -> None:
    ticket, photo = await camera.ticket(), a_photo()
    answers = await asyncio.gather(*(camera.open(photo, ticket=ticket, key="key") for _ in range(10)))
    assert {(answer.job.id, answer.admission) for answer in answers} == {(ticket.job_id, OPENED)}
    await camera.run(ticket.job_id)
    again = await camera.open(photo, ticket=ticket, key="key")
    assert (again.job.id, again.admission) == (ticket.job_id, OPENED)
    assert await jobs_stored(platform) == 1


async def test_twenty_requests_with_one_key_become_one_job(platform: "Platform", camera: Camera) -> None:
    other, photo = (await platform.start()).camera, a_photo()
    answers = await asyncio.gather(
        *((camera, other)[number % 2].open(photo, key="key") for number in range(20)), return_exceptions=True
    )
    opened = [answer for answer in answers if isinstance(answer, job_service_pb2.OpenJobResponse)]
    assert [answer.admission for answer in opened] == [OPENED]
    assert await jobs_stored(platform) == 1


@pytest.mark.parametrize("fails", [False, True])
async def test_a_used_key_replays_the_outcome_whatever_it_was(
    platform: "Platform", camera: Camera, fails: bool
) -> None:
    if fails:
        platform.outside.providers.script = fail
    photo = a_photo()
    first = await camera.open(photo, key="key", fields={"a": "1", "b": "2"})
    with refused("IDEMPOTENCY_CONFLICT") as refusal:
        await camera.open(photo, key="key", fields={"b": "2", "a": "1"})
    assert refusal.error.metadata == {"jobId": first.job.id}
    job = await camera.run(first.job.id)
    assert job.state == (job_pb2.JOB_STATE_FAILED if fails else job_pb2.JOB_STATE_DONE)
    replayed = await camera.open(photo, key="key", fields={"b": "2", "a": "1"})
    assert replayed.admission == REPLAYED
    assert replayed.job == job
    assert platform.outside.providers.calls == {job.id: 1}


async def test_a_key_used_for_another_form_is_refused(camera: Camera) -> None:
    photo = a_photo()
    opened = await camera.open(photo, key="key", fields={"a": "1"})
    for _ in range(2):
        with refused("IDEMPOTENCY_MISMATCH"):
            await camera.open(photo, key="key", fields={"a": "2"})
        with refused("IDEMPOTENCY_MISMATCH"):
            await camera.open(a_photo(), key="key", fields={"a": "1"})
        with refused("IDEMPOTENCY_MISMATCH"):
            await camera.open(photo, key="key", fields={"a": "1"}, hash_field="a" * 32)
        await camera.run(opened.job.id)


async def test_keys_of_other_slots_are_other_keys(camera: Camera) -> None:
    one = await camera.open(a_photo(), key="key")
    two = await camera.open(a_photo(), key="key", slot_id="slot-002")
    assert one.job.id != two.job.id


async def test_a_key_is_forgotten_after_the_retention_of_results(
    platform: "Platform", camera: Camera
) -> None:
    photo = a_photo()
    await camera.run((await camera.open(photo, key="key")).job.id)
    platform.clock.advance(timedelta(hours=72, seconds=1))
    assert (await camera.open(a_photo(), key="key")).admission == OPENED


async def test_a_refused_photo_does_not_use_up_its_key(platform: "Platform", camera: Camera) -> None:
    await platform.sql("UPDATE slots SET running_limit = 1, queue_length = 0 WHERE id = 'slot-001'")
    first, photo = await camera.open(a_photo()), a_photo()
    ticket = await camera.ticket("slot-002")
    with refused("SLOT_BUSY"):
        await camera.open(photo, key="key", ticket=ticket)
    await camera.run(first.job.id)
    assert (await camera.open(photo, key="key")).admission == OPENED


async def test_an_identical_photo_gets_the_earlier_result(platform: "Platform", camera: Camera) -> None:
    photo = a_photo()
    job = await camera.send(photo)
    answer = await camera.open(photo, fields={"another": "field"})
    assert answer.admission == DUPLICATE
    assert answer.job == job
    assert await jobs_stored(platform) == 1


async def test_identical_photos_at_once_become_one_job_and_all_get_its_picture(
    platform: "Platform", camera: Camera
) -> None:
    other, photo = (await platform.start()).camera, a_photo()
    answers = await asyncio.gather(*((camera, other)[number % 2].open(photo) for number in range(20)))
    assert sorted(answer.admission for answer in answers) == [OPENED] + [DUPLICATE] * 19
    jobs = await asyncio.gather(
        *((camera, other)[number % 2].run(answer.job.id) for number, answer in enumerate(answers))
    )
    assert {(job.id, job.state) for job in jobs} == {(answers[0].job.id, job_pb2.JOB_STATE_DONE)}
    assert platform.outside.providers.calls == {answers[0].job.id: 1}


@pytest.mark.parametrize("other", ["slot", "version"])
async def test_another_slot_or_version_makes_it_another_photo(
    platform: "Platform", camera: Camera, other: str
) -> None:
    photo = a_photo()
    job = await camera.send(photo)
    if other == "version":
        await platform.sql("UPDATE slots SET version = version + 1")
    again = await camera.open(photo, slot_id="slot-002" if other == "slot" else "slot-001")
    assert again.admission == OPENED
    assert again.job.id != job.id


async def test_a_failed_job_answers_no_duplicates(platform: "Platform", camera: Camera) -> None:
    script, photo = platform.outside.providers.script, a_photo()
    platform.outside.providers.script = fail
    assert (await camera.send(photo)).state == job_pb2.JOB_STATE_FAILED
    platform.outside.providers.script = script
    assert (await camera.send(photo)).state == job_pb2.JOB_STATE_DONE


async def test_an_expired_result_answers_no_duplicates(platform: "Platform", camera: Camera) -> None:
    photo = a_photo()
    await camera.send(photo)
    platform.clock.advance(timedelta(hours=73))
    assert (await camera.open(photo)).admission == OPENED


@pytest.mark.parametrize("where", ["slots", "settings"])
async def test_duplicates_are_processed_anew_where_that_is_wanted(
    platform: "Platform", camera: Camera, where: str
) -> None:
    await platform.sql(f"UPDATE {where} SET dedupe = false")
    photo = a_photo()
    await camera.send(photo)
    assert (await camera.open(photo)).admission == OPENED


async def test_a_key_of_ones_own_asks_for_a_job_of_ones_own(camera: Camera) -> None:
    photo = a_photo()
    job = await camera.send(photo)
    keyed = await camera.open(photo, key="key")
    assert keyed.admission == OPENED
    assert (await camera.open(photo)).job.id == job.id


async def test_a_job_opened_under_a_key_answers_duplicates_without_one(camera: Camera) -> None:
    photo = a_photo()
    keyed = await camera.open(photo, key="key")
    unkeyed = await camera.open(photo)
    assert (unkeyed.admission, unkeyed.job.id) == (DUPLICATE, keyed.job.id)


async def test_a_duplicate_of_a_job_that_outlived_its_deadline_is_a_new_job(
    platform: "Platform", camera: Camera
) -> None:
    photo = a_photo()
    first = await camera.open(photo)
    platform.clock.advance(timedelta(seconds=49))
    again = await camera.open(photo)
    assert again.admission == OPENED
    assert again.job.id != first.job.id
