"""How drivers speak HTTP, against a real server."""

import base64
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st
from photochanger_providers.domain.errors import BadProviderResponse, NetworkFailed
from photochanger_providers.domain.picture import Picture
from photochanger_providers.domain.repeat import Repeat
from photochanger_providers.drivers.body import Base64Of, RequestBody
from photochanger_providers.drivers.http import (
    ProviderHttp,
    PublicResolver,
    is_public_address,
    open_foreign_session,
    open_trusted_session,
)

PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fc00::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::",
    "ff02::1",
]


@pytest.fixture
async def base_url() -> AsyncIterator[str]:
    async def echo(request: web.Request) -> web.Response:
        body = await request.read()
        return web.json_response(
            {"length": request.headers.get("Content-Length"), "body": body.decode()},
        )

    async def redirect(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://169.254.169.254/latest/meta-data")

    async def big(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * 3000)

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"x")
        if request.transport is not None:
            request.transport.close()
        return response

    app = web.Application(client_max_size=10_000_000)
    app.add_routes(
        [web.post("/echo", echo), web.get("/redirect", redirect), web.get("/big", big), web.get("/cut", cut)]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


@pytest.fixture
async def http(base_url: str) -> AsyncIterator[ProviderHttp]:
    async with open_trusted_session() as trusted, open_foreign_session() as foreign:
        yield ProviderHttp(base_url=base_url, trusted=trusted, foreign=foreign)


@given(content=st.binary(max_size=2000))
def test_the_length_of_a_body_is_known_before_it_is_read(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("body") / "photo"
    path.write_bytes(content)
    picture = Picture(path, "image/png", len(content), 1, 1)

    body = RequestBody("application/json", [b'"', Base64Of(picture), b'"'])

    assert body.content_length == len(base64.b64encode(content)) + 2


async def test_a_body_is_sent_whole_with_its_exact_length(http: ProviderHttp, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4000
    (tmp_path / "photo").write_bytes(content)
    picture = Picture(tmp_path / "photo", "image/png", len(content), 1, 1)
    body = RequestBody("application/json", [b"<", Base64Of(picture), b">"])

    async with http.request("POST", "/echo", body=body) as answer:
        seen = await answer.read(limit_bytes=4_000_000)

    expected = b"<" + base64.b64encode(content) + b">"
    assert expected in seen
    assert f'"length": "{len(expected)}"'.encode() in seen


async def test_redirects_are_not_followed(http: ProviderHttp) -> None:
    with pytest.raises(BadProviderResponse, match="redirect"):
        async with http.request("GET", "/redirect"):
            pass


async def test_an_answer_longer_than_allowed_is_refused(http: ProviderHttp, tmp_path: Path) -> None:
    with pytest.raises(BadProviderResponse, match="larger"):
        async with http.request("GET", "/big") as answer:
            await answer.read(limit_bytes=2999)
    with pytest.raises(BadProviderResponse, match="larger"):
        async with http.request("GET", "/big") as answer:
            await answer.save(tmp_path / "big", 2999)


async def test_a_broken_answer_and_no_connection_are_told_apart(
    http: ProviderHttp, free_port: Callable[[], int]
) -> None:
    sent, lost = Repeat.once(), Repeat.backoff(2)
    with pytest.raises(NetworkFailed) as broken:
        async with http.request("GET", "/cut", if_not_sent=sent, if_lost=lost) as answer:
            await answer.read()
    assert broken.value.repeat == lost

    async with open_trusted_session() as trusted, open_foreign_session() as foreign:
        nobody = ProviderHttp(base_url=f"http://127.0.0.1:{free_port()}", trusted=trusted, foreign=foreign)
        with pytest.raises(NetworkFailed) as refused:
            async with nobody.request("GET", "/", if_not_sent=sent, if_lost=lost):
                pass
    assert refused.value.repeat == sent
    assert refused.value.provider_calls == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/r.png",
        "ftp://example.com/r.png",
        "file:///etc/passwd",
        "https:///r.png",
        "https://[::1",
        "https://example.com/r.png HTTP/1.1\r\nHost: 10.0.0.1",
        "r.png",
        "",
        *(
            f"https://[{address}]/r.png" if ":" in address else f"https://{address}/r.png"
            for address in PRIVATE
        ),
    ],
)
async def test_a_link_in_an_answer_leads_to_public_https_only(url: str, http: ProviderHttp) -> None:
    with pytest.raises(BadProviderResponse):
        async with http.request("GET", url):
            pass


async def test_a_name_with_one_private_address_is_not_connected_to() -> None:
    class Rebinding(AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[ResolveResult]:
            return [
                ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
                for address in ("93.184.216.34", "169.254.169.254")
            ]

        async def close(self) -> None:
            return

    with pytest.raises(OSError, match="not public"):
        await PublicResolver(Rebinding()).resolve("rebinding.example", 443)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public_address(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public_address(address)
