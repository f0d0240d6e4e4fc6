"""What clients may order, and how an asynchronous job moves."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from photochanger_chassis.errors import InvalidArgument
from photochanger_ingest.domain.async_job import (
    LONGEST_TIME_LIMIT,
    SHORTEST_TIME_LIMIT,
    Order,
    accepted,
    for_clients,
    photo_of,
)
from photochanger_ingest.domain.errors import InputNotFound
from photochanger_ingest.domain.ids import ClientId, JobId, MediaObjectId, OperationId, ProviderId, SlotId
from photochanger_ingest.domain.job import Job, JobMode, JobSource, JobState, Progress
from photochanger_ingest.domain.picture import MediaKind
from photochanger_ingest.domain.slot import FailureMode, LateResults, Plan
from photochanger_ingest.testing.builders import NOW, a_failure, a_job, a_picture, a_success

SHA256 = "a" * 64
PLAN = Plan(ProviderId("local"), OperationId("pencil"))


def an_order(**others: object) -> Order:
    made = Order(
        client_id=ClientId("c" * 32),
        input_media_object_id=MediaObjectId("photo"),
        slot_id=SlotId("slot-001"),
        plan=None,
        job_id=None,
        form_fields={},
        idempotency_key="",
        priority=5,
        time_limit=None,
        webhook_url=None,
    )
    return replace(made, **others)  # type: ignore[arg-type]  # fields by name


def an_async_job(**others: object) -> Job:
    made = a_job(
        mode=JobMode.ASYNC, source=JobSource.API, client_id="c" * 32, slot_id=None, slot_version=None
    )
    return replace(made, **others)  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    "url",
    [
        "https://studio.example/hook?token=a%20b",
        "http://127.0.0.1:8080",
        "https://[2001:db8::1]/hook",
        None,
    ],
)
def test_these_can_be_told(url: str | None) -> None:
    an_order(webhook_url=url).require_sane()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "studio.example",
        "ftp://studio.example",
        "https://",
        "https:///hook",
        "https://stüdio.example",
        "https://studio.example/a b",
        "https://studio.example:99999",
        "https://studio.example:0",
        "https://[::1",
        "https://studio.example/" + "a" * 2000,
        "https://studio.example/\x00",
        "https://user:password@studio.example/",
        "https://@studio.example/",
    ],
)
def test_these_cannot(url: str) -> None:
    with pytest.raises(InvalidArgument):
        an_order(webhook_url=url).require_sane()


@given(st.timedeltas())
def test_a_job_lives_a_minute_to_a_day(limit: timedelta) -> None:
    order = an_order(time_limit=limit)
    if SHORTEST_TIME_LIMIT <= limit <= LONGEST_TIME_LIMIT:
        order.require_sane()
    else:
        with pytest.raises(InvalidArgument):
            order.require_sane()


@pytest.mark.parametrize(
    "change",
    [
        {"slot_id": SlotId("slot-002")},
        {"plan": PLAN},
        {"form_fields": {"name": "Ada"}},
        {"priority": 1},
        {"time_limit": timedelta(minutes=5)},
        {"webhook_url": "https://studio.example"},
        {"retry_of": JobId("a" * 32)},
    ],
)
def test_each_part_of_an_order_makes_it_another(change: dict[str, object]) -> None:
    assert an_order(**change).digest(SHA256) != an_order().digest(SHA256)
    assert an_order(**change).digest(SHA256) == an_order(**change).digest(SHA256)


def test_what_is_not_the_order_itself_does_not() -> None:
    first = an_order(plan=replace(PLAN, settings_json='{"a": 1, "b": 2}'))
    again = an_order(
        plan=replace(PLAN, settings_json='{"b":2,"a":1}'),
        job_id=JobId("b" * 32),
        input_media_object_id=MediaObjectId("uploaded again"),
        idempotency_key="k",
    )
    assert first.digest(SHA256) == again.digest(SHA256)
    assert first.digest(SHA256) != first.digest("b" * 64)


def test_a_photo_is_a_temporary_object_or_the_jobs_own_input() -> None:
    temporary = a_picture(kind=MediaKind.TEMPORARY)
    assert photo_of(an_order(), temporary, NOW) == temporary
    own = a_picture(kind=MediaKind.INPUT, job_id="b" * 32)
    assert photo_of(an_order(job_id=JobId("b" * 32)), own, NOW) == own
    assert photo_of(an_order(retry_of=JobId("b" * 32)), own, NOW) == own
    for order, photo in (
        (an_order(), own),
        (an_order(), None),
        (an_order(), a_picture(kind=MediaKind.RESULT)),
        (an_order(), replace(temporary, expires_at=NOW + timedelta(seconds=59))),
    ):
        with pytest.raises(InputNotFound):
            photo_of(order, photo, NOW)


def test_a_slots_wishes_for_cameras_are_not_for_clients() -> None:
    plan = for_clients(replace(PLAN, on_failure=FailureMode.ORIGINAL, late_results=LateResults.KEEP))
    assert plan == PLAN
    job = accepted(an_order(), a_picture(), plan, job_id=JobId("1" * 32), slot_version=3, now=NOW)
    assert (job.late_until, job.deadline) == (None, NOW + timedelta(hours=1))


progress = st.builds(
    Progress.told, attempt=st.integers(-1, 4), percent=st.integers(-10, 200), stage=st.text(max_size=300)
)


@given(st.lists(progress))
def test_progress_never_goes_back_to_an_overtaken_attempt(told: list[Progress]) -> None:
    job = an_async_job()
    for each in told:
        before = job
        job = job.progressed(each, NOW)
        assert job.attempts >= before.attempts
        assert 0 <= job.progress < 100
        assert len(job.stage) <= 200
        assert job.state is (JobState.RUNNING if job.attempts else JobState.PENDING)
        assert before.started_at is None or job.started_at == before.started_at


@given(progress)
def test_progress_changes_no_final_job(told: Progress) -> None:
    for final in (
        an_async_job().start(NOW).finish(a_success(), NOW),
        an_async_job().fail(a_failure(), NOW),
        an_async_job().cancel(NOW),
        an_async_job().time_out(NOW),
    ):
        assert final.progressed(told, NOW) == final


def test_a_done_job_is_complete() -> None:
    job = an_async_job().progressed(Progress(begun=True, attempt=2, percent=50, stage="at it"), NOW)
    done = job.finish(a_success(), NOW)
    assert (done.progress, done.stage, done.attempts) == (100, "", 2)
    failed = job.fail(a_failure(), NOW)
    assert (failed.progress, failed.stage) == (50, "at it")


def test_its_pictures_lie_in_its_slots_place_or_in_that_of_clients() -> None:
    assert an_async_job().place == "api"
    assert an_async_job(slot_id=SlotId("slot-003"), slot_version=1).place == "slot-003"
