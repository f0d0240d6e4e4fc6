"""Messages over real HTTP, on loopback: what is sent, what comes of answers, and where nothing is ever sent."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from photochanger_chassis.testing import ManualClock
from photochanger_ingest.adapters.http.receivers import HttpReceivers, open_receivers
from photochanger_ingest.domain.address import AddressPolicy
from photochanger_ingest.domain.webhook import SendError, Sent
from photochanger_ingest.testing.receiver import Receiver, open_receiver

BODY = b'{"type":"job.finished"}'
HERE = AddressPolicy((ip_network("127.0.0.0/8"), ip_network("::1/128")))
_LONG = timedelta(seconds=20)


class Names(AbstractResolver):
    """Resolves names as a test says, each time as the next of its answers says; others for real."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): list(each) for name, each in answers.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.answers:
            return await ThreadedResolver().resolve(host, port, family)
        answers = self.answers[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


@dataclass
class Canary:
    """Listens on loopback, of both versions, where nothing may ever knock."""

    port: int = 0
    knocks: list[str] = field(default_factory=list)

    async def knocked(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.knocks.append(str(writer.get_extra_info("sockname")[0]))
        writer.close()


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    listening = Canary()
    async with AsyncExitStack() as stack:
        for host in ("127.0.0.1", "::1"):
            server = await asyncio.start_server(listening.knocked, host, listening.port)
            listening.port = server.sockets[0].getsockname()[1]
            await stack.enter_async_context(server)
        yield listening


Sender = Callable[..., Awaitable[HttpReceivers]]


@pytest.fixture
async def sender(clock: ManualClock) -> AsyncIterator[Sender]:
    async with AsyncExitStack() as stack:

        async def opened(
            policy: AddressPolicy = HERE,
            *,
            names: Names | None = None,
            timeout: timedelta = _LONG,  # noqa: ASYNC109 - what is tested
            ssl_context: ssl.SSLContext | None = None,
        ) -> HttpReceivers:
            return await stack.enter_async_context(
                open_receivers(policy, timeout=timeout, clock=clock, resolver=names, ssl_context=ssl_context)
            )

        yield opened


async def sent(
    receivers: HttpReceivers, url: str, headers: Mapping[str, str] | None = None
) -> tuple[int | None, str | None]:
    """What came of a message."""
    attempt = await receivers.send(url, BODY, headers or {})
    return attempt.status, attempt.error


@pytest.fixture
def inside() -> Names:
    """Names that lead inside, in all the ways a name can."""
    return Names(
        inside_example=[["127.0.0.1"]],
        inside6_example=[["::1"]],
        mapped_example=[["::ffff:127.0.0.1"]],
        nat64_example=[["64:ff9b::127.0.0.1"]],
        mixed_example=[["8.8.8.8", "127.0.0.1"]],
        mixed6_example=[["::1", "2606:4700::1"]],
        metadata_example=[["169.254.169.254"]],
        private_example=[["10.1.2.3", "192.168.1.1"]],
        public_example=[["127.0.0.1"]],
    )


INSIDE = [
    "http://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "HTTP://127.0.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0x0.0x0.0x1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://127.000.000.001:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::]:{port}/",
    "http://[::1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127%2e0%2e0%2e1:{port}/",
    "http://127.0.0.1%00.public.example:{port}/",
    "http://127.0.0.1%2f.public.example:{port}/",
    "http://public.example@127.0.0.1:{port}/",
    "http://public.example:80@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}@public.example/",
    "http://127.0.0.1:{port}#@public.example/",
    "http://127.0.0.1:{port}?@public.example/",
    "http://public.example\\@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\.public.example/",
    "http:\\\\127.0.0.1:{port}/",
    "http:127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "http:///127.0.0.1:{port}/",
    "//127.0.0.1:{port}/",
    "file://127.0.0.1:{port}/etc/passwd",
    "gopher://127.0.0.1:{port}/_POST",
    "ws://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/\r\nHost: public.example",
    "http://127.0.0.1\t:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://127。0。0。1:{port}/",
    "http://ⓛocalhost:{port}/",
    "http://inside.example:{port}/",
    "http://INSIDE.example:{port}/",
    "https://inside.example:{port}/",
    "http://inside6.example:{port}/",
    "http://mapped.example:{port}/",
    "http://nat64.example:{port}/",
    "http://mixed.example:{port}/",
    "http://mixed6.example:{port}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://metadata.example/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://private.example:{port}/",
]


@pytest.mark.parametrize("url", INSIDE)
async def test_no_url_leads_inside(sender: Sender, canary: Canary, inside: Names, url: str) -> None:
    attempt: Sent = await (await sender(AddressPolicy(), names=inside)).send(
        url.format(port=canary.port), BODY, {}
    )
    assert canary.knocks == []
    assert attempt.error in {SendError.ADDRESS_REFUSED, SendError.NAME_NOT_FOUND}


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{port}/", "http://[::1]:{port}/", "http://inside.example:{port}/"]
)
async def test_the_canary_hears_what_an_operator_allows(
    sender: Sender, canary: Canary, inside: Names, url: str
) -> None:
    receivers = await sender(names=inside)
    assert (await sent(receivers, url.format(port=canary.port))) == (None, SendError.CONNECTION)
    assert len(canary.knocks) == 1


async def test_a_name_is_resolved_once_and_that_address_is_what_is_connected_to(
    sender: Sender, canary: Canary
) -> None:
    names = Names(rebinding_example=[["127.0.0.2"], ["127.0.0.1"]])
    receivers = await sender(AddressPolicy((ip_network("127.0.0.2/32"),)), names=names)
    async with open_receiver(host="127.0.0.2", port=canary.port) as receiver:
        url = f"http://rebinding.example:{canary.port}/hook"
        # Where it was looked at, though by now the name leads inside.
        assert await sent(receivers, url) == (204, None)
        assert names.asked == ["rebinding.example"]
        assert receiver.requests[0].headers["Host"] == f"rebinding.example:{canary.port}"
        # The next attempt looks anew.
        assert await sent(receivers, url) == (None, SendError.ADDRESS_REFUSED)
        assert len(receiver.requests) == 1
    assert canary.knocks == []


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_redirects_are_failures_and_lead_nowhere(
    sender: Sender, canary: Canary, receiver: Receiver, status: int
) -> None:
    receiver.statuses, receiver.headers = [status], {"Location": f"http://127.0.0.1:{canary.port}/"}
    receivers = await sender()
    assert await sent(receivers, receiver.url) == (status, SendError.HTTP_STATUS)
    assert (len(receiver.requests), canary.knocks) == (1, [])


@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy", "all_proxy"])
async def test_a_proxy_in_the_environment_is_left_alone(
    sender: Sender, canary: Canary, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://127.0.0.1:{canary.port}")
    assert await sent(await sender(), receiver.url) == (204, None)
    assert canary.knocks == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, None),
        (202, None),
        (299, None),
        (304, SendError.HTTP_STATUS),
        (400, SendError.HTTP_STATUS),
        (410, SendError.HTTP_STATUS),
        (500, SendError.HTTP_STATUS),
    ],
)
async def test_only_2xx_is_a_good_answer(
    sender: Sender, receiver: Receiver, status: int, error: SendError | None
) -> None:
    receiver.statuses = [status]
    assert await sent(await sender(), receiver.url) == (status, error)


