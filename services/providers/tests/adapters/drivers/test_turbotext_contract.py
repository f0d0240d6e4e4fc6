"""The Turbotext driver against a server with every documented oddity, and what it spends on each.

An accepted job costs a photo attempt. So for every oddity it is told how many jobs were created; polls and
downloads cost nothing.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest
from photochanger_mockproviders import Match, Step, TurbotextKnob, TurbotextMock
from photochanger_providers.application.driver import PublicLinks
from photochanger_providers.domain.catalogue import JsonValue
from photochanger_providers.domain.errors import ProviderError
from photochanger_providers.domain.picture import Picture
from photochanger_providers.drivers import turbotext
from photochanger_providers.testing.driver_bench import DriverBench

_PROMPT: dict[str, JsonValue] = {"prompt": "winter street"}
_FOR_EVER = 1000
K = TurbotextKnob


@dataclass(frozen=True)
class Row:
    """How a job behaves, and what comes of it (empty reason: a picture) with how many requests."""

    knobs: tuple[TurbotextKnob, ...]
    reason: str = ""
    creates: int = 1
    polls: int = 1
    downloads: int = 0
    at: Step | None = None
    count: int = 1

    def __str__(self) -> str:
        return "-".join([*self.knobs, self.at or "", str(self.count)])


FAILURES = [
    *(
        Row((knob,), reason, polls=polls, at=at)
        for at, polls in ((Step.CREATE, 0), (Step.GET_RESULT, 1))
        for knob, reason in (
            (K.LIMIT, "QUOTA"),
            (K.URL_ERROR, "CONFIG"),
            (K.PARAMS_ERROR, "CONFIG"),
            (K.FACE_NOT_DETECTED, "BAD_INPUT"),
            (K.QUALITY_LIMIT, "BAD_INPUT"),
            (K.OTHER_ERROR, "BAD_RESPONSE"),
        )
    ),
    Row((K.FORBIDDEN_CONTENT,), "CONTENT_BLOCKED"),
    Row((K.FORBIDDEN_CONTENT, K.BOOLEANS_AS_STRINGS), "CONTENT_BLOCKED"),
    Row((K.MALFORMED_JSON,), "BAD_RESPONSE", polls=0, at=Step.CREATE),
    Row((K.MALFORMED_JSON,), "BAD_RESPONSE", polls=2, at=Step.GET_RESULT),
    Row((K.HTML_200,), "BAD_RESPONSE", polls=0, at=Step.CREATE),
    Row((K.HTML_200,), "BAD_RESPONSE", polls=2, at=Step.GET_RESULT, count=_FOR_EVER),
    Row((K.NO_QUEUEID,), "BAD_RESPONSE", polls=0),
    Row((K.NO_IMAGE_LINK,), "NO_IMAGE", polls=2),
    Row((K.HTTP_403,), "AUTH", polls=0, at=Step.CREATE),
    Row((K.HTTP_403,), "AUTH", at=Step.GET_RESULT),
    Row((K.HTTP_429,), "QUOTA", creates=2, polls=0, at=Step.CREATE),
    Row((K.HTTP_429,), "QUOTA", polls=18, at=Step.GET_RESULT, count=_FOR_EVER),
    Row((K.HTTP_503_THEN_OK,), "PROVIDER_5XX", creates=3, polls=0, at=Step.CREATE),
    Row((K.HTTP_503_THEN_OK,), "TIMEOUT", polls=22, at=Step.GET_RESULT, count=_FOR_EVER),
    Row((K.NEVER_READY,), "TIMEOUT", polls=22),
    Row((K.LOST_ANSWER,), "NETWORK", polls=0, at=Step.CREATE),
    Row((K.LOST_ANSWER,), "NETWORK", downloads=3, at=Step.DOWNLOAD, count=_FOR_EVER),
    Row((K.DOWNLOAD_404_THEN_OK,), "BAD_RESPONSE", downloads=3, count=_FOR_EVER),
    Row((K.DOWNLOAD_HTML,), "BAD_RESPONSE", downloads=2, count=_FOR_EVER),
    # Delivered, and not worth having: the service's check of results asks for another one.
    Row((K.BLANK_IMAGE,), "BAD_RESPONSE", creates=2, polls=2, downloads=2),
    Row((K.SAME_IMAGE,), "BAD_RESPONSE", creates=2, polls=2, downloads=2),
]
SUCCESSES = [
    Row((K.RESULT_TOP_LEVEL,), downloads=1),
    Row((K.RESULT_IN_DATA,), downloads=1),
    Row((K.RESULT_IN_IMAGE_LIST,), downloads=1),
    Row((K.RESULT_RELATIVE_PATH,), downloads=1),
    Row((K.RESULT_RELATIVE_PATH, K.RESULT_TOP_LEVEL), downloads=1),
    Row((K.RESULT_RELATIVE_PATH, K.RESULT_IN_DATA), downloads=1),
    Row((K.QUEUEID_AS_STRING,), downloads=1),
    Row((K.BOOLEANS_AS_STRINGS,), downloads=1),
    Row((K.RECONNECT_N,), polls=4, downloads=1, count=3),
    Row((K.RECONNECT_N, K.RECONNECT_WITH_SUCCESS_FALSE), polls=3, downloads=1, count=2),
    Row((K.RECONNECT_N, K.RECONNECT_WITH_SUCCESS_FALSE, K.BOOLEANS_AS_STRINGS), polls=2, downloads=1),
    Row((K.HTML_200,), polls=2, downloads=1, at=Step.GET_RESULT),
    Row((K.HTTP_503_THEN_OK,), creates=3, downloads=1, at=Step.CREATE, count=2),
    Row((K.HTTP_503_THEN_OK,), polls=6, downloads=1, at=Step.GET_RESULT, count=5),
    Row((K.HTTP_429,), creates=2, downloads=1, at=Step.CREATE),
    Row((K.HTTP_429,), polls=3, downloads=1, at=Step.GET_RESULT, count=2),
    Row((K.LOST_ANSWER,), polls=3, downloads=1, at=Step.GET_RESULT, count=2),
    Row((K.LOST_ANSWER,), downloads=3, at=Step.DOWNLOAD, count=2),
    Row((K.DOWNLOAD_404_THEN_OK,), downloads=3, count=2),
    Row((K.DOWNLOAD_HTML,), downloads=2),
    Row((K.FETCH_TWICE,), downloads=1),
    Row((K.FETCH_LATE,), downloads=1),
]


def _requests(mock: TurbotextMock) -> tuple[int, int, int]:
    steps = [call.step for call in mock.calls]
    return steps.count(Step.CREATE), steps.count(Step.GET_RESULT), len(mock.downloads)


def test_every_knob_of_the_mock_is_turned() -> None:
    turned = {knob for row in [*FAILURES, *SUCCESSES] for knob in row.knobs}
    assert turned | {K.SLOW} == set(TurbotextKnob)


@pytest.mark.parametrize("row", FAILURES, ids=str)
async def test_a_failure_is_named_and_costs_no_second_attempt(
    row: Row, turbotext_bench: DriverBench, turbotext_mock: TurbotextMock, photo: Picture
) -> None:
    turbotext_mock.by_default(*row.knobs, at=row.at, count=row.count)
    with pytest.raises(ProviderError) as caught:
        await turbotext_bench.run("image_edit", photo, _PROMPT)
    assert caught.value.reason == row.reason
    assert _requests(turbotext_mock) == (row.creates, row.polls, row.downloads)
    if not {K.BLANK_IMAGE, K.SAME_IMAGE} & set(row.knobs):
        assert turbotext_mock.attempts_spent <= 1


@pytest.mark.parametrize("row", SUCCESSES, ids=str)
async def test_a_picture_is_found_whatever_shape_the_answers_have(
    row: Row, turbotext_bench: DriverBench, turbotext_mock: TurbotextMock, photo: Picture
) -> None:
    turbotext_mock.script(*row.knobs, at=row.at, count=row.count)
    answer = await turbotext_bench.run("image_edit", photo, _PROMPT)
    assert (answer.picture.mime_type, answer.picture.width_px) == ("image/png", photo.width_px)
    assert _requests(turbotext_mock) == (row.creates, row.polls, row.downloads)
    assert turbotext_mock.attempts_spent == 1


async def test_a_job_is_looked_for_every_two_and_a_half_seconds_until_five_are_left(
    turbotext_bench: DriverBench, turbotext_mock: TurbotextMock, photo: Picture
) -> None:
    turbotext_mock.by_default(K.NEVER_READY)
    with pytest.raises(ProviderError):
        await turbotext_bench.run("image_edit", photo, _PROMPT, seconds=16)
    assert turbotext_bench.pauses == [2.5, 2.5, 2.5, 2.5, 1.0]


async def test_the_slot_chooses_the_pause_between_polls(
    turbotext_bench: DriverBench, turbotext_mock: TurbotextMock, photo: Picture
) -> None:
    turbotext_mock.script(K.RECONNECT_N, count=2)
    await turbotext_bench.run("image_edit", photo, {**_PROMPT, "poll_interval_seconds": 3})
    assert turbotext_bench.pauses == [3.0, 3.0, 3.0]


async def test_their_wish_for_longer_pauses_is_granted(
    turbotext_bench: DriverBench, turbotext_mock: TurbotextMock, photo: Picture
) -> None:
    turbotext_mock.script(K.HTTP_429, at=Step.GET_RESULT)
    await turbotext_bench.run("image_edit", photo, _PROMPT)
    assert turbotext_bench.pauses == [2.5, 3.0]


@pytest.mark.parametrize(("seconds", "creates"), [(60, 3), (16, 2), (11, 1)])
async def test_a_refused_creation_is_repeated_only_with_ten_seconds_left(
    seconds: float,
    creates: int,
    turbotext_bench: DriverBench,
    turbotext_mock: TurbotextMock,
    photo: Picture,
) -> None:
    turbotext_mock.by_default(K.HTTP_503_THEN_OK, at=Step.CREATE)
    with pytest.raises(ProviderError):
        await turbotext_bench.run("image_edit", photo, _PROMPT, seconds=seconds)
    assert turbotext_bench.pauses == [2.0, 5.0][: creates - 1]
    assert _requests(turbotext_mock) == (creates, 0, 0)


async def test_nobody_listening_accepts_nothing_and_is_asked_again(
    tmp_path: Path, photo: Picture, links: PublicLinks
) -> None:
    async with TurbotextMock() as mock:
        gone = mock.base_url
    async with DriverBench(
        turbotext.DRIVER, base_url=gone, api_key="key", directory=tmp_path, links=links
    ) as bench:
        with pytest.raises(ProviderError) as caught:
            await bench.run("image_edit", photo, _PROMPT)
    assert (caught.value.reason, bench.pauses) == ("NETWORK", [2.0, 5.0])


async def test_without_a_public_base_url_nothing_is_called(
    turbotext_mock: TurbotextMock, tmp_path: Path, photo: Picture
) -> None:
    async with DriverBench(
        turbotext.DRIVER, base_url=turbotext_mock.base_url, api_key="key", directory=tmp_path
    ) as bench:
        with pytest.raises(ProviderError) as caught:
            await bench.run("image_edit", photo, _PROMPT)
    assert (caught.value.reason, caught.value.provider_calls, turbotext_mock.calls) == ("CONFIG", 0, [])


async def test_a_wrong_key_is_named_and_found_by_a_health_check(
    turbotext_mock: TurbotextMock, tmp_path: Path, photo: Picture, links: PublicLinks
) -> None:
    async with DriverBench(
        turbotext.DRIVER, base_url=turbotext_mock.base_url, api_key="wrong", directory=tmp_path, links=links
    ) as bench:
        with pytest.raises(ProviderError) as caught:
            await bench.run("image_edit", photo, _PROMPT)
        with pytest.raises(ProviderError) as sick:
            await bench.check_health()
    assert (caught.value.reason, sick.value.reason) == ("AUTH", "AUTH")


async def test_a_health_check_spends_no_attempt(
    turbotext_bench: DriverBench, turbotext_mock: TurbotextMock
) -> None:
    await turbotext_bench.check_health()
    assert [call.method for call in turbotext_mock.calls] == ["available_api"]
    assert turbotext_mock.attempts_spent == 0


@pytest.mark.parametrize("at", [Step.CREATE, Step.GET_RESULT, Step.DOWNLOAD])
async def test_a_slow_step_is_waited_for(
    at: Step, tmp_path: Path, photo: Picture, links: PublicLinks
) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async with (
        TurbotextMock(reconnects=0, sleep=sleep) as mock,
        DriverBench(
            turbotext.DRIVER,
            base_url=mock.base_url,
            api_key=mock.api_key or "",
            directory=tmp_path,
            links=links,
        ) as bench,
    ):
        mock.script(K.SLOW, seconds=9, at=at)
        await bench.run("image_edit", photo, _PROMPT)
        assert (waited, mock.attempts_spent, mock.violations) == ([9], 1, [])


@pytest.mark.parametrize("step", list(Step))
async def test_a_cancelled_job_hangs_up_wherever_it_is(
    step: Step, turbotext_bench: DriverBench, turbotext_mock: TurbotextMock, photo: Picture
) -> None:
    gate = turbotext_mock.hold(Match(step=step))
    job = asyncio.create_task(turbotext_bench.run("image_edit", photo, _PROMPT))
    await turbotext_mock.until(lambda: gate.held == 1)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    await turbotext_mock.until(
        lambda: (
            any(call.aborted for call in turbotext_mock.calls)
            or any(download.aborted for download in turbotext_mock.downloads)
        )
    )


async def test_at_the_deadline_the_driver_hangs_up(
    turbotext_bench: DriverBench, turbotext_mock: TurbotextMock, photo: Picture
) -> None:
    turbotext_mock.hold()
    with pytest.raises(ProviderError) as caught:
        await turbotext_bench.run("image_edit", photo, _PROMPT, seconds=1)
    assert caught.value.reason == "TIMEOUT"
    await turbotext_mock.until(lambda: any(call.aborted for call in turbotext_mock.calls))


async def test_thirty_photos_at_once_get_their_own_results(
    turbotext_bench: DriverBench, turbotext_mock: TurbotextMock, photo: Picture
) -> None:
    # The bench has one clock: each of the thirty moves it for all.
    answers = await asyncio.gather(
        *(turbotext_bench.run("image_edit", photo, _PROMPT, seconds=600) for _ in range(30))
    )
    assert len({answer.picture.path for answer in answers}) == 30
    assert len({download.queue_id for download in turbotext_mock.downloads}) == 30
    assert turbotext_mock.attempts_spent == 30
