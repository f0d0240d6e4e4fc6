"""What the Turbotext driver sends, which pictures it points at, and which links it follows."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from photochanger_mockproviders import TurbotextKnob, TurbotextMock
from photochanger_providers.application.driver import PublicLinks
from photochanger_providers.application.settings_schema import checked_settings
from photochanger_providers.domain.catalogue import JsonValue
from photochanger_providers.domain.errors import InvalidSettings, ProviderError
from photochanger_providers.domain.picture import Picture, Template
from photochanger_providers.drivers import turbotext
from photochanger_providers.testing.driver_bench import DriverBench

MakePicture = Callable[..., Picture]
_LINKS = frozenset({"url", "url_image_target"})


def _digest(picture: Picture) -> str:
    return hashlib.sha256(picture.path.read_bytes()).hexdigest()


def _pointed_at(mock: TurbotextMock) -> dict[str, str]:
    return {fetch.field: fetch.sha256 for fetch in mock.calls[0].fetches}


def _plain_fields(mock: TurbotextMock) -> dict[str, str]:
    return {name: value for name, value in mock.calls[0].fields.items() if name not in _LINKS}


async def test_an_edit_sends_the_photo_and_the_slots_options(
    turbotext_bench: DriverBench, turbotext_mock: TurbotextMock, photo: Picture
) -> None:
    settings: dict[str, JsonValue] = {
        "prompt": "{{name|гость}} & a = winter?",
        "strength": 55,
        "seed": 7,
        "scale": 3.5,
        "negative_prompt": "text, frames",
        "original_language": "en",
    }
    await turbotext_bench.run("image_edit", photo, settings, fields={"name": "Ёжик + co"})
    assert turbotext_mock.calls[0].method == "generate_image2image"
    assert _pointed_at(turbotext_mock) == {"url": _digest(photo)}
    assert _plain_fields(turbotext_mock) == {
        "do": "create_queue",
        "content": "Ёжик + co & a = winter?",
        "strength": "55",
        "seed": "7",
        "scale": "3.5",
        "negative_prompt": "text, frames",
        "original_language": "en",
    }
    assert turbotext_mock.calls[1].fields == {"do": "get_result", "queueid": "12345"}


async def test_by_default_an_edit_has_the_providers_own_values_and_a_random_seed(
    turbotext_bench: DriverBench, turbotext_mock: TurbotextMock, photo: Picture
) -> None:
    await turbotext_bench.run("image_edit", photo, {"prompt": "зима"})
    assert _plain_fields(turbotext_mock) == {
        "do": "create_queue",
        "content": "зима",
        "strength": "40",
        "scale": "7.5",
        "original_language": "ru",
    }


@pytest.mark.parametrize(("settings", "content"), [({}, {}), ({"prompt": "oil"}, {"content": "oil"})])
async def test_a_style_goes_from_the_template_onto_the_photo(
    *,
    settings: dict[str, JsonValue],
    content: dict[str, str],
    turbotext_bench: DriverBench,
    turbotext_mock: TurbotextMock,
    photo: Picture,
    make_picture: MakePicture,
) -> None:
    style = make_picture("style.png", colour="orange")
    await turbotext_bench.run("style_transfer", photo, settings, templates=[Template("style", style)])
    assert turbotext_mock.calls[0].method == "mix_images"
    assert _pointed_at(turbotext_mock) == {"url": _digest(style), "url_image_target": _digest(photo)}
    assert _plain_fields(turbotext_mock) == {"do": "create_queue", **content}


@pytest.mark.parametrize(
    ("settings", "replaced", "face", "restore"),
    [
        ({}, "template", "photo", "False"),
        ({"face_from": "photo", "face_restore": True}, "template", "photo", "True"),
        ({"face_from": "template"}, "photo", "template", "False"),
    ],
)
async def test_a_face_goes_where_the_slot_says(
    *,
    settings: dict[str, JsonValue],
    replaced: str,
    face: str,
    restore: str,
    turbotext_bench: DriverBench,
    turbotext_mock: TurbotextMock,
    photo: Picture,
    make_picture: MakePicture,
) -> None:
    pictures = {"photo": photo, "template": make_picture("person.jpg", colour="red")}
    templates = [Template("person", pictures["template"])]
    await turbotext_bench.run("identity_transfer", photo, settings, templates=templates)
    assert turbotext_mock.calls[0].method == "deepfake_photo"
    # `url` is the person whose face is replaced, `url_image_target` the picture with the new face.
    assert _pointed_at(turbotext_mock) == {
        "url": _digest(pictures[replaced]),
        "url_image_target": _digest(pictures[face]),
    }
    assert _plain_fields(turbotext_mock) == {"do": "create_queue", "face_restore": restore}


async def test_a_prompt_that_is_empty_without_the_booths_fields_is_not_sent(
    turbotext_bench: DriverBench, turbotext_mock: TurbotextMock, photo: Picture
) -> None:
    with pytest.raises(ProviderError) as caught:
        await turbotext_bench.run("image_edit", photo, {"prompt": "{{wish}}"})
    assert (caught.value.reason, caught.value.provider_calls, turbotext_mock.calls) == ("CONFIG", 0, [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("strength", 81),
        ("strength", -1),
        ("seed", 10_000_000_001),
        ("scale", 0.05),
        ("scale", 20.5),
        ("negative_prompt", "word " * 81),
        ("original_language", "russian"),
        ("poll_interval_seconds", 0.1),
        ("prompt", ""),
        ("user_id", 1),
    ],
)
def test_what_the_provider_would_refuse_is_refused_with_the_settings(name: str, value: JsonValue) -> None:
    operation = turbotext.DRIVER.info.operation("image_edit")
    assert operation is not None
    checked_settings(operation, {"prompt": "snow", "negative_prompt": "word " * 80, "seed": 10**10}, [])
    with pytest.raises(InvalidSettings) as caught:
        checked_settings(operation, {"prompt": "snow", name: value}, [])
    assert [each.field for each in caught.value.field_violations] == [f"settings.{name}"]


@pytest.mark.parametrize("operation_id", ["style_transfer", "identity_transfer"])
def test_without_its_template_an_operation_is_refused_with_the_settings(operation_id: str) -> None:
    operation = turbotext.DRIVER.info.operation(operation_id)
    assert operation is not None
    with pytest.raises(InvalidSettings):
        checked_settings(operation, {}, [])


@dataclass
class Canary:
    """A server inside the network that must never be asked for anything."""

    port: int = 0
    hits: list[str] = field(default_factory=list)


@asynccontextmanager
async def _canary() -> AsyncIterator[Canary]:
    canary = Canary()

    async def answer(request: web.Request) -> web.Response:
        canary.hits.append(request.path)
        return web.Response(body=b"\xff\xd8\xff secret", content_type="image/jpeg")

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    async with TestServer(app) as server:
        canary.port = server.port or 0
        yield canary


@asynccontextmanager
async def _provider_that_links_to(link: str) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        form = await request.post()
        if form["do"] == "create_queue":
            return web.json_response({"success": True, "queueid": 1})
        return web.json_response({"success": True, "uploaded_image": link})

    async def redirect(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"})

    app = web.Application()
    app.router.add_post("/api_ai/{method}", answer)
    app.router.add_get("/moved.png", redirect)
    async with TestServer(app) as server:
        yield str(server.make_url("/api_ai"))


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:{port}/a.png",
        "https://127.0.0.1:{port}/a.png",
        "https://localhost:{port}/a.png",
        "//127.0.0.1:{port}/a.png",
        "https://[::1]:{port}/a.png",
        "https://[::ffff:127.0.0.1]:{port}/a.png",
        "https://[64:ff9b::7f00:1]:{port}/a.png",
        "https://0.0.0.0:{port}/a.png",
        "https://2130706433:{port}/a.png",
        "https://127.1:{port}/a.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/a.png",
        "https://user:password@127.0.0.1:{port}/a.png",
        "http://www.turbotext.ru.localhost:{port}/a.png",
        "https://127.0.0.1%00.turbotext.ru:{port}/a.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "ftp://127.0.0.1:{port}/a.png",
        "https://",
        "http://[::1",
        "https://a:99999999/",
        "javascript:alert(1)",
        "/moved.png",
    ],
)
async def test_a_result_is_never_fetched_from_inside_the_network(
    link: str, tmp_path: Path, photo: Picture, links: PublicLinks
) -> None:
    async with (
        _canary() as canary,
        _provider_that_links_to(link.replace("{port}", str(canary.port))) as base_url,
        DriverBench(
            turbotext.DRIVER, base_url=base_url, api_key="key", directory=tmp_path, links=links
        ) as bench,
    ):
        with pytest.raises(ProviderError) as caught:
            await bench.run("image_edit", photo, {"prompt": "snow"})
    assert canary.hits == []
    assert caught.value.reason in {"BAD_RESPONSE", "NETWORK"}
    assert caught.value.repeat.pauses == ()


async def test_the_key_goes_with_the_download_from_the_providers_own_site(
    tmp_path: Path, photo: Picture, links: PublicLinks, make_picture: MakePicture
) -> None:
    seen: list[str] = []
    result = make_picture("result.png", colour="red").path.read_bytes()

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization", ""))
        if request.method == "GET":
            return web.Response(body=result, content_type="image/png")
        return web.json_response({"success": True, "queueid": 1, "uploaded_image": "/files/r.png"})

    app = web.Application()
    app.router.add_route("*", "/{any:.*}", answer)
    async with (
        TestServer(app) as server,
        DriverBench(
            turbotext.DRIVER,
            base_url=str(server.make_url("/api_ai")),
            api_key="some-key",
            directory=tmp_path,
            links=links,
        ) as bench,
    ):
        await bench.run("image_edit", photo, {"prompt": "snow"})
    assert seen == ["Bearer some-key"] * 3


@pytest.mark.parametrize("knob", [TurbotextKnob.RESULT_TOP_LEVEL, TurbotextKnob.OTHER_ERROR])
async def test_neither_key_nor_prompt_nor_link_is_logged(
    knob: TurbotextKnob, turbotext_bench: DriverBench, turbotext_mock: TurbotextMock, photo: Picture
) -> None:
    reason = "Ekaterina is no prompt" if knob is TurbotextKnob.OTHER_ERROR else ""
    turbotext_mock.script(knob, reason=reason)
    with structlog.testing.capture_logs() as lines:
        try:
            await turbotext_bench.run(
                "image_edit", photo, {"prompt": "for {{name}}"}, fields={"name": "Ekaterina"}
            )
        except ProviderError as error:
            told = f"{error.message} {error.metadata}"
        else:
            told = ""
    logged = f"{lines} {told}"
    assert "12345" in logged  # the queue's number is
    for secret in (turbotext_mock.api_key or "", "Ekaterina", "http://", ".png"):
        assert secret not in logged