async def test_what_is_sent_is_the_body_with_its_headers_and_nothing_of_ours_beside(
    sender: Sender, receiver: Receiver
) -> None:
    await sent(await sender(), receiver.url + "?a=%20b&c", {"webhook-id": "msg_1"})
    [request] = receiver.requests
    assert (request.method, request.path, request.body) == ("POST", "/hook?a=%20b&c", BODY)
    assert set(request.headers) == {
        "Host",
        "Content-Type",
        "User-Agent",
        "webhook-id",
        "Accept",
        "Accept-Encoding",
        "Content-Length",
        "Connection",
    }


@pytest.mark.parametrize(
    ("header", "asked"),
    [
        ("120", timedelta(minutes=2)),
        ("0", timedelta()),
        ("99999999999999", timedelta(seconds=999999999)),
        ("soon", None),
        ("-1", None),
        ("", None),
    ],
)
async def test_retry_after_is_read_and_nonsense_in_it_is_not(
    sender: Sender, receiver: Receiver, header: str, asked: timedelta | None
) -> None:
    receiver.statuses, receiver.headers = [503], {"Retry-After": header}
    assert (await (await sender()).send(receiver.url, BODY, {})).retry_after == asked


async def test_retry_after_may_be_an_instant(sender: Sender, receiver: Receiver, clock: ManualClock) -> None:
    at = (clock.now() + timedelta(minutes=10)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    receiver.statuses, receiver.headers = [503], {"Retry-After": at}
    asked = (await (await sender()).send(receiver.url, BODY, {})).retry_after
    assert asked is not None
    assert timedelta(minutes=9, seconds=58) < asked <= timedelta(minutes=10)


async def test_who_does_not_answer_in_time_is_left(sender: Sender, receiver: Receiver) -> None:
    async with receiver.holding:
        receivers = await sender(timeout=timedelta(seconds=0.2))
        assert await sent(receivers, receiver.url) == (None, SendError.TIMEOUT)


async def test_an_endless_body_is_not_waited_for(sender: Sender) -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 5000)
        await _reader.read()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        assert await sent(await sender(), f"http://127.0.0.1:{port}/") == (200, None)


@pytest.mark.parametrize(
    "answer", [b"", b"\x00\x01garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70000]
)
async def test_what_is_no_http_is_a_failed_connection(sender: Sender, answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        assert await sent(await sender(), f"http://127.0.0.1:{port}/") == (None, SendError.CONNECTION)


async def test_nobody_there_and_no_such_name_are_told_apart(
    sender: Sender, free_port: Callable[[], int]
) -> None:
    names = Names(nobody_example=[[]])
    receivers = await sender(names=names)
    assert await sent(receivers, f"http://127.0.0.1:{free_port()}/") == (None, SendError.CONNECTION)
    assert await sent(receivers, "http://nobody.example/") == (None, SendError.NAME_NOT_FOUND)
