"""The admins' app as it was built: its files by name, and itself for every other path below /admin."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from photochanger_chassis.testing import ManualClock
from photochanger_gateway.testing.platform import Gateway, Platform, a_gateway, settings_for
from photochanger_gateway.testing.wire import Answer, ask

SCRIPT = b"console.log('hello')\n" * 200
INDEX = b"<!doctype html><title>PhotoChanger</title>"


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """A small app, built."""
    folder = tmp_path / "web"
    (folder / "assets").mkdir(parents=True)
    for name, data in {
        "index.html": INDEX,
        "favicon.svg": b"<svg/>",
        "manifest.json": b"{}",
        "assets/index-1a2b.js": SCRIPT,
        "assets/page-3c4d.js": SCRIPT,
        "assets/page-3c4d.js.br": b"as brotli",
        "assets/page-3c4d.js.gz": b"as gzip",
        "assets/style-5e6f.css": b"body{}",
        "assets/font-7a8b.woff2": b"wOF2" + bytes(2000),
    }.items():
        (folder / name).write_bytes(data)
    (tmp_path / "secret.txt").write_text("not for you")
    return folder


@pytest.fixture
async def gateway(platform: Platform, clock: ManualClock, nats_url: str, web: Path) -> AsyncIterator[Gateway]:
    async with a_gateway(settings_for(platform, nats_url), clock, web=web) as gateway:
        yield gateway


def is_the_app(answer: Answer) -> bool:
    return (answer.status, answer.body) == (200, INDEX)


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/", "/admin/slots/slot-003", "/admin/jobs/x?tab=1", "/admin/index.html"]
)
async def test_every_page_of_the_app_is_the_app(gateway: Gateway, path: str) -> None:
    answer = await ask(gateway.port, path)
    assert is_the_app(answer)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


async def test_the_app_may_run_its_own_scripts_and_nothing_else(gateway: Gateway) -> None:
    policy = (await ask(gateway.port, "/admin")).headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["frame-ancestors"] == rules["base-uri"] == "'none'"
    assert rules["script-src"] == rules["connect-src"] == rules["font-src"] == "'self'"
    assert rules["img-src"] == "'self' blob: data:"


async def test_pictures_may_come_from_where_guests_find_them(
    platform: Platform, clock: ManualClock, nats_url: str, web: Path
) -> None:
    settings = settings_for(platform, nats_url, public_media_base_url="https://photos.example/some/path")
    async with a_gateway(settings, clock, web=web) as gateway:
        policy = (await ask(gateway.port, "/admin")).headers["content-security-policy"]
    assert "img-src 'self' blob: data: https://photos.example;" in policy


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("index-1a2b.js", "text/javascript; charset=utf-8"),
        ("style-5e6f.css", "text/css; charset=utf-8"),
        ("font-7a8b.woff2", "font/woff2"),
    ],
)
async def test_hashed_files_are_kept_for_ever(gateway: Gateway, path: str, kind: str) -> None:
    answer = await ask(gateway.port, f"/admin/assets/{path}")
    assert (answer.status, answer.headers["content-type"]) == (200, kind)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_other_files_are_asked_for_again(gateway: Gateway) -> None:
    answer = await ask(gateway.port, "/admin/favicon.svg")
    assert (answer.body, answer.headers["content-type"]) == (b"<svg/>", "image/svg+xml")
    assert answer.headers["cache-control"] == "no-cache"
    assert is_the_app(await ask(gateway.port, "/admin/manifest.json"))


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [
        ("gzip, deflate, br, zstd", "br", b"as brotli"),
        ("br;q=0, gzip;q=0.5", "gzip", b"as gzip"),
        ("gzip;q=0.000", None, SCRIPT),
        ("identity", None, SCRIPT),
        ("", None, SCRIPT),
    ],
)
async def test_a_file_comes_compressed_where_the_client_takes_that(
    gateway: Gateway, accepted: str, encoding: str | None, body: bytes
) -> None:
    answer = await ask(gateway.port, "/admin/assets/page-3c4d.js", Accept_Encoding=accepted)
    assert (answer.headers.get("content-encoding"), answer.body) == (encoding, body)
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_a_file_that_was_not_compressed_is_compressed_here(gateway: Gateway) -> None:
    for _ in range(2):
        answer = await ask(gateway.port, "/admin/assets/index-1a2b.js", Accept_Encoding="gzip, br")
        assert answer.headers["content-encoding"] == "gzip"
        assert gzip.decompress(answer.body) == SCRIPT
    font = await ask(gateway.port, "/admin/assets/font-7a8b.woff2", Accept_Encoding="gzip")
    assert "content-encoding" not in font.headers


async def test_head_answers_as_get_without_the_body(gateway: Gateway) -> None:
    answer = await ask(gateway.port, "/admin/assets/index-1a2b.js", method="HEAD")
    assert (answer.status, answer.headers["content-length"]) == (200, str(len(SCRIPT)))
    assert (await ask(gateway.port, "/admin", method="HEAD")).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "assets/gone-9f9f.js",
        "assets/",
        "assets/../../secret.txt",
        "assets/..%2f..%2fsecret.txt",
        "assets/%2e%2e/%2e%2e/secret.txt",
        "assets//etc/passwd",
        "assets/page-3c4d.js.gz",
    ],
)
async def test_a_file_that_is_none_of_the_apps_is_not_found(gateway: Gateway, path: str) -> None:
    answer = await ask(gateway.port, f"/admin/{path}")
    assert (answer.status, answer.json()["failure_reason"]) == (404, "not_found")


async def test_an_address_outside_leads_nowhere(gateway: Gateway) -> None:
    for path in ("/admin/../secret.txt", "/admin/%2e%2e/secret.txt", "/admin/..%5csecret.txt"):
        assert b"not for you" not in (await ask(gateway.port, path)).body


async def test_an_app_that_was_not_built_says_how_to_build_it(
    platform: Platform, clock: ManualClock, nats_url: str, tmp_path: Path
) -> None:
    settings = settings_for(platform, nats_url)
    async with a_gateway(settings, clock, web=tmp_path / "nothing") as gateway:
        for path in ("/admin", "/admin/slots", "/admin/assets/index-1a2b.js"):
            answer = await ask(gateway.port, path, Accept_Language="en")
            assert (answer.status, answer.headers["retry-after"]) == (503, "60")
            assert "have not been built" in answer.body.decode()
            assert "make setup" in answer.body.decode()
        assert "не собраны" in (await ask(gateway.port, "/admin", Accept_Language="ru")).body.decode()


async def test_the_start_page_leads_to_the_app(gateway: Gateway) -> None:
    assert 'href="/admin"' in (await ask(gateway.port, "/")).body.decode()
