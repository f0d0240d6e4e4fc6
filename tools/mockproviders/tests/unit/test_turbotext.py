"""Every Turbotext knob and rule, seen through a real HTTP client."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from photochanger_mockproviders import Match, PhotoHost, Step, TurbotextKnob, TurbotextMock, fixed
from PIL import Image

Answer = tuple[int, str, bytes]


async def post(
    mock: TurbotextMock,
    http: aiohttp.ClientSession,
    fields: dict[str, str],
    *,
    method: str = "generate_image2image",
    key: str = "mock-turbotext-key",
) -> Answer:
    headers = {"Authorization": f"Bearer {key}"}
    async with http.post(f"{mock.base_url}/{method}", data=fields, headers=headers) as response:
        return response.status, response.content_type, await response.read()


async def create(
    mock: TurbotextMock,
    http: aiohttp.ClientSession,
    photos: PhotoHost,
    method: str = "generate_image2image",
    **fields: str,
) -> Answer:
    form = {"do": "create_queue", "url": photos.url("photo.jpg"), "content": "winter street", **fields}
    return await post(mock, http, form, method=method)


async def poll(
    mock: TurbotextMock,
    http: aiohttp.ClientSession,
    method: str = "generate_image2image",
    queue_id: str = "12345",
) -> Answer:
    return await post(mock, http, {"do": "get_result", "queueid": queue_id}, method=method)


async def download(mock: TurbotextMock, http: aiohttp.ClientSession, link: str) -> Answer:
    url = link if link.startswith("http") else f"{mock.origin}/{link}"
    async with http.get(url) as response:
        return response.status, response.content_type, await response.read()


def document(answer: Answer) -> Any:  # a document, compared by the tests
    assert answer[:2] == (200, "application/json")
    return json.loads(answer[2])


async def test_a_job_goes_from_queue_to_picture(
    http: aiohttp.ClientSession, photos: PhotoHost, photo: bytes
) -> None:
    async with TurbotextMock() as mock:
        assert document(await create(mock, http, photos)) == {"success": True, "queueid": 12345}
        assert document(await poll(mock, http)) == {"action": "reconnect"}
        done = document(await poll(mock, http))
        assert done == {
            "success": True,
            "error": "",
            "data": {
                "width": 320,
                "height": 240,
                "prompt": "winter street",
                "strength": 40,
                "user_id": 1,
                "scale": 7.5,
                "seed": 99,
                "original_language": "ru",
                "image": ["image/generate_image2image_id12345_0.png"],
            },
        }
        status, content_type, data = await download(mock, http, done["data"]["image"][0])
        assert (status, content_type) == (200, "image/png")
        with Image.open(io.BytesIO(data)) as picture:
            assert (picture.format, picture.size) == ("PNG", (320, 240))
        assert [call.step for call in mock.calls] == [Step.CREATE, Step.GET_RESULT, Step.GET_RESULT]
        assert mock.attempts_spent == 1
        (fetched,) = mock.calls[0].fetches
        assert (fetched.field, fetched.status, fetched.content_type) == ("url", 200, "image/jpeg")
        assert fetched.sha256 == hashlib.sha256(photo).hexdigest()
        assert mock.downloads[0].queue_id == 12345


@pytest.mark.parametrize(
    ("knobs", "form"),
    [
        ([TurbotextKnob.RESULT_TOP_LEVEL], "top"),
        ([TurbotextKnob.RESULT_IN_DATA], "data"),
        ([TurbotextKnob.RESULT_IN_IMAGE_LIST], "list"),
        ([TurbotextKnob.RESULT_RELATIVE_PATH], "relative list"),
        ([TurbotextKnob.RESULT_TOP_LEVEL, TurbotextKnob.RESULT_RELATIVE_PATH], "relative top"),
        ([TurbotextKnob.RESULT_IN_DATA, TurbotextKnob.RESULT_RELATIVE_PATH], "relative data"),
    ],
)
async def test_the_link_is_where_the_knob_says_and_leads_to_the_picture(
    turbotext: TurbotextMock,
    http: aiohttp.ClientSession,
    photos: PhotoHost,
    knobs: list[TurbotextKnob],
    form: str,
) -> None:
    turbotext.script(*knobs)
    await create(turbotext, http, photos)
    done = document(await poll(turbotext, http))
    links = {
        "top": done.get("uploaded_image"),
        "data": done["data"].get("uploaded_image"),
        "list": (done["data"].get("image") or [None])[0],
    }
    (where,) = [name for name, link in links.items() if link]
    assert where == form.rsplit(maxsplit=1)[-1]
    assert links[where].startswith("image/" if "relative" in form else f"{turbotext.origin}/download.php?f=")
    assert (await download(turbotext, http, links[where]))[:2] == (200, "image/png")


async def test_the_two_links_of_a_face_swap_mean_the_opposite_of_a_mix(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost
) -> None:
    photo, style = photos.url("photo.jpg"), photos.url("style.png")
    mix = {"do": "create_queue", "url_image_target": photo, "url": style}
    swap = {"do": "create_queue", "url": photo, "url_image_target": style, "face_restore": "True"}
    await post(turbotext, http, mix, method="mix_images")
    await post(turbotext, http, swap, method="deepfake_photo")
    mixed = document(await poll(turbotext, http, "mix_images"))
    swapped = document(await poll(turbotext, http, "deepfake_photo", "12346"))
    for done in (mixed, swapped):
        assert (done["data"]["width"], done["data"]["height"]) == (320, 240)
    assert "uploaded_image" in mixed
    assert swapped["data"]["face_restore"] == "True"
    assert swapped["data"]["forbidden_content"] is False
    assert [fetch.field for fetch in turbotext.calls[0].fetches] == ["url", "url_image_target"]


async def test_available_api_lists_methods_and_costs_nothing(
    turbotext: TurbotextMock, http: aiohttp.ClientSession
) -> None:
    await post(turbotext, http, {"do": "create_queue"}, method="available_api")
    done = document(await poll(turbotext, http, "available_api"))
    assert done["available_api"] == ["available_api", "deepfake_photo", "generate_image2image", "mix_images"]
    assert turbotext.attempts_spent == 0


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("generate_image2image", {"content": ""}),
        ("generate_image2image", {"strength": "81"}),
        ("generate_image2image", {"strength": "4.5"}),
        ("generate_image2image", {"seed": "0"}),
        ("generate_image2image", {"scale": "0.05"}),
        ("generate_image2image", {"scale": "wide"}),
        ("generate_image2image", {"negative_prompt": "no " * 81}),
        ("generate_image2image", {"do": "create"}),
        ("mix_images", {}),
        ("deepfake_photo", {"url_image_target": "http://127.0.0.1/x.jpg", "face_restore": "true"}),
    ],
)
async def test_fields_that_break_their_rules_are_params_error(
    turbotext: TurbotextMock,
    http: aiohttp.ClientSession,
    photos: PhotoHost,
    method: str,
    fields: dict[str, str],
) -> None:
    answer = await create(turbotext, http, photos, method, **fields)
    assert document(answer) == {"success": False, "error": "params_error"}
    assert turbotext.attempts_spent == 0
    assert photos.hits == []


async def test_unknown_fields_are_held_against_the_client(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost
) -> None:
    assert document(await create(turbotext, http, photos, face_restore="True"))["success"] is True
    assert turbotext.violations == ["call 1: generate_image2image has no face_restore"]


async def test_multipart_is_not_understood(turbotext: TurbotextMock, http: aiohttp.ClientSession) -> None:
    form = aiohttp.FormData({"do": "create_queue"}, default_to_multipart=True)
    headers = {"Authorization": "Bearer mock-turbotext-key"}
    url = f"{turbotext.base_url}/available_api"
    async with http.post(url, data=form, headers=headers) as response:
        assert (await response.json())["error"] == "params_error"
    assert turbotext.violations == ["call 1: Content-Type is multipart/form-data"]


async def test_a_wrong_key_is_401_and_an_unknown_method_404(
    turbotext: TurbotextMock, http: aiohttp.ClientSession
) -> None:
    assert (await post(turbotext, http, {}, key="other"))[0] == 401
    assert (await post(turbotext, http, {}, method="make_coffee"))[0] == 404


@pytest.mark.parametrize("name", ["page.jpg", "liar.jpg", "moved.jpg", "gone.jpg"])
async def test_a_link_without_a_picture_behind_it_is_url_error(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost, name: str
) -> None:
    answer = await create(turbotext, http, photos, url=photos.url(name))
    assert document(answer) == {"success": False, "error": "url_error"}
    assert photos.hits == [name]
    assert turbotext.calls[0].fetches[0].problem
    assert turbotext.attempts_spent == 0


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/photo.jpg", "file:///etc/hosts", "http://"])
async def test_a_link_that_cannot_be_reached_is_url_error(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost, url: str
) -> None:
    assert document(await create(turbotext, http, photos, url=url))["error"] == "url_error"


@pytest.mark.parametrize("url_form", [TurbotextKnob.FETCH_TWICE, TurbotextKnob.FETCH_LATE])
async def test_links_may_be_fetched_twice_or_late(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost, url_form: TurbotextKnob
) -> None:
    turbotext.script(url_form)
    await create(turbotext, http, photos)
    after_creation = len(photos.hits)
    assert document(await poll(turbotext, http))["success"] is True
    expected = (2, 2) if url_form is TurbotextKnob.FETCH_TWICE else (0, 1)
    assert (after_creation, len(photos.hits)) == expected


@pytest.mark.parametrize(
    ("knob", "at", "body"),
    [
        (TurbotextKnob.LIMIT, Step.CREATE, {"success": False, "error": "LIMIT"}),
        (TurbotextKnob.URL_ERROR, Step.CREATE, {"success": False, "error": "url_error"}),
        (TurbotextKnob.PARAMS_ERROR, Step.CREATE, {"success": False, "error": "params_error"}),
        (TurbotextKnob.FACE_NOT_DETECTED, Step.GET_RESULT, {"success": False, "error": "face_not_detected"}),
        (TurbotextKnob.QUALITY_LIMIT, Step.GET_RESULT, {"success": False, "error": "quality_limit"}),
        (TurbotextKnob.OTHER_ERROR, Step.GET_RESULT, {"success": False, "message": "something went wrong"}),
    ],
)
@pytest.mark.parametrize("moved", [False, True])
async def test_refusals_come_at_their_step_or_where_they_are_moved(
    *,
    turbotext: TurbotextMock,
    http: aiohttp.ClientSession,
    photos: PhotoHost,
    knob: TurbotextKnob,
    at: Step,
    body: dict[str, object],
    moved: bool,
) -> None:
    other = Step.GET_RESULT if at is Step.CREATE else Step.CREATE
    turbotext.script(knob, at=other if moved else None)
    answer = document(await create(turbotext, http, photos))
    if (other if moved else at) is Step.CREATE:
        assert answer == body
        assert turbotext.attempts_spent == 0
    else:
        assert [document(await poll(turbotext, http)) for _ in range(2)] == [body, body]
        assert turbotext.attempts_spent == 1


async def test_jobs_answer_reconnect_so_many_times_or_for_ever(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost
) -> None:
    turbotext.script(TurbotextKnob.RECONNECT_N, TurbotextKnob.RECONNECT_WITH_SUCCESS_FALSE, count=2)
    turbotext.script(TurbotextKnob.NEVER_READY)
    await create(turbotext, http, photos)
    pending = {"action": "reconnect", "success": False}
    assert [document(await poll(turbotext, http)) for _ in range(2)] == [pending, pending]
    assert document(await poll(turbotext, http))["success"] is True
    await create(turbotext, http, photos)
    for _ in range(5):
        assert document(await poll(turbotext, http, queue_id="12346")) == {"action": "reconnect"}


async def test_a_delayed_job_is_pending_until_the_clock_says_so(
    http: aiohttp.ClientSession, photos: PhotoHost
) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    async with TurbotextMock(reconnects=0, delay=2, clock=lambda: now) as mock:
        await create(mock, http, photos)
        assert document(await poll(mock, http)) == {"action": "reconnect"}
        now += timedelta(seconds=2)
        assert document(await poll(mock, http))["success"] is True


@pytest.mark.parametrize(
    ("knob", "body"),
    [
        (TurbotextKnob.QUEUEID_AS_STRING, {"success": True, "queueid": "12345"}),
        (TurbotextKnob.NO_QUEUEID, {"success": True}),
        (TurbotextKnob.BOOLEANS_AS_STRINGS, {"success": "True", "queueid": 12345}),
    ],
)
async def test_creation_is_answered_in_odd_shapes(
    turbotext: TurbotextMock,
    http: aiohttp.ClientSession,
    photos: PhotoHost,
    knob: TurbotextKnob,
    body: dict[str, object],
) -> None:
    turbotext.script(knob)
    assert document(await create(turbotext, http, photos)) == body
    assert turbotext.attempts_spent == 1


async def test_forbidden_content_comes_with_success_and_a_picture(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost
) -> None:
    turbotext.script(TurbotextKnob.FORBIDDEN_CONTENT, TurbotextKnob.BOOLEANS_AS_STRINGS)
    await create(turbotext, http, photos)
    done = document(await poll(turbotext, http))
    assert (done["success"], done["data"]["forbidden_content"]) == ("True", "True")
    assert done["data"]["image"]


async def test_success_may_come_without_a_link(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost
) -> None:
    turbotext.script(TurbotextKnob.NO_IMAGE_LINK)
    await create(turbotext, http, photos)
    done = document(await poll(turbotext, http))
    assert "uploaded_image" not in done
    assert "image" not in done["data"]


@pytest.mark.parametrize("at", [Step.CREATE, Step.GET_RESULT])
async def test_malformed_json_is_200_and_cannot_be_parsed(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost, at: Step
) -> None:
    turbotext.script(TurbotextKnob.MALFORMED_JSON, at=at)
    answer = await create(turbotext, http, photos)
    if at is Step.GET_RESULT:
        assert document(answer)["queueid"] == 12345
        answer = await poll(turbotext, http)
    assert answer[:2] == (200, "application/json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer[2])


@pytest.mark.parametrize(
    ("knob", "status", "content_type"),
    [
        (TurbotextKnob.HTTP_503_THEN_OK, 503, "text/html"),
        (TurbotextKnob.HTML_200, 200, "text/html"),
        (TurbotextKnob.HTTP_403, 403, "application/json"),
        (TurbotextKnob.HTTP_429, 429, "text/plain"),
    ],
)
async def test_the_web_server_refuses_at_either_step_and_recovers(
    *,
    turbotext: TurbotextMock,
    http: aiohttp.ClientSession,
    photos: PhotoHost,
    knob: TurbotextKnob,
    status: int,
    content_type: str,
) -> None:
    turbotext.script(knob)
    turbotext.script(knob, at=Step.GET_RESULT, count=2)
    assert (await create(turbotext, http, photos))[:2] == (status, content_type)
    assert (turbotext.attempts_spent, photos.hits) == (0, [])
    assert document(await create(turbotext, http, photos))["success"] is True
    for _ in range(2):
        assert (await poll(turbotext, http))[:2] == (status, content_type)
    assert document(await poll(turbotext, http))["success"] is True


async def test_503_then_ok_repeats_at_creation(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost
) -> None:
    turbotext.script(TurbotextKnob.HTTP_503_THEN_OK, count=2)
    assert [(await create(turbotext, http, photos))[0] for _ in range(3)] == [503, 503, 200]


async def test_a_lost_answer_has_spent_the_attempt(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost
) -> None:
    turbotext.script(TurbotextKnob.LOST_ANSWER)
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await create(turbotext, http, photos)
    assert turbotext.attempts_spent == 1


async def test_downloads_fail_first_and_then_work(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost
) -> None:
    turbotext.script(TurbotextKnob.DOWNLOAD_404_THEN_OK, count=2)
    turbotext.script(TurbotextKnob.DOWNLOAD_HTML)
    turbotext.script(TurbotextKnob.LOST_ANSWER, at=Step.DOWNLOAD)
    links = []
    for number in range(3):
        await create(turbotext, http, photos)
        links.append(document(await poll(turbotext, http, queue_id=str(12345 + number)))["data"]["image"][0])
    assert [(await download(turbotext, http, links[0]))[0] for _ in range(3)] == [404, 404, 200]
    assert (await download(turbotext, http, links[1]))[:2] == (200, "text/html")
    assert (await download(turbotext, http, links[1]))[:2] == (200, "image/png")
    with pytest.raises(aiohttp.ClientPayloadError):
        await download(turbotext, http, links[2])
    assert [item.status for item in turbotext.downloads] == [404, 404, 200, 200, 200, 200]


async def test_unknown_jobs_and_pictures_are_not_found(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost
) -> None:
    await create(turbotext, http, photos)
    assert document(await poll(turbotext, http, "mix_images"))["success"] is False
    assert document(await poll(turbotext, http, queue_id="1"))["success"] is False
    assert (await download(turbotext, http, "image/other.png"))[0] == 404


@pytest.mark.parametrize("at", list(Step))
async def test_slow_sleeps_at_the_step_it_is_told(
    http: aiohttp.ClientSession, photos: PhotoHost, at: Step
) -> None:
    slept: list[Step] = []

    async def sleep(seconds: float) -> None:
        assert seconds == 9
        slept.append(steps[-1])

    steps = [Step.CREATE]
    async with TurbotextMock(reconnects=0, sleep=sleep) as mock:
        mock.script(TurbotextKnob.SLOW, seconds=9, at=at)
        await create(mock, http, photos)
        steps.append(Step.GET_RESULT)
        link = document(await poll(mock, http))["data"]["image"][0]
        steps.append(Step.DOWNLOAD)
        await download(mock, http, link)
    assert slept == [at]


async def test_scripts_and_gates_match_method_prompt_and_step(
    turbotext: TurbotextMock, http: aiohttp.ClientSession, photos: PhotoHost
) -> None:
    turbotext.script(TurbotextKnob.LIMIT, matching=Match(method="mix_images"))
    turbotext.script(TurbotextKnob.PARAMS_ERROR, matching=Match(prompt="summer"))
    assert document(await create(turbotext, http, photos))["success"] is True
    assert document(await create(turbotext, http, photos, content="hot summer"))["error"] == "params_error"
    gate = turbotext.hold(Match(step=Step.GET_RESULT))
    held = asyncio.create_task(poll(turbotext, http))
    await turbotext.until(lambda: gate.held == 1)
    turbotext.release()
    assert document(await held)["success"] is True
    assert turbotext.script_left == 1


@pytest.mark.parametrize("knob", [TurbotextKnob.SAME_IMAGE, TurbotextKnob.BLANK_IMAGE])
async def test_results_that_are_not_worth_printing(
    turbotext: TurbotextMock,
    http: aiohttp.ClientSession,
    photos: PhotoHost,
    knob: TurbotextKnob,
    photo: bytes,
) -> None:
    turbotext.script(knob)
    await create(turbotext, http, photos)
    link = document(await poll(turbotext, http))["data"]["image"][0]
    _, _, data = await download(turbotext, http, link)
    if knob is TurbotextKnob.SAME_IMAGE:
        assert data == photo
    else:
        assert Image.open(io.BytesIO(data)).getextrema() == ((0, 0), (0, 0), (0, 0))


async def test_a_fixed_result_is_what_is_downloaded(http: aiohttp.ClientSession, photos: PhotoHost) -> None:
    result = fixed(30_000)
    async with TurbotextMock(reconnects=0, result=result) as mock:
        await create(mock, http, photos)
        link = document(await poll(mock, http))["data"]["image"][0]
        assert await download(mock, http, link) == (200, "image/jpeg", result)


def test_knobs_that_cannot_happen_at_a_step_are_refused() -> None:
    mock = TurbotextMock()
    with pytest.raises(ValueError, match="can be moved"):
        mock.script(TurbotextKnob.NEVER_READY, at=Step.CREATE)
    with pytest.raises(ValueError, match="happen at a download"):
        mock.script(TurbotextKnob.LIMIT, at=Step.DOWNLOAD)
